"""What the limits promise, judged from the list of all claims; knows no lanes, no caches, no stored times.

Times are true ones: milliseconds that have passed, whatever somebody did to the wall clock meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from whatsself_tui.delivery.limits import MINUTE_MS, REPLY_WINDOW_MS, Limits, Quota


@dataclass
class Message:
    """A message that was queued."""

    person: int
    quota: Quota
    scheduled: bool
    rests_until_ms: int = 0
    """End of the pause after its last attempt."""


@dataclass
class Departure:
    """A message left the queue for the transport."""

    at_ms: int
    message_id: int
    person: int
    first: bool
    """Whether it was the first to somebody who had never written."""
    undone: bool = False
    """Whether it certainly never left, so that no limit counts it."""


@dataclass
class Ledger:
    """Everything that happened, and what is wrong with it."""

    messages: dict[int, Message] = field(default_factory=dict)
    departures: list[Departure] = field(default_factory=list)
    heard_at_ms: dict[int, int] = field(default_factory=dict)
    """When each person wrote last."""
    waiting: set[int] = field(default_factory=set)
    """Messages in the queue."""

    def queued(
        self, message_id: int, person: int, at_ms: int, *, exempt: bool = False, scheduled: bool = False
    ) -> None:
        """A message waits; whether it answers something is decided now."""
        wrote = self.heard_at_ms.get(person)
        is_reply = wrote is not None and at_ms - wrote < REPLY_WINDOW_MS
        quota = Quota.EXEMPT if exempt else Quota.REPLY if is_reply else Quota.CONTACT
        self.messages[message_id] = Message(person, quota, scheduled)
        self.waiting.add(message_id)

    def departs(self, message_id: int, at_ms: int, limits: Limits, wall_ahead_ms: int) -> list[str]:
        """A message is claimed; every promise that this breaks. The wall clock shows `at_ms + wall_ahead_ms`."""
        message = self.messages[message_id]
        self.waiting.remove(message_id)
        counted = [departure for departure in self.departures if not departure.undone]
        wrote = message.person in self.heard_at_ms
        first = not wrote and all(departure.person != message.person for departure in counted)
        self.departures.append(Departure(at_ms, message_id, message.person, first))
        faults = _exceeded("a minute", [d.at_ms for d in counted], at_ms, MINUTE_MS, limits.per_minute)
        if message.quota is not Quota.EXEMPT:
            mine = [departure.at_ms for departure in counted if departure.person == message.person]
            most = limits.per_contact if message.quota is Quota.CONTACT else limits.per_contact_reply
            faults += _exceeded(f"person {message.person}", mine, at_ms, limits.contact_window_ms, most)
        if first and limits.daily_new_contacts:
            today = _day(at_ms + wall_ahead_ms, limits)
            strangers = sum(d.first and _day(d.at_ms + wall_ahead_ms, limits) == today for d in counted)
            if strangers >= limits.daily_new_contacts:
                faults.append(f"{strangers + 1} strangers on {today}, allowed {limits.daily_new_contacts}")
        if at_ms < message.rests_until_ms:
            faults.append(f"message {message_id} goes {message.rests_until_ms - at_ms} ms before its pause is over")
        return faults

    def returns(self, message_id: int, rests_until_ms: int) -> None:
        """A message is back in the queue, and does not go before that time."""
        self.messages[message_id].rests_until_ms = rests_until_ms
        self.waiting.add(message_id)

    def never_left(self, message_id: int) -> None:
        """The last departure of the message does not count: nothing was attempted."""
        last = next(departure for departure in reversed(self.departures) if departure.message_id == message_id)
        last.undone = True

    def unscheduled(self) -> set[int]:
        """Messages that wait for nothing but limits and pauses."""
        return {number for number in self.waiting if not self.messages[number].scheduled}

    def longest_ms(self, limits: Limits) -> int:
        """How long what waits may take at most, scheduled messages apart: a day for each stranger, a window for
        each message, and hours for a breaker that opened."""
        people = {message.person for message in self.messages.values()}
        days = (len(people) + 2) * 86_400_000
        return days + len(self.waiting) * (limits.contact_window_ms + MINUTE_MS) + 4 * 3_600_000


def _exceeded(what: str, times_ms: list[int], at_ms: int, window_ms: int, most: int) -> list[str]:
    """Half-open: what happened exactly one window ago counts no more."""
    inside = sum(at_ms - ts < window_ms for ts in times_ms)
    return [f"{what}: {inside + 1} within {window_ms} ms, allowed {most}"] if inside >= most else []


def _day(wall_ms: int, limits: Limits) -> date:
    return datetime.fromtimestamp(wall_ms / 1000, limits.zone).date()
