"""The database: one writer, one reader, transactions that are one function on one thread."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import aiosqlite

from whatsself_tui.clock import Clock
from whatsself_tui.errors import DataError
from whatsself_tui.store import worker
from whatsself_tui.store.damage import is_damage, is_trouble
from whatsself_tui.store.migrate import migrate
from whatsself_tui.store.topics import Topic

T = TypeVar("T")

Listener = Callable[[frozenset[Topic]], None]


#: With less than this free, an error of reading or writing is one of room: SQLite does not always call it so.
LEAST_ROOM_BYTES = 1_000_000

#: Jobs that share one commit at most, so that the first of many does not wait for all of them.
GROUP = 256


class Tx:
    """One transaction under way: its connection, its time, what it touched."""

    __slots__ = ("connection", "execute", "now_ms", "touched", "zone")

    def __init__(self, connection: sqlite3.Connection, now_ms: int, zone: ZoneInfo) -> None:
        self.connection = connection
        self.execute = connection.execute
        self.now_ms = now_ms
        self.zone = zone
        self.touched: set[Topic] = set()

    def touch(self, *topics: Topic) -> None:
        """Say that readers of these topics have something new."""
        self.touched.update(topics)


@dataclass(slots=True)
class _Waiting:
    """A job on its way through the writer's thread."""

    job: Callable[[Tx], Any]
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None

    def settle(self) -> None:
        """Tell the caller, unless nobody waits any more."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class Store:
    """The data folder's database, opened by its owner."""

    def __init__(
        self, path: Path, writer: aiosqlite.Connection, reader: aiosqlite.Connection, clock: Clock, zone: ZoneInfo
    ) -> None:
        self.path = path
        self.zone = zone
        """The business's time zone: statistics are counted in its days and hours."""
        self._writer = writer
        self._reader = reader
        self._clock = clock
        self._listeners: list[Listener] = []
        self._loop = asyncio.get_running_loop()
        self._on_refusal: list[Callable[[sqlite3.Error | None], None]] = []
        self._refuses = False
        self._damage = ""
        self._waiting: deque[_Waiting] = deque()
        self._woken = False

    @classmethod
    async def open(cls, path: Path, clock: Clock, zone: ZoneInfo) -> Store:
        """Open or create the database at `path`.

        The caller holds the data folder's lock. Raises DataError for a file that is no database,
        is damaged, cannot be written, or was made by a newer version.
        """
        writer: aiosqlite.Connection | None = None
        try:
            writer = await worker.open_writer(path)
            await worker.run(writer, lambda connection: migrate(connection, path))
            reader = await worker.open_reader(path)
        except BaseException as error:
            if writer is not None:
                await writer.close()
            if isinstance(error, sqlite3.Error):
                raise describe(error, path) from error
            raise
        return cls(path, writer, reader, clock, zone)

    async def close(self) -> None:
        """Finish what is under way and close both connections."""
        with contextlib.suppress(ValueError):
            await self._reader.close()
        await self._writer.close()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` in the event loop after each commit that touched something."""
        self._listeners.append(listener)

        def stop() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return stop

    def on_refusal(self, told: Callable[[sqlite3.Error | None], None]) -> None:
        """Call `told` in the event loop when the file, the disk or a lock refuses; with None when that is over."""
        self._on_refusal.append(told)

    async def write(self, job: Callable[[Tx], T]) -> T:
        """Run `job` as one transaction: committed with an fsync, or not at all.

        Jobs that wait at the same time share one commit (group commit), in the order of their calls; one
        that raises is undone alone. A cancelled caller does not cancel the transaction: it ends either way.
        Raises what `job` raises, after rolling back, and sqlite3.DatabaseError once damage was met: nothing
        is built on it any more.
        """
        if self._damage:
            raise sqlite3.DatabaseError(f"{self._damage}; nothing is stored until the robot is started again")
        waiting = _Waiting(job, self._loop.create_future())
        self._waiting.append(waiting)
        if not self._woken:
            self._woken = True
            worker.submit(self._writer, self._work)
        result: T = await waiting.future
        return result

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run `query` on the read-only connection, all of it on one snapshot."""
        try:
            return await worker.run(self._reader, lambda connection: on_one_snapshot(connection, query))
        except sqlite3.Error as error:
            if is_damage(error):
                self._judge(error)
            raise

    def _work(self, connection: sqlite3.Connection) -> None:
        """On the writer's thread: everything that waits now, group by group."""
        self._woken = False  # before looking: whoever comes from now on wakes the thread again
        jobs = [self._waiting.popleft() for _ in range(len(self._waiting))]
        for start in range(0, len(jobs), GROUP):
            group = jobs[start : start + GROUP]
            touched = self._commit(connection, group)
            # From here, so that the listeners hear of it also if nobody waits for the result any more.
            self._loop.call_soon_threadsafe(self._done, group, touched)

    def _commit(self, connection: sqlite3.Connection, group: list[_Waiting]) -> frozenset[Topic]:
        """One transaction for the group; returns what was touched, nothing if it could not be committed."""
        touched: set[Topic] = set()
        try:
            connection.execute("BEGIN IMMEDIATE")
            for waiting in group:
                touched |= self._one(connection, waiting, alone=len(group) == 1)
            connection.execute("COMMIT")
        except BaseException as error:
            if connection.in_transaction:
                with contextlib.suppress(sqlite3.Error):  # a failing disk; the next group's failure tries it again
                    connection.execute("ROLLBACK")
            for waiting in group:
                waiting.error = waiting.error or error
            return frozenset()
        return frozenset(touched)

    def _one(self, connection: sqlite3.Connection, waiting: _Waiting, *, alone: bool) -> set[Topic]:
        """One job inside the group's transaction; its failure is its own as long as the transaction stands."""
        tx = Tx(connection, self._clock.now_ms(), self.zone)
        if alone:
            waiting.result = waiting.job(tx)
            return tx.touched
        connection.execute("SAVEPOINT job")
        try:
            waiting.result = waiting.job(tx)
        except BaseException as error:
            if not connection.in_transaction:
                raise  # SQLite has undone all of it, the earlier jobs too
            connection.execute("ROLLBACK TO job")
            waiting.error = error
            tx.touched.clear()
        connection.execute("RELEASE job")
        return tx.touched

    def _done(self, group: list[_Waiting], touched: frozenset[Topic]) -> None:
        if touched:
            self._tell(touched)
        self._judge(next((waiting.error for waiting in group if waiting.error and is_trouble(waiting.error)), None))
        for waiting in group:
            waiting.settle()

    def _judge(self, error: BaseException | None) -> None:
        """Notice that the database refuses, that it takes again, or that it must not be touched any more."""
        if isinstance(error, sqlite3.Error):
            self._refuses = True
            if is_damage(error):
                self._damage = str(error)
        elif not self._refuses or self._damage:
            return
        else:
            self._refuses = False
        for told in self._on_refusal:
            told(error if isinstance(error, sqlite3.Error) else None)

    def _tell(self, touched: frozenset[Topic]) -> None:
        for listener in tuple(self._listeners):
            listener(touched)


def on_one_snapshot(connection: sqlite3.Connection, query: Callable[[sqlite3.Connection], T]) -> T:
    """Run `query` inside a read transaction, so that its statements agree with each other."""
    connection.execute("BEGIN")
    try:
        return query(connection)
    finally:
        if connection.in_transaction:
            connection.execute("COMMIT")


def describe(error: sqlite3.Error, path: Path) -> DataError:
    """What a person can do about an error of SQLite."""
    text = str(error)
    if "not a database" in text or "malformed" in text:
        advice = (
            "It is damaged or something else. Start the robot (again): it looks closer, keeps the damaged file and"
            " names the newest backup."
        )
    elif "locked" in text:
        advice = "Another program has it open (a backup or a database browser?): close that and start again."
    elif "full" in text or ("I/O" in text and shutil.disk_usage(path.parent).free < LEAST_ROOM_BYTES):
        advice = "The disk is full: make room and start again. What was stored before is safe."
    elif "readonly" in text or "unable to open" in text:
        advice = "The folder or the file cannot be written: check its permissions."
    else:
        advice = "Check the disk and the permissions of the data folder."
    return DataError(f"The database {path.name} cannot be used: {text}.", advice)
