"""A database of the first version is brought up to date with everything that is in it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support.queue_world import NOON, chat, queue_world

from whatsself_tui.cli.status import read_once
from whatsself_tui.delivery.limits import Limits
from whatsself_tui.errors import DataError
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.store import conversation, migrate

ONE_STRANGER = Limits(per_minute=100, per_contact=20, per_contact_reply=20, daily_new_contacts=1)

#: A person who wrote, one who was written to, two strangers; a message waits for each, the last one for an hour.
FIRST_VERSION = f"""
INSERT INTO contact (id, phone, name, first_seen_at, last_inbound_at) VALUES
  (1, '5511900000001', 'Ana', 0, {NOON - 3_600_000}), (2, '5511900000002', '', 0, NULL),
  (3, '5511900000003', '', 0, NULL), (4, '5511900000004', '', 0, NULL);
INSERT INTO outbox (contact_id, class, quota, due_at, enqueued_at, source, body, state, claimed_at, done_at, wa_id)
  VALUES (2, 5, 0, 1, 1, 'manual', 'sent before', 2, {NOON - 86_400_000}, {NOON - 86_400_000}, '3EB0AA');
INSERT INTO outbox (contact_id, class, quota, due_at, enqueued_at, source, body) VALUES
  (1, 5, 0, {NOON - 4}, {NOON - 4}, 'manual', 'to 1'), (2, 5, 0, {NOON - 3}, {NOON - 3}, 'manual', 'to 2'),
  (3, 5, 0, {NOON - 2}, {NOON - 2}, 'manual', 'to 3');
INSERT INTO outbox (contact_id, class, quota, due_at, not_before, enqueued_at, source, body)
  VALUES (4, 5, 0, {NOON + 3_600_000}, {NOON + 3_600_000}, {NOON}, 'manual', 'to 4');
INSERT INTO lane (contact_id, class, eligible_at, head_id) VALUES
  (1, 5, {NOON - 4}, 2), (2, 5, {NOON - 3}, 3), (3, 5, {NOON - 2}, 4), (4, 5, {NOON + 3_600_000}, 5);
INSERT INTO tally (name, n) VALUES ('queued:5', 4);
INSERT INTO scheduled (minute, n) VALUES ({(NOON + 3_600_000) // 60_000}, 1);
PRAGMA user_version = 1;
"""


def make_first_version(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(migrate.scripts()[1])
        connection.executescript(FIRST_VERSION)


async def test_everything_waits_as_before_and_goes_out(tmp_path: Path) -> None:
    make_first_version(tmp_path / "whatsself.db")
    async with queue_world(tmp_path, ONE_STRANGER) as world:
        assert await world.faults() == []
        assert await world.send_all_due() == ["to 1", "to 2", "to 3"], "who was written to before is no stranger"
        await world.clock.advance(3_600)
        assert await world.send_all_due() == [], "the second stranger of the day"
        state = await world.store.read(lambda con: conversation.state_of(con, 1))
        assert state.welcomed
        assert not (await world.store.read(lambda con: conversation.state_of(con, 3))).welcomed
        assert await world.hear(4, "A1") == 4
        assert await world.send_all_due() == ["to 4"]
        assert await world.faults() == []
    assert (tmp_path / "whatsself.before-migration-v1.db").exists()


def test_readers_change_nothing_and_tell_what_to_do(tmp_path: Path) -> None:
    make_first_version(tmp_path / "whatsself.db")
    with pytest.raises(DataError, match=r"older version.*Start the robot once"):
        read_once(DataFolder(tmp_path), lambda con: con.execute(f"SELECT '{chat(1)}'").fetchone())
    with closing(sqlite3.connect(tmp_path / "whatsself.db")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
