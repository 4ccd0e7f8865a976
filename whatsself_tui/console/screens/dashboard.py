"""The five panes, the line above and the line below them."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Grid

from whatsself_tui.console.lines import Lines
from whatsself_tui.console.pane import Source
from whatsself_tui.console.panes.alerts import AlertsPane, Notice
from whatsself_tui.console.panes.breaker import BreakerPane
from whatsself_tui.console.panes.limits import LimitsPane
from whatsself_tui.console.panes.messages import MessagesPane
from whatsself_tui.console.panes.queue import QueuePane
from whatsself_tui.console.panes.top_line import TopLine
from whatsself_tui.console.screens.board import Board
from whatsself_tui.store.readings import AlertReading


class Dashboard(Board):
    """The robot at work."""

    AUTO_FOCUS = "#messages"

    def __init__(self, source: Source, top_line: TopLine) -> None:
        super().__init__(source, top_line)
        self._alerts = AlertsPane(source, pane_id="alerts")
        self._panes = (
            BreakerPane(source, pane_id="breaker"),
            QueuePane(source, pane_id="queue"),
            LimitsPane(source, pane_id="limits"),
            self._alerts,
            MessagesPane(source, pane_id="messages"),
        )

    def compose(self) -> ComposeResult:
        """Top line, panes, keys; and the gate that is seen only in a terminal too small for them."""
        yield self.top_line
        with Grid(id="panes"):
            yield from self._panes
        yield self.key_bar
        yield self.gate

    @property
    def panes(self) -> Sequence[Lines]:
        """Breaker, queue, limits, alerts, messages."""
        return self._panes

    def note(self, notice: Notice) -> None:
        """Keep what a toast said."""
        self._alerts.note(notice)

    @property
    def selected_alert(self) -> AlertReading | None:
        """The alert the keys act on."""
        return self._alerts.selected
