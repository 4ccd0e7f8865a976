"""The circuit breaker: may messages go out, and how near is it to stopping them."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from whatsself_tui.console import queries
from whatsself_tui.console.pane import REREAD_MS, Canvas, Pane
from whatsself_tui.console.words import BREAKER, MODES, countdown, elapsed, gauge, moment, plural
from whatsself_tui.robot.link import RobotLink
from whatsself_tui.store.readings import BreakerReading
from whatsself_tui.store.topics import Topic
from whatsself_tui.text import visible


class BreakerPane(Pane[BreakerReading]):
    """State in words, failures in the window, and the rate at which it opens."""

    TITLE = "1 Breaker"
    TOPICS = frozenset({Topic.BREAKER})

    async def question(self, link: RobotLink, now_ms: int) -> queries.Query[BreakerReading]:
        """The breaker as it is stored."""
        return queries.breaker(link.settings, now_ms)

    def counts(self, reading: BreakerReading, now_ms: int) -> bool:
        """It counts down to the first probe while it is open."""
        return reading.closes_at_ms is not None and reading.closes_at_ms > now_ms

    def outdated_at_ms(self, reading: BreakerReading, read_at_ms: int) -> int | None:
        """The cool-down ends, and outcomes leave the window, without anything happening."""
        times = [reading.closes_at_ms] if self.counts(reading, read_at_ms) else []
        if reading.attempts:
            times.append(read_at_ms + REREAD_MS)
        return min((at for at in times if at is not None), default=None)

    def picture(self, reading: BreakerReading, canvas: Canvas) -> Sequence[Content]:
        """The state first, then why."""
        glyph, style, meaning = BREAKER.get(reading.state, ("?", "$text-warning", ""))
        name = visible(reading.state, limit=20).upper().replace("_", " ")
        lines = [Content.assemble((f"{glyph} {name}", f"bold {style}")), Content(meaning)]
        if reading.closes_at_ms is not None:
            left = countdown(reading.closes_at_ms - canvas.now_ms)
            times = f" ×{reading.multiplier}" if reading.multiplier > 1 else ""
            lines.append(Content.assemble("First test in ", (left, "bold"), times))
        if reading.mode != "auto":
            lines.append(Content.styled(MODES.get(reading.mode, visible(reading.mode, limit=20)), "$text-warning"))
        if reading.state == "half_open":
            lines.append(Content(f"{reading.probes} of {reading.probes_needed} tests answered"))
        if reading.attempts:
            lines.append(_failures(reading, canvas.width))
            lines.append(_in_words(reading, canvas.width))
        else:
            lines.append(Content.styled("No sends of late.", "$text-muted"))
        lines.append(Content.styled(f"Opens at {reading.opens_at:.0%} (min {reading.min_attempts})", "$text-muted"))
        lines.extend(_changes(reading, canvas))
        return lines


def _changes(reading: BreakerReading, canvas: Canvas) -> list[Content]:
    """What it did of late and why, the newest first."""
    return [
        Content.assemble(
            (f"{moment(change.at_ms, canvas.now_ms, canvas.zone)} ", "$text-muted"),
            f"{visible(change.to_state, limit=20).replace('_', ' ')}: {visible(change.cause, limit=200)}",
        )
        for change in reading.transitions
    ]


def _in_words(reading: BreakerReading, width: int) -> Content:
    words = f"{reading.failures} of {plural(reading.attempts, 'send')} failed"
    with_window = f"{words} in {elapsed(reading.window_s * 1000)}"
    return Content(with_window if len(with_window) <= width else words)


def _failures(reading: BreakerReading, width: int) -> Content:
    share = f" {reading.failure_rate:.0%}"
    style = "$text-error" if reading.failure_rate >= reading.opens_at else "$text-success"
    bar = gauge(reading.failure_rate, max(4, width - len(share)), mark=reading.opens_at)
    return Content.assemble((bar, style), share)
