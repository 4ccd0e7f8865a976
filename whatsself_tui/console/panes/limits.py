"""The limits: how full the windows are, and who has to wait how long."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from whatsself_tui.console import queries
from whatsself_tui.console.pane import REREAD_MS, Canvas, Pane
from whatsself_tui.console.words import countdown, fit, gauge
from whatsself_tui.robot.link import RobotLink
from whatsself_tui.store.readings import ContactLimitReading, LimitsReading
from whatsself_tui.store.topics import Topic

_FREE = "now"

#: With fewer lines than this the gauge and the heading give way to contacts.
_ROOM_FOR_ALL = 6


class LimitsPane(Pane[LimitsReading]):
    """The minute of all contacts together, then each contact with used / limit and when it is free again."""

    TITLE = "3 Limits"
    TOPICS = frozenset({Topic.LIMITS, Topic.CONTACTS})

    async def question(self, link: RobotLink, now_ms: int) -> queries.Query[LimitsReading]:
        """Both windows at that moment."""
        return queries.limits(link.settings, now_ms)

    def counts(self, reading: LimitsReading, now_ms: int) -> bool:
        """Somebody waits for a window."""
        return any(at > now_ms for at in _free_times(reading))

    def outdated_at_ms(self, reading: LimitsReading, read_at_ms: int) -> int | None:
        """Sends leave the windows without anything happening."""
        if not reading.minute_used and not reading.contacts:
            return None
        return min((at for at in _free_times(reading) if at > read_at_ms), default=read_at_ms + REREAD_MS)

    def picture(self, reading: LimitsReading, canvas: Canvas) -> Sequence[Content]:
        """All contacts first, then the fullest ones."""
        used = f"{reading.minute_used}/{reading.minute_limit}"
        free = _free(reading.minute_free_at_ms, canvas.now_ms)
        style = "$text-success" if free == _FREE else "$text-warning"
        contacts = [_contact(contact, canvas) for contact in reading.contacts]
        words = "free now" if free == _FREE else f"in {free}"
        if canvas.height < _ROOM_FOR_ALL:
            return [Content.assemble("All ", (used, "bold"), " ", (words, style)), *contacts]
        room = max(4, canvas.width - len(words) - 1)
        lines = [
            Content.assemble("All ", (used, "bold"), (" in a minute", "$text-muted")),
            Content.assemble((gauge(reading.minute_used / reading.minute_limit, room), style), f" {words}"),
        ]
        if reading.new_contacts_limit:
            lines.append(_new_contacts(reading))
        if reading.contacts:
            head = f"{'used':>5} {'free in':>7}"
            lines.append(Content.styled(fit("Contact", canvas.width - len(head)) + head, "$text-muted"))
            lines.extend(contacts)
        else:
            lines.append(Content.styled("No contact used any.", "$text-muted"))
        return lines


def _new_contacts(reading: LimitsReading) -> Content:
    """How many first messages to people who never wrote went out today."""
    used = f"{reading.new_contacts_used}/{reading.new_contacts_limit}"
    full = reading.new_contacts_used >= reading.new_contacts_limit
    style = "bold $text-warning" if full else "bold"
    return Content.assemble("New people ", (used, style), (" today", "$text-muted"))


def _contact(contact: ContactLimitReading, canvas: Canvas) -> Content:
    free = _free(contact.free_at_ms, canvas.now_ms)
    used = f" {contact.used}/{contact.limit}".rjust(5)
    name = fit(contact.contact, canvas.width - len(used) - 8)
    style = "$text-success" if free == _FREE else "bold $text-warning"
    return Content.assemble(name, used, (f" {free:>7}", style))


def _free(at_ms: int | None, now_ms: int) -> str:
    return _FREE if at_ms is None or at_ms <= now_ms else countdown(at_ms - now_ms)


def _free_times(reading: LimitsReading) -> list[int]:
    times = [reading.minute_free_at_ms, *(contact.free_at_ms for contact in reading.contacts)]
    return [at for at in times if at is not None]
