"""The breaker in the queue's transactions: it stops claims, remembers over restarts, and obeys the operator."""

from __future__ import annotations

from pathlib import Path

from support.queue_world import NOON, QueueWorld, queue_world

from whatsself_tui.config.schema import Settings
from whatsself_tui.delivery.circuit import Action, Policy
from whatsself_tui.delivery.limits import Limits
from whatsself_tui.store import breaker, claims, views
from whatsself_tui.store.readings import BreakerReading

WIDE = Limits(per_minute=10_000, per_contact=1_000, per_contact_reply=1_000)
COOLDOWN_MS = 300_000


async def reading(world: QueueWorld) -> BreakerReading:
    now_ms = world.clock.now_ms()
    return await world.store.read(lambda con: views.read_breaker(con, Settings(), now_ms))


async def queue_many(world: QueueWorld, count: int = 60) -> None:
    for person in range(count):
        await world.say(person, f"to {person}")


async def sends(world: QueueWorld, *outcomes: str) -> int:
    """Claim and conclude one after another; how many could be claimed."""
    for number, outcome in enumerate(outcomes):
        claim = (await world.step()).claim
        if claim is None:
            return number
        await world.conclude(claim, outcome)
    return len(outcomes)


async def trip(world: QueueWorld) -> None:
    """Fifteen that succeed and five that fail are a quarter of twenty."""
    assert await sends(world, *["sent"] * 15, *["failed"] * 5) == 20


async def test_a_quarter_of_failures_stops_all_claims_until_exactly_the_cool_down_ends(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        await queue_many(world)
        assert await sends(world, *["sent"] * 15, *["failed"] * 4) == 19
        assert (await reading(world)).state == "closed"
        assert await sends(world, "failed", "sent") == 1
        assert await world.step() == claims.Step(None, NOON + COOLDOWN_MS)
        opened = await reading(world)
        assert (opened.state, opened.closes_at_ms, opened.failures, opened.attempts) == (
            "open",
            NOON + COOLDOWN_MS,
            5,
            20,
        )
        assert "5 of 20 sends failed" in opened.transitions[0].cause
        await world.clock.advance(COOLDOWN_MS / 1000 - 0.001)
        assert (await world.step()).claim is None
        await world.clock.advance(0.001)
        assert (await world.step()).claim is not None


async def test_restart_keeps_what_is_left_of_the_cool_down(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        await queue_many(world)
        await trip(world)
    later = NOON + 100_000
    async with queue_world(tmp_path, WIDE, now_ms=later) as world:
        await world.store.write(lambda tx: breaker.recovered(tx, Policy()))
        assert await world.step() == claims.Step(None, NOON + COOLDOWN_MS)


async def test_test_sends_go_one_by_one_and_ten_good_ones_close_it(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        await queue_many(world)
        await trip(world)
        await world.clock.advance(COOLDOWN_MS / 1000)
        for number in range(10):
            first = (await world.step()).claim
            assert first is not None, number
            assert (await world.step()).claim is None, "one test send is in flight"
            await world.conclude(first, "sent")
            if number < 9:
                assert (await reading(world)).state == "half_open"
                assert (await world.step()).wake_at_ms == world.clock.now_ms() + 45_000
                await world.clock.advance(45)
        closed = await reading(world)
        assert (closed.state, closed.attempts, closed.multiplier) == ("closed", 0, 1)
        assert await sends(world, "sent", "sent") == 2


async def test_failing_tests_open_it_again_for_longer(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        await queue_many(world)
        await trip(world)
        await world.clock.advance(COOLDOWN_MS / 1000)
        assert await sends(world, "failed") == 1
        await world.clock.advance(45)
        assert await sends(world, "failed") == 1
        opened = await reading(world)
        assert (opened.state, opened.multiplier) == ("open", 2)
        assert opened.closes_at_ms == world.clock.now_ms() + 2 * COOLDOWN_MS


async def test_crash_with_a_test_send_in_flight_does_not_hang_it(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        await queue_many(world)
        await trip(world)
        await world.clock.advance(COOLDOWN_MS / 1000)
        assert (await world.step()).claim
        now_ms = world.clock.now_ms()
    async with queue_world(tmp_path, WIDE, now_ms=now_ms + 45_000) as world:
        await world.store.write(lambda tx: breaker.recovered(tx, Policy()))
        for left in await world.store.read(claims.in_flight):
            await world.conclude(left, "never_left")
        assert (await world.step()).claim is not None


async def test_failures_that_say_nothing_about_whatsapp_are_not_counted(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        await queue_many(world)
        for _ in range(30):
            claim = (await world.step()).claim
            assert claim
            await world.conclude(claim, "not on whatsapp")
        assert ((await reading(world)).state, (await reading(world)).attempts) == ("closed", 0)


async def test_what_the_operator_forces_stays_over_a_restart_until_released(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        await queue_many(world)
        await world.store.write(lambda tx: breaker.operate(tx, Action.OPEN))
        assert await world.step() == claims.Step(None, None)
    async with queue_world(tmp_path, WIDE, now_ms=NOON + 86_400_000) as world:
        await world.store.write(lambda tx: breaker.recovered(tx, Policy()))
        assert await world.step() == claims.Step(None, None)
        await world.store.write(lambda tx: breaker.operate(tx, Action.CLOSE))
        assert await sends(world, *["failed"] * 30) == 30
        forced = await reading(world)
        assert (forced.state, forced.mode) == ("closed", "forced_closed")
        await world.store.write(lambda tx: breaker.operate(tx, Action.AUTO))
        assert (await reading(world)).attempts == 0, "what was sent against advice is no measure"


async def test_result_of_an_earlier_state_is_ignored(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        await queue_many(world)
        early = (await world.step()).claim
        assert early
        await trip(world)
        await world.store.write(lambda tx: breaker.operate(tx, Action.RESET))
        await world.conclude(early, "failed")
        assert (await reading(world)).attempts == 0
