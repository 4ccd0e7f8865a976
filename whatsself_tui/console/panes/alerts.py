"""The conditions that hold now, each with what to do about it, until their cause is gone."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content

from whatsself_tui.console import queries
from whatsself_tui.console.pane import Canvas, Pane, Source
from whatsself_tui.console.words import moment, plural
from whatsself_tui.robot.link import RobotLink
from whatsself_tui.store.readings import AlertReading
from whatsself_tui.store.topics import Topic
from whatsself_tui.text import visible

_LABELS = {"error": ("✗ ERROR", "bold $text-error"), "warning": ("▲ WARNING", "bold $text-warning")}
_SEEN = ("✓ SEEN", "$text-muted")

#: Cells of `▸ ▲ WARNING 14:03  `, the part in front of the text.
_HEAD = 19

#: Narrower than this the text begins under its head.
_ROOM_BESIDE = 50

#: What the console itself has told of late is kept under the alerts.
_NOTICES = 50


@dataclass(frozen=True, slots=True)
class Notice:
    """What a toast said."""

    at_ms: int
    text: str


class AlertsPane(Pane[tuple[AlertReading, ...]]):
    """A list with a selection; below it what the console's own toasts said."""

    TITLE = "4 Alerts"
    TOPICS = frozenset({Topic.ALERTS})

    def __init__(self, source: Source, *, pane_id: str) -> None:
        super().__init__(source, pane_id=pane_id)
        self._notices: deque[Notice] = deque(maxlen=_NOTICES)
        self._selected_id: int | None = None
        self._first_lines: dict[int, int] = {}

    @property
    def selected(self) -> AlertReading | None:
        """The alert the keys act on: the selected one while the pane has the focus, else the newest unseen."""
        alerts = self.reading or ()
        if self.has_focus:
            return next((alert for alert in alerts if alert.id == self._selected_id), None)
        return next((alert for alert in alerts if alert.acknowledged_at_ms is None), None)

    def note(self, notice: Notice) -> None:
        """Keep what a toast said."""
        self._notices.appendleft(notice)
        if self.is_working:
            self.redraw()

    async def question(self, link: RobotLink, now_ms: int) -> queries.Query[tuple[AlertReading, ...]]:
        """The alerts that hold now."""
        return queries.alerts()

    def picture(self, reading: tuple[AlertReading, ...], canvas: Canvas) -> Sequence[Content]:
        """The newest alert first, wrapped in full."""
        self._keep_selection(reading)
        lines: list[Content] = []
        self._first_lines.clear()
        for alert in reading:
            self._first_lines[alert.id] = len(lines)
            lines.extend(self._alert(alert, canvas))
        if not reading:
            lines.append(Content.styled("✓ No alerts.", "$text-success"))
        for notice in self._notices:
            when = moment(notice.at_ms, canvas.now_ms, canvas.zone)
            lines.append(Content.styled(f"  · {when}  {visible(notice.text)}", "$text-muted"))
        unseen = sum(alert.acknowledged_at_ms is None for alert in reading)
        words = f"{plural(unseen, 'alert')} not acknowledged" if unseen else None
        if self.border_subtitle != words:
            self.border_subtitle = words
        return lines

    def action_move(self, where: str) -> None:
        """Move the selection; without alerts just scroll."""
        ids = list(self._first_lines)
        if not ids:
            super().action_move(where)
            return
        here = ids.index(self._selected_id) if self._selected_id in ids else 0
        step = {"up": -1, "page_up": -1, "down": 1, "page_down": 1, "top": -len(ids), "bottom": len(ids)}[where]
        if here + step >= len(ids):
            super().action_move(where)  # past the last alert lie the notices
        self._selected_id = ids[max(0, min(len(ids) - 1, here + step))]
        self.redraw()
        if here + step < len(ids):
            self._show_selection()

    def on_focus(self) -> None:
        """The selection appears."""
        self.redraw()

    def on_blur(self) -> None:
        """The selection goes."""
        self.redraw()

    def _keep_selection(self, alerts: tuple[AlertReading, ...]) -> None:
        if all(alert.id != self._selected_id for alert in alerts):
            self._selected_id = alerts[0].id if alerts else None

    def _show_selection(self) -> None:
        if self._selected_id is None:
            return
        first, height = self._first_lines[self._selected_id], self.scrollable_content_region.height
        if not self.scroll_offset.y <= first < self.scroll_offset.y + height:
            self.scroll_to(y=first, animate=False)

    def _alert(self, alert: AlertReading, canvas: Canvas) -> list[Content]:
        label, style = _SEEN if alert.acknowledged_at_ms is not None else _LABELS[alert.severity]
        pointer = "▸ " if self.has_focus and alert.id == self._selected_id else "  "
        when = moment(alert.raised_at_ms, canvas.now_ms, canvas.zone)
        head = Content.assemble((pointer, "bold $text-accent"), (f"{label:<9} ", style), (f"{when:<6} ", "$text-muted"))
        text = Content(visible(alert.text, limit=2000))
        if canvas.width < _ROOM_BESIDE:
            body = text.wrap(max(4, canvas.width - 2))
            return [head, *(line.pad_left(2) for line in body)]
        first, *rest = text.wrap(canvas.width - _HEAD) or [Content("")]
        return [head + first, *(line.pad_left(_HEAD) for line in rest)]
