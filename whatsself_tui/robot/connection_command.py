"""The commands `connect`, `pair_code` and `pair_qr`: what an operator asks of the connection to WhatsApp.

They change nothing that is stored, so a repetition does no harm.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from whatsself_tui.phones import parse_phone
from whatsself_tui.robot.connection import Connection
from whatsself_tui.robot.link import CommandResult


class PairCodeArgs(BaseModel):
    """Whose phone gets the code typed in."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    phone: str


async def connect(connection: Connection) -> CommandResult:
    """Try now. Raises RobotNotRunning where nothing is connected."""
    await connection.connect_now()
    return CommandResult(True, "It is tried now.", {})


async def pair_code(connection: Connection, args: PairCodeArgs) -> CommandResult:
    """Ask WhatsApp for eight characters. Raises CommandRefused, UsageError for what is no phone."""
    phone = parse_phone(args.phone)
    await connection.whatsapp().ask_phone_code(phone)
    await connection.report.written()
    return CommandResult(True, "Type the code into the phone.", {"phone": phone})


async def pair_qr(connection: Connection) -> CommandResult:
    """A new QR code. Raises CommandRefused."""
    await connection.whatsapp().new_qr()
    await connection.report.written()
    return CommandResult(True, "A new code is on its way.", {})
