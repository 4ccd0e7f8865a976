"""Somebody sets the machine's clock while the robot runs: nothing is blocked, nothing bursts."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.queue_world import NOON, QueueWorld, queue_world

from whatsself_tui.clock import JUMP_MS, Moment, SystemClock, jumped_ms
from whatsself_tui.delivery.circuit import Action, Policy, State
from whatsself_tui.delivery.limits import Limits
from whatsself_tui.store import breaker, clock_changes, contacts
from whatsself_tui.store.outbox import Outgoing
from whatsself_tui.store.views import read_alerts

LIMITS = Limits(per_minute=2, per_contact=2, per_contact_reply=3, contact_window_ms=100_000)
YEAR_S = 365 * 86_400


async def set_clock(world: QueueWorld, seconds: float, policy: Policy | None = None) -> None:
    world.clock.set_wall(seconds)
    by_ms = round(seconds * 1000)
    await world.store.write(lambda tx: clock_changes.shift(tx, by_ms, world.limits, policy or Policy()))
    assert await world.faults() == []


@pytest.mark.parametrize("seconds", [-YEAR_S, -3_600, -30, 30, 3_600, YEAR_S])
async def test_windows_keep_what_was_left_of_them(tmp_path: Path, seconds: float) -> None:
    async with queue_world(tmp_path, LIMITS) as world:
        for person in (1, 1, 1, 2):
            await world.say(person, f"to {person}")
        sent_before = await world.send_all_due()
        await world.clock.advance(20)
        await set_clock(world, seconds)
        start = world.clock.now_ms()
        assert await world.send_all_due() == [], "no burst"
        sent = await world.drain()
        assert sent_before == ["to 1", "to 1"]
        assert [(at - start, claim.body) for at, claim in sent] == [(40_000, "to 2"), (80_000, "to 1")]


@pytest.mark.parametrize("seconds", [-YEAR_S, YEAR_S])
async def test_a_retry_keeps_what_was_left_of_its_pause(tmp_path: Path, seconds: float) -> None:
    async with queue_world(tmp_path, Limits(per_minute=100)) as world:
        await world.say(1, "refused")
        claim = (await world.step()).claim
        assert claim is not None
        await world.conclude(claim, "retry")
        await world.clock.advance(2)
        await set_clock(world, seconds)
        assert (await world.step()).wake_at_ms == world.clock.now_ms() + 3_000


@pytest.mark.parametrize("seconds", [-YEAR_S, YEAR_S])
async def test_the_breaker_keeps_what_was_left_of_its_cool_down(tmp_path: Path, seconds: float) -> None:
    policy = Policy(min_attempts=1, window_attempts=1, cooldown_initial_ms=300_000)
    async with queue_world(tmp_path, LIMITS) as world:
        await world.store.write(lambda tx: breaker.outcome(tx, policy, False, 0))
        await world.clock.advance(100)
        await set_clock(world, seconds, policy)
        circuit = await world.store.read(breaker.load)
        assert circuit.state is State.OPEN
        assert circuit.open_until_ms == world.clock.now_ms() + 200_000


async def test_times_that_a_person_chose_stay(tmp_path: Path) -> None:
    async with queue_world(tmp_path, LIMITS) as world:
        await world.enqueue(1, Outgoing("at one", not_before_ms=NOON + 3_600_000))
        await set_clock(world, -600)
        assert (await world.step()).wake_at_ms == NOON + 3_600_000
        await set_clock(world, 4_200)
        assert await world.send_all_due() == ["at one"]


async def test_what_waits_goes_on_after_a_year_back(tmp_path: Path) -> None:
    async with queue_world(tmp_path, LIMITS) as world:
        await world.hear(1, "A1")
        await world.store.write(lambda tx: contacts.note_fired(tx, 1, "hello"))
        await world.say(2, "waits")
        await set_clock(world, -YEAR_S)
        assert await world.send_all_due() == ["waits"]
        contact = await world.store.write(lambda tx: contacts.get(tx, 1))
        assert contact.last_inbound_at_ms == world.clock.now_ms(), "written a moment ago, then as now"
        assert await world.store.write(lambda tx: contacts.fired(tx, 1)) == {"hello": world.clock.now_ms()}


async def test_the_operator_is_told(tmp_path: Path) -> None:
    async with queue_world(tmp_path, LIMITS) as world:
        await set_clock(world, -7_200)
        (alert,) = await world.store.read(read_alerts)
        assert (alert.kind, alert.severity) == ("clock_jumped", "warning")
        assert "set back by 2 h" in alert.text


async def test_forced_open_stays(tmp_path: Path) -> None:
    async with queue_world(tmp_path, LIMITS) as world:
        await world.store.write(lambda tx: breaker.operate(tx, Action.OPEN))
        await world.say(1, "waits")
        await set_clock(world, YEAR_S)
        assert await world.send_all_due() == []


@pytest.mark.parametrize(
    ("wall_ms", "elapsed_s", "expected"),
    [
        (60_000, 60.0, 0),
        (60_000 + JUMP_MS, 60.0, 0),
        (60_000 + JUMP_MS + 100, 60.0, JUMP_MS + 100),
        (-60_000, 60.0, -120_000),
        (86_400_000 + 60_000, 86_400.0, 0),
        (8 * 3_600_000, 8 * 3600.0, 0),
    ],
)
def test_drift_is_no_jump_and_sleep_neither(wall_ms: int, elapsed_s: float, expected: int) -> None:
    assert jumped_ms(Moment(NOON, 5.0), Moment(NOON + wall_ms, 5.0 + elapsed_s)) == expected


def test_the_machines_clocks_agree() -> None:
    clock = SystemClock()
    before = Moment.of(clock)
    assert jumped_ms(before, Moment.of(clock)) == 0
    assert clock.elapsed_s() >= before.elapsed_s
