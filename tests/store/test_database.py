"""The database: transactions, migrations, and files that are no database of ours."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path
from zoneinfo import ZoneInfo

import aiosqlite
import pytest
from support.fake_clock import FakeClock
from support.queue_world import NOON, chat, queue_world

from whatsself_tui.errors import DataError
from whatsself_tui.store import contacts, migrate, worker
from whatsself_tui.store.database import Store, Tx
from whatsself_tui.store.topics import Topic

UTC = ZoneInfo("UTC")


async def open_store(path: Path) -> Store:
    return await Store.open(path, FakeClock(NOON), UTC)


async def test_failed_transaction_leaves_nothing_behind(tmp_path: Path) -> None:
    async with queue_world(tmp_path) as world:
        told: list[frozenset[Topic]] = []
        world.store.listen(told.append)

        def job(tx: Tx) -> None:
            contacts.at_address(tx, chat(1))
            raise LookupError("half-way")

        with pytest.raises(LookupError, match="half-way"):
            await world.store.write(job)
        assert await world.store.read(lambda con: con.execute("SELECT count(*) FROM contact").fetchone()) == (0,)
        assert told == []
        await world.store.write(lambda tx: contacts.at_address(tx, chat(1)))
        assert told == [frozenset({Topic.CONTACTS})]


async def test_cancelled_caller_does_not_tear_the_transaction(tmp_path: Path) -> None:
    async with queue_world(tmp_path) as world:
        told: list[frozenset[Topic]] = []
        world.store.listen(told.append)
        inside, go_on = threading.Event(), threading.Event()

        def job(tx: Tx) -> None:
            inside.set()
            go_on.wait(10)
            contacts.at_address(tx, chat(1))

        caller = asyncio.ensure_future(world.store.write(job))
        await asyncio.to_thread(inside.wait, 10)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        go_on.set()
        await world.store.write(lambda tx: None)
        assert await world.store.read(lambda con: con.execute("SELECT count(*) FROM contact").fetchone()) == (1,)
        assert told == [frozenset({Topic.CONTACTS})]


async def test_reader_cannot_write(tmp_path: Path) -> None:
    async with queue_world(tmp_path) as world:
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            await world.store.read(lambda con: con.execute("DELETE FROM contact"))


async def test_commits_are_synced_and_in_wal_mode(tmp_path: Path) -> None:
    async with queue_world(tmp_path) as world:
        modes = await world.store.write(
            lambda tx: [tx.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
        )
    assert modes == ["wal", 2]


@pytest.mark.parametrize("content", [b"this is a text, no database" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
async def test_rubbish_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "whatsself.db"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"whatsself\.db cannot be used"):
        await open_store(path)
    assert path.read_bytes() == content


async def test_database_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "whatsself.db"
    await (await open_store(path)).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(DataError, match="schema version 99"):
        await open_store(path)
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (99,)
    connection.close()


async def test_older_database_is_copied_before_it_is_migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "whatsself.db"
    async with queue_world(tmp_path) as world:
        await world.say(1, "from the old version")
    newer = {**migrate.scripts(), max(migrate.scripts()) + 1: "CREATE TABLE novelty (id INTEGER PRIMARY KEY);\n"}
    monkeypatch.setattr(migrate, "scripts", lambda: newer)
    await (await open_store(path)).close()
    copies = list(tmp_path.glob("*.before-migration-v*.db"))
    assert len(copies) == 1
    for file, tables in ((path, 1), (copies[0], 0)):
        connection = sqlite3.connect(file)
        assert connection.execute("SELECT body FROM outbox").fetchall() == [("from the old version",)]
        found = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'novelty'").fetchone()
        connection.close()
        assert found == (tables,)


async def test_failing_migration_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "whatsself.db"
    await (await open_store(path)).close()
    version = max(migrate.scripts())
    broken = {
        **migrate.scripts(),
        version + 1: "CREATE TABLE novelty (id INTEGER);\nCREATE TABLE outbox (id INTEGER);\n",
    }
    monkeypatch.setattr(migrate, "scripts", lambda: broken)
    with pytest.raises(DataError):
        await open_store(path)
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (version,)
    assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'novelty'").fetchone() == (0,)
    connection.close()


async def test_folder_that_cannot_hold_a_database_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be used"):
        await open_store(tmp_path / "missing" / "whatsself.db")


def test_what_is_used_of_aiosqlite_is_still_there() -> None:
    assert aiosqlite.__version__.startswith("0.22."), "look at store/worker.py before allowing another version"
    connection = aiosqlite.Connection(lambda: sqlite3.connect(":memory:"), 64)
    assert hasattr(connection, "_tx")
    assert isinstance(connection._thread, threading.Thread)
    assert isinstance(aiosqlite.Connection._conn, property)


async def test_work_runs_on_the_connections_own_thread(tmp_path: Path) -> None:
    connection = await worker.open_writer(tmp_path / "x.db")
    try:
        first = await worker.run(connection, lambda _: threading.get_ident())
        second = await worker.run(connection, lambda _: threading.get_ident())
    finally:
        await connection.close()
    assert first == second != threading.get_ident()
