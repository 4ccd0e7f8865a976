"""How far each chat is recorded, and of which account; kept over restarts and from the version before."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from support.queue_world import NOON, QueueWorld, chat, queue_world

from whatsself_tui.store import account, alerts, contacts, cursors, inbox, migrate, outbox, views
from whatsself_tui.store.account import AccountReading
from whatsself_tui.store.cursors import Cursor
from whatsself_tui.store.database import Tx
from whatsself_tui.store.topics import Topic


async def reach(world: QueueWorld, key: str, person: int = 1, written_at_ms: int = NOON) -> None:
    await world.store.write(lambda tx: cursors.reach(tx, chat(person), key, written_at_ms))


async def cursor(world: QueueWorld, person: int = 1) -> Cursor | None:
    return (await world.store.read(lambda con: cursors.of_chats(con, [chat(person)]))).get(chat(person))


async def test_the_cursor_is_where_the_last_comparison_ended_also_after_a_restart(tmp_path: Path) -> None:
    async with queue_world(tmp_path) as world:
        assert await cursor(world) is None
        await reach(world, "false_x_A")
        await reach(world, "false_x_B", written_at_ms=NOON + 1)
        await reach(world, "false_x_C", person=2)
        assert await cursor(world) == Cursor("false_x_B", NOON + 1)
        await reach(world, "false_x_A", written_at_ms=NOON)
    async with queue_world(tmp_path) as world:
        assert await cursor(world) == Cursor("false_x_A", NOON), "the last message was taken back"
        await world.store.write(cursors.forget)
        assert await cursor(world) is None


async def test_a_message_that_arrives_moves_no_cursor(tmp_path: Path) -> None:
    """The message before it may have come without an event."""
    async with queue_world(tmp_path) as world:
        await world.store.write(
            lambda tx: inbox.record(
                tx, wa_id="A", chat=chat(1), name="", body="oi", kind="text", written_at_ms=NOON, key="false_x_A"
            )
        )
        assert await cursor(world) is None


async def test_any_number_of_chats_can_be_asked_for(tmp_path: Path) -> None:
    async with queue_world(tmp_path) as world:
        many = [chat(person) for person in range(3 * cursors.CHUNK + 1)]

        def fill(tx: Tx) -> None:
            for address in many:
                cursors.reach(tx, address, f"key of {address}", NOON)

        await world.store.write(fill)
        found = await world.store.read(lambda con: cursors.of_chats(con, [*many, "unknown@lid"]))
        assert found == {address: Cursor(f"key of {address}", NOON) for address in many}
        assert await world.store.read(lambda con: cursors.of_chats(con, [])) == {}


async def test_pairing_is_remembered_and_the_same_account_keeps_everything(tmp_path: Path) -> None:
    async with queue_world(tmp_path) as world:
        assert await world.store.read(account.read) == AccountReading("", None, None, None, "")
        assert await world.store.write(lambda tx: account.paired_as(tx, "5511999990001")) == ""
        await world.store.write(lambda tx: account.caught_up(tx, NOON - 5))
        await reach(world, "k")
        await world.clock.advance(60)
        assert await world.store.write(lambda tx: account.paired_as(tx, "5511999990001")) == ""
        assert await world.store.read(account.read) == AccountReading("5511999990001", NOON, NOON - 5, None, "")
        assert await cursor(world) is not None
        assert await world.store.read(views.read_alerts) == ()


async def test_another_account_begins_anew_and_the_operator_is_told(tmp_path: Path) -> None:
    async with queue_world(tmp_path) as world:
        for job in (
            lambda tx: account.paired_as(tx, "5511999990001"),
            lambda tx: account.caught_up(tx, NOON),
            lambda tx: account.block(tx, "banned"),
        ):
            await world.store.write(job)
        await reach(world, "k")
        assert await world.store.write(lambda tx: account.paired_as(tx, "5511999990002")) == "5511999990001"
        assert await world.store.read(account.read) == AccountReading("5511999990002", NOON, None, None, "")
        assert await cursor(world) is None
        (alert,) = await world.store.read(views.read_alerts)
        assert alert.kind == "account_changed"
        assert "5511999990001" not in alert.text
        await world.store.write(lambda tx: alerts.acknowledge(tx, alert.id))
        assert await world.store.read(views.read_alerts) == (), "it has happened; seen is enough"


async def test_a_block_stands_until_the_operator_lifts_it(tmp_path: Path) -> None:
    touched: set[Topic] = set()
    async with queue_world(tmp_path) as world:
        world.store.listen(touched.update)
        await world.store.write(lambda tx: account.block(tx, "temporarily banned"))
        assert touched >= {Topic.ROBOT, Topic.WHATSAPP}
        await world.clock.advance(60)
        await world.store.write(lambda tx: account.block(tx, "banned for 24 h"))
        reading = await world.store.read(account.read)
        assert (reading.blocked_at_ms, reading.blocked_reason) == (NOON, "banned for 24 h")
        assert await world.store.write(account.unblock)
        assert not await world.store.write(account.unblock)
        assert (await world.store.read(account.read)).blocked_at_ms is None


THIRD_VERSION = f"""
INSERT INTO contact (id, phone, name, first_seen_at, last_inbound_at, inflight) VALUES
  (1, '5511900000001', 'Ana', 0, {NOON - 3_600_000}, 1);
INSERT INTO inbox (wa_id, contact_id, written_at, received_at, kind, body) VALUES
  ('OLD', 1, {NOON - 9}, {NOON - 9}, 'image', '');
INSERT INTO outbox (contact_id, class, quota, due_at, enqueued_at, source, body, state, claimed_at, wa_id, attempts)
  VALUES (1, 5, 0, 1, 1, 'manual', 'in flight', 1, {NOON - 9}, '3EB0AA', 1);
INSERT INTO outbox (contact_id, class, quota, due_at, enqueued_at, source, body)
  VALUES (1, 5, 0, 1, 1, 'manual', 'waits');
INSERT INTO lane (contact_id, class, eligible_at, head_id) VALUES (1, 5, {1 << 62}, 2);
INSERT INTO send_log (ts, contact_id, message_id) VALUES ({NOON - 9}, 1, 1);
INSERT INTO tally (name, n) VALUES ('queued:5', 1), ('sending', 1);
PRAGMA user_version = 3;
"""


async def test_a_database_of_the_third_version_goes_on_as_before(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "whatsself.db")) as connection:
        for version in (1, 2, 3):
            connection.executescript(migrate.scripts()[version])
        connection.executescript(THIRD_VERSION)
    async with queue_world(tmp_path) as world:
        assert await world.faults() == []
        assert await world.store.read(lambda con: inbox.media_list(con, 9)) == [], "nobody knows what it was"
        await reach(world, "false_x_OLD")
        assert await cursor(world) == Cursor("false_x_OLD", NOON)
        recent = await world.store.read(views.read_recent)
        assert {message.body for message in recent} == {"[image]", "in flight"}
        contact = await world.store.write(lambda tx: contacts.same_person(tx, "77@lid", "5511900000001@c.us"))
        assert (contact.id, contact.lid) == (1, "77@lid")
        assert await world.store.read(outbox.attachments_in_use) == set()
        await world.set_limits(world.limits)
        assert await world.faults() == []
    assert (tmp_path / "whatsself.before-migration-v3.db").exists()
