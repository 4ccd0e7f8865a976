"""A made-up robot on its way to WhatsApp, as the tests and the pictures of that screen use it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from support.fake_link import NOW_MS, FakeLink

from whatsself_tui.config.schema import BusinessSettings, Settings, TransportSettings
from whatsself_tui.console.queries import Connection
from whatsself_tui.robot.link import CommandResult
from whatsself_tui.robot.whatsapp_reading import BrowserReading, PairingCode, WhatsAppReading
from whatsself_tui.store.readings import RobotReading
from whatsself_tui.store.topics import Topic
from whatsself_tui.transport.base import LinkState
from whatsself_tui.transport.states import TOLD

#: As long as WhatsApp's: a reference, three keys of 32 bytes in Base64, and the platform.
QR_TEXT = ",".join(
    (
        "2@QkF3c0VxYzVkN2pYb0p5R1ZtT2hSaXZkYk1LdXNYbFpUcEFlbkN3SGdVaXNMdEZqWXFQa09yV2JNeGRDekV2Tg==" + "x7Ks9dQ2",
        "Ml5mOTU1NWQzZjE0YmE2ZjI4ZGQ5YzA3YmExMjM0NTY=",
        "aEo3c1BkS3ZNYjJxTHhXZVJ0WW5VaUNvR2FGejV3RTg=",
        "cDRzVmJOeUdqVW1LcVh3RWZMaVJ0T2NIYVpkOGsxTTM=",
        "1",
    )
)

CHROME = BrowserReading("Google Chrome", "142.0.7444.60", 4711, headless=True, memory_mb=412, starts=1)

READY = WhatsAppReading("ready", "", NOW_MS - 3_600_000, "5511987654321", browser=CHROME, bridge_version="4.6.0")


class WhatsAppLink(FakeLink):
    """A robot that talks to WhatsApp: its owner tells a reading and takes the commands for linking."""

    def __init__(self, reading: WhatsAppReading | None, mode: str = "owner") -> None:
        super().__init__(mode)
        self._settings = Settings(
            business=BusinessSettings(name="Loja da Ana"), transport=TransportSettings(kind="whatsapp_web")
        )
        self.whatsapp = reading
        self.robot = RobotReading(False, "whatsapp_web", reading.state if reading else "starting", "")
        self.refusal = ""
        """What the robot says instead of carrying out a command."""

    def tell(self, **changes: Any) -> None:
        """The page changed."""
        assert self.whatsapp is not None
        reading = replace(self.whatsapp, **changes)
        robot = replace(self.robot, transport_state=reading.state)
        self.change(Topic.WHATSAPP, Topic.ROBOT, whatsapp=reading, robot=robot)

    async def execute(self, name: str, args: Mapping[str, Any]) -> CommandResult:
        """Linking and connecting, without saying what comes of it."""
        if name not in ("pair_code", "pair_qr", "connect"):
            return await super().execute(name, args)
        self.commands.append((name, dict(args)))
        await self.gate.wait()
        if self.refusal:
            return CommandResult(False, self.refusal, {}, exit_code=1)
        return CommandResult(True, f"Done: {name}.", {})

    def _answers(self) -> dict[str, object]:
        return {**super()._answers(), "whatsapp": Connection(self.robot, self.whatsapp)}


def linking(**changes: Any) -> WhatsAppLink:
    """WhatsApp shows a QR code of 12 seconds ago."""
    reading = WhatsAppReading(
        "pairing",
        "",
        NOW_MS - 72_000,
        qr=PairingCode(QR_TEXT, NOW_MS - 12_000),
        browser=replace(CHROME, headless=False),
        bridge_version="4.6.0",
    )
    return WhatsAppLink(replace(reading, **changes))


def with_phone_code() -> WhatsAppLink:
    """WhatsApp gave eight characters of 7 seconds ago."""
    code = PairingCode("K7MW2QXD", NOW_MS - 7_000)
    return linking(qr=None, phone_code=code, phone_code_for="5511987654321")


def connected() -> WhatsAppLink:
    """All is well."""
    return WhatsAppLink(READY)


def crashed() -> WhatsAppLink:
    """The browser failed several times; there is a pause before the next start."""
    return WhatsAppLink(
        replace(
            READY,
            state="crashed",
            detail="The browser ended by itself (exit code 133).",
            since_ms=NOW_MS - 19_000,
            browser=None,
            next_try_at_ms=NOW_MS + 41_000,
        )
    )


def in_conflict() -> WhatsAppLink:
    """Somebody opened WhatsApp Web elsewhere."""
    return WhatsAppLink(replace(READY, state="conflict", since_ms=NOW_MS - 65_000))


def page_changed() -> WhatsAppLink:
    """WhatsApp's page has lost functions."""
    return WhatsAppLink(replace(READY, state="needs_update", missing=("chat.sendTextMessage", "whatsapp.MsgKey")))


#: Every state an owner can tell, each as its own robot.
ALL_STATES = tuple(state.value for state in TOLD if state is not LinkState.STOPPED)
