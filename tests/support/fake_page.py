"""A browser with WhatsApp's page that a test holds in its hand: no process, no network, no time of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from whatsself_tui.clock import Clock
from whatsself_tui.host.browsers import Brand, Browser
from whatsself_tui.transport.base import Event, StateChanged
from whatsself_tui.transport.whatsapp_web.browser_session import Gone, Launch, NoNetwork, PageHangs
from whatsself_tui.transport.whatsapp_web.catch_up import Seen
from whatsself_tui.transport.whatsapp_web.preparing import Options, Prepared
from whatsself_tui.transport.whatsapp_web.report import WhatsAppReading
from whatsself_tui.transport.whatsapp_web.transport import WhatsAppWeb

READY: dict[str, Any] = {
    "wajs": "4.6.0",
    "injected": True,
    "full": True,
    "authenticated": True,
    "mode": "MAIN",
    "info": "NORMAL",
    "me": "5511988887777@c.us",
    "idle": False,
    "needsUpdate": False,
    "syncing": False,
}
PAIRING: dict[str, Any] = {**READY, "authenticated": False, "mode": "QR", "info": "PAIRING", "me": None}


@dataclass
class FakeWeb:
    """What the page answers, for all browsers that are opened one after another."""

    status: dict[str, Any] = field(default_factory=lambda: dict(READY))
    answers: dict[str, Any] = field(default_factory=dict)
    """Function → its answer, or a callable that makes one of the argument; an exception is raised."""
    hangs: bool = False
    network: bool = True
    log: list[str] = field(default_factory=list)
    """What was done to the browsers: open, load, page, close."""
    asked: list[tuple[str, Any]] = field(default_factory=list)
    sessions: list[FakeSession] = field(default_factory=list)
    opening_fails: str = ""

    @property
    def session(self) -> FakeSession:
        """The present browser."""
        return self.sessions[-1]

    def open(
        self, launch: Launch, on_event: Callable[[str, Any], None], on_gone: Callable[[Gone], None]
    ) -> FakeSession:
        """Stands for the class `BrowserSession`."""
        self.sessions.append(FakeSession(self, launch, on_event, on_gone))
        return self.session

    def count(self, what: str) -> int:
        """How often something was done."""
        return self.log.count(what)


class FakeSession:
    """See `BrowserSession`."""

    pid = 4711

    def __init__(
        self, web: FakeWeb, launch: Launch, on_event: Callable[[str, Any], None], on_gone: Callable[[Gone], None]
    ) -> None:
        self.web = web
        self.launch = launch
        self.tell = on_event
        self.die = on_gone

    async def open(self) -> None:
        self.web.log.append("open")
        if self.web.opening_fails:
            from whatsself_tui.transport.whatsapp_web.browser_session import BrowserFailed

            raise BrowserFailed(self.web.opening_fails)

    async def load(self) -> None:
        self.web.log.append("load")
        if not self.web.network:
            raise NoNetwork("WhatsApp Web could not be loaded: net::ERR_INTERNET_DISCONNECTED")

    async def new_page(self) -> None:
        self.web.log.append("page")

    async def close(self) -> None:
        self.web.log.append("close")

    async def call(self, name: str, argument: Any = None, *, timeout_s: float) -> Any:
        self.web.asked.append((name, argument))
        if self.web.hangs:
            raise PageHangs(f"WhatsApp's page did not answer {name}.")
        if name == "status":
            return dict(self.web.status)
        default = {"missing": [], "chats": [], "messages": {"messages": [], "complete": True}}
        answer = self.web.answers.get(name, default.get(name))
        if callable(answer):
            answer = answer(argument)
            if asyncio.iscoroutine(answer):
                answer = await answer
        if isinstance(answer, Exception):
            raise answer
        return answer


class FakeMemory:
    """See `mailbox.Memory`."""

    def __init__(self) -> None:
        self.phone = ""
        self.cursors: dict[str, Seen] = {}
        self.at_ms: int | None = None
        self.sent: list[tuple[str, str]] = []

    async def account(self) -> str:
        return self.phone

    async def paired_as(self, phone: str) -> None:
        self.phone = phone

    async def seen(self, chats: Any) -> dict[str, Seen]:
        return {chat: self.cursors[chat] for chat in chats if chat in self.cursors}

    async def reached(self, chat: str, seen: Seen) -> None:
        self.cursors[chat] = seen

    async def unread(self) -> list[tuple[str, str]]:
        return self.sent

    async def caught_up_at_ms(self) -> int | None:
        return self.at_ms

    async def caught_up(self, at_ms: int) -> None:
        self.at_ms = at_ms


class Desk:
    """A transport on a fake web, and everything it told."""

    def __init__(self, clock: Clock, folder: Path, **options: Any) -> None:
        self.web = FakeWeb()
        self.memory = FakeMemory()
        self.events: list[Event] = []
        self.readings: list[WhatsAppReading] = []
        self.refuses: type[Exception] | None = None
        self.window = False
        profile = folder / "profile"
        profile.mkdir()
        self.options = Options(profile, folder, folder / "browser.log", **options)
        self.transport = WhatsAppWeb(
            self.options,
            clock,
            self.memory,
            self.readings.append,
            self.web.open,  # type: ignore[arg-type]
            self._ready,
        )

    def _ready(self, options: Options, window_failed: bool) -> Prepared:
        browser = Browser(Path("/opt/chrome"), Brand.CHROME, "140.0.1")
        headless = options.headless != "never" and not self.window
        pairing = not self.memory.phone
        launch = Launch(browser, options.profile, headless or window_failed, pairing, "", options.log_file)
        return Prepared(launch, ())

    async def sink(self, event: Event) -> None:
        if self.refuses is not None and not isinstance(event, StateChanged):
            raise self.refuses("the database refuses")
        self.events.append(event)

    @property
    def states(self) -> list[str]:
        """The states told so far, repetitions left out."""
        told = [str(event.state) for event in self.events if isinstance(event, StateChanged)]
        return [state for index, state in enumerate(told) if index == 0 or told[index - 1] != state]

    @property
    def reading(self) -> WhatsAppReading:
        """The last one."""
        return self.readings[-1]
