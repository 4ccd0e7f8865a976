"""`run/whatsapp.json`: what is worth telling of WhatsApp's page right now, for every console and command.

Pairing codes live here and nowhere else: the file is its owner's alone, changes with the page, and says
nothing once the robot has stopped.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from whatsself_tui.host.atomic import write_atomic
from whatsself_tui.host.data_folder import DataFolder


@dataclass(frozen=True, slots=True)
class PairingCode:
    """A code that waits for the phone."""

    text: str
    """What the QR code says, or the eight characters to type into the phone."""
    since_ms: int
    """When WhatsApp gave it."""


@dataclass(frozen=True, slots=True)
class BrowserReading:
    """The browser of ours that runs."""

    name: str
    """Such as `Google Chrome`."""
    version: str
    pid: int
    headless: bool
    memory_mb: int | None
    """What its processes hold alone, in megabytes; None until measured."""
    starts: int
    """How often a browser was started since the robot was."""


@dataclass(frozen=True, slots=True)
class WhatsAppReading:
    """The connection as an operator needs to see it."""

    state: str
    """As in `LinkState`."""
    detail: str
    """One sentence; advice comes from `transport.states`."""
    since_ms: int
    account: str = ""
    """The phone of the business, digits; empty before it is paired."""
    qr: PairingCode | None = None
    phone_code: PairingCode | None = None
    phone_code_for: str = ""
    """The number the phone code was asked for."""
    phone_code_error: str = ""
    """Why WhatsApp gave none."""
    browser: BrowserReading | None = None
    bridge_version: str = ""
    """Of wa-js."""
    missing: tuple[str, ...] = field(default=())
    """Functions that WhatsApp's page lacks since it changed."""
    next_try_at_ms: int | None = None
    """When the browser is started again after failures."""


def write_whatsapp(folder: DataFolder, reading: WhatsAppReading) -> None:
    """Replace the file. Raises OSError."""
    write_atomic(folder.whatsapp, json.dumps(asdict(reading)).encode())


def read_whatsapp(folder: DataFolder) -> WhatsAppReading | None:
    """What the owner last wrote; None without one, or if it is of another version. Whether it runs, the lock tells."""
    try:
        content = json.loads(folder.whatsapp.read_bytes())
        return _reading(content) if isinstance(content, dict) else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def forget_whatsapp(folder: DataFolder) -> None:
    """Nobody runs it any more."""
    folder.whatsapp.unlink(missing_ok=True)


def _reading(content: dict[str, Any]) -> WhatsAppReading:
    for name, kind in (("qr", PairingCode), ("phone_code", PairingCode), ("browser", BrowserReading)):
        if content.get(name) is not None:
            content[name] = kind(**content[name])
    content["missing"] = tuple(content.get("missing", ()))
    return WhatsAppReading(**content)
