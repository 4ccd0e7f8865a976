"""The top line: who runs the robot, how it is connected, whether it sends, how old this picture is.

Each part has a long form and shorter ones; what matters least is shortened first. Who runs the
robot, whether it sends, and how old the picture is are never left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content

from whatsself_tui.console import queries
from whatsself_tui.console.pane import Canvas, Pane, Source
from whatsself_tui.console.words import BREAKER, TRANSPORT, elapsed, plural
from whatsself_tui.robot.link import LinkState, RobotLink
from whatsself_tui.store.topics import Topic
from whatsself_tui.text import short, visible

_GAP = "  "


@dataclass(frozen=True, slots=True)
class Part:
    """One statement, its forms from long to short (an empty one leaves it out)."""

    forms: tuple[str, ...]
    style: str
    order: tuple[int, ...] = ()
    """When each form gives way to the next one: the lowest number on the line goes first."""


class TopLine(Pane[queries.Situation]):
    """One line, never scrolled or focused; it also tells the console what it read."""

    TOPICS = frozenset({Topic.ROBOT, Topic.BREAKER, Topic.ALERTS})
    AGES_WITHOUT_OWNER = True
    can_focus = False

    def __init__(
        self,
        source: Source,
        *,
        pane_id: str,
        badges: Sequence[str],
        may_take_over: bool,
        told: Callable[[queries.Situation], None],
    ) -> None:
        super().__init__(source, pane_id=pane_id)
        self._badges = badges
        self._may_take_over = may_take_over
        self._told = told

    async def question(self, link: RobotLink, now_ms: int) -> queries.Query[queries.Situation]:
        """Robot, breaker and alerts in one reading."""
        return queries.situation(link.settings, now_ms)

    def has_read(self, reading: queries.Situation) -> None:
        """Pass it on: keys and toasts depend on it."""
        self._told(reading)

    def counts(self, reading: queries.Situation, now_ms: int) -> bool:
        """The age of the data is shown while nobody runs the robot."""
        return bool(self.trouble) or self.source.link.state.owner_lost_at_ms is not None

    def picture(self, reading: queries.Situation, canvas: Canvas) -> Sequence[Content]:
        """As much as fits, in the order of reading."""
        link = self.source.link
        parts = [Part((badge,), "bold reverse") for badge in self._badges]
        name = visible(link.settings.business.name, limit=30)
        parts.append(Part((name, short(name, 14), ""), "bold", (3, 5)))
        lost_at = link.state.owner_lost_at_ms
        if lost_at is None and link.state.owner is not None:
            parts.extend((_owner(link.state), _transport(reading), _paused(reading)))
        else:
            parts.append(self._no_owner(lost_at, canvas.now_ms))
        parts.append(_breaker(reading))
        if link.problems:
            parts.append(Part((" CONFIG REJECTED ", " BAD CONFIG "), "bold reverse $text-error", (6,)))
        unseen = sum(alert.acknowledged_at_ms is None for alert in reading.alerts)
        if unseen:
            parts.append(Part((f"▲ {plural(unseen, 'alert')}", f"▲ {unseen}"), "bold $text-warning", (2,)))
        if self.trouble:
            age = elapsed(canvas.now_ms - self.read_at_ms)
            parts.append(Part((f"✗ CANNOT READ, {age} old", f"✗ {age} old"), "bold $text-error", (9,)))
        elif lost_at is None:
            parts.append(Part(("live",), "$text-muted"))
        return [fitted(parts, canvas.width)]

    def with_trouble(self, lines: list[Content], now_ms: int) -> list[Content]:
        """The picture has a place of its own for trouble; without a picture the trouble is all there is."""
        return lines or super().with_trouble(lines, now_ms)

    def _no_owner(self, lost_at_ms: int | None, now_ms: int) -> Part:
        age = f" – last data {elapsed(now_ms - lost_at_ms)} old" if lost_at_ms is not None else ""
        offer = " – press o to take over" if self._may_take_over else ""
        forms = (f" NO OWNER{age}{offer} ", f" NO OWNER{age}{' – o: take over' if offer else ''} ")
        return Part(forms, "bold reverse $text-error", (10,))


def _owner(state: LinkState) -> Part:
    if state.mode == "owner":
        return Part((" OWNER ",), "bold reverse $text-success")
    assert state.owner is not None
    pid = state.owner.pid
    kind = visible(state.owner.mode, limit=10)
    forms = (f" ATTACHED to pid {pid} ({kind}) ", f" ATTACHED to pid {pid} ", f" ATTACHED {pid} ")
    return Part(forms, "bold reverse $text-accent", (1, 7))


def _transport(reading: queries.Situation) -> Part:
    state = reading.robot.transport_state
    word, style = TRANSPORT.get(state, (visible(state, limit=20).replace("_", " "), "$text-warning"))
    kind = visible(reading.robot.transport_kind, limit=20).replace("_", " ")
    return Part((f"{kind} {word}", word), style, (4,))


def _paused(reading: queries.Situation) -> Part:
    if reading.robot.paused:
        return Part((" PAUSED ",), "bold reverse $text-warning")
    return Part(("RUNNING",), "bold $text-success")


def _breaker(reading: queries.Situation) -> Part:
    _, style, _ = BREAKER.get(reading.breaker.state, ("", "$text-warning", ""))
    state = visible(reading.breaker.state, limit=20).upper().replace("_", " ")
    return Part((f"breaker {state}", ""), style, (8,))


def fitted(parts: Sequence[Part], width: int) -> Content:
    """The parts side by side in `width` cells, shortened in their order as far as needed."""
    chosen = [0] * len(parts)
    while _length(parts, chosen) > width:
        steps = [(part.order[chosen[i]], i) for i, part in enumerate(parts) if chosen[i] < len(part.order)]
        if not steps:
            break
        chosen[min(steps)[1]] += 1
    shown = [(part.forms[form], part.style) for part, form in zip(parts, chosen, strict=True) if part.forms[form]]
    pieces: list[str | tuple[str, str]] = []
    for text_and_style in shown:
        pieces.extend((text_and_style, _GAP))
    return Content.assemble(*pieces[:-1])


def _length(parts: Sequence[Part], chosen: Sequence[int]) -> int:
    texts = [part.forms[form] for part, form in zip(parts, chosen, strict=True) if part.forms[form]]
    return sum(cell_len(text) for text in texts) + len(_GAP) * (len(texts) - 1)
