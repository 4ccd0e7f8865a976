"""What the operator decides about single messages."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from support.queue_world import QueueWorld, queue_world

from whatsself_tui.delivery.limits import Limits
from whatsself_tui.store import attempts, contacts, decisions
from whatsself_tui.store.outbox import Outgoing, State
from whatsself_tui.store.outbox_views import read_message

WIDE = Limits(per_minute=1_000, per_contact=20, per_contact_reply=60)


async def decide(world: QueueWorld, action: str, message_id: int) -> str:
    decision, _, _ = decisions.DECISIONS[action]
    refusal = await world.store.write(lambda tx: decision(tx, message_id))
    assert await world.faults() == []
    return refusal


async def message_in(world: QueueWorld, state: State) -> int:
    """A message that has come as far as this."""
    message_id = await world.say(1, f"to be {state.name}")
    if state is State.QUEUED:
        return message_id
    if state is State.CANCELLED:
        await decide(world, "cancel", message_id)
        return message_id
    claim = (await world.step()).claim
    assert claim is not None
    outcome = {State.SENT: "sent", State.DEAD: "failed", State.UNCONFIRMED: "unconfirmed"}.get(state, "")
    await world.conclude(claim, outcome)
    return message_id


async def status(world: QueueWorld, message_id: int) -> str:
    message = await world.store.read(lambda con: read_message(con, message_id))
    assert message is not None
    return str(message["status"])


ALLOWED = {
    "retry": ({State.DEAD, State.UNCONFIRMED}, "queued"),
    "cancel": ({State.QUEUED}, "cancelled"),
    "discard": ({State.DEAD, State.UNCONFIRMED}, "cancelled"),
    "confirm": ({State.UNCONFIRMED}, "sent"),
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("action", ALLOWED)
async def test_each_decision_is_possible_exactly_where_it_means_something(
    tmp_path: Path, action: str, state: State
) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        message_id = await message_in(world, state)
        before = await status(world, message_id)
        allowed, becomes = ALLOWED[action]
        refusal = await decide(world, action, message_id)
        if state in allowed:
            assert (refusal, await status(world, message_id)) == ("", becomes)
        else:
            assert refusal.startswith(f"Message {message_id} ")
            assert await status(world, message_id) == before


async def test_a_number_nobody_has(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        assert await decide(world, "retry", 7) == "There is no message 7."


async def test_a_dead_letter_goes_again_under_its_id_with_all_its_attempts(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        message_id = await message_in(world, State.DEAD)
        await world.clock.advance(86_400)
        fresh = await world.say(2, "waits already")
        await world.clock.advance(1)
        old = await world.store.read(lambda con: read_message(con, message_id))
        assert old is not None
        assert await decide(world, "retry", message_id) == ""
        first, second = await world.send_next(), await world.send_next()
        assert first is not None
        assert second is not None
        assert first.id == fresh, "it queues up behind who waits, however old it is"
        assert (second.id, second.attempt, second.wa_id) == (message_id, 1, old["wa_id"])
        history = await world.store.read(lambda con: attempts.of_message(con, message_id))
        assert [(entry.number, entry.result, entry.reason) for entry in history] == [
            (1, "failed", "blocked"),
            (0, "queued again", ""),
        ]


async def test_an_unconfirmed_message_sent_again_gets_another_id(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        message_id = await message_in(world, State.UNCONFIRMED)
        old = await world.store.read(lambda con: read_message(con, message_id))
        assert old is not None
        await decide(world, "retry", message_id)
        claim = await world.send_next()
        assert claim is not None
        assert claim.wa_id != old["wa_id"]
        assert not claim.doubtful
        history = await world.store.read(lambda con: attempts.of_message(con, message_id))
        assert old["wa_id"] in history[-1].reason


async def test_a_confirmed_message_counts_as_sent(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        await decide(world, "confirm", await message_in(world, State.UNCONFIRMED))
        counters = await world.store.read(lambda con: dict(con.execute("SELECT counter, n FROM stat_day").fetchall()))
        assert counters == {"outbound": 1}


async def test_what_may_not_be_sent_any_more_is_not_queued_again(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        await world.enqueue(1, Outgoing("for today", expires_at_ms=world.clock.now_ms() + 60_000))
        await world.say(2, "to somebody who opts out")
        for _ in range(2):
            claim = (await world.step()).claim
            assert claim is not None
            await world.conclude(claim, "failed")
        await world.clock.advance(60)
        await world.store.write(lambda tx: contacts.set_consent(tx, 2, "out"))
        assert await decide(world, "retry", 1) == "Message 1 has expired."
        assert await decide(world, "retry", 2) == "Message 2 is to a contact who has opted out."


async def test_a_discarded_letter_keeps_its_reason(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        message_id = await message_in(world, State.DEAD)
        await decide(world, "discard", message_id)
        message = await world.store.read(lambda con: read_message(con, message_id))
        assert message is not None
        assert message["error"] == "discarded: blocked"


async def test_all_of_a_state_are_found_in_batches(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        for person in range(5):
            await world.say(person, "x")
        await decide(world, "cancel", 2)
        pages = [
            await world.store.read(partial(decisions.in_state, state=State.QUEUED, after_id=last, limit=2))
            for last in (0, 3, 5)
        ]
        assert pages == [[1, 3], [4, 5], []]
