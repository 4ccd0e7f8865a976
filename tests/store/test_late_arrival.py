"""Acknowledgements of messages that nobody believed to have arrived any more."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from support.queue_world import NOON, QueueWorld, chat, queue_world

from whatsself_tui.delivery.limits import Limits
from whatsself_tui.store import acknowledgements, attempts, claims, contacts, decisions, outbox
from whatsself_tui.store.claims import Claim
from whatsself_tui.store.database import Tx
from whatsself_tui.store.outbox import Outgoing
from whatsself_tui.store.outbox_views import read_message

WIDE = Limits(per_minute=1_000, per_contact=20, per_contact_reply=60)


async def claimed(world: QueueWorld, message: Outgoing | None = None) -> Claim:
    await world.enqueue(1, message or Outgoing("late", source="trigger:x"))
    claim = (await world.step()).claim
    assert claim is not None
    return claim


async def acknowledge(world: QueueWorld, wa_id: str, ack: int = 1) -> bool:
    done = await world.store.write(lambda tx: claims.acknowledged(tx, wa_id, ack))
    assert await world.faults() == []
    return done


async def message(world: QueueWorld, message_id: int = 1) -> tuple[str, list[str]]:
    """Its status and the results of its history."""
    found = await world.store.read(lambda con: read_message(con, message_id))
    assert found is not None
    return found["status"], [entry["result"] for entry in found["history"]]


async def counters(world: QueueWorld) -> dict[str, int]:
    return await world.store.read(lambda con: dict(con.execute("SELECT counter, n FROM stat_day").fetchall()))


def give_up(claim: Claim, tx: Tx) -> bool:
    return claims.unconfirmed(tx, claim, "nobody can tell")


def arrive(claim: Claim, tx: Tx) -> bool:
    return claims.sent(tx, claim)


def put_back(tx: Tx, claim: Claim) -> None:
    claims.doubt(tx, claim)
    claims.retry(tx, claim, "no answer", 5_000, counts=True)


@pytest.mark.parametrize(("ack", "status"), [(1, "sent"), (2, "delivered"), (3, "read")])
async def test_a_message_put_back_into_the_queue_has_arrived_after_all(tmp_path: Path, ack: int, status: str) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        claim = await claimed(world, Outgoing("late", source="trigger:x", not_before_ms=NOON))
        await world.store.write(lambda tx: put_back(tx, claim))
        await world.say(1, "behind it")
        assert await acknowledge(world, claim.wa_id, ack)
        assert await message(world) == (status, ["no answer", "retry", "arrived late"])
        history = await world.store.read(lambda con: attempts.of_message(con, 1))
        assert history[-1].number == 1
        assert await world.send_all_due() == ["behind it"], "its lane is free at once"
        expected = {"outbound": 2, "automated": 1, "delivered": int(ack >= 2), "read": int(ack >= 3)}
        assert await counters(world) == {name: n for name, n in expected.items() if n}
        assert not await acknowledge(world, claim.wa_id, ack)


@pytest.mark.parametrize(("outcome", "failed"), [("failed", 1), ("unconfirmed", 0)])
async def test_a_message_given_up_has_arrived_after_all(tmp_path: Path, outcome: str, failed: int) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        claim = await claimed(world)
        await world.conclude(claim, outcome)
        assert await acknowledge(world, claim.wa_id)
        assert await message(world) == ("sent", [outcome, "arrived late"])
        counts = await counters(world)
        assert (counts["outbound"], counts.get("failed", 0)) == (1, failed)
        for action in (decisions.retry, decisions.confirm, decisions.discard):
            assert await world.store.write(lambda tx, action=action: action(tx, 1)) == "Message 1 is sent."  # type: ignore[misc]


async def test_a_lost_claim_that_went_back_is_not_repeated(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        claim = await claimed(world)
        await world.conclude(claim, "never_left")
        assert await acknowledge(world, claim.wa_id, 2)
        assert await world.drain() == []
        assert (await message(world))[0] == "delivered"


async def test_a_cancelled_message_stays_cancelled_and_its_history_tells_once(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        claim = await claimed(world)
        await world.store.write(lambda tx: put_back(tx, claim))
        await world.store.write(lambda tx: decisions.cancel(tx, 1))
        for ack in (1, 2, 3):
            assert await acknowledge(world, claim.wa_id, ack)
        assert await message(world) == ("cancelled", ["no answer", "retry", "cancelled", "arrived late"])
        assert await counters(world) == {}


@pytest.mark.parametrize("outcome", ["retry", "unconfirmed", "never_left", "sent"])
async def test_an_acknowledgement_in_flight_decides_whatever_is_reported_afterwards(
    tmp_path: Path, outcome: str
) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        claim = await claimed(world)
        assert await acknowledge(world, claim.wa_id)
        assert await message(world) == ("sending", [])
        await world.conclude(claim, outcome)
        assert await message(world) == ("sent", [])
        assert (await counters(world))["outbound"] == 1
        assert await world.faults() == []


@pytest.mark.parametrize("ack", [0, -1, -7])
async def test_what_is_no_acknowledgement_changes_nothing(tmp_path: Path, ack: int) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        claim = await claimed(world)
        await world.conclude(claim, "unconfirmed")
        assert not await acknowledge(world, claim.wa_id, ack)
        assert (await message(world))[0] == "unconfirmed"


async def test_an_unconfirmed_message_that_waits_again_does_not_go_twice(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        claim = await claimed(world)
        await world.conclude(claim, "unconfirmed")
        await world.store.write(lambda tx: decisions.retry(tx, 1))
        assert await acknowledge(world, claim.wa_id)
        assert await acknowledge(world, claim.wa_id, 3)
        assert await world.drain() == []
        assert (await message(world))[0] == "read"


async def test_one_that_went_out_again_says_that_the_contact_may_have_it_twice(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        claim = await claimed(world)
        await world.conclude(claim, "unconfirmed")
        await world.store.write(lambda tx: decisions.retry(tx, 1))
        again = await world.send_next()
        assert again is not None
        assert again.wa_id != claim.wa_id
        for ack in (1, 2):
            assert not await acknowledge(world, claim.wa_id, ack)
        assert await message(world) == ("sent", ["unconfirmed", "queued again", "arrived late"])
        assert await acknowledge(world, again.wa_id, 3)


async def test_a_spent_id_is_not_used_again_and_stays_known_as_ours(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        claim = await claimed(world)

        def refused(tx: Tx) -> None:
            claims.doubt(tx, claim)
            claims.spend_id(tx, claim)
            claims.retry(tx, claim, "refused", 0, counts=True)

        await world.store.write(refused)
        again = (await world.step()).claim
        assert again is not None
        assert again.wa_id != claim.wa_id
        assert not again.doubtful
        typed = await world.store.write(
            lambda tx: outbox.record_typed(tx, contacts.get(tx, 1), claim.wa_id, "late", tx.now_ms)
        )
        assert not typed, "no person typed it"


async def test_a_claim_nobody_could_be_asked_about_stays_in_flight(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        claim = await claimed(world)
        assert await world.store.write(lambda tx: claims.left_open(tx, claim))
        (left,) = await world.store.read(claims.in_flight)
        assert left.id == claim.id
        assert await world.faults() == []


async def test_what_may_have_come_further_is_asked_for_the_newest_first(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        ids = []
        for number in range(4):
            claim = await claimed(world)
            ids.append(claim.wa_id)
            if number == 1:
                await world.store.write(partial(give_up, claim))
            else:
                await world.store.write(partial(arrive, claim))
            await world.clock.advance(1)
        await acknowledge(world, ids[2], 3)
        expected = [(chat(1), ids[number]) for number in (3, 1, 0)]
        assert await world.store.write(acknowledgements.unread) == expected
        await world.clock.advance(acknowledgements.UNREAD_MS / 1000)
        assert await world.store.write(acknowledgements.unread) == []
