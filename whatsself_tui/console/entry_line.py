"""One line to write a message in; what is written or pasted there is shown harmless, and kept as it is."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Key, Paste
from textual.message import Message
from textual.widget import Widget

from whatsself_tui.console.prose import LONGEST
from whatsself_tui.text import visible

#: Messages that the arrow up brings back.
_REMEMBERED = 50


class EntryLine(Widget, can_focus=True):
    """Posts `Sent` with the message on enter."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "Send", show=False),
        Binding("left", "move(-1)", "Left", show=False),
        Binding("right", "move(1)", "Right", show=False),
        Binding("home,ctrl+a", f"move({-LONGEST})", "To the start", show=False),
        Binding("end,ctrl+e", f"move({LONGEST})", "To the end", show=False),
        Binding("backspace", "delete(-1)", "Delete left", show=False),
        Binding("delete,ctrl+d", "delete(1)", "Delete right", show=False),
        Binding("ctrl+u", f"delete({-LONGEST})", "Delete to the start", show=False),
        Binding("up", "recall(-1)", "Message before", show=False),
        Binding("down", "recall(1)", "Message after", show=False),
    ]
    DEFAULT_CSS = """
    EntryLine {
        height: 1;
        text-wrap: nowrap;
        text-overflow: clip;
    }
    """

    class Sent(Message):
        """A message was finished."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class TooLong(Message):
        """What was pasted did not fit; the rest of it was left out."""

    def __init__(self, label: str, hint: str, *, entry_id: str) -> None:
        """`hint` is shown while nothing is written and the line has no focus."""
        super().__init__(id=entry_id)
        self._label = label
        self._hint = hint
        self._cursor = 0
        self._sent: list[str] = []
        self._recalled = 0
        self._draft = ""
        self.text = ""
        """What is written so far, as it is."""

    def render(self) -> Content:
        """The part of the text around the cursor."""
        label = Content.styled(f" {self._label} ▸ ", "bold $text-accent" if self.has_focus else "bold $text-muted")
        if not self.text and not self.has_focus:
            return label + Content.styled(self._hint, "$text-muted")
        room = max(4, self.size.width - label.cell_length - 1)
        before = visible(self.text[max(0, self._cursor - 4 * room) : self._cursor], limit=4 * room)
        after = visible(self.text[self._cursor : self._cursor + 2 * room], limit=2 * room) or " "
        before = _last_cells(before, room - cell_len(after[0]))
        style = "reverse" if self.has_focus else ""
        return Content.assemble(label, before, (after[0], style), after[1:])

    def insert(self, text: str) -> None:
        """Write at the cursor; line ends become one kind, and what exceeds WhatsApp's limit is left out."""
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        fits = text[: LONGEST - len(self.text)]
        self._change(self.text[: self._cursor] + fits + self.text[self._cursor :], self._cursor + len(fits))
        if len(fits) < len(text):
            self.post_message(self.TooLong())

    def on_key(self, event: Key) -> None:
        """What can be printed is written."""
        if event.is_printable and event.character is not None:
            event.stop()
            event.prevent_default()
            self.insert(event.character)

    def on_paste(self, event: Paste) -> None:
        """A clipboard may hold anything."""
        event.stop()
        self.insert(event.text)

    def on_focus(self) -> None:
        """The cursor appears."""
        self.refresh()

    def on_blur(self) -> None:
        """The cursor goes."""
        self.refresh()

    def action_send(self) -> None:
        """Hand the message over and begin the next one."""
        text = self.text
        if text.strip():
            self._sent = [*self._sent[1 - _REMEMBERED :], text]
            self._recalled, self._draft = len(self._sent), ""
            self._change("", 0)
            self.post_message(self.Sent(text))

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        self._change(self.text, self._cursor + by)

    def action_delete(self, by: int) -> None:
        """Delete between the cursor and the place `by` characters from it."""
        other = max(0, min(len(self.text), self._cursor + by))
        start, end = sorted((self._cursor, other))
        self._change(self.text[:start] + self.text[end:], start)

    def action_recall(self, by: int) -> None:
        """Bring back a message that was sent before; behind the last one is what was being written."""
        if self._recalled == len(self._sent):
            self._draft = self.text
        self._recalled = max(0, min(len(self._sent), self._recalled + by))
        text = self._sent[self._recalled] if self._recalled < len(self._sent) else self._draft
        self._change(text, len(text))

    def _change(self, text: str, cursor: int) -> None:
        cursor = max(0, min(len(text), cursor))
        if (text, cursor) != (self.text, self._cursor):
            self.text, self._cursor = text, cursor
            self.refresh()


def _last_cells(text: str, width: int) -> str:
    """The end of `text` that fits into `width` cells."""
    start, room = len(text), width
    while start > 0 and (room := room - cell_len(text[start - 1])) >= 0:
        start -= 1
    return text[start:]
