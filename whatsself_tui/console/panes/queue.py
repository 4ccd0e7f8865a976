"""The backlog: how much waits, what for, and who is next."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from whatsself_tui.console import queries
from whatsself_tui.console.pane import REREAD_MS, Canvas, Pane
from whatsself_tui.console.words import WAITS_FOR, countdown, fit, plural
from whatsself_tui.robot.link import RobotLink
from whatsself_tui.store.readings import QueueReading, WaitingMessage
from whatsself_tui.store.topics import Topic

#: From this width on the text of the messages is shown beside the names.
_ROOM_FOR_TEXT = 50


class QueuePane(Pane[QueueReading]):
    """Counts, the next wake-up with its reason in words, priorities, the next contacts."""

    TITLE = "2 Queue"
    TOPICS = frozenset({Topic.QUEUE, Topic.PACE, Topic.ROBOT, Topic.BREAKER, Topic.LIMITS, Topic.CONTACTS})

    async def question(self, link: RobotLink, now_ms: int) -> queries.Query[QueueReading]:
        """The backlog at that moment."""
        return queries.queue(link.settings, now_ms)

    def counts(self, reading: QueueReading, now_ms: int) -> bool:
        """Something waits: its age or its time left changes."""
        return reading.oldest_waiting_since_ms is not None or reading.next_wake_at_ms is not None

    def outdated_at_ms(self, reading: QueueReading, read_at_ms: int) -> int | None:
        """The next wake-up; beside it scheduled messages come due without anything happening."""
        if reading.queued == 0:
            return None
        wake_at = reading.next_wake_at_ms
        return min(wake_at, read_at_ms + REREAD_MS) if wake_at and wake_at > read_at_ms else read_at_ms + REREAD_MS

    def picture(self, reading: QueueReading, canvas: Canvas) -> Sequence[Content]:
        """The backlog first, then what holds it up, then who is next."""
        lines = _backlog(reading, canvas)
        if reading.queued:
            lines.extend(_waits(reading, canvas))
        if reading.dead or reading.unconfirmed:
            lines.append(Content.styled(_trouble(reading), "$text-error"))
        if reading.by_priority:
            lines.append(_priorities(reading))
        lines.extend(_next(message, canvas) for message in reading.next_up)
        return lines


def _backlog(reading: QueueReading, canvas: Canvas) -> list[Content]:
    if not reading.queued and not reading.sending:
        return [Content.styled("Nothing waits.", "$text-muted")]
    beside = []
    if reading.sending:
        beside.append(Content.styled(f"{reading.sending} sending", "$text-warning"))
    if reading.scheduled:
        beside.append(Content.styled(f"{reading.scheduled:,} later", "$text-muted"))
    return _beside(Content.styled(f"{reading.queued:,} waiting", "bold"), beside, canvas)


def _waits(reading: QueueReading, canvas: Canvas) -> list[Content]:
    reason = Content.styled(WAITS_FOR.get(reading.waits_for, reading.waits_for.replace("_", " ")), "$text-muted")
    lines = []
    if reading.next_wake_at_ms is not None and reading.next_wake_at_ms > canvas.now_ms:
        left = countdown(reading.next_wake_at_ms - canvas.now_ms)
        lines.extend(_beside(Content.assemble("Next in ", (left, "bold $text-accent")), [reason], canvas))
    elif reading.next_wake_at_ms is not None:
        lines.append(Content.assemble("Next ", ("now", "bold $text-success")))
    else:
        lines.extend(_beside(Content.styled("Held", "bold $text-warning"), [reason], canvas))
    if reading.oldest_waiting_since_ms is not None:
        waited = countdown(canvas.now_ms - reading.oldest_waiting_since_ms)
        lines.append(Content.assemble("Oldest waits ", (waited, "bold")))
    return lines


def _beside(head: Content, rest: list[Content], canvas: Canvas) -> list[Content]:
    """`head · rest · rest` in one line where there is room, else the rest in a line of its own."""
    if not rest:
        return [head]
    tail = Content(" · ").join(rest)
    line = Content.assemble(head, " · ", tail)
    return [line] if line.cell_length <= canvas.width else [head, tail.pad_left(2)]


def _trouble(reading: QueueReading) -> str:
    parts = []
    if reading.dead:
        parts.append(f"{reading.dead:,} dead")
    if reading.unconfirmed:
        parts.append(f"{reading.unconfirmed:,} unconfirmed")
    return " · ".join(parts)


def _priorities(reading: QueueReading) -> Content:
    parts: list[str | tuple[str, str]] = [("Priority ", "$text-muted")]
    for number, count in reading.by_priority:
        parts.extend(((f"{number}", "$text-accent"), f"×{count:,} "))
    return Content.assemble(*parts)


def _next(message: WaitingMessage, canvas: Canvas) -> Content:
    if message.eligible_at_ms is None:
        when = "busy"
    elif message.eligible_at_ms <= canvas.now_ms:
        when = "ready"
    else:
        when = countdown(message.eligible_at_ms - canvas.now_ms)
    when = f" {when:>7}"
    if canvas.width < _ROOM_FOR_TEXT:
        return Content.assemble(fit(message.contact, canvas.width - len(when)), (when, "$text-accent"))
    name, text = 24, canvas.width - 24 - len(when) - 8
    return Content.assemble(
        fit(message.contact, name),
        (when, "$text-accent"),
        (f"  {message.priority:>2}  ", "$text-muted"),
        fit(message.body, max(1, text)),
    )


def waiting_words(count: int) -> str:
    """`1 message waits`, `12 messages wait`."""
    return f"{plural(count, 'message')} {'waits' if count == 1 else 'wait'}"
