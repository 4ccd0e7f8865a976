"""What the full screens share: panes that read while somebody looks, one of them zoomed, a gate for small terminals."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

from textual.binding import Binding
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from whatsself_tui.console.actions import ActionState
from whatsself_tui.console.key_bar import KeyBar
from whatsself_tui.console.lines import Lines
from whatsself_tui.console.pane import Pane, Source
from whatsself_tui.console.panes.top_line import TopLine
from whatsself_tui.store.topics import Topic

#: The smallest terminal the console works in.
LEAST_WIDTH, LEAST_HEIGHT = 60, 20


class Board(Screen[None]):
    """Top line, framed panes, keys. It hands changes and heartbeats to what reads, and zooms a pane."""

    HORIZONTAL_BREAKPOINTS = [(0, "-cramped"), (LEAST_WIDTH, "-narrow"), (80, "-usual"), (100, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (LEAST_HEIGHT, "-low"), (24, "-medium"), (36, "-tall")]  # noqa: RUF012
    BINDINGS = [  # noqa: RUF012
        Binding("enter", "app.act('zoom')", "Zoom", show=False),
        Binding("escape", "restore", "All panes", show=False),
        *(Binding(str(number), f"focus_pane({number})", f"Pane {number}", show=False) for number in range(1, 6)),
    ]

    def __init__(self, source: Source, top_line: TopLine) -> None:
        super().__init__()
        self.source = source
        self.top_line = top_line
        self.key_bar = KeyBar(pane_id="keys")
        self.gate = Static(id="gate")

    @property
    @abstractmethod
    def panes(self) -> Sequence[Lines]:
        """The framed panes in the order of their numbers."""

    @property
    def is_typing(self) -> bool:
        """Whether letters and digits are written instead of being keys."""
        return False

    def readers(self) -> Iterator[Pane[Any]]:
        """Everything that reads: the panes and the top line."""
        yield self.top_line
        yield from (pane for pane in self.panes if isinstance(pane, Pane))

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

    def beat(self) -> None:
        """Time has passed for those whose time has come."""
        now_ms = self.source.link.now_ms()
        for reader in self.readers():
            due = reader.due_at_ms()
            if due is not None and due <= now_ms:
                reader.beat(self.source.link.now_ms())

    def due_at_ms(self) -> int | None:
        """When the next of them changes by mere time."""
        times = (reader.due_at_ms() for reader in self.readers())
        return min((at for at in times if at is not None), default=None)

    def show_state(self, state: ActionState) -> None:
        """What can be done has changed."""
        self.key_bar.show_state(state)

    @property
    def is_zoomed(self) -> bool:
        """Whether one pane has the screen to itself."""
        return self.has_class("-zoomed")

    def toggle_zoom(self) -> None:
        """Give the focused pane the whole screen, or bring the others back."""
        pane = self.focused if self.focused in self.panes else None
        shown = pane if isinstance(pane, Lines) else self.panes[-1]
        self.zoom(None if self.is_zoomed else shown)
        shown.focus(scroll_visible=False)

    def zoom(self, pane: Lines | None) -> None:
        """Show `pane` alone; None: all of them."""
        self.set_class(pane is not None, "-zoomed")
        for other in self.panes:
            other.set_class(other is pane, "-zoom")

    async def action_restore(self) -> None:
        """Bring all panes back."""
        if self.is_zoomed:
            await self.run_action("app.act('zoom')")

    def action_focus_pane(self, number: int) -> None:
        """Go to a pane; from a zoomed one into another zoomed one."""
        if number > len(self.panes):
            return
        pane = self.panes[number - 1]
        if self.is_zoomed:
            self.zoom(pane)
        pane.focus(scroll_visible=False)

    def on_resize(self) -> None:
        """Tell the gate what the terminal is like."""
        width, height = self.app.size
        self.gate.update(
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
        self.source.set_heartbeat()
