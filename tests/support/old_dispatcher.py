"""A real dispatcher on a real store, a clock that knows when it rests, and a phone that does as it was told."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from support.fake_clock import FakeClock
from support.queue_world import NOON, QueueWorld, chat

from whatsself_tui.config.schema import Settings
from whatsself_tui.robot.dispatcher import Dispatcher
from whatsself_tui.store import outbox
from whatsself_tui.store.database import Store
from whatsself_tui.store.outbox import Outgoing, State
from whatsself_tui.store.terms import limits_of
from whatsself_tui.transport.base import Attachment, LookUp, Outcome, SendResult, Sink

#: Real seconds after which a dispatcher that does not come to rest is stuck.
_PATIENCE_S = 10

#: Nothing but what a test is about bounds the sends.
WIDE: dict[str, Any] = {
    "limits": {"per_minute": 100, "per_contact": 20, "per_contact_reply": 20, "daily_new_contacts": 0},
    "pace": {"enabled": False},
}


class RestingClock(FakeClock):
    """Its only user waits for an event, with or without a time, whenever there is nothing to do."""

    def __init__(self, now_ms: int) -> None:
        super().__init__(now_ms)
        self.rests_at_s: list[float] = []
        """When the user began to wait."""
        self._resting = asyncio.Event()

    async def wait(self, event: asyncio.Event, seconds: float | None) -> bool:
        """As ever, and noted."""
        self.rests_at_s.append(self.monotonic_s())
        self._resting.set()
        try:
            return await super().wait(event, seconds)
        finally:
            self._resting.clear()

    async def rest(self) -> None:
        """Return once the user waits for something that has not happened; TimeoutError if it is stuck."""
        async with asyncio.timeout(_PATIENCE_S):
            resting = False
            while not resting:
                await self._resting.wait()
                await self.advance(0)  # who was woken meanwhile goes on
                resting = self._resting.is_set()


class Silence(Enum):
    """The phone never answers."""

    NOT_TAKEN = 1
    TAKEN = 2


@dataclass(frozen=True, slots=True)
class Asked:
    """What the phone was asked, and when."""

    at_s: float
    what: str
    """`send` or `look up`."""
    chat: str
    wa_id: str
    text: str = ""


Answer = SendResult | Silence | BaseException
SENT = SendResult(Outcome.SENT)
BUSY = SendResult(Outcome.RETRYABLE, "busy")


class ScriptedPhone:
    """Answers each send and each look-up as its two scripts say; knows what it holds."""

    kind = "scripted"

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.asked: list[Asked] = []
        self.holds: dict[str, str] = {}
        """Id → text."""
        self.send_script: Callable[[str, int], Answer] = lambda chat, number: SENT
        """From chat and number of the send to this chat, from 1."""
        self.look_up_script: Callable[[int], LookUp | Silence | BaseException | None] = lambda number: None
        """From the look-up's number, from 1; None: the truth."""

    async def start(self, sink: Sink) -> None:
        """Nothing to do."""

    async def stop(self) -> None:
        """Nothing to do."""

    async def send(self, chat: str, text: str, wa_id: str, attachment: Attachment | None = None) -> SendResult:
        """As the script says."""
        self.asked.append(Asked(self._clock.monotonic_s(), "send", chat, wa_id, text))
        answer = self.send_script(chat, sum(asked.chat == chat for asked in self.sends()))
        if isinstance(answer, BaseException):
            raise answer
        if answer is Silence.TAKEN or (isinstance(answer, SendResult) and answer.outcome is Outcome.SENT):
            self.holds[wa_id] = text
        return await _never() if isinstance(answer, Silence) else answer

    async def look_up(self, chat: str, wa_id: str) -> LookUp:
        """As the script says."""
        self.asked.append(Asked(self._clock.monotonic_s(), "look up", chat, wa_id))
        answer = self.look_up_script(sum(asked.what == "look up" for asked in self.asked))
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, Silence):
            await _never()
        elif answer is not None:
            return answer
        return LookUp.PRESENT if wa_id in self.holds else LookUp.ABSENT

    async def show_typing(self, chat: str, duration_ms: int) -> None:
        """Nobody looks."""

    def sends(self) -> list[Asked]:
        """The sends it was asked for."""
        return [asked for asked in self.asked if asked.what == "send"]


async def _never() -> SendResult:
    await asyncio.Event().wait()
    raise AssertionError("the event of nobody was set")


class Room:
    """A dispatcher at work."""

    def __init__(self, store: Store, clock: RestingClock, settings: Settings) -> None:
        self.clock = clock
        self.phone = ScriptedPhone(clock)
        self.world = QueueWorld(store, clock, limits_of(settings))
        # A phone that answers at once answers in time, one that does not answer is given up without waiting.
        self.dispatcher = Dispatcher(store, self.phone, clock, lambda: settings, random.Random(1), send_timeout_s=0)
        store.listen(lambda _: self.dispatcher.kick())

    async def say(self, person: int, *bodies: str, **more: Any) -> list[int]:
        """Queue messages in one commit; their ids."""
        queued = await self.world.store.write(
            lambda tx: outbox.enqueue_many(tx, [(chat(person), Outgoing(body, **more)) for body in bodies])
        )
        return [message.id for message in queued]

    async def pass_time(self, seconds: float) -> None:
        """Let so much time pass, with all work done at each moment at which there is some."""
        end_s = self.clock.monotonic_s() + seconds
        while True:
            await self.clock.rest()
            wake_ms = self.clock.next_wake_ms
            step_s = end_s - self.clock.monotonic_s()
            if wake_ms is None or (wake_ms - self.clock.now_ms()) / 1000 > step_s:
                break
            await self.clock.advance((wake_ms - self.clock.now_ms()) / 1000)
        await self.clock.advance(step_s)
        await self.clock.rest()

    async def pass_time_until_nothing_waits(self) -> None:
        """Let time pass until the dispatcher sleeps without a timer."""
        await self.clock.rest()
        while (wake_ms := self.clock.next_wake_ms) is not None:
            await self.clock.advance((wake_ms - self.clock.now_ms()) / 1000)
            await self.clock.rest()

    async def state(self, message_id: int) -> tuple[State, str]:
        """A message's state and the reason given for it."""
        state, error = await self.world.store.read(
            lambda con: con.execute("SELECT state, error FROM outbox WHERE id = ?", (message_id,)).fetchone()
        )
        return State(state), error


@asynccontextmanager
async def dispatching(folder: Path, **sections: Any) -> AsyncIterator[Room]:
    """A connected dispatcher on the store in `folder`; sections of the settings replace those of `WIDE`."""
    settings = Settings.model_validate({**WIDE, **sections})
    clock = RestingClock(NOON)
    store = await Store.open(folder / "whatsself.db", clock, settings.business.zone)
    room = Room(store, clock, settings)
    room.dispatcher.set_connected(True)
    work = asyncio.ensure_future(room.dispatcher.run())
    try:
        await clock.rest()
        yield room
        assert not work.done(), "the dispatcher has stopped"
    finally:
        room.dispatcher.stop()
        await asyncio.wait({work}, timeout=_PATIENCE_S)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        await store.close()
