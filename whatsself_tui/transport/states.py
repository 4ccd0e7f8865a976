"""What each state of the connection means to an operator, and what to do about it."""

from __future__ import annotations

from typing import Final

from whatsself_tui.transport.base import LinkState

#: State → (a sentence, an advice; empty where nothing has to be done).
TOLD: Final[dict[LinkState, tuple[str, str]]] = {
    LinkState.STOPPED: ("It is not running.", "Start the console or `run --headless`."),
    LinkState.STARTING: ("The browser is being started.", ""),
    LinkState.LOADING: ("WhatsApp Web is loading.", "The first time takes a minute; a slow network longer."),
    LinkState.PAIRING: (
        "WhatsApp waits to be linked with your phone.",
        "Press 9 in the console, or run `whatsself-tui pair`, and scan the code with the phone of the business.",
    ),
    LinkState.SYNCING: ("WhatsApp is fetching the conversations.", "Keep the phone online; it can take minutes."),
    LinkState.READY: ("Connected.", ""),
    LinkState.OFFLINE: ("WhatsApp Web has no connection.", "Messages wait. Check the network of this computer."),
    LinkState.CONFLICT: (
        "WhatsApp Web is open somewhere else with this very login.",
        "Close it there, or press r on the WhatsApp screen (9) (`whatsself-tui connect`) to take over here.",
    ),
    LinkState.BLOCKED: (
        "WhatsApp has blocked this number, or banned it for some time.",
        "Nothing is sent or tried. Look at the phone; when it is free again, run `queue resume`.",
    ),
    LinkState.NEEDS_UPDATE: (
        "WhatsApp Web wants a newer version of itself or of the browser.",
        "It is loaded anew by itself; if that does not help, update the browser and run `bridge install`.",
    ),
    LinkState.LOGGED_OUT: (
        "WhatsApp has ended the login of this computer.",
        "Pair it again: press 9 in the console, or run `whatsself-tui pair`. Messages wait meanwhile.",
    ),
    LinkState.CRASHED: (
        "The browser, or WhatsApp's page in it, has failed.",
        "It is started again by itself, after longer and longer pauses; `whatsself-tui connect` does it at once.",
    ),
}


def sentence(state: LinkState) -> str:
    """What the state means."""
    return TOLD[state][0]


def advice(state: str) -> str:
    """What to do about a state; empty for nothing, and for a state of another version."""
    return TOLD[LinkState(state)][1] if state in LinkState._value2member_map_ else ""
