"""What there is to tell of the page right now, beyond what is stored."""

from __future__ import annotations

from dataclasses import dataclass, field


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
