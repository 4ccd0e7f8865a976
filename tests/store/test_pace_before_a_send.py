"""A person takes a while before each send: one message is prepared at a time, and the row survives."""

from __future__ import annotations

from pathlib import Path

from support.queue_world import NOON, QueueWorld, queue_world

from whatsself_tui.config.schema import Settings
from whatsself_tui.delivery.limits import Limits
from whatsself_tui.delivery.pace import Pace
from whatsself_tui.store import claims, pace, state
from whatsself_tui.store.claims import Step
from whatsself_tui.store.outbox import Outgoing
from whatsself_tui.store.queue_view import read_queue

WIDE = Limits(per_minute=1_000, per_contact=20, per_contact_reply=60)


def slow(length: int) -> Pace:
    """Five seconds, the last two of them typing."""
    return Pace(5_000, 2_000)


async def step(world: QueueWorld, plan: pace.Planner | None = slow, *, connected: bool = True) -> Step:
    return await world.store.write(lambda tx: claims.step(tx, world.limits, connected, plan=plan))


async def waits_for(world: QueueWorld) -> tuple[int | None, str]:
    await world.store.write(lambda tx: state.set_transport(tx, "simulator", "ready", ""))
    reading = await world.store.read(lambda con: read_queue(con, Settings(), world.clock.now_ms()))
    return reading.next_wake_at_ms, reading.waits_for


async def test_it_goes_when_the_wait_is_over_and_the_window_holds_that_moment(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        message = await world.say(1, "oi")
        first = await step(world)
        assert first.claim is None
        assert first.wake_at_ms == NOON + 5_000
        assert first.typing is not None
        assert (first.typing.message_id, first.typing.from_ms, first.typing.until_ms) == (
            message,
            NOON + 3_000,
            NOON + 5_000,
        )
        assert await waits_for(world) == (NOON + 5_000, "pace")
        await world.clock.advance(4.999)
        assert (await step(world)).claim is None
        await world.clock.advance(0.001)
        last = await step(world)
        assert last.claim is not None
        assert last.claim.id == message
        sends = await world.store.read(lambda con: con.execute("SELECT ts FROM send_log").fetchall())
        assert sends == [(NOON + 5_000,)]
        assert await world.store.read(pace.load) is None


async def test_each_message_takes_its_own_time(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        for person in range(3):
            await world.say(person, "oi")
        times = []
        while (now := await step(world)).claim or now.wake_at_ms:
            if now.claim:
                times.append(world.clock.now_ms() - NOON)
                await world.conclude(now.claim, "sent")
            else:
                assert now.wake_at_ms
                await world.clock.advance((now.wake_at_ms - world.clock.now_ms()) / 1000)
        assert times == [5_000, 10_000, 15_000]


async def test_something_more_urgent_takes_over(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        await world.say(1, "broadcast", priority=3)
        await step(world)
        await world.clock.advance(4)
        urgent = await world.say(2, "answer", priority=10)
        now = await step(world)
        assert now.typing is not None
        assert (now.typing.message_id, now.typing.until_ms) == (urgent, NOON + 9_000)


async def test_a_pause_ends_it_and_going_on_begins_anew(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        await world.say(1, "oi")
        await step(world)
        await world.store.write(lambda tx: state.set_paused(tx, True))
        assert await step(world) == Step(None, None)
        assert await world.store.read(pace.load) is None
        await world.clock.advance(60)
        await world.store.write(lambda tx: state.set_paused(tx, False))
        assert (await step(world)).wake_at_ms == NOON + 65_000


async def test_a_lost_connection_ends_it(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        await world.say(1, "oi")
        await step(world)
        assert await step(world, connected=False) == Step(None, None)
        assert await world.store.read(pace.load) is None


async def test_switched_off_it_goes_at_once(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        await world.say(1, "oi")
        await step(world)
        assert (await step(world, None)).claim is not None


async def test_a_restart_neither_skips_nor_repeats_the_wait(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        await world.say(1, "oi")
        await step(world)
    async with queue_world(tmp_path, WIDE, NOON + 2_000) as world:
        assert (await step(world)).wake_at_ms == NOON + 5_000


async def test_what_expires_meanwhile_is_not_sent(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        await world.enqueue(1, Outgoing("too late", expires_at_ms=NOON + 3_000))
        assert (await step(world)).wake_at_ms == NOON + 3_000
        await world.clock.advance(3)
        assert await step(world) == Step(None, None)
        assert await world.store.read(pace.load) is None
