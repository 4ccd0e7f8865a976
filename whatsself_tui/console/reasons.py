"""Why an action cannot be done now: one pure function for each kind of action; None if it can."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from whatsself_tui.console.actions import ActionState

_READ_ONLY = "This console is read-only."


def always(_: ActionState) -> str | None:
    """It always makes sense."""
    return None


def acting(state: ActionState) -> str | None:
    """It asks the robot for something."""
    if state.read_only:
        return _READ_ONLY
    if not state.has_owner:
        return "Nobody runs the robot now."
    return None


def can_pause(state: ActionState) -> str | None:
    """Pausing and resuming."""
    if state.paused is None:
        return "The robot's state is not known yet."
    return acting(state)


def can_acknowledge(state: ActionState) -> str | None:
    """Acknowledging an alert that is in sight."""
    if state.on_automation or state.whatsapp is not None:
        return "The alerts are on the dashboard."
    if state.unacknowledged == 0:
        return "There is no alert to acknowledge."
    return acting(state)


def can_take_over(state: ActionState) -> str | None:
    """Becoming the owner."""
    if state.mode == "owner":
        return "This console is the owner already."
    if state.has_owner:
        return "Another process runs the robot; it can be taken over only when that one has gone."
    if state.read_only:
        return _READ_ONLY
    if not state.may_take_over:
        return "This console cannot run the robot."
    return None


def can_edit(state: ActionState) -> str | None:
    """Opening a file of the configuration."""
    if state.read_only:
        return _READ_ONLY
    return None if state.has_settings_file else "This console was given no settings file."


def can_try(state: ActionState) -> str | None:
    """Writing as a customer."""
    return None if state.on_automation else "The rules are tried on the automation screen."


def can_begin_anew(state: ActionState) -> str | None:
    """Forgetting the trial."""
    if state.on_automation and not state.has_trial:
        return "The customer has written nothing yet."
    return can_try(state)


def can_reconnect(state: ActionState) -> str | None:
    """Trying to connect now."""
    if state.whatsapp is None:
        return "The connection is on the WhatsApp screen: press 9."
    if reason := acting(state):
        return reason
    if not state.whatsapp.is_real:
        return "The simulated phone needs no connection."
    if state.whatsapp.is_linking:
        return "WhatsApp is there and waits for a phone."
    return "WhatsApp is connected." if state.whatsapp.state == "ready" else None


def can_link(state: ActionState) -> str | None:
    """Whatever links a phone."""
    if state.whatsapp is None:
        return "A phone is linked on the WhatsApp screen: press 9."
    if reason := acting(state):
        return reason
    return None if state.whatsapp.is_linking else "WhatsApp does not wait for a phone now."


def can_renew(state: ActionState) -> str | None:
    """Asking for another QR code, which makes eight characters worthless."""
    if reason := can_link(state):
        return reason
    return "Press c for the QR code first." if state.whatsapp is not None and state.whatsapp.way != "qr" else None


def can_save_code(state: ActionState) -> str | None:
    """Writing the QR code into a picture file."""
    if reason := can_link(state):
        return reason
    if state.whatsapp is not None and not state.whatsapp.has_qr:
        return "There is no QR code now."
    return None if state.has_settings_file else "This console was given no data folder."
