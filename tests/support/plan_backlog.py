"""Backlogs of any length within a second, made by SQL alone, and the exact cost of asking about them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from whatsself_tui.store.database import Tx

_NUMBERS = "WITH RECURSIVE number (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n + 1 < :count)"

#: Strangers written to today: not so many that no other may be.
_APPROACHED = 40

#: Contacts with sends inside the windows, twice each: what the limits of a real account leave room for.
_JUST_SENT = 150


@dataclass(frozen=True, slots=True)
class Shape:
    """How messages are spread: SQL over a message's number `n` from 0, `:now` and `:count`."""

    name: str
    contact: str = "n + 1"
    """Row id of the contact, from 1."""
    message_class: str = "5 + n % 3"
    not_before: str = "NULL"
    retry_at: str = "0"
    free_at: str = "0"
    """Of the contact with this `n + 1`."""
    hold_until: str = "0"
    """Of the same contact: left to a person until then."""


TOMORROW = ":now + 86400000 + n % 720 * 60000"
BLOCKED = ":now + 300000 - n % 60000"

SHAPES = (
    Shape("all may go"),
    Shape("all tomorrow", not_before=TOMORROW),
    Shape("one contact", contact="1"),
    Shape("one contact left to a person", contact="1", hold_until=":now + 3600000"),
    Shape("all blocked by their windows", free_at=BLOCKED),
    Shape(
        "mixed",
        contact="n / 2 + 1",
        message_class="n % 11",
        not_before=f"iif(n % 4 = 1, {TOMORROW}, NULL)",
        retry_at="iif(n % 16 = 2, :now + 5000, 0)",
        free_at=f"iif(n % 4 = 3, {BLOCKED}, 0)",
    ),
)


def fill(tx: Tx, shape: Shape, count: int) -> None:
    """Let `count` messages wait, every second contact a stranger, and write all that the store would have."""
    numbers = {"now": tx.now_ms, "count": count}
    tx.execute(
        f"{_NUMBERS} INSERT INTO contact"
        " (id, phone, first_seen_at, last_inbound_at, free_at, reply_free_at, hold_until)"
        " SELECT n + 1, printf('55119%08d', n), 0, iif(n % 2, 1, NULL),"
        f" {shape.free_at}, {shape.free_at}, {shape.hold_until} FROM number",
        numbers,
    )
    tx.execute(
        f"{_NUMBERS} INSERT INTO contact (lid, first_seen_at, approached_at)"
        " SELECT printf('%d@lid', n), 0, :now FROM number",
        {"now": tx.now_ms, "count": _APPROACHED},
    )
    tx.execute(
        f"{_NUMBERS} INSERT INTO outbox"
        " (contact_id, class, quota, due_at, not_before, retry_at, enqueued_at, source, body)"
        f" SELECT {shape.contact}, {shape.message_class}, 0, coalesce({shape.not_before}, :now - :count + n),"
        f" {shape.not_before}, {shape.retry_at}, :now - :count + n, 'broadcast:x', 'Olá!' FROM number",
        numbers,
    )
    tx.execute(
        "INSERT INTO lane (contact_id, class, eligible_at, head_id, gate)"
        " SELECT o.contact_id, o.class, max(o.due_at, o.retry_at, c.free_at, c.hold_until), o.id,"
        "  c.last_inbound_at IS NULL AND c.approached_at IS NULL"
        " FROM (SELECT *, row_number() OVER (PARTITION BY contact_id, class ORDER BY due_at, id) AS place FROM outbox)"
        " AS o JOIN contact AS c ON c.id = o.contact_id WHERE o.place = 1"
    )
    tx.execute("INSERT INTO tally (name, n) SELECT 'queued:' || class, count(*) FROM outbox GROUP BY class")
    tx.execute(
        "INSERT INTO scheduled (minute, n) SELECT not_before / 60000, count(*) FROM outbox"
        " WHERE not_before IS NOT NULL GROUP BY not_before / 60000"
    )
    tx.execute(
        f"{_NUMBERS} INSERT INTO send_log (ts, contact_id, message_id)"
        " SELECT :now - 300000 + (n + 1) * 500, n / 2 + 1, 1 FROM number",
        {"now": tx.now_ms, "count": 2 * _JUST_SENT},
    )


@contextmanager
def only_for_now(connection: sqlite3.Connection) -> Iterator[None]:
    """Undo in the end what is done inside."""
    connection.execute("SAVEPOINT only_for_now")
    try:
        yield
    finally:
        connection.execute("ROLLBACK TO only_for_now")
        connection.execute("RELEASE only_for_now")


def steps(connection: sqlite3.Connection, job: Callable[[], object]) -> int:
    """Instructions of SQLite's virtual machine that `job` takes: exact, and the same on every machine.

    One seek in an index is one instruction, however large the index is; a row passed costs some.
    """
    taken = 0

    def one_more() -> int:
        nonlocal taken
        taken += 1
        return 0

    connection.set_progress_handler(one_more, 1)
    try:
        job()
    finally:
        connection.set_progress_handler(None, 1)
    return taken
