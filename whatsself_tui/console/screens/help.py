"""What the keys do and what the words mean, made from the tables that the console itself uses."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.screen import ModalScreen

from whatsself_tui.console.actions import ACTIONS, BETWEEN_PANES, MOVES, TYPING, key_name
from whatsself_tui.console.lines import Lines
from whatsself_tui.console.words import BREAKER, STATUS, TRANSPORT
from whatsself_tui.transport.states import TOLD

#: Cells of the column of keys and words.
_NAME = 20

_GLOSSARY = (
    ("OWNER", "this console runs the robot; when it leaves, the robot stops"),
    ("ATTACHED", "another process runs the robot; this console shows it and sends it commands"),
    ("NO OWNER", "nobody runs the robot; you see the last data, with its age"),
    ("RUNNING / PAUSED", "whether the robot sends; paused, it still receives and answers wait in the queue"),
    ("CONFIG REJECTED", "a settings file has an error; the last good settings stay in force"),
    ("live", "what you see is the robot's present state"),
    ("used 1/2", "messages sent to the contact inside its window, and how many may be"),
    ("free 03:12", "time until the next message to that contact may go"),
    ("dead", "gave up after its last attempt; it waits for you"),
)


class HelpPage(Lines):
    """All of it as lines, wrapped under their names."""

    def __init__(self) -> None:
        super().__init__(pane_id="help")
        self.border_title = Content("Help")
        self.border_subtitle = Content("esc closes · ↑ ↓ scroll")

    def on_resize(self) -> None:
        """Wrap for the new width."""
        self.put(page(self.scrollable_content_region.width))


class HelpScreen(ModalScreen[None]):
    """One page to scroll."""

    AUTO_FOCUS = "#help"
    BINDINGS = [Binding("escape,q,question_mark,f1", "dismiss", "Close")]  # noqa: RUF012

    def compose(self) -> ComposeResult:
        """The page."""
        yield HelpPage()


def page(width: int) -> list[Content]:
    """The help in lines of at most `width` cells."""
    lines = _section("Keys", [(_keys(action.keys), f"{action.title}. {action.help}") for action in ACTIONS], width)
    between = [(_keys(move.keys), move.title) for move in (*BETWEEN_PANES, *MOVES)]
    lines += _section("Panes", [("1 2 3 4 5", "Go to that pane"), *between], width)
    typing = [(_keys(move.keys), move.title) for move in TYPING]
    lines += _section("Automation: writing as a customer", [*typing, ("[image]", "Stands for a picture")], width)
    lines += _section("Words in the top line and the panes", _GLOSSARY, width)
    connection = [(TRANSPORT[state][0].upper(), sentence) for state, (sentence, _) in TOLD.items()]
    lines += _section("Connection with WhatsApp", connection, width)
    states = [(f"{glyph} {_state(state)}", meaning) for state, (glyph, _, meaning) in BREAKER.items()]
    lines += _section("Breaker: stops sending when too many sends fail", states, width)
    statuses = [(f"{glyph} {word}", meaning) for glyph, word, _, meaning in STATUS.values()]
    return lines + _section("Messages: ← received, → sent", statuses, width)


def _section(title: str, entries: Sequence[tuple[str, str]], width: int) -> list[Content]:
    lines = [Content.styled(title, "bold $text-accent")]
    for name, meaning in entries:
        first, *rest = Content(meaning).wrap(max(10, width - _NAME))
        lines.append(Content.assemble((f"  {name:<{_NAME - 2}}", "bold"), first))
        lines.extend(line.pad_left(_NAME) for line in rest)
    return [*lines, Content("")]


def _keys(keys: Sequence[str]) -> str:
    return " ".join(key_name(key) for key in keys)


def _state(state: str) -> str:
    return state.upper().replace("_", " ")
