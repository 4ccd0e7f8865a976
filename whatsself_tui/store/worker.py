"""One function, one hop: run a whole function on an aiosqlite connection's own thread.

aiosqlite offers each statement as a hop of its own; a transaction made of hops is slower by an
order of magnitude and can be left half-open by a cancellation. `Connection._tx`, the thread's
queue, `Connection._conn` and `Connection._thread` are the only private names used, written for
aiosqlite 0.22; a test notices when they change.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import aiosqlite

T = TypeVar("T")

#: How long a statement waits for another program's lock before it fails.
BUSY_TIMEOUT_MS = 5_000


#: Enough for the inner pages of a queue of a million; taken only as far as it is used.
CACHE_KB = 32_000


#: Pages in the log before they are moved into the database: 16 MB. A commit touches the same few pages as the
#: one before, so a longer log moves each of them less often.
CHECKPOINT_PAGES = 4_000


async def open_writer(path: Path) -> aiosqlite.Connection:
    """The one connection that writes; WAL, and an fsync for every commit (FULL)."""
    connection = await _connected(aiosqlite.connect(path, isolation_level=None, cached_statements=256))
    try:
        await run(connection, _prepare_writer)
    except BaseException:
        await connection.close()
        raise
    return connection


async def open_reader(path: Path) -> aiosqlite.Connection:
    """A connection that cannot write."""
    return await _connected(aiosqlite.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None))


async def _connected(connection: aiosqlite.Connection) -> aiosqlite.Connection:
    """Open it; if that fails, wait for its thread too, which would else outlive the event loop."""
    try:
        return await connection
    except BaseException:
        await asyncio.to_thread(connection._thread.join)
        raise


def submit(connection: aiosqlite.Connection, job: Callable[[sqlite3.Connection], T]) -> asyncio.Future[T]:
    """Queue `job` for the connection's thread; the future gets what it returns or raises."""
    future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    connection._tx.put_nowait((future, partial(job, connection._conn)))
    return future


async def run(connection: aiosqlite.Connection, job: Callable[[sqlite3.Connection], T]) -> T:
    """Run `job` on the connection's thread and return what it returns."""
    return await submit(connection, job)


def _prepare_writer(connection: sqlite3.Connection) -> None:
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"cache_size=-{CACHE_KB}",
        f"wal_autocheckpoint={CHECKPOINT_PAGES}",
        "journal_size_limit=16777216",
    ):
        connection.execute(f"PRAGMA {pragma}")
