"""What an operator can do: the one table that keys, footer, palette and help are made from.

Keys are letters, digits, F1 to F10, arrows, enter, escape and ctrl with a letter other than
i, j, m or h, which terminals cannot tell from tab, enter and backspace.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from whatsself_tui.console import reasons

Danger = Literal["none", "asks"]


@dataclass(frozen=True, slots=True)
class WhatsAppState:
    """What the WhatsApp screen shows."""

    state: str
    """Of the connection, as in `transport.base.LinkState`; empty while the first reading is under way."""
    is_real: bool = True
    """Whether the robot talks to WhatsApp, not to the simulated phone."""
    is_linking: bool = False
    """Whether WhatsApp waits for a phone."""
    has_qr: bool = False
    """Whether there is a QR code a phone would still take."""
    way: Literal["qr", "phone"] = "qr"
    """How a phone is linked: the way on the screen."""


@dataclass(frozen=True, slots=True)
class ActionState:
    """What decides whether an action makes sense now."""

    paused: bool | None = None
    """None while the first reading is under way."""
    mode: Literal["owner", "attached"] = "owner"
    has_owner: bool = True
    """Whether anybody runs the robot."""
    read_only: bool = False
    may_take_over: bool = False
    """Whether this console was given a way to become the owner."""
    has_settings_file: bool = False
    unacknowledged: int = 0
    """Alerts nobody has acknowledged."""
    zoomed: bool = False
    on_automation: bool = False
    """Whether the automation screen is open; else the dashboard is."""
    typing: bool = False
    """Whether letters and digits are written instead of being keys."""
    has_trial: bool = False
    """Whether a trial conversation has begun."""
    whatsapp: WhatsAppState | None = None
    """None unless the WhatsApp screen is open."""
    busy: frozenset[str] = field(default_factory=frozenset)
    """Actions under way."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing an operator can do."""

    id: str
    title: str
    help: str
    keys: tuple[str, ...]
    danger: Danger
    """`asks`: a dialog with Cancel in focus comes first, if there is something to lose."""
    enabled: Callable[[ActionState], str | None]
    """None if it can be done now, else the reason why not."""
    label: Callable[[ActionState], str]
    """The footer's word for it."""


@dataclass(frozen=True, slots=True)
class Move:
    """A key that moves inside a pane."""

    id: str
    title: str
    keys: tuple[str, ...]


def _named(word: str) -> Callable[[ActionState], str]:
    return lambda _: word


#: In the order of the footer: what matters most comes first.
ACTIONS: Final[tuple[Action, ...]] = (
    Action(
        "take_over",
        "Become the owner",
        "Run the robot from this console, when the process that ran it has gone.",
        ("o",),
        "none",
        reasons.can_take_over,
        _named("Take over"),
    ),
    Action(
        "pause",
        "Pause or resume the robot",
        "Pausing stops sends at once and loses nothing; answers wait in the queue until you resume.",
        ("p",),
        "none",
        reasons.can_pause,
        lambda state: "Resume" if state.paused else "Pause",
    ),
    Action(
        "acknowledge",
        "Acknowledge an alert",
        "Tell that you have seen the selected alert, or the newest one. It stays until its cause is gone.",
        ("a",),
        "none",
        reasons.can_acknowledge,
        _named("Acknowledge"),
    ),
    Action(
        "other_way",
        "QR code or phone number",
        "On the WhatsApp screen: link the phone by a QR code, or by eight characters that are typed into it.",
        ("c",),
        "none",
        reasons.can_link,
        lambda state: "Number" if state.whatsapp and state.whatsapp.way == "qr" else "QR code",
    ),
    Action(
        "new_code",
        "New QR code",
        "Ask WhatsApp for a new QR code; eight characters it gave before are worth nothing then.",
        ("n",),
        "none",
        reasons.can_renew,
        _named("New"),
    ),
    Action(
        "save_code",
        "Save the QR code",
        "Write the QR code as a picture into the data folder, for terminals it does not fit.",
        ("s",),
        "none",
        reasons.can_save_code,
        _named("Save"),
    ),
    Action(
        "reconnect",
        "Connect now",
        "Try to reach WhatsApp at once, whatever pause is left. If WhatsApp Web is open elsewhere, it is closed there,"
        " after a question.",
        ("r",),
        "asks",
        reasons.can_reconnect,
        lambda state: "Take over" if state.whatsapp and state.whatsapp.state == "conflict" else "Connect",
    ),
    Action(
        "whatsapp",
        "WhatsApp",
        "The connection: its state, the browser, and linking with the phone of the business.",
        ("9",),
        "none",
        reasons.always,
        lambda state: "Back" if state.whatsapp else "WhatsApp",
    ),
    Action(
        "automation",
        "Automation",
        "Triggers, templates and flows, mistakes in their file, and a line to try them as a customer.",
        ("t",),
        "none",
        reasons.always,
        lambda state: "Dashboard" if state.on_automation else "Rules",
    ),
    Action(
        "try",
        "Try the rules",
        "Write as a customer; the rules in force answer. Nothing is stored and nothing is sent.",
        ("w",),
        "none",
        reasons.can_try,
        _named("Try it"),
    ),
    Action(
        "begin_anew",
        "Begin the trial anew",
        "Forget the trial conversation; the customer is somebody who never wrote.",
        ("ctrl+r",),
        "none",
        reasons.can_begin_anew,
        _named("Begin anew"),
    ),
    Action(
        "edit",
        "Edit the settings",
        "Open settings.toml in your editor ($VISUAL, $EDITOR), or on the automation screen the file and line of what"
        " is selected. The robot goes on; what you save applies at once.",
        ("e",),
        "none",
        reasons.can_edit,
        lambda state: "Edit" if state.on_automation else "Edit settings",
    ),
    Action(
        "zoom",
        "Zoom a pane",
        "Give the focused pane the whole screen; the same key or escape brings the others back.",
        ("z",),
        "none",
        reasons.always,
        lambda state: "All panes" if state.zoomed else "Zoom",
    ),
    Action(
        "help",
        "Help",
        "This page: what the keys do, and what the words mean.",
        ("question_mark", "f1"),
        "none",
        reasons.always,
        _named("Help"),
    ),
    Action(
        "palette",
        "All actions",
        "A list of all actions to search in; those that make no sense now say why.",
        ("ctrl+p",),
        "none",
        reasons.always,
        _named("Actions"),
    ),
    Action(
        "quit",
        "Quit",
        "Leave. An owner stops the robot with it, and asks first when messages wait; an attached console just goes.",
        ("q", "ctrl+q"),
        "asks",
        reasons.always,
        _named("Quit"),
    ),
    Action(
        "repaint",
        "Repaint the screen",
        "Write everything again, when another program has spoilt the picture.",
        ("ctrl+l",),
        "none",
        reasons.always,
        _named("Repaint"),
    ),
)

#: Keys inside a pane; lists without a selection scroll.
MOVES: Final[tuple[Move, ...]] = (
    Move("up", "Up", ("up", "k")),
    Move("down", "Down", ("down", "j")),
    Move("page_up", "Page up", ("pageup", "b")),
    Move("page_down", "Page down", ("pagedown", "space")),
    Move("top", "Top", ("home", "g")),
    Move("bottom", "Bottom", ("end", "G")),
)

#: Keys between panes, bound by the dashboard; the digits are the panes' numbers.
BETWEEN_PANES: Final[tuple[Move, ...]] = (
    Move("next", "Next pane", ("tab",)),
    Move("previous", "Pane before", ("shift+tab",)),
    Move("zoom", "Zoom the pane, or bring the others back", ("enter",)),
    Move("restore", "Bring the others back", ("escape",)),
)

#: Keys while a message is written in a trial, where letters and digits are text.
TYPING: Final[tuple[Move, ...]] = (
    Move("send", "Send as the customer", ("enter",)),
    Move("leave", "Back to the rules", ("escape",)),
    Move("recall", "Messages sent before", ("up", "down")),
)

_KEY_NAMES: Final = {
    "question_mark": "?",
    "f1": "F1",
    "up": "↑",
    "down": "↓",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "ctrl+p": "^p",
    "ctrl+q": "^q",
    "ctrl+l": "^l",
    "ctrl+r": "^r",
    "shift+tab": "shift+tab",
    "escape": "esc",
}


def key_name(key: str) -> str:
    """A key as it is printed: `question_mark` → `?`."""
    return _KEY_NAMES.get(key, key)


def key_of(action: Action, state: ActionState) -> str | None:
    """The first key that does the action now; None if all of them are text."""
    return next((key for key in action.keys if not (state.typing and (len(key) == 1 or key == "question_mark"))), None)


def find(action_id: str) -> Action:
    """The action of that id; raises KeyError."""
    for action in ACTIONS:
        if action.id == action_id:
            return action
    raise KeyError(action_id)


def reason_against(action: Action, state: ActionState) -> str | None:
    """Why the action cannot be done now; None if it can."""
    if action.id in state.busy:
        return "It is under way already."
    return action.enabled(state)
