"""The five panes, the line above and the line below them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Grid
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from whatsself_tui.console.actions import ActionState
from whatsself_tui.console.key_bar import KeyBar
from whatsself_tui.console.pane import Pane, Source
from whatsself_tui.console.panes.alerts import AlertsPane, Notice
from whatsself_tui.console.panes.breaker import BreakerPane
from whatsself_tui.console.panes.limits import LimitsPane
from whatsself_tui.console.panes.messages import MessagesPane
from whatsself_tui.console.panes.queue import QueuePane
from whatsself_tui.console.panes.top_line import TopLine
from whatsself_tui.console.queries import Situation
from whatsself_tui.store.readings import AlertReading
from whatsself_tui.store.topics import Topic

#: The smallest terminal the console works in.
LEAST_WIDTH, LEAST_HEIGHT = 60, 20


class Dashboard(Screen[None]):
    """Hands changes and heartbeats to its panes, zooms one of them, or says that the terminal is too small."""

    AUTO_FOCUS = "#messages"
    HORIZONTAL_BREAKPOINTS = [(0, "-cramped"), (LEAST_WIDTH, "-narrow"), (80, "-usual")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (LEAST_HEIGHT, "-low"), (24, "-medium"), (36, "-tall")]  # noqa: RUF012
    BINDINGS = [  # noqa: RUF012
        Binding("enter", "app.act('zoom')", "Zoom", show=False),
        Binding("escape", "restore", "All panes", show=False),
        *(Binding(str(number), f"focus_pane({number})", f"Pane {number}", show=False) for number in range(1, 6)),
    ]

    def __init__(
        self, source: Source, *, badges: Sequence[str], may_take_over: bool, told: Callable[[Situation], None]
    ) -> None:
        super().__init__()
        self._source = source
        self._top_line = TopLine(source, pane_id="top", badges=badges, may_take_over=may_take_over, told=told)
        self._alerts = AlertsPane(source, pane_id="alerts")
        self._panes: tuple[Pane[Any], ...] = (
            BreakerPane(source, pane_id="breaker"),
            QueuePane(source, pane_id="queue"),
            LimitsPane(source, pane_id="limits"),
            self._alerts,
            MessagesPane(source, pane_id="messages"),
        )
        self._key_bar = KeyBar(pane_id="keys")

    def compose(self) -> ComposeResult:
        """Top line, panes, keys; and the gate that is seen only in a terminal too small for them."""
        yield self._top_line
        with Grid(id="panes"):
            yield from self._panes
        yield self._key_bar
        yield Static(id="gate")

    def readers(self) -> Iterator[Pane[Any]]:
        """Everything that reads: the panes and the top line."""
        yield self._top_line
        yield from self._panes

    def tell(self, topics: frozenset[Topic]) -> None:
        """Something changed in the store, or about the link."""
        for reader in self.readers():
            reader.tell(topics)

    def read_anew(self) -> None:
        """Whatever they show may be wrong: another link, another time."""
        for reader in self.readers():
            reader.read_anew()
            if reader.is_working:
                reader.redraw()

    def catch_up(self) -> None:
        """Somebody looks again."""
        for reader in self.readers():
            if reader.is_working:
                reader.redraw()
                reader.catch_up()

    def beat(self, now_ms: int) -> None:
        """Time has passed for those whose time has come."""
        for reader in self.readers():
            due = reader.due_at_ms()
            if due is not None and due <= now_ms:
                reader.beat(self._source.link.now_ms())

    def due_at_ms(self) -> int | None:
        """When the next of them changes by mere time."""
        times = (reader.due_at_ms() for reader in self.readers())
        return min((at for at in times if at is not None), default=None)

    def show_state(self, state: ActionState) -> None:
        """What can be done has changed."""
        self._key_bar.show_state(state)

    def note(self, notice: Notice) -> None:
        """Keep what a toast said."""
        self._alerts.note(notice)

    @property
    def selected_alert(self) -> AlertReading | None:
        """The alert the keys act on."""
        return self._alerts.selected

    def toggle_zoom(self) -> None:
        """Give the focused pane the whole screen, or bring the others back."""
        pane = self.focused if isinstance(self.focused, Pane) else self._panes[-1]
        self._zoom(None if self.has_class("-zoomed") else pane)
        pane.focus(scroll_visible=False)

    def _zoom(self, pane: Pane[Any] | None) -> None:
        self.set_class(pane is not None, "-zoomed")
        for other in self._panes:
            other.set_class(other is pane, "-zoom")

    async def action_restore(self) -> None:
        """Bring all panes back."""
        if self.has_class("-zoomed"):
            await self.run_action("app.act('zoom')")

    def action_focus_pane(self, number: int) -> None:
        """Go to a pane; from a zoomed one into another zoomed one."""
        pane = self._panes[number - 1]
        if self.has_class("-zoomed"):
            self._zoom(pane)
        pane.focus(scroll_visible=False)

    def on_resize(self) -> None:
        """Tell the gate what the terminal is like."""
        width, height = self.app.size
        self.query_one("#gate", Static).update(
            Content(
                f"This terminal is {width} x {height}.\nThe console needs {LEAST_WIDTH} x {LEAST_HEIGHT}.\n\n"
                "Make it larger, or press q to quit."
            )
        )

    def on_screen_resume(self) -> None:
        """Nothing covers it any more."""
        self.catch_up()

    def on_screen_suspend(self) -> None:
        """Something covers it."""
        self._source.set_heartbeat()
