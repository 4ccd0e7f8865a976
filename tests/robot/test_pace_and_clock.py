"""The dispatcher takes a person's time before each send, shows typing meanwhile, and survives a clock that is set."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from support.fake_clock import FakeClock
from support.queue_world import QueueWorld, queue_world

from whatsself_tui.config.schema import Settings
from whatsself_tui.robot.dispatcher import Dispatcher
from whatsself_tui.store import alerts, state
from whatsself_tui.store.views import read_alerts
from whatsself_tui.transport.base import Attachment, LookUp, Outcome, SendResult, Sink

WIDE = {"per_minute": 100, "per_contact": 20, "per_contact_reply": 20, "daily_new_contacts": 0}
#: Exactly five seconds, of which the contact sees the last two.
STEADY = {"delay_min_ms": 5_000, "delay_max_ms": 5_000, "typing_min_ms": 2_000, "typing_max_ms": 2_000}


class Phone:
    """Accepts everything at once; notes what it was asked, and when."""

    kind = "phone"

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.seen: list[tuple[float, str]] = []
        self.typing_breaks = False

    def note(self, what: str) -> None:
        self.seen.append(((self._clock.monotonic_s()), what))

    async def start(self, sink: Sink) -> None: ...

    async def stop(self) -> None: ...

    async def send(self, chat: str, text: str, wa_id: str, attachment: Attachment | None = None) -> SendResult:
        self.note(text)
        return SendResult(Outcome.SENT)

    async def look_up(self, chat: str, wa_id: str) -> LookUp:
        return LookUp.ABSENT

    async def show_typing(self, chat: str, duration_ms: int) -> None:
        if self.typing_breaks:
            raise OSError("the page is gone")
        self.note("typing")
        try:
            await self._clock.sleep(duration_ms / 1000)
        except asyncio.CancelledError:
            self.note("typing ended early")
            raise


class Desk:
    """A dispatcher at work on a store."""

    def __init__(self, world: QueueWorld, phone: Phone, dispatcher: Dispatcher) -> None:
        self.world = world
        self.phone = phone
        self.dispatcher = dispatcher
        self.settings = Settings.model_validate({"limits": WIDE, "pace": STEADY})

    async def until(self, condition: Callable[[], bool], most_s: float = 600) -> None:
        """Let virtual time pass until the condition holds."""
        for _ in range(round(most_s * 10)):
            await self.world.store.write(lambda tx: None)
            if condition():
                return
            await self.world.clock.advance(0.1)
        raise AssertionError(f"it never held; the phone saw {self.phone.seen}")

    async def pass_time(self, seconds: float) -> None:
        """Exactly this much virtual time, with the database's work done at every moment."""
        for _ in range(round(seconds * 10)):
            await self.world.store.write(lambda tx: None)
            await self.world.clock.advance(0.1)
        await self.world.store.write(lambda tx: None)


@asynccontextmanager
async def working(folder: Path) -> AsyncIterator[Desk]:
    async with queue_world(folder) as world:
        phone = Phone(world.clock)
        dispatcher = Dispatcher(world.store, phone, world.clock, lambda: desk.settings, random.Random(1))
        desk = Desk(world, phone, dispatcher)
        world.store.listen(lambda _: dispatcher.kick())
        dispatcher.set_connected(True)
        task = asyncio.ensure_future(dispatcher.run())
        try:
            yield desk
        finally:
            dispatcher.stop()
            await task


async def test_the_contact_sees_typing_and_then_the_message(tmp_path: Path) -> None:
    async with working(tmp_path) as desk:
        await desk.world.say(1, "oi")
        await desk.until(lambda: len(desk.phone.seen) == 2)
        (typing_at, typing), (sent_at, sent) = desk.phone.seen
        assert (typing, sent) == ("typing", "oi")
        assert 2.9 <= typing_at <= 3.1, "the last two seconds, a little more for its two letters"
        assert 5 <= sent_at <= 5.4


async def test_a_pause_in_the_middle_ends_the_typing_and_sends_nothing(tmp_path: Path) -> None:
    async with working(tmp_path) as desk:
        await desk.world.say(1, "oi")
        await desk.until(lambda: bool(desk.phone.seen))
        await desk.world.store.write(lambda tx: state.set_paused(tx, True))
        await desk.pass_time(60)
        assert [what for _, what in desk.phone.seen] == ["typing", "typing ended early"]
        await desk.world.store.write(lambda tx: state.set_paused(tx, False))
        await desk.until(lambda: desk.phone.seen[-1][1] == "oi")


async def test_stopping_does_not_wait_for_the_pace(tmp_path: Path) -> None:
    async with working(tmp_path) as desk:
        await desk.world.say(1, "oi")
        await desk.until(lambda: bool(desk.phone.seen))
    assert [what for _, what in desk.phone.seen] == ["typing", "typing ended early"]


async def test_switched_off_in_the_middle_it_goes_at_once(tmp_path: Path) -> None:
    async with working(tmp_path) as desk:
        await desk.world.say(1, "oi")
        await desk.pass_time(1)
        desk.settings = Settings.model_validate({"limits": WIDE, "pace": {"enabled": False}})
        desk.dispatcher.kick()
        await desk.until(lambda: bool(desk.phone.seen), 1)
        assert desk.phone.seen[0][1] == "oi"


async def test_a_transport_that_cannot_show_typing_sends_all_the_same(tmp_path: Path) -> None:
    async with working(tmp_path) as desk:
        desk.phone.typing_breaks = True
        await desk.world.say(1, "oi")
        await desk.until(lambda: bool(desk.phone.seen))
        assert desk.phone.seen[0][1] == "oi"


async def test_only_the_message_about_to_be_sent_is_typed(tmp_path: Path) -> None:
    async with working(tmp_path) as desk:
        for person in range(3):
            await desk.world.say(person, f"to {person}")
        await desk.until(lambda: len(desk.phone.seen) == 6)
        assert [what for _, what in desk.phone.seen] == [
            "typing",
            "to 0",
            "typing",
            "to 1",
            "typing",
            "to 2",
        ]


async def test_a_clock_set_back_by_a_day_blocks_nobody(tmp_path: Path) -> None:
    async with working(tmp_path) as desk:
        desk.settings = Settings.model_validate({"limits": {**WIDE, "per_contact": 1}, "pace": {"enabled": False}})
        await desk.world.say(1, "first")
        await desk.world.say(1, "second")
        await desk.until(lambda: len(desk.phone.seen) == 1)
        await desk.pass_time(10)
        desk.world.clock.set_wall(-86_400)
        await desk.until(lambda: len(desk.phone.seen) == 2)
        assert 300 <= desk.phone.seen[1][0] <= 362, "the window of five minutes, and at most a minute to notice"
        kinds = {alert.kind for alert in await desk.world.store.read(read_alerts)}
        assert kinds == {"clock_jumped"}


async def test_a_clock_set_forward_by_a_day_lets_nobody_burst(tmp_path: Path) -> None:
    async with working(tmp_path) as desk:
        desk.settings = Settings.model_validate({"limits": {**WIDE, "per_contact": 1}, "pace": {"enabled": False}})
        await desk.world.say(1, "first")
        await desk.world.say(1, "second")
        await desk.until(lambda: len(desk.phone.seen) == 1)
        desk.world.clock.set_wall(86_400)
        desk.dispatcher.kick()
        await desk.pass_time(290)
        assert len(desk.phone.seen) == 1
        await desk.until(lambda: len(desk.phone.seen) == 2)


async def test_an_acknowledged_jump_is_gone(tmp_path: Path) -> None:
    async with working(tmp_path) as desk:
        desk.world.clock.set_wall(3_600)
        desk.dispatcher.kick()
        await desk.pass_time(1)
        (alert,) = await desk.world.store.read(read_alerts)
        assert "forward by 60 min" in alert.text
        assert await desk.world.store.write(lambda tx: alerts.acknowledge(tx, alert.id))
        assert await desk.world.store.read(read_alerts) == ()
