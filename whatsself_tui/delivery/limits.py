"""Sliding windows and priorities: when may the next message go.

All of it is arithmetic on times that are passed in. Windows are half-open: a send at `ts` stops
counting at exactly `ts + window`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import IntEnum, IntFlag

#: The window of all contacts together.
MINUTE_MS = 60_000

#: How long after a contact's own message an answer to it counts as a reply.
REPLY_WINDOW_MS = 300_000

HIGHEST_PRIORITY = 10

#: Not eligible at all until something else happens (another message to the contact is in flight).
NEVER = 1 << 62


class Gate(IntFlag):
    """What bounds a message beside the windows of its contact and of all contacts."""

    STRANGER = 1
    """The day's number of first messages to people who never wrote."""
    HOURS = 2
    """The business hours."""


class Quota(IntEnum):
    """Which of a contact's windows bounds a message."""

    CONTACT = 0
    REPLY = 1
    EXEMPT = 2
    """Only the window of all contacts: the confirmation of an opt-out."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many sends the windows admit."""

    per_minute: int = 12
    per_contact: int = 2
    per_contact_reply: int = 6
    contact_window_ms: int = 300_000
    aging_ms: int = 600_000
    """Waiting this long is worth one priority."""
    daily_new_contacts: int = 0
    """First messages a day to people who never wrote; 0 for no limit."""
    zone: tzinfo = UTC
    """The business's: where its days begin."""
    opens_at: Callable[[int], int | None] | None = field(default=None, compare=False, repr=False)
    """When the business is open next (ms → ms; now if it is, None if never); without it, it always is."""

    @property
    def horizon_ms(self) -> int:
        """How long a send can matter to any window."""
        return max(MINUTE_MS, self.contact_window_ms)


def free_at(nth_last_ms: int | None, window_ms: int) -> int:
    """When a window admits one more send.

    `nth_last_ms` is the time of the n-th last send, n being the window's limit; None if there
    were fewer. 0 means now.
    """
    return 0 if nth_last_ms is None else nth_last_ms + window_ms


def day_of(now_ms: int, zone: tzinfo) -> tuple[int, int]:
    """When the present day of `zone` began and when the next one begins, in wall-clock milliseconds."""
    today = datetime.fromtimestamp(now_ms / 1000, zone).date()
    first, second = (
        datetime.combine(day, time.min, tzinfo=zone).timestamp() for day in (today, today + timedelta(days=1))
    )
    return round(first * 1000), round(second * 1000)


def class_of(priority: int) -> int:
    """The queue's class of a priority from 0 to 10: lower classes are more urgent."""
    return HIGHEST_PRIORITY - priority


def score(message_class: int, waited_ms: int, aging_ms: int) -> float:
    """Urgency of a lane's head, lower first; each `aging_ms` of waiting is worth one class."""
    return message_class - waited_ms / aging_ms
