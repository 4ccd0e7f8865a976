"""WhatsApp Web as a transport: the parts put together."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from whatsself_tui.clock import Clock
from whatsself_tui.errors import CommandRefused
from whatsself_tui.host.logs import logger
from whatsself_tui.transport.base import Attachment, Event, LinkState, LookUp, SendResult, Sink
from whatsself_tui.transport.whatsapp_web.attendant import Attendant, MakeReady, OpenSession
from whatsself_tui.transport.whatsapp_web.browser_session import BrowserSession, PageError
from whatsself_tui.transport.whatsapp_web.care import ANSWER_S, Care
from whatsself_tui.transport.whatsapp_web.mailbox import Mailbox, Memory
from whatsself_tui.transport.whatsapp_web.preparing import Options, prepare
from whatsself_tui.transport.whatsapp_web.sending import Sender
from whatsself_tui.transport.whatsapp_web.standing import PAIRING, Report, Standing

log = logger("whatsapp")

#: WhatsApp gives a phone code within this time, or says why not; one that comes later is shown all the same.
CODE_TIMEOUT_S = 25.0

#: The backend's word for an account that may not send for some time.
_BANNED = "account_temporarily_banned"

#: Events that messages are made of.
_POST = frozenset({"message", "edited", "revoked", "ack"})


class WhatsAppWeb:
    """A browser of our own with WhatsApp Web in it, kept alive from `start` to `stop`."""

    kind = "whatsapp_web"

    def __init__(
        self,
        options: Options,
        clock: Clock,
        memory: Memory,
        report: Report,
        open_session: OpenSession = BrowserSession,
        make_ready: MakeReady = prepare,
    ) -> None:
        self._sink: Sink | None = None
        self._standing = Standing(clock, self._tell, report)
        self._mailbox = Mailbox(clock, memory, self._tell, lambda: self._attendant.hint())
        self._sender = Sender(clock, self._usable, self._tell)
        self._care = Care(options, clock, memory, self._mailbox, self._standing, self._sender)
        self._attendant = Attendant(options, clock, self._standing, self._care, self._heard, open_session, make_ready)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, sink: Sink) -> None:
        """Begin to open the browser; how far it is comes as events."""
        self._sink = sink
        await self._standing.enter(LinkState.STARTING)
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._mailbox.run()), loop.create_task(self._attend())]

    async def stop(self) -> None:
        """Close the browser; none of its processes is left when this returns."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await self._standing.enter(LinkState.STOPPED)
        self._sink = None

    async def _attend(self) -> None:
        """The attendant must never end: what it did not foresee is told, and it begins again."""
        while True:
            try:
                await self._attendant.run()
            except Exception as error:
                log.exception("attendant failed")
                await self._standing.enter(LinkState.CRASHED, f"An error of this program: {type(error).__name__}.")
            await asyncio.sleep(ANSWER_S)

    async def send(self, chat: str, text: str, wa_id: str, attachment: Attachment | None = None) -> SendResult:
        """Send once under this id."""
        return await self._sender.send(chat, text, wa_id, attachment)

    async def look_up(self, chat: str, wa_id: str) -> LookUp:
        """Whether WhatsApp has it."""
        return await self._sender.look_up(chat, wa_id)

    async def show_typing(self, chat: str, duration_ms: int) -> None:
        """The contact sees somebody typing; without a page nobody does."""
        with contextlib.suppress(PageError):  # a contact that sees no typing gets the message all the same
            await self._sender.show_typing(chat, duration_ms)

    async def download(self, key: str, limit_bytes: int) -> bytes:
        """The medium of a received message. Raises DownloadFailed."""
        return await self._sender.download(key, limit_bytes)

    def connect_now(self) -> None:
        """The operator: try at once, and take the login over from another computer."""
        self._care.take_over_now()
        self._attendant.connect_now()

    async def ask_phone_code(self, phone: str) -> None:
        """The operator: link with eight characters typed into `phone` (digits). Raises CommandRefused."""
        session = self._while_pairing()
        self._standing.show_phone_code(None, phone=phone)
        try:
            answer = await session.call("startCode", {"phone": phone}, timeout_s=CODE_TIMEOUT_S)
        except PageError as error:
            self._standing.refuse_phone_code(str(error))
            raise CommandRefused(str(error)) from error
        if not isinstance(answer, dict) or not answer.get("code"):
            told = answer.get("message") or answer.get("error") if isinstance(answer, dict) else None
            reason = f"WhatsApp gives no code: {str(told or 'no answer')[:200]}."
            self._standing.refuse_phone_code(reason)
            raise CommandRefused(reason, "Check the number; after several tries WhatsApp wants some hours of rest.")
        self._standing.show_phone_code(answer["code"])

    async def new_qr(self) -> None:
        """The operator: link by QR code, with a fresh one. Raises CommandRefused."""
        session = self._while_pairing()
        self._standing.show_phone_code(None, phone="")
        try:
            await session.call("cancelCode", timeout_s=ANSWER_S)
            await session.call("refreshQr", timeout_s=ANSWER_S)
        except PageError as error:
            raise CommandRefused(str(error)) from error
        self._attendant.hint()

    def _while_pairing(self) -> BrowserSession:
        session = self._attendant.session
        if session is None or self._standing.state not in PAIRING:
            raise CommandRefused(f"WhatsApp waits for no code: {self._standing.reading.detail}")
        return session

    def _usable(self) -> BrowserSession | None:
        return self._attendant.session if self._standing.state is LinkState.READY else None

    async def _tell(self, event: Event) -> None:
        if self._sink is not None:
            await self._sink(event)

    def _heard(self, name: str, data: Any) -> None:
        """An event of the page: told on, shown, or taken as a hint to look."""
        if name in _POST:
            self._mailbox.put(name, data)
        elif name == "sent":
            self._late_verdict(data)
        elif name == "qr":
            self._standing.show_qr(data if self._standing.state in PAIRING else None)
            self._attendant.hint()
        elif name == "code":
            self._standing.show_phone_code(data)
        elif name in ("code_expired", "code_error"):
            self._standing.refuse_phone_code("The code has expired." if name == "code_expired" else str(data))
        elif name == "backend" and data == _BANNED:
            self._care.banned()
            self._attendant.hint()
        else:
            if name == "logout" and isinstance(data, str):
                self._care.logged_out(data[:60])
            if name == "backend" and data == "offline_delivery_end":
                self._mailbox.fall_behind()
            self._attendant.hint()

    def _late_verdict(self, verdict: Any) -> None:
        """Whoever waited for it may be gone: a message that has left is acknowledged like any other."""
        if isinstance(verdict, dict) and verdict.get("state") == "sent":
            self._mailbox.put("ack", {"bare": verdict.get("bare"), "ack": 1})
