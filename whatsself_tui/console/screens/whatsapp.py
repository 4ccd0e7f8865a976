"""WhatsApp: how the robot is connected, and linking it with the phone of the business."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.events import DescendantFocus
from textual.notifications import SeverityLevel

from whatsself_tui.console.actions import WhatsAppState
from whatsself_tui.console.code_pictures import Asking
from whatsself_tui.console.entry_line import EntryLine
from whatsself_tui.console.lines import Lines
from whatsself_tui.console.pane import Source
from whatsself_tui.console.panes.connection import ConnectionPane, LinkPane
from whatsself_tui.console.panes.top_line import TopLine
from whatsself_tui.console.screens.board import LEAST_HEIGHT, LEAST_WIDTH, Board
from whatsself_tui.errors import UsageError
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.phones import parse_phone

#: From this width on the QR code has room beside the connection.
_SIDE_BY_SIDE = 112


class Console(Source, Protocol):
    """What the screen needs of the console around it."""

    def tell(self, text: str, severity: SeverityLevel = "information") -> None:
        """Show a toast."""
        ...

    def show_state(self) -> None:
        """What can be done has changed."""
        ...


class WhatsAppScreen(Board):
    """The connection, the code, and a line for the phone's number while that is the way."""

    AUTO_FOCUS = "#link"
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-cramped"),
        (LEAST_WIDTH, "-narrow"),
        (80, "-usual"),
        (_SIDE_BY_SIDE, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (LEAST_HEIGHT, "-low"), (24, "-medium"), (36, "-tall")]  # noqa: RUF012
    BINDINGS = [  # noqa: RUF012
        Binding("enter", "open", "Write the number", show=False),
        Binding("escape", "back", "Back", show=False),
        *(Binding(str(digit), f"focus_pane({digit})", show=False) for digit in (0, 6, 7, 8)),
    ]

    def __init__(self, console: Console, top_line: TopLine, folder: DataFolder | None, *, read_only: bool) -> None:
        super().__init__(console, top_line)
        self._around = console
        self.folder = folder
        """Where the picture of a code is saved; None where that is not known."""
        self._connection = ConnectionPane(console, folder, pane_id="connection", read_only=read_only)
        self.link_pane = LinkPane(console, folder, pane_id="link", read_only=read_only, told=self._changed)
        self._entry_line = EntryLine("phone number", "enter: ask for a code to type on that phone", entry_id="entry")
        self._entry_line.visible = False

    def compose(self) -> ComposeResult:
        """Top line, the two panes, the line to write in, keys; and the gate for small terminals."""
        yield self.top_line
        with Container(id="whatsapp"):
            yield self._connection
            yield self.link_pane
        yield self._entry_line
        yield self.key_bar
        yield self.gate

    @property
    def panes(self) -> Sequence[Lines]:
        """Connection, code."""
        return (self._connection, self.link_pane)

    @property
    def is_typing(self) -> bool:
        """Whether the phone's number is being written."""
        return self.focused is self._entry_line

    @property
    def action_state(self) -> WhatsAppState:
        """What decides which actions make sense."""
        return self.link_pane.action_state

    def _changed(self) -> None:
        """Another state, another way: the line to write in comes and goes with it, and the room of the panes."""
        wanted = self.link_pane.can_write_number
        if self.is_typing and not wanted:
            self.link_pane.focus(scroll_visible=False)
        self._entry_line.visible = wanted
        self.set_class(self.action_state.is_linking, "-linking")
        self._around.show_state()

    @on(EntryLine.Sent)
    def sent(self, event: EntryLine.Sent) -> None:
        """A number was written."""
        self.link_pane.focus(scroll_visible=False)
        self.app.run_worker(self._ask(event.text), group="pair", name="pair_code", exit_on_error=False)

    async def _ask(self, text: str) -> None:
        """Ask WhatsApp for a code to type; the code itself comes with the next reading."""
        if self.link_pane.asking.phone:
            self._around.tell("A code is being asked for already.", "warning")
            return
        try:
            phone = parse_phone(text)
        except UsageError as error:
            self.link_pane.show_asking(Asking(refusal=str(error)))
            return
        self.link_pane.show_asking(Asking(phone))
        refusal = "The request failed."
        try:
            result = await self.source.link.execute("pair_code", {"phone": phone})
            refusal = "" if result.ok else result.message
        finally:
            self.link_pane.show_asking(Asking(refusal=refusal))

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """What keys mean depends on the focus."""
        self._around.show_state()

    async def action_open(self) -> None:
        """Write the number; where none is wanted, zoom."""
        if self._entry_line.visible:
            self.set_focus(self._entry_line, scroll_visible=False)
        else:
            await self.run_action("app.act('zoom')")

    def action_focus_pane(self, number: int) -> None:
        """Go to a pane; a digit while a number is wanted begins the number."""
        if self._entry_line.visible:
            self.set_focus(self._entry_line, scroll_visible=False)
            self._entry_line.insert(str(number))
        elif number:
            super().action_focus_pane(number)

    async def action_back(self) -> None:
        """Leave the line, then the zoom, then the screen."""
        if self.is_typing:
            self.link_pane.focus(scroll_visible=False)
        elif self.is_zoomed:
            await self.run_action("app.act('zoom')")
        else:
            await self.run_action("app.act('whatsapp')")
