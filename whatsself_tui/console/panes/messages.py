"""The conversation of late, the newest on top, one line each."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from whatsself_tui.console import queries
from whatsself_tui.console.pane import Canvas, Pane
from whatsself_tui.console.words import STATUS, day_of, day_words, fit, next_day_ms, time_of_day
from whatsself_tui.robot.link import RobotLink
from whatsself_tui.store.readings import MessageReading
from whatsself_tui.store.topics import Topic
from whatsself_tui.text import visible

_WHEN = 8
_STATUS = 11

#: Cells of the rule or source at the end of a line, and the width from which there is room for it.
_NOTE, _ROOM_FOR_NOTE = 20, 100

#: Statuses whose reason matters more than the text.
_IN_TROUBLE = ("failed", "unconfirmed", "cancelled")


class MessagesPane(Pane[queries.Recent]):
    """Time, direction, contact, status and text; the day's counters in its frame."""

    TITLE = "5 Messages"
    TOPICS = frozenset({Topic.MESSAGES, Topic.CONTACTS, Topic.STATISTICS})

    async def question(self, link: RobotLink, now_ms: int) -> queries.Query[queries.Recent]:
        """The last messages and the day's counters."""
        return queries.messages(link.settings, now_ms)

    def outdated_at_ms(self, reading: queries.Recent, read_at_ms: int) -> int | None:
        """At midnight the counters begin anew."""
        return next_day_ms(read_at_ms, self.source.link.settings.business.zone)

    def picture(self, reading: queries.Recent, canvas: Canvas) -> Sequence[Content]:
        """One line a message, and one before the first message of an earlier day."""
        self._show_today(reading)
        if not reading.messages:
            return [Content.styled("No messages yet.", "$text-muted")]
        lines: list[Content] = []
        day = day_of(canvas.now_ms, canvas.zone)
        for message in reading.messages:
            message_day = day_of(message.at_ms, canvas.zone)
            if message_day != day:
                day = message_day
                lines.append(Content.styled(f"─── {day_words(day)} ".ljust(canvas.width, "─"), "$text-muted"))
            lines.append(_line(message, canvas))
        return lines

    def put(self, lines: Sequence[Content]) -> None:
        """Whoever has scrolled back keeps the messages he reads where they are."""
        top = self.scroll_offset.y
        anchor = self._lines[top] if 0 < top < len(self._lines) else None
        super().put(lines)
        if anchor is not None:
            moved_to = next((y for y, line in enumerate(lines) if line.is_same(anchor)), top)
            self.scroll_to(y=moved_to, animate=False)

    def _show_today(self, reading: queries.Recent) -> None:
        counters = dict(reading.today.counters)
        words = f"today {counters.get('inbound', 0):,} in · {counters.get('outbound', 0):,} out"
        if counters.get("failed", 0):
            words += f" · {counters['failed']:,} failed"
        if self.border_subtitle != words:
            self.border_subtitle = words


def _line(message: MessageReading, canvas: Canvas) -> Content:
    incoming = message.direction == "in"
    glyph, word, style, _ = STATUS.get(message.status, ("?", visible(message.status, limit=11), "$text-warning", ""))
    name = 12 if canvas.width < 70 else 16 if canvas.width < 100 else 24
    room = max(1, canvas.width - _WHEN - name - _STATUS - 8)
    parts: list[str | tuple[str, str]] = [
        (time_of_day(message.at_ms, canvas.zone), "$text-muted"),
        (" ← " if incoming else " → ", "$text-accent" if incoming else "$text-success"),
        (fit(message.contact, name), "bold"),
        (f"  {glyph} {word:<{_STATUS}} ", style),
    ]
    if message.status in _IN_TROUBLE and message.note:
        reason = fit(f"({visible(message.note, limit=60)})", min(room // 2, len(message.note) + 2))
        parts.append((f"{reason} ", style))
        room -= len(reason) + 1
    note = _NOTE if canvas.width >= _ROOM_FOR_NOTE and message.status not in _IN_TROUBLE else 0
    parts.append(fit(message.body, max(1, room - note)))
    if note:
        parts.append((f"  {fit(message.note, note - 2)}", "$text-muted"))
    return Content.assemble(*parts)
