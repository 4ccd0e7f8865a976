"""What the states of the connection mean to the operator: which alert stands in which state."""

from __future__ import annotations

from typing import Final

from whatsself_tui.store import account, alerts, state
from whatsself_tui.store.database import Tx
from whatsself_tui.store.readings import Severity
from whatsself_tui.transport.base import LinkState, Notice, StateChanged
from whatsself_tui.transport.states import advice

#: State → the alert that stands as long as it lasts.
_ALERTS: Final[dict[LinkState, tuple[str, Severity]]] = {
    LinkState.PAIRING: ("pairing_needed", "error"),
    LinkState.LOGGED_OUT: ("pairing_needed", "error"),
    LinkState.OFFLINE: ("disconnected", "warning"),
    LinkState.CRASHED: ("disconnected", "error"),
    LinkState.CONFLICT: ("disconnected", "error"),
    LinkState.NEEDS_UPDATE: ("disconnected", "warning"),
    LinkState.BLOCKED: ("blocked", "error"),
}

#: States on the way from one to another: what stood before stands until it is known how it ends.
_UNDECIDED = frozenset({LinkState.STARTING, LinkState.LOADING, LinkState.SYNCING})

#: What the browser's transport tells beside its state.
NOTICES = ("browser", "bridge_incomplete", "browser_restarted")

_KINDS = ("pairing_needed", "disconnected", "blocked")


def note_state(tx: Tx, kind: str, event: StateChanged) -> None:
    """Store the state for readers, and keep the alerts in line with it.

    A number that WhatsApp has blocked pauses the robot, also over a restart, until the operator resumes.
    """
    state.set_transport(tx, kind, event.state, event.detail)
    if kind == "simulator":
        for notice in NOTICES:
            alerts.clear_alert(tx, notice)
    if event.state in _UNDECIDED:
        return
    raised, severity = _ALERTS.get(event.state, ("", "warning"))
    for alert in _KINDS:
        if alert == raised:
            alerts.raise_alert(tx, alert, severity, f"{event.detail} {_advice(kind, event)}".strip())
        else:
            alerts.clear_alert(tx, alert)
    if event.state is LinkState.BLOCKED and not account.read(tx.connection).blocked_reason:
        account.block(tx, event.detail)
        state.set_paused(tx, True)


def raise_notice(tx: Tx, notice: Notice) -> None:
    """Something the transport wants known."""
    if notice.text:
        alerts.raise_alert(tx, notice.kind, "warning", notice.text)
    else:
        alerts.clear_alert(tx, notice.kind)


def _advice(kind: str, event: StateChanged) -> str:
    if kind == "simulator":
        return "Messages wait; set it to false in settings.toml to go on."
    return advice(event.state)
