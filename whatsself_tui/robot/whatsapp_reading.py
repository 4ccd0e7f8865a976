"""`run/whatsapp.json`: what is worth telling of WhatsApp's page right now, for every console and command.

Pairing codes live here and nowhere else: the file is its owner's alone, changes with the page, and says
nothing once the robot has stopped.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from whatsself_tui.host.atomic import write_atomic
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.transport.whatsapp_web.report import BrowserReading as BrowserReading
from whatsself_tui.transport.whatsapp_web.report import PairingCode as PairingCode
from whatsself_tui.transport.whatsapp_web.report import WhatsAppReading as WhatsAppReading


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
