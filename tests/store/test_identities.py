"""One person under several addresses: phones, LIDs, aliases; two contacts that turn out to be one."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.queue_world import NOON, QueueWorld, queue_world

from whatsself_tui.automation.decision import Decision, FlowPosition, HandOver
from whatsself_tui.delivery.limits import NEVER, Limits
from whatsself_tui.store import claims, contacts, conversation, identities, inbox, outbox, standing, views
from whatsself_tui.store.claims import Claim
from whatsself_tui.store.contact_views import read_contact
from whatsself_tui.store.contacts import Contact
from whatsself_tui.store.database import Tx
from whatsself_tui.store.outbox import Outgoing
from whatsself_tui.store.topics import Topic

PHONE, LONG_PHONE, THIRD_PHONE = "551188880001@c.us", "5511988880001@c.us", "5521988880003@c.us"
LID, OTHER_LID = "77001@lid", "77002@lid"
WIDE = Limits(per_minute=1_000, per_contact=20, per_contact_reply=60)


def digits(chat: str) -> str:
    return chat.removesuffix("@c.us")


async def meet(world: QueueWorld, chat: str, name: str = "", other: str = "") -> Contact:
    return await world.store.write(lambda tx: contacts.at_address(tx, chat, name, other))


async def same(world: QueueWorld, chat: str, other: str) -> Contact:
    contact = await world.store.write(lambda tx: contacts.same_person(tx, chat, other))
    assert await world.faults() == []
    assert await world.store.read(addresses_at_odds) == []
    return contact


async def queue(world: QueueWorld, chat: str, body: str, source: str = "trigger:x", priority: int = 5) -> int:
    message = Outgoing(body, source=source, priority=priority)
    return (await world.store.write(lambda tx: outbox.enqueue(tx, contacts.at_address(tx, chat), message))).id


async def hear(world: QueueWorld, wa_id: str, chat: str, body: str = "oi", other: str = "") -> int | None:
    return await world.store.write(
        lambda tx: inbox.record(
            tx, wa_id=wa_id, chat=chat, name="", body=body, kind="text", written_at_ms=tx.now_ms, other=other
        )
    )


def addresses_at_odds(con: sqlite3.Connection) -> list[object]:
    """Addresses of two contacts, or of one that is gone; rows that belong to nobody."""
    every = [row[0] for row in con.execute("SELECT phone FROM contact UNION ALL SELECT lid FROM contact")]
    every += [row[0] for row in con.execute("SELECT address FROM contact_alias")]
    known = [address for address in every if address is not None]
    lost = con.execute("SELECT seq FROM send_log WHERE contact_id NOT IN (SELECT id FROM contact)").fetchall()
    return [
        *{address for address in known if known.count(address) > 1},
        *con.execute("PRAGMA foreign_key_check").fetchall(),
        *lost,
    ]


async def one_contact(world: QueueWorld) -> bool:
    found = await world.store.read(lambda con: con.execute("SELECT count(*) FROM contact").fetchone()[0])
    return bool(found == 1)


async def test_a_lid_that_becomes_known_is_added_and_used(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        await queue(world, PHONE, "waits")
        contact = await meet(world, LID, "Ana", other=PHONE)
        assert (contact.phone, contact.lid, contact.name) == (digits(PHONE), LID, "Ana")
        assert await one_contact(world)
        claim = (await world.step()).claim
        assert claim is not None
        assert claim.chat == LID
        assert await meet(world, PHONE) == await meet(world, LID) == await meet(world, PHONE, other=LID)


async def test_an_address_that_is_no_persons_says_nothing(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        contact = await meet(world, PHONE, "Ana", other="120363001@g.us")
        assert (contact.phone, contact.lid, contact.name) == (digits(PHONE), None, "Ana")
        with pytest.raises(ValueError, match="not a personal chat"):
            await meet(world, "120363001@g.us", other=PHONE)


async def test_of_two_phones_the_one_whatsapp_uses_is_kept_and_the_other_still_finds_them(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        await queue(world, LONG_PHONE, "to the number as it was typed")
        contact = await same(world, PHONE, LONG_PHONE)
        assert contact.phone == digits(PHONE)
        assert (await meet(world, LONG_PHONE)).id == contact.id
        shown = await world.store.read(lambda con: read_contact(con, "phone", digits(LONG_PHONE)))
        assert shown is not None
        assert (shown["phone"], shown["aliases"], shown["queued"]) == (digits(PHONE), [digits(LONG_PHONE)], 1)
        known = await world.store.read(lambda con: standing.read_standing(con, digits(LONG_PHONE), 0))
        assert known.state is not None
        claim = (await world.step()).claim
        assert claim is not None
        assert claim.chat == PHONE


@pytest.mark.parametrize("other", [LONG_PHONE, LID])
async def test_hearing_it_again_changes_nothing_and_wakes_nobody(tmp_path: Path, other: str) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        contact = await same(world, PHONE, other)
        told: list[frozenset[Topic]] = []
        world.store.listen(told.append)
        assert await same(world, PHONE, other) == contact == await meet(world, PHONE, other=other)
        assert told == []


async def test_an_alias_that_whatsapp_uses_becomes_the_contacts_own_phone(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        await same(world, PHONE, LONG_PHONE)
        contact = await same(world, LONG_PHONE, PHONE)
        assert contact.phone == digits(LONG_PHONE)
        assert await world.store.read(lambda con: identities.aliases_of(con, contact.id)) == [digits(PHONE)]
        assert await one_contact(world)


def filled(tx: Tx) -> tuple[int, int]:
    """Two contacts of whom everything is remembered that can be."""
    first, second = contacts.at_address(tx, PHONE), contacts.at_address(tx, LID, "Ana")
    tx.execute(
        "UPDATE contact SET consent = 'in', consent_at = 5, first_seen_at = 10, last_inbound_at = 100, person_at = 50,"
        " welcomed = 1, unmatched = 2, hold_until = 0, away_period = 7 WHERE id = ?",
        (first.id,),
    )
    tx.execute(
        "UPDATE contact SET first_seen_at = 5, last_inbound_at = 90, unmatched = 1, approached_at = 3,"
        " approached_by = 1 WHERE id = ?",
        (second.id,),
    )
    flows = [FlowPosition(name, "step", {}, 0, since, NEVER, "v") for name, since in (("older", 1), ("newer", 2))]
    for contact, flow, variants in zip((first, second), flows, ({"a": 1}, {"a": 2, "b": 3}), strict=True):
        conversation.write(tx, contact, Decision("flow", flow=flow, variants=variants, fired="t"), f"k{contact.id}")
    tx.execute("UPDATE trigger_fired SET fired_at = contact_id")
    return first.id, second.id


@pytest.mark.parametrize("turned", [False, True])
async def test_a_merge_keeps_what_the_rules_remember(tmp_path: Path, turned: bool) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        _, later = await world.store.write(filled)
        contact = await same(world, LID, PHONE) if turned else await same(world, PHONE, LID)
        assert (contact.name, contact.consent, contact.last_inbound_at_ms) == ("Ana", "in", 100)
        state = await world.store.read(lambda con: conversation.state_of(con, contact.id))
        assert state.welcomed
        assert (state.unmatched, state.away_period_ms) == (2, 7)
        assert state.flow is not None
        assert state.flow.flow == "newer"
        assert state.fired_at_ms == {"t": later}
        assert set(state.last_variants) == {"a", "b"}
        rest = await world.store.read(
            lambda con: con.execute(
                "SELECT first_seen_at, person_at, approached_at, approached_by, consent_at FROM contact"
            ).fetchall()
        )
        assert rest == [(5, 50, 3, 1, 5)]


@pytest.mark.parametrize(
    ("one", "two", "longer"),
    [(None, 5, 5), (5, None, 5), (9, 5, 9), (5, NEVER, None)],
)
async def test_the_longer_hand_over_stays(tmp_path: Path, one: int | None, two: int | None, longer: int | None) -> None:
    """In hours from now; NEVER: until the operator releases the contact; None: there is none."""
    async with queue_world(tmp_path, WIDE) as world:
        for chat, hours in ((PHONE, one), (LID, two)):
            contact = await meet(world, chat)
            if hours is not None:
                until = None if hours == NEVER else NOON + hours * 3_600_000
                given_to = HandOver(f"for {hours}", until)
                await world.store.write(
                    lambda tx, contact=contact, given_to=given_to: conversation.hand_over(  # type: ignore[misc]
                        tx, contact.id, given_to, hold=True
                    )
                )
        await queue(world, PHONE, "waits")
        contact = await same(world, PHONE, LID)
        state = await world.store.read(lambda con: conversation.state_of(con, contact.id))
        assert state.hand_over is not None
        assert state.hand_over.until_ms == (None if longer is None else NOON + longer * 3_600_000)
        step = await world.step()
        assert step.wake_at_ms == (None if longer is None else NOON + longer * 3_600_000)


@pytest.mark.parametrize("turned", [False, True])
async def test_who_has_withdrawn_gets_nothing_under_the_other_address(tmp_path: Path, turned: bool) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        withdrawn = await meet(world, PHONE)
        await world.store.write(lambda tx: contacts.set_consent(tx, withdrawn.id, "out"))
        goodbye = Outgoing("goodbye", source="consent:opt_out", priority=10, exempt=True)
        await world.store.write(lambda tx: outbox.enqueue(tx, withdrawn, goodbye))
        await queue(world, LID, "news")
        contact = await same(world, *((LID, PHONE) if turned else (PHONE, LID)))
        assert contact.consent == "out"
        assert await world.send_all_due() == ["goodbye"]
        dead = await world.store.read(lambda con: con.execute("SELECT count(*) FROM outbox WHERE state = 3").fetchone())
        assert dead == (0,), "cancelled, and no dead letter that alarms the operator"


async def test_both_queues_become_one_in_the_order_of_enqueueing(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        for number in range(4):
            await queue(world, (PHONE, LID)[number % 2], f"{number}")
        await queue(world, LID, "urgent", priority=9)
        await same(world, PHONE, LID)
        assert await world.send_all_due() == ["urgent", "0", "1", "2", "3"]


async def test_sends_to_both_addresses_count_together(tmp_path: Path) -> None:
    async with queue_world(tmp_path, Limits(per_minute=100, per_contact=2)) as world:
        for chat in (PHONE, LID):
            await queue(world, chat, "first")
        assert await world.send_all_due() == ["first", "first"]
        await queue(world, PHONE, "third")
        await same(world, PHONE, LID)
        step = await world.step()
        assert (step.claim, step.wake_at_ms) == (None, NOON + 300_000)


async def test_a_person_who_wrote_is_no_stranger_under_any_address(tmp_path: Path) -> None:
    async with queue_world(tmp_path, Limits(per_minute=100, daily_new_contacts=1)) as world:
        await queue(world, THIRD_PHONE, "the stranger of today")
        await queue(world, PHONE, "to a phone")
        await hear(world, "A1", LID)
        assert await world.send_all_due() == ["the stranger of today"]
        await same(world, LID, PHONE)
        assert await world.send_all_due() == ["to a phone"]


@pytest.mark.parametrize("outcome", ["sent", "retry", "failed", "unconfirmed", "never_left"])
@pytest.mark.parametrize("flying", [PHONE, LID])
async def test_a_merge_while_a_message_is_in_flight(tmp_path: Path, outcome: str, flying: str) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        await queue(world, flying, "flies")
        claim = (await world.step()).claim
        assert claim is not None
        await queue(world, PHONE, "one")
        await queue(world, LID, "two")
        await same(world, PHONE, LID)
        assert (await world.step()).claim is None, "one at a time to one person"
        await world.conclude(claim, outcome)
        assert await world.faults() == []
        await world.clock.advance(10)
        due = await world.send_all_due()
        assert due == (["flies", "one", "two"] if outcome in ("retry", "never_left") else ["one", "two"])


async def test_a_merge_while_both_have_a_message_in_flight(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        for chat in (PHONE, LID, PHONE):
            await queue(world, chat, chat)
        flying = [(await world.step()).claim for _ in range(2)]
        await same(world, PHONE, LID)
        for claim in flying:
            assert claim is not None
            assert (await world.step()).claim is None
            await world.conclude(claim, "sent")
            assert await world.faults() == []
        assert await world.send_all_due() == [PHONE]


async def test_a_refund_finds_the_contact_that_the_message_has_now(tmp_path: Path) -> None:
    async with queue_world(tmp_path, Limits(per_minute=100, per_contact=1, daily_new_contacts=1)) as world:
        await queue(world, PHONE, "flies")
        claim = (await world.step()).claim
        assert claim is not None
        await meet(world, LID)
        await same(world, LID, PHONE)
        await world.store.write(lambda tx: claims.postpone(tx, claim, world.limits, "offline", 0))
        assert await world.faults() == []
        assert await world.send_all_due() == ["flies"]


async def test_an_id_that_is_gone_is_nobody_elses(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        before = {(await meet(world, chat)).id for chat in (PHONE, LID)}
        contact = await same(world, PHONE, LID)
        gone = await world.store.read(lambda con: identities.merged_away(con, before))
        assert gone == before - {contact.id}
        assert (await meet(world, THIRD_PHONE)).id not in before


async def test_a_phone_that_has_gone_to_another_account_takes_nobodys_conversation_along(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        await hear(world, "A1", LID, "mine", other=PHONE)
        await hear(world, "A2", OTHER_LID, "somebody else's", other=PHONE)
        old, new = await meet(world, LID), await meet(world, OTHER_LID)
        assert old.id != new.id
        assert (old.phone, new.phone) == (None, digits(PHONE))
        assert (await meet(world, PHONE)).id == new.id
        assert await world.store.read(addresses_at_odds) == []
        recent = await world.store.read(views.read_recent)
        assert {message.body: message.address for message in recent} == {"mine": LID, "somebody else's": digits(PHONE)}


@pytest.mark.parametrize("known", [False, True])
async def test_consent_withdrawn_under_a_phone_is_not_lost_with_its_account(tmp_path: Path, known: bool) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        old = await meet(world, PHONE, other=LID)
        await world.store.write(lambda tx: contacts.set_consent(tx, old.id, "out"))
        if known:
            await meet(world, OTHER_LID)
        assert (await same(world, OTHER_LID, PHONE)).consent == "out"


async def test_two_accounts_whose_phones_are_one(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        await meet(world, PHONE, other=LID)
        other = await meet(world, LONG_PHONE, other=OTHER_LID)
        contact = await same(world, PHONE, LONG_PHONE)
        assert (contact.phone, contact.lid) == (digits(PHONE), LID)
        assert (await meet(world, LONG_PHONE)).id == contact.id
        assert (await meet(world, OTHER_LID)).id == other.id


async def test_a_person_who_changes_the_number_is_found_by_both(tmp_path: Path) -> None:
    async with queue_world(tmp_path, WIDE) as world:
        await meet(world, LID, other=PHONE)
        contact = await same(world, LID, THIRD_PHONE)
        assert (contact.phone, contact.lid) == (digits(THIRD_PHONE), LID)
        assert (await meet(world, PHONE)).id == contact.id
        await meet(world, OTHER_LID, other=PHONE)
        assert (await meet(world, PHONE)).lid == OTHER_LID, "its new owner"
        assert (await meet(world, LID)).id == contact.id


ADDRESSES = st.sampled_from([PHONE, LONG_PHONE, THIRD_PHONE, LID, OTHER_LID])
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("same"), ADDRESSES, ADDRESSES),
        st.tuples(st.just("hear"), ADDRESSES, st.one_of(st.just(""), ADDRESSES)),
        st.tuples(st.just("queue"), ADDRESSES, st.sampled_from(["3", "5", "10"])),
        st.tuples(st.just("claim"), st.just(""), st.just("")),
        st.tuples(st.just("conclude"), st.just(""), st.sampled_from(["sent", "retry", "failed", "unconfirmed"])),
        st.tuples(st.just("wait"), st.just(""), st.sampled_from(["1", "60", "300"])),
        st.tuples(st.just("withdraw"), ADDRESSES, st.just("")),
    ),
    max_size=30,
)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(events=EVENTS)
async def test_whatever_whatsapp_says_nothing_is_lost_and_nothing_contradicts_itself(
    tmp_path_factory: pytest.TempPathFactory, events: list[tuple[str, str, str]]
) -> None:
    async with queue_world(tmp_path_factory.mktemp("same"), Limits(daily_new_contacts=3)) as world:
        flying: list[Claim] = []
        queued = heard = 0
        seen: set[str] = set()
        withdrawn: set[str] = set()
        for number, (name, chat, second) in enumerate(events):
            seen |= {address for address in (chat, second) if "@" in address}
            if name == "same":
                contact = await world.store.write(lambda tx, a=chat, b=second: contacts.same_person(tx, a, b))  # type: ignore[misc]
                assert await meet(world, chat) == await meet(world, second) == contact
            elif name == "hear":
                contact_id = await hear(world, f"in-{number}", chat, other=second)
                heard += 1
                assert {(await meet(world, address)).id for address in (chat, second) if address} == {contact_id}
            elif name == "queue":
                await queue(world, chat, f"{number}", priority=int(second))
                queued += 1
            elif name == "claim":
                if claim := (await world.step()).claim:
                    flying.append(claim)
            elif name == "conclude":
                if flying:
                    await world.conclude(flying.pop(0), second)
            elif name == "wait":
                await world.clock.advance(int(second))
            else:
                withdrawn.add(chat)
                contact = await meet(world, chat)
                await world.store.write(lambda tx, who=contact.id: contacts.set_consent(tx, who, "out"))  # type: ignore[misc]
            assert await world.faults() == []
            assert await world.store.read(addresses_at_odds) == []
        ids = await world.store.read(lambda con: {chat: identities.find(con, chat) for chat in seen})
        assert None not in ids.values(), "an address that nobody has any more"
        for chat in withdrawn:
            assert (await meet(world, chat)).consent == "out"
        counted = await world.store.read(
            lambda con: con.execute("SELECT (SELECT count(*) FROM inbox), (SELECT count(*) FROM outbox)").fetchone()
        )
        assert counted == (heard, queued)
