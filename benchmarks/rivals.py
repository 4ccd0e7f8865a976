"""Other durable queues, each used as its makers mean it and with an fsync at every commit.

`enqueue` returns when the message is on disk. `deliver` takes the next message, would send it, and notes that it
is done; what a crash in between would do is told for each.
"""

from __future__ import annotations

import json
import os
import pickle
import sqlite3
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol, cast

from backlog import BODY, phone
from huey import SqliteHuey
from persistqueue import SQLiteAckQueue
from raw import FULL, RawSqlite, demand_full, now_ms


class Rival(Protocol):
    """A queue to compare with."""

    name: str

    def fill(self, start: int, stop: int) -> None:
        """Let the messages from `start` up to `stop` wait; not measured."""
        ...

    def enqueue(self) -> None:
        """One message, on disk."""
        ...

    def deliver(self) -> None:
        """Take the next and finish it."""
        ...

    def close(self) -> None:
        """Let the files go."""
        ...


class Huey:
    """SqliteHuey with `fsync=True`. Taking a task deletes it: one commit, and a crash while it runs loses it."""

    def __init__(self, folder: Path) -> None:
        self.name = f"SqliteHuey {version('huey')}"
        path = folder / "huey.db"
        self._huey: Any = SqliteHuey(filename=str(path), results=False, fsync=True)
        self._task: Any = self._huey.task(name="send")(lambda chat, body: None)
        demand_full(self._huey.storage.conn, self.name)

    def fill(self, start: int, stop: int) -> None:
        """As many copies of one task that it has enqueued itself."""
        self.enqueue()
        connection: sqlite3.Connection = self._huey.storage.conn
        connection.execute(
            "WITH RECURSIVE number (n) AS (SELECT ? UNION ALL SELECT n + 1 FROM number WHERE n + 2 < ?)"
            " INSERT INTO task (queue, data, priority) SELECT queue, data, priority FROM number,"
            " (SELECT * FROM task ORDER BY id DESC LIMIT 1)",
            (start, stop),
        )
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def enqueue(self) -> None:
        """One task."""
        self._huey.enqueue(self._task.s(phone(1), BODY))

    def deliver(self) -> None:
        """What its worker does with a task."""
        self._huey.execute(self._huey.dequeue())

    def close(self) -> None:
        """Close the database."""
        self._huey.storage.close()


class PersistQueue:
    """persist-queue's SQLiteAckQueue: put, get, ack, each a commit; a crash in between delivers again."""

    def __init__(self, folder: Path) -> None:
        self.name = f"persist-queue {version('persist-queue')}"
        self._queue = SQLiteAckQueue(str(folder / "persist-queue"))
        self._connection = cast(sqlite3.Connection, self._queue._putter)
        self._connection.execute(f"PRAGMA synchronous = {FULL}")
        demand_full(self._connection, self.name)

    def fill(self, start: int, stop: int) -> None:
        """Rows as its `put` makes them."""
        item = pickle.dumps(_message())
        with self._connection:
            self._connection.executemany(
                "INSERT INTO ack_queue_default (data, timestamp, status) VALUES (?, ?, 0)",
                ((item, time.time()) for _ in range(start, stop)),
            )
        self._queue.total += stop - start
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def enqueue(self) -> None:
        """One item."""
        self._queue.put(_message())

    def deliver(self) -> None:
        """Get one, acknowledge it."""
        self._queue.ack(self._queue.get(block=False))

    def close(self) -> None:
        """Close the database."""
        self._queue.close()


class JsonFile:
    """A list in a JSON file that every change rewrites: a temporary file, an fsync, a rename.

    Taking and finishing are a rewrite each, as the two commits of the others.
    """

    name = "JSON file"

    def __init__(self, folder: Path) -> None:
        self._path = folder / "queue.json"
        self._messages: list[dict[str, Any]] = []

    def fill(self, start: int, stop: int) -> None:
        """Messages in memory, where such a program keeps them too."""
        self._messages += [_message() for _ in range(start, stop)]

    def enqueue(self) -> None:
        """Append, rewrite."""
        self._messages.append(_message())
        self._write()

    def deliver(self) -> None:
        """Mark the first as being sent, rewrite; remove it, rewrite."""
        self._messages[0]["state"] = "sending"
        self._write()
        del self._messages[0]
        self._write()

    def close(self) -> None:
        """There is nothing open."""

    def _write(self) -> None:
        temporary = self._path.with_suffix(".tmp")
        with temporary.open("w", encoding="utf-8") as file:
            file.write(json.dumps(self._messages, ensure_ascii=False))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, self._path)


def _message() -> dict[str, Any]:
    return {"to": phone(1), "body": BODY, "due_at": now_ms(), "state": "queued"}


def rivals(folder: Path) -> list[Rival]:
    """Those that keep their messages in a database, empty, the baseline first."""
    return [RawSqlite(folder), Huey(folder), PersistQueue(folder)]
