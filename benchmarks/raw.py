"""The baseline: raw sqlite3 with the product's table, indexes, PRAGMAs and fsyncs, and nothing else of it."""

from __future__ import annotations

import random
import sqlite3
import time
from pathlib import Path

from backlog import BODY, Layout, add_rows, crowd

from whatsself_tui.store.migrate import migrate
from whatsself_tui.store.worker import CACHE_KB, CHECKPOINT_PAGES

FULL = 2
"""`PRAGMA synchronous`: an fsync for every commit, in WAL mode too."""

INSERT = (
    "INSERT INTO outbox (contact_id, class, quota, due_at, enqueued_at, source, body)"
    " VALUES (?, 5, 0, ?, ?, 'manual', ?)"
)


class RawSqlite:
    """sqlite3 with the product's own table, indexes and PRAGMAs, on one thread: no lanes, limits, counts, consent.

    Taking and finishing are a commit each, so a crash in between leaves a message that is known to be in doubt.
    """

    name = "raw sqlite3, same table, FULL"

    def __init__(self, folder: Path) -> None:
        self.connection = open_raw(folder / "raw.db")
        migrate(self.connection, folder / "raw.db")
        self._people = 0
        self._rng = random.Random(1)

    def fill(self, start: int, stop: int) -> None:
        """Rows as the product has them."""
        self.connection.execute("BEGIN")
        add_rows(self.connection, start, stop, Layout(), now_ms())
        self.connection.execute("COMMIT")
        self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._people = crowd(stop)

    def enqueue(self) -> None:
        """One row, one commit."""
        now = now_ms()
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.execute(INSERT, (self._rng.randrange(self._people) + 1, now, now, BODY))
        self.connection.execute("COMMIT")

    def deliver(self) -> None:
        """Two commits: being sent, sent."""
        self.connection.execute("BEGIN IMMEDIATE")
        (found,) = self.connection.execute(
            "UPDATE outbox SET state = 1, attempts = 1, claimed_at = ? WHERE id ="
            " (SELECT id FROM outbox WHERE state = 0 ORDER BY due_at, id LIMIT 1) RETURNING id",
            (now_ms(),),
        ).fetchall()
        self.connection.execute("COMMIT")
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.execute("UPDATE outbox SET state = 2, done_at = ? WHERE id = ?", (now_ms(), found[0]))
        self.connection.execute("COMMIT")

    def close(self) -> None:
        """Close the database."""
        self.connection.close()


def open_raw(path: Path) -> sqlite3.Connection:
    """A connection with the PRAGMAs of the product's writer and nothing else of it."""
    connection = sqlite3.connect(path, isolation_level=None, cached_statements=256)
    for pragma in (
        "journal_mode=WAL",
        f"synchronous={FULL}",
        "foreign_keys=ON",
        f"cache_size=-{CACHE_KB}",
        f"wal_autocheckpoint={CHECKPOINT_PAGES}",
        "journal_size_limit=16777216",
    ):
        connection.execute(f"PRAGMA {pragma}")
    demand_full(connection, path.name)
    return connection


def demand_full(connection: sqlite3.Connection, name: str) -> None:
    """A comparison needs the same durability. Raises RuntimeError without it."""
    found = [connection.execute(f"PRAGMA {pragma}").fetchone()[0] for pragma in ("synchronous", "journal_mode")]
    if found != [FULL, "wal"]:
        raise RuntimeError(f"{name}: synchronous and journal_mode are {found}, not {[FULL, 'wal']}")


def now_ms() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000
