"""The robot's way to WhatsApp, whichever the settings name: one transport at a time, exchanged while it runs."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from whatsself_tui.clock import Clock
from whatsself_tui.config.schema import Settings
from whatsself_tui.errors import CommandRefused, RobotNotRunning
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.host.logs import logger
from whatsself_tui.robot.account_memory import AccountMemory
from whatsself_tui.robot.whatsapp_report import WhatsAppReport
from whatsself_tui.store import account
from whatsself_tui.store.database import Store
from whatsself_tui.transport.base import (
    Attachment,
    DownloadFailed,
    LinkState,
    LookUp,
    Outcome,
    SendResult,
    Sink,
    StateChanged,
    Transport,
)
from whatsself_tui.transport.simulator import Simulator, SimulatorOptions
from whatsself_tui.transport.states import sentence
from whatsself_tui.transport.whatsapp_web.preparing import Options
from whatsself_tui.transport.whatsapp_web.transport import WhatsAppWeb

T = TypeVar("T")

log = logger("connection")

#: A send under way is waited for before the transport is exchanged; then its outcome is looked up.
EXCHANGE_PATIENCE_S = 200.0

MakeWhatsApp = Callable[[Options, Clock, AccountMemory, WhatsAppReport], WhatsAppWeb]


def simulated_phone(
    folder: Path, clock: Clock, options: SimulatorOptions, rng: random.Random | None = None
) -> Simulator:
    """The phone inside the program."""
    return Simulator(folder, clock, options, rng)


def _make_whatsapp(options: Options, clock: Clock, memory: AccountMemory, report: WhatsAppReport) -> WhatsAppWeb:
    return WhatsAppWeb(options, clock, memory, report.show)


class Connection:
    """A Transport that hands everything on to the present one."""

    def __init__(
        self,
        folder: DataFolder,
        store: Store,
        clock: Clock,
        settings: Settings,
        rng: random.Random | None = None,
        make_whatsapp: MakeWhatsApp = _make_whatsapp,
    ) -> None:
        self._folder = folder
        self._store = store
        self._clock = clock
        self._settings = settings
        self._rng = rng
        self._make_whatsapp = make_whatsapp
        self.report = WhatsAppReport(folder, store)
        self._transport: Transport = self._make()
        self._sink: Sink | None = None
        self._runs = False
        self._changing = asyncio.Lock()
        self._under_way = 0
        self._nothing_under_way = asyncio.Event()
        self._nothing_under_way.set()

    @property
    def kind(self) -> str:
        """Of the present transport."""
        return self._transport.kind

    async def start(self, sink: Sink) -> None:
        """Connect, unless WhatsApp has blocked the account: then only the operator begins again."""
        self._sink = sink
        self.report.start()
        await self._begin()

    async def stop(self) -> None:
        """Disconnect."""
        async with self._changing:
            await self._end()
        await self.report.stop()
        self._sink = None

    async def apply(self, settings: Settings) -> None:
        """Other settings: the simulator takes them as it is, another way to WhatsApp or another browser begins anew."""
        async with self._changing:
            former, self._settings = self._settings, settings
            if self._sink is None:
                self._transport = self._make()
            elif former.transport != settings.transport:
                await self._exchange()
            elif isinstance(self._transport, Simulator):
                await self._transport.configure(_simulated(settings))

    async def at_rest(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do something while no browser has the session's files open; then connect again."""
        async with self._changing:
            if not (self._runs and isinstance(self._transport, WhatsAppWeb)):
                return await work()
            await self._quiet("The login is being copied.")
            await self._end()
            try:
                return await work()
            finally:
                self._transport = self._make()
                await self._begin()

    async def connect_now(self) -> None:
        """The operator: whatever was waited for, try now. A block by WhatsApp is over if they say so.

        Raises RobotNotRunning before `start`.
        """
        if self._sink is None:
            raise RobotNotRunning("Only a running robot is connected to WhatsApp.")
        await self._store.write(account.unblock)
        await self.try_again()

    async def try_again(self) -> None:
        """What was given up, or is waited for, is tried now; nothing before `start`."""
        async with self._changing:
            if self._sink is None:
                return
            if not self._runs:
                await self._begin()
            elif isinstance(self._transport, WhatsAppWeb):
                self._transport.connect_now()

    def whatsapp(self) -> WhatsAppWeb:
        """The browser's transport. Raises CommandRefused with the simulator."""
        if isinstance(self._transport, WhatsAppWeb) and self._runs:
            return self._transport
        raise CommandRefused(
            "The robot is not connected to WhatsApp.", 'Set transport.kind = "whatsapp_web" in settings.toml for that.'
        )

    async def send(self, chat: str, text: str, wa_id: str, attachment: Attachment | None = None) -> SendResult:
        """Send once under this id."""
        if not self._runs:
            return SendResult(Outcome.NOT_CONNECTED, "the transport is being exchanged", counts=False)
        return await self._through(self._transport.send(chat, text, wa_id, attachment))

    async def look_up(self, chat: str, wa_id: str) -> LookUp:
        """Whether WhatsApp has it."""
        if not self._runs:
            return LookUp.NOT_CONNECTED
        return await self._through(self._transport.look_up(chat, wa_id))

    async def show_typing(self, chat: str, duration_ms: int) -> None:
        """The contact sees somebody typing."""
        if self._runs:
            await self._transport.show_typing(chat, duration_ms)

    async def download(self, key: str, limit_bytes: int) -> bytes:
        """The medium of a received message. Raises DownloadFailed."""
        if not self._runs:
            raise DownloadFailed("WhatsApp is not connected.", "Try again when it is.")
        return await self._transport.download(key, limit_bytes)

    def require_simulator(self) -> None:
        """Raises CommandRefused with WhatsApp: there only people write."""
        if not isinstance(self._transport, Simulator):
            raise CommandRefused(
                "Messages are made up for the simulated phone only.", 'It needs transport.kind = "simulator".'
            )

    async def _through(self, asking: Awaitable[T]) -> T:
        self._under_way += 1
        self._nothing_under_way.clear()
        try:
            return await asking
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._nothing_under_way.set()

    async def _exchange(self) -> None:
        await self._quiet("The way to WhatsApp is being exchanged.")
        await self._end()
        self._transport = self._make()
        log.info("exchanged", kind=self.kind)
        await self._begin()

    async def _quiet(self, reason: str) -> None:
        """Nothing new is sent, and what is under way has come to an end."""
        await self._tell(StateChanged(LinkState.STARTING, reason))
        await self._clock.wait(self._nothing_under_way, EXCHANGE_PATIENCE_S)

    async def _begin(self) -> None:
        assert self._sink is not None
        if self.kind == WhatsAppWeb.kind:
            blocked = (await self._store.read(account.read)).blocked_reason
            if blocked:
                await self._tell(StateChanged(LinkState.BLOCKED, f"{sentence(LinkState.BLOCKED)} ({blocked})"))
                return
        self._runs = True
        await self._transport.start(self._sink)

    async def _end(self) -> None:
        if self._runs:
            self._runs = False
            await self._transport.stop()

    async def _tell(self, event: StateChanged) -> None:
        if self._sink is not None:
            await self._sink(event)

    def _make(self) -> Transport:
        settings = self._settings
        if settings.transport.kind == "simulator":
            return simulated_phone(self._folder.simulator, self._clock, _simulated(settings), self._rng)
        options = Options(
            profile=self._folder.session,
            bridge=self._folder.bridge,
            log_file=self._folder.browser_log,
            browser=settings.transport.browser,
            headless=settings.transport.headless,
            memory_mb=settings.transport.browser_memory_mb,
        )
        return self._make_whatsapp(options, self._clock, AccountMemory(self._store), self.report)


def _simulated(settings: Settings) -> SimulatorOptions:
    simulator = settings.simulator
    return SimulatorOptions(simulator.latency_ms, simulator.fail_rate, simulator.offline)
