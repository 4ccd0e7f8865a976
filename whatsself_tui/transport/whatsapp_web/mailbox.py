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

#: WhatsApp's page knows within this time how far a message is.
ACK_TIMEOUT_S = 5.0

#: Events wait this long for what came before them without one.
HOLD_S = 60.0

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
        """How far those conversations are known without a gap, by address; others are left out."""
        ...

    async def reached(self, chat: str, seen: Seen) -> None:
        """Nothing of the conversation up to there is missing."""
        ...

    async def unread(self) -> Sequence[tuple[str, str]]:
        """(chat, id) of our messages of late that nobody is known to have read."""
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
        self._asked, self._done = 1, 0
        self._level = asyncio.Event()
        self.last_at_s = clock.monotonic_s()
        """When something arrived last, in monotonic seconds."""

    @property
    def is_behind(self) -> bool:
        """Whether something may be missing that only catching up brings."""
        return self._done < self._asked

    def fall_behind(self) -> None:
        """Something may have come without an event."""
        self._asked += 1
        self._level.clear()

    def put(self, name: str, data: Any) -> None:
        """An event of the page."""
        self._events.put_nowait((name, data))

    async def run(self) -> None:
        """Hand over what arrives until cancelled.

        What came before without an event goes first, unless that cannot be had: then no event waits for it.
        """
        held = 0
        while True:
            name, data = await self._events.get()
            self.last_at_s = self._clock.monotonic_s()
            if self.is_behind and held != self._asked:
                await self._clock.wait(self._level, HOLD_S)
                held = self._asked
            if isinstance(data, Mapping) and not await self._hand_over(self._read(name, data)):
                self.fall_behind()
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
        """Fetch what came without an event; returns how many messages were looked at.

        Raises PageError, and what the robot's memory raises.
        """
        asked, began_ms = self._asked, self._clock.now_ms()
        chats = chats_of(await session.call("chats", timeout_s=ASK_TIMEOUT_S))
        seen = await self._memory.seen([address for chat in chats for address in (chat.chat, chat.other) if address])
        looked_at, is_whole = 0, True
        for gap in gaps(chats, seen, await self._memory.caught_up_at_ms()):
            messages, filled = await self._fill(session, gap)
            looked_at += messages
            is_whole &= filled
            if filled and gap.reaches is not None:
                await self._memory.reached(gap.chat, gap.reaches)
        if is_whole:
            await self._memory.caught_up(began_ms)
            self._done = asked
        if not self.is_behind:
            self._level.set()
        return looked_at

    async def refresh_acks(self, session: BrowserSession) -> None:
        """Learn how far our messages came while nobody listened. Raises PageError, and what the memory raises."""
        for chat, wa_id in await self._memory.unread():
            question = {"to": chat, "bare": wa_id, "deadlineMs": round(ACK_TIMEOUT_S * 1000)}
            answer = await session.call("lookUp", question, timeout_s=2 * ACK_TIMEOUT_S)
            if isinstance(answer, Mapping):
                await self._hand_over(acknowledged({"bare": wa_id, "ack": answer.get("ack")}))

    async def _fill(self, session: BrowserSession, gap: Gap) -> tuple[int, bool]:
        """Fetch what one conversation has: (how many messages, whether the robot has all of them now).

        In batches; without a known message before them in one batch that grows.
        """
        after, limit, looked_at, is_whole = gap.after, BATCH, 0, True
        for _ in range(_MOST_BATCHES):
            answer = await self._ask(session, gap, after, limit)
            messages = answer.get("messages")
            if not isinstance(messages, list) or answer.get("error"):
                log.warning("conversation not fetched", error=str(answer.get("error"))[:100])
                return looked_at, False
            if after is None and answer.get("complete") is not True and limit < _LARGEST_BATCH:
                limit *= 4  # the page gave the newest ones, and what is older must come first
                continue
            for message in messages:
                looked_at += 1
                is_whole &= await self._hand_over(_wanted(gap, message))
            last = messages[-1].get("key") if messages and isinstance(messages[-1], Mapping) else None
            if answer.get("complete") is True or not isinstance(last, str) or last == after:
                break
            after = last
        return looked_at, is_whole

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


def _wanted(gap: Gap, message: object) -> list[Event]:
    """The message's events; of a conversation nobody knew, only what was written since the robot is there."""
    if not isinstance(message, Mapping):
        return []
    events = list(events_of(message))
    if gap.after is not None:
        return events
    return [event for event in events if not isinstance(event, Received) or event.written_at_ms >= gap.since_s * 1000]
