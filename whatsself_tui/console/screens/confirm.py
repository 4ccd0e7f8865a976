"""The question before something that cannot simply be undone: Cancel is what enter and escape do."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static


class ConfirmScreen(ModalScreen[bool]):
    """Names what will happen and to how many; only `y`, or the second button, says yes."""

    AUTO_FOCUS = "#cancel"
    BINDINGS = [  # noqa: RUF012
        ("y", "answer(True)", "Yes"),
        ("n,escape,q", "answer(False)", "Cancel"),
        ("left,right,h,l", "app.focus_next", "Other button"),
    ]

    def __init__(self, question: str, consequence: str, yes: str) -> None:
        """`yes` is the verb on the second button."""
        super().__init__()
        self._question = question
        self._consequence = consequence
        self._yes = yes

    def compose(self) -> ComposeResult:
        """The question, what follows from yes, and the two answers."""
        with Vertical(id="dialog"):
            yield Static(Content.styled(self._question, "bold"), id="question")
            yield Static(Content(self._consequence), id="consequence")
            with Horizontal(id="answers"):
                yield Button("Cancel", id="cancel")
                yield Button(Content(f"{self._yes}  y"), id="yes")

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        """A button was chosen."""
        self.dismiss(event.button.id == "yes")

    def action_answer(self, answer: bool) -> None:
        """A key was pressed."""
        self.dismiss(answer)
