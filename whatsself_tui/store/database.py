"""The database: one writer, one reader, transactions that are one function on one thread."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import aiosqlite

from whatsself_tui.clock import Clock
from whatsself_tui.errors import DataError
from whatsself_tui.store import worker
from whatsself_tui.store.migrate import migrate
from whatsself_tui.store.topics import Topic

T = TypeVar("T")

Listener = Callable[[frozenset[Topic]], None]


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

    async def write(self, job: Callable[[Tx], T]) -> T:
        """Run `job` as one transaction: committed with an fsync, or not at all.

        A cancelled caller does not cancel the transaction: it ends either way.
        Raises what `job` raises, after rolling back.
        """
        return await worker.run(self._writer, lambda connection: self._run(connection, job))

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run `query` on the read-only connection, all of it on one snapshot."""
        return await worker.run(self._reader, lambda connection: on_one_snapshot(connection, query))

    def _run(self, connection: sqlite3.Connection, job: Callable[[Tx], T]) -> T:
        tx = Tx(connection, self._clock.now_ms(), self.zone)
        connection.execute("BEGIN IMMEDIATE")
        try:
            result = job(tx)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        if tx.touched and self._listeners:
            # From here, so that the listeners hear of it also if nobody waits for the result any more.
            self._loop.call_soon_threadsafe(self._tell, frozenset(tx.touched))
        return result

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
        advice = "It is damaged or something else: move it away, or put a backup in its place. Nothing was changed."
    elif "locked" in text:
        advice = "Another program has it open (a backup or a database browser?): close that and start again."
    elif "full" in text:
        advice = "The disk is full: make room and start again. What was stored before is safe."
    elif "readonly" in text or "unable to open" in text:
        advice = "The folder or the file cannot be written: check its permissions."
    else:
        advice = "Check the disk and the permissions of the data folder."
    return DataError(f"The database {path.name} cannot be used: {text}.", advice)
