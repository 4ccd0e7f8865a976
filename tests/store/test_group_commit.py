"""Jobs that wait at the same time share one commit; each succeeds or fails for itself."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest
from support.queue_world import QueueWorld, chat, queue_world

from whatsself_tui.store import contacts, database, worker
from whatsself_tui.store.database import Tx
from whatsself_tui.store.outbox import Outgoing


async def commits_of(world: QueueWorld) -> list[str]:
    """From now on every COMMIT of the writing connection is noted in the list."""
    seen: list[str] = []
    writer = world.store._writer
    await worker.run(
        writer, lambda con: con.set_trace_callback(lambda sql: seen.append(sql) if sql == "COMMIT" else None)
    )
    return seen


async def held(world: QueueWorld) -> threading.Event:
    """The writer's thread is busy until the event is set."""
    busy, go_on = threading.Event(), threading.Event()

    def wait(tx: Tx) -> None:
        busy.set()
        go_on.wait(30)

    asyncio.ensure_future(world.store.write(wait))  # noqa: RUF006 - it ends with the store
    await asyncio.to_thread(busy.wait, 30)
    return go_on


async def people(world: QueueWorld) -> int:
    found: int = await world.store.read(lambda con: con.execute("SELECT count(*) FROM contact").fetchone()[0])
    return found


async def test_callers_at_the_same_time_share_one_commit(tmp_path: Path) -> None:
    async with queue_world(tmp_path) as world:
        commits = await commits_of(world)
        go_on = await held(world)
        calls = [asyncio.ensure_future(world.enqueue(n, Outgoing(f"to {n}"))) for n in range(50)]
        await asyncio.sleep(0)
        go_on.set()
        queued = await asyncio.gather(*calls)
        assert [each.id for each in queued] == list(range(1, 51)), "in the order of the calls"
        assert len(commits) == 2, "the one that held the thread, and one for all the others"
        assert await world.faults() == []


async def test_more_than_a_group_are_all_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "GROUP", 7)
    async with queue_world(tmp_path) as world:
        commits = await commits_of(world)
        go_on = await held(world)
        calls = [asyncio.ensure_future(world.say(n, "x")) for n in range(30)]
        await asyncio.sleep(0)
        go_on.set()
        assert sorted(await asyncio.gather(*calls)) == list(range(1, 31))
        assert len(commits) == 1 + 5


async def test_one_that_fails_is_undone_alone(tmp_path: Path) -> None:
    async with queue_world(tmp_path) as world:

        def fails_half_way(tx: Tx) -> None:
            contacts.at_address(tx, chat(99))
            raise LookupError("half-way")

        go_on = await held(world)
        calls = [
            asyncio.ensure_future(world.say(1, "before")),
            asyncio.ensure_future(world.store.write(fails_half_way)),
            asyncio.ensure_future(world.say(2, "after")),
        ]
        await asyncio.sleep(0)
        go_on.set()
        before, failed, after = await asyncio.gather(*calls, return_exceptions=True)
        assert (before, after) == (1, 2)
        assert isinstance(failed, LookupError)
        assert await people(world) == 2
        assert await world.faults() == []


async def test_what_touched_nothing_tells_nobody(tmp_path: Path) -> None:
    async with queue_world(tmp_path) as world:
        told: list[object] = []
        world.store.listen(told.append)

        def fails(tx: Tx) -> None:
            contacts.at_address(tx, chat(1))
            raise LookupError

        go_on = await held(world)
        calls = [asyncio.ensure_future(world.store.write(fails)) for _ in range(2)]
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(*calls, return_exceptions=True)
        assert told == []


async def test_if_sqlite_undoes_the_transaction_everybody_in_it_hears_of_it(tmp_path: Path) -> None:
    """A full disk rolls the whole transaction back: nobody may believe that his part was stored."""
    async with queue_world(tmp_path) as world:

        def full(tx: Tx) -> None:
            tx.execute("ROLLBACK")
            raise sqlite3.OperationalError("database or disk is full")

        go_on = await held(world)
        calls = [
            asyncio.ensure_future(world.say(1, "before")),
            asyncio.ensure_future(world.store.write(full)),
            asyncio.ensure_future(world.say(2, "after")),
        ]
        await asyncio.sleep(0)
        go_on.set()
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(outcome, sqlite3.OperationalError) for outcome in outcomes)
        assert await people(world) == 0
        assert await world.say(3, "the store goes on") == 1


async def test_a_caller_that_gave_up_does_not_undo_the_others(tmp_path: Path) -> None:
    async with queue_world(tmp_path) as world:
        go_on = await held(world)
        impatient = asyncio.ensure_future(world.say(1, "mine"))
        patient = asyncio.ensure_future(world.say(2, "yours"))
        await asyncio.sleep(0)
        impatient.cancel()
        go_on.set()
        assert await patient == 2
        assert await people(world) == 2
