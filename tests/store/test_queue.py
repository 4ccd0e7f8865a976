"""The queue on a real SQLite file: order, windows, schedule, dedup, claim, finish, recover."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.queue_world import MINUTE_MS, NOON, QueueWorld, chat, most_in_any_window, queue_world

from whatsself_tui.delivery.limits import Limits
from whatsself_tui.store import claims, clock_changes, contacts, lanes
from whatsself_tui.store.outbox import Outgoing, State

WIDE = Limits(per_minute=10_000, per_contact=1_000, per_contact_reply=1_000)


async def test_higher_priority_goes_first_and_one_contact_keeps_its_order(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        await world.say(1, "broadcast 1", priority=3)
        await world.say(1, "broadcast 2", priority=3)
        await world.say(2, "answer 1")
        await world.say(2, "answer 2")
        await world.say(1, "opt-out", priority=10)
        assert await world.send_all_due() == ["opt-out", "answer 1", "answer 2", "broadcast 1", "broadcast 2"]


async def test_contact_window_blocks_its_lane_alone_and_opens_exactly_on_time(tmp_path: Path) -> None:
    async with queue_world(tmp_path) as world:
        for number in range(3):
            await world.say(1, f"one {number}")
        await world.say(2, "two 0")
        assert await world.send_all_due() == ["one 0", "one 1", "two 0"]
        step = await world.step()
        assert step.wake_at_ms == NOON + 300_000
        await world.clock.advance(299.999)
        assert await world.send_all_due() == []
        await world.clock.advance(0.001)
        assert await world.send_all_due() == ["one 2"]


async def test_minute_window_bounds_all_contacts_together(tmp_path: Path) -> None:
    async with queue_world(tmp_path) as world:
        for person in range(30):
            await world.say(person, f"to {person}")
        sent = await world.drain()
        times = [at for at, _ in sent]
        assert [claim.body for _, claim in sent] == [f"to {person}" for person in range(30)]
        assert most_in_any_window(times, MINUTE_MS) == 12
        assert times[-1] == NOON + 2 * MINUTE_MS


async def test_reply_has_the_wider_window_and_an_opt_out_confirmation_needs_none(tmp_path: Path) -> None:
    async with queue_world(tmp_path) as world:
        await world.hear(1, "in-1")
        for number in range(8):
            await world.say(1, f"reply {number}")
        await world.enqueue(1, Outgoing("bye", source="consent:opt_out", priority=10, exempt=True))
        assert await world.send_all_due() == ["bye", *(f"reply {number}" for number in range(5))]
        await world.enqueue(1, Outgoing("bye again", source="consent:opt_out", priority=10, exempt=True))
        assert await world.send_all_due() == ["bye again"]


async def test_scheduled_message_waits_for_its_time_without_blocking_the_lane(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        await world.enqueue(1, Outgoing("tomorrow", not_before_ms=NOON + 86_400_000))
        await world.say(1, "now")
        assert await world.send_all_due() == ["now"]
        assert (await world.step()).wake_at_ms == NOON + 86_400_000
        await world.clock.advance(86_400)
        assert await world.send_all_due() == ["tomorrow"]


async def test_expired_message_is_cancelled_and_never_sent_late(tmp_path: Path) -> None:
    async with queue_world(tmp_path, Limits(per_minute=1)) as world:
        await world.say(1, "first")
        await world.enqueue(2, Outgoing("short-lived", expires_at_ms=NOON + 30_000))
        assert await world.send_all_due() == ["first"]
        assert (await world.step()).wake_at_ms == NOON + 30_000
        await world.clock.advance(60)
        assert await world.send_all_due() == []
        row = await world.store.read(
            lambda con: con.execute("SELECT state, error FROM outbox WHERE body = 'short-lived'").fetchone()
        )
        assert row == (State.CANCELLED, "expired before it could be sent")


async def test_same_dedup_key_is_one_message(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        first = await world.enqueue(1, Outgoing("hello", dedup="order-7"))
        again = await world.enqueue(1, Outgoing("hello", dedup="order-7"))
        assert (again.id, again.is_new) == (first.id, False)
        assert await world.send_all_due() == ["hello"]
        assert not (await world.enqueue(1, Outgoing("hello", dedup="order-7"))).is_new


async def test_waiting_gains_priority(tmp_path: Path) -> None:
    async with queue_world(tmp_path, Limits(per_minute=1, per_contact=1_000, aging_ms=600_000)) as world:
        await world.say(99, "occupies the minute")
        await world.send_next()
        await world.say(1, "old broadcast", priority=3)
        await world.clock.advance(2 * 600 + 1)
        await world.say(2, "fresh answer", priority=5)
        assert [claim.body for _, claim in await world.drain()] == ["old broadcast", "fresh answer"]


async def test_failed_head_keeps_its_place_and_holds_only_its_own_lane(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        await world.say(1, "fails once")
        await world.say(1, "behind it")
        await world.say(2, "somebody else")
        claim = (await world.step()).claim
        assert claim
        assert claim.body == "fails once"
        await world.store.write(lambda tx: claims.retry(tx, claim, "network", 5_000, counts=True))
        assert await world.send_all_due() == ["somebody else"]
        await world.say(1, "urgent", priority=10)
        assert await world.send_all_due() == ["urgent"]
        await world.clock.advance(5)
        assert await world.send_all_due() == ["fails once", "behind it"]


async def test_all_attempts_use_the_same_whatsapp_id(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        await world.say(1, "hello")
        first = (await world.step()).claim
        assert first
        assert first.wa_id.startswith("3EB0")
        assert len(first.wa_id) == 22
        await world.store.write(lambda tx: claims.retry(tx, first, "network", 0, counts=True))
        second = (await world.step()).claim
        assert second
        assert (second.wa_id, second.attempt) == (first.wa_id, 2)


async def test_only_one_message_of_a_contact_is_in_flight(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        await world.say(1, "a", priority=3)
        await world.say(1, "b", priority=9)
        assert (await world.step()).claim
        step = await world.step()
        assert step == claims.Step(None, None)


async def test_outcome_reported_twice_or_late_changes_nothing(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        await world.say(1, "a")
        claim = (await world.step()).claim
        assert claim
        assert await world.store.write(lambda tx: claims.sent(tx, claim))
        assert not await world.store.write(lambda tx: claims.sent(tx, claim))
        assert not await world.store.write(lambda tx: claims.failed(tx, claim, "late", counts=True))
        assert not await world.store.write(lambda tx: claims.never_left(tx, claim))
        assert (await world.step()) == claims.Step(None, None)
        assert await world.faults() == []


async def test_claim_without_outcome_is_found_after_a_crash(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        await world.say(1, "a")
        claim = (await world.step()).claim
        assert claim
    async with queue_world(tmp_path, WIDE) as world:
        (left,) = await world.store.read(claims.in_flight)
        assert (left.id, left.wa_id, left.chat, left.body) == (claim.id, claim.wa_id, chat(1), "a")
        await world.store.write(lambda tx: claims.never_left(tx, left))
        again = (await world.step()).claim
        assert again
        assert (again.wa_id, again.attempt) == (claim.wa_id, 1)


async def test_unconfirmed_is_never_sent_again_by_itself(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        await world.say(1, "a")
        claim = (await world.step()).claim
        assert claim
        await world.store.write(lambda tx: claims.unconfirmed(tx, claim, "nobody knows"))
        assert await world.drain() == []
        assert await world.faults() == []


async def test_paused_or_unconnected_claims_nothing_but_still_expires(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        await world.enqueue(1, Outgoing("a", expires_at_ms=NOON + 1_000))
        step = await world.store.write(lambda tx: claims.step(tx, WIDE, False))
        assert step == claims.Step(None, NOON + 1_000)
        await world.clock.advance(1)
        assert await world.store.write(lambda tx: claims.step(tx, WIDE, False)) == claims.Step(None, None)


async def test_consent_is_checked_again_when_sending(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        await world.say(1, "manual")
        await world.enqueue(1, Outgoing("goodbye", source="consent:opt_out", priority=10, exempt=True))
        await world.store.write(lambda tx: contacts.set_consent(tx, contacts.at_address(tx, chat(1)).id, "out"))
        assert await world.send_all_due() == ["goodbye"]
        row = await world.store.read(lambda con: con.execute("SELECT state, error FROM outbox WHERE id = 1").fetchone())
        assert row == (State.DEAD, "the contact has opted out")


async def test_changed_limits_bind_what_already_waits(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        for number in range(4):
            await world.say(1, f"{number}")
        await world.send_next()
        await world.set_limits(Limits(per_minute=100, per_contact=1))
        assert await world.send_all_due() == []
        await world.set_limits(Limits(per_minute=100, per_contact=3))
        assert await world.send_all_due() == ["1", "2"]
        assert await world.faults() == []


async def test_clock_set_back_while_nobody_ran_blocks_nothing(tmp_path: Path) -> None:
    async with queue_world(tmp_path) as world:
        for number in range(3):
            await world.say(1, f"{number}")
        await world.send_all_due()
    yesterday = NOON - 86_400_000
    async with queue_world(tmp_path, now_ms=yesterday) as world:
        assert await world.store.write(lambda tx: clock_changes.settle(tx, world.limits))
        assert not await world.store.write(lambda tx: clock_changes.settle(tx, world.limits))
        assert (await world.step()).wake_at_ms == yesterday + 300_000
        assert await world.faults() == []


async def test_acknowledgements_raise_the_status_and_never_lower_it(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        await world.say(1, "a")
        claim = await world.send_next()
        assert claim
        assert await world.store.write(lambda tx: claims.acknowledged(tx, claim.wa_id, 3))
        assert not await world.store.write(lambda tx: claims.acknowledged(tx, claim.wa_id, 2))
        assert not await world.store.write(lambda tx: claims.acknowledged(tx, "unknown", 2))
        counters = await world.store.read(lambda con: dict(con.execute("SELECT counter, n FROM stat_day").fetchall()))
        assert (counters["delivered"], counters["read"]) == (1, 1)


@pytest.mark.parametrize("statement", [lanes.FIRSTS[0], lanes.NEXT_GATE, lanes.NTH_LAST_SEND, lanes.NTH_LAST_SEND_TO])
async def test_hot_reads_search_an_index_and_scan_nothing(tmp_path: Path, statement: str) -> None:
    async with queue_world(tmp_path) as world:
        arguments = (1,) * statement.count("?")
        plan = await world.store.read(
            lambda con: [row[3] for row in con.execute(f"EXPLAIN QUERY PLAN {statement}", arguments)]
        )
    touching = [step for step in plan if "send_log" in step or " lane" in step]
    assert touching
    assert all(step.startswith("SEARCH") for step in touching), plan


OUTCOMES = ("sent", "retry", "failed", "unconfirmed", "none")

ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.integers(0, 3), st.sampled_from([3, 5, 10])),
        st.tuples(st.just("later"), st.integers(0, 3), st.integers(1, 400)),
        st.tuples(st.just("hear"), st.integers(0, 3), st.just(0)),
        st.tuples(st.just("step"), st.sampled_from([0, 1, 2, 3, 4]), st.just(0)),
        st.tuples(st.just("wait"), st.integers(1, 200), st.just(0)),
        st.tuples(st.just("limit"), st.integers(1, 4), st.integers(4, 8)),
        st.tuples(st.just("restart"), st.just(0), st.just(0)),
    ),
    max_size=40,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(actions=ACTIONS)
async def test_lanes_always_agree_with_the_messages_whatever_happens(
    tmp_path_factory: pytest.TempPathFactory, actions: list[tuple[str, int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("lanes")
    limits, now_ms = Limits(), NOON
    sends: list[tuple[int, int]] = []
    numbered = list(enumerate(actions))
    while numbered:
        async with queue_world(folder, limits, now_ms) as world:
            await world.set_limits(limits)
            for left in await world.store.read(claims.in_flight):
                await world.conclude(left, "never_left")
            while numbered:
                number, (name, first, second) = numbered.pop(0)
                if name == "restart":
                    break
                if name == "step":
                    if claim := (await world.step()).claim:
                        sends.append((world.clock.now_ms(), claim.contact_id))
                        await world.conclude(claim, OUTCOMES[first])
                else:
                    await act(world, number, name, first, second)
                assert await world.faults() == []
            limits, now_ms = world.limits, world.clock.now_ms()
    assert most_in_any_window([at for at, _ in sends], MINUTE_MS) <= 12
    for contact_id in {contact_id for _, contact_id in sends}:
        assert most_in_any_window([at for at, who in sends if who == contact_id], 300_000) <= 8


async def act(world: QueueWorld, number: int, name: str, first: int, second: int) -> None:
    """One thing that happens to a queue."""
    if name == "say":
        await world.say(first, f"{number}", priority=second)
    elif name == "later":
        await world.enqueue(first, Outgoing(f"{number}", not_before_ms=world.clock.now_ms() + second * 1000))
    elif name == "hear":
        await world.hear(first, f"in-{number}")
    elif name == "wait":
        await world.clock.advance(first)
    elif name == "limit":
        await world.set_limits(Limits(per_minute=12, per_contact=first, per_contact_reply=second))
