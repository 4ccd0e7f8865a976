"""What arrives: events of the page in their order, and what came without one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from whatsself_tui.clock import Clock
from whatsself_tui.host.logs import logger
from whatsself_tui.transport.base import Event, Received, Sink
from whatsself_tui.transport.whatsapp_web.browser_session import BrowserSession
from whatsself_tui.transport.whatsapp_web.catch_up import BATCH, Gap, Seen, chats_of, gaps
from whatsself_tui.transport.whatsapp_web.receiving import acknowledged, edited, events_of, revoked

log = logger("whatsapp")

#: One question to the page while catching up takes at most this long.
ASK_TIMEOUT_S = 30.0

#: Questions about one conversation: with BATCH messages each, more than a busy year of one contact.
_MOST_BATCHES = 100

#: Messages of one conversation that began while nobody looked.
_LARGEST_BATCH = 12_800


class Memory(Protocol):
    """What the robot remembers of a WhatsApp account between two starts."""

    async def account(self) -> str:
        """The phone it was paired with, digits; empty before."""
        ...

    async def paired_as(self, phone: str) -> None:
        """It is logged in as this phone."""
        ...

    async def seen(self, chats: Sequence[str]) -> Mapping[str, Seen]:
        """The last stored message of those conversations that have one, by address."""
        ...

    async def caught_up_at_ms(self) -> int | None:
        """When nothing was missing the last time; None before the first."""
        ...

    async def caught_up(self, at_ms: int) -> None:
        """Nothing written before `at_ms` is missing."""
        ...


class Mailbox:
    """Hands events to the sink, one after another; one that could not be stored is fetched again."""

    def __init__(self, clock: Clock, memory: Memory, sink: Sink, wants_look: Callable[[], None]) -> None:
        self._clock = clock
        self._memory = memory
        self._sink = sink
        self._wants_look = wants_look
        self._events: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self.is_behind = True
        """Whether something may be missing that only catching up brings."""
        self.last_at_s = clock.monotonic_s()
        """When something arrived last, in monotonic seconds."""

    def put(self, name: str, data: Any) -> None:
        """An event of the page."""
        self._events.put_nowait((name, data))

    async def run(self) -> None:
        """Hand over what arrives until cancelled."""
        while True:
            name, data = await self._events.get()
            self.last_at_s = self._clock.monotonic_s()
            if isinstance(data, Mapping) and not await self._hand_over(self._read(name, data)):
                self.is_behind = True
                self._wants_look()

    def _read(self, name: str, data: Mapping[str, Any]) -> Iterable[Event]:
        if name == "message":
            return events_of(data)
        if name == "edited":
            return edited(data, self._clock.now_ms())
        return revoked(data, self._clock.now_ms()) if name == "revoked" else acknowledged(data)

    async def _hand_over(self, events: Iterable[Event]) -> bool:
        """False if the robot could not take one of them: its database refuses."""
        for event in events:
            try:
                await self._sink(event)
            except Exception as error:  # whatever the robot's side has: it must not end the connection
                log.error("event not taken", kind=type(event).__name__, error=type(error).__name__)
                return False
        return True

    async def catch_up(self, session: BrowserSession) -> int:
        """Fetch what came without an event; returns how many messages were looked at. Raises PageError."""
        self.is_behind = False
        began_ms = self._clock.now_ms()
        chats = chats_of(await session.call("chats", timeout_s=ASK_TIMEOUT_S))
        seen = await self._memory.seen([address for chat in chats for address in (chat.chat, chat.other) if address])
        looked_at = 0
        for gap in gaps(chats, seen, await self._memory.caught_up_at_ms()):
            looked_at += await self._fill(session, gap)
        if not self.is_behind:
            await self._memory.caught_up(began_ms)
        return looked_at

    async def _fill(self, session: BrowserSession, gap: Gap) -> int:
        """Fetch what one conversation has, in batches; without a known message before it, in one batch that grows."""
        after, limit, looked_at = gap.after, BATCH, 0
        for _ in range(_MOST_BATCHES):
            answer = await self._ask(session, gap, after, limit)
            messages = answer.get("messages")
            if not isinstance(messages, list) or answer.get("error"):
                log.warning("conversation not fetched", error=str(answer.get("error"))[:100])
                self.is_behind = True
                return looked_at
            if after is None and answer.get("complete") is not True and limit < _LARGEST_BATCH:
                limit *= 4  # the page gave the newest ones, and what is older must come first
                continue
            for message in messages:
                looked_at += 1
                self.is_behind |= not await self._hand_over(_since(gap.since_s, message))
            last = messages[-1].get("key") if messages and isinstance(messages[-1], Mapping) else None
            if answer.get("complete") is True or not isinstance(last, str) or last == after:
                return looked_at
            after = last
        return looked_at

    async def _ask(self, session: BrowserSession, gap: Gap, after: str | None, limit: int) -> Mapping[str, Any]:
        question = {
            "chat": gap.chat,
            "after": after,
            "since": gap.since_s,
            "limit": limit,
            "deadlineMs": round(ASK_TIMEOUT_S * 1000) - 5_000,
        }
        answer = await session.call("messages", question, timeout_s=ASK_TIMEOUT_S)
        return answer if isinstance(answer, Mapping) else {}


def _since(since_s: float, message: object) -> list[Event]:
    if not isinstance(message, Mapping):
        return []
    return [
        event
        for event in events_of(message)
        if not isinstance(event, Received) or event.written_at_ms >= since_s * 1000
    ]
