"""A queue of any length within seconds: messages made by SQL, lanes and counts by the store's own functions."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from whatsself_tui.store import lanes
from whatsself_tui.store.database import Tx
from whatsself_tui.store.tally import scheduled, tally

BODY = "Olá Maria! Seu pedido saiu para entrega e chega ainda hoje. " * 4

DAY_MS = 86_400_000

_NUMBERS = "WITH RECURSIVE number (n) AS (SELECT :start UNION ALL SELECT n + 1 FROM number WHERE n + 1 < :stop)"


@dataclass(frozen=True, slots=True)
class Layout:
    """How the messages are spread, as SQL over `n`, a message's number from 0, `:people` and `:now`."""

    contact: str = "n % :people + 1"
    """Row id, 1 to `:people`."""
    message_class: str = "5"
    not_before: str = "NULL"


def phone(number: int) -> str:
    """The phone number of a simulated person, counted from 0; their row id is one more."""
    return f"55119{number:08d}"


def crowd(messages: int) -> int:
    """How many people so many messages are for: ten messages each."""
    return max(100, messages // 10)


def fill(tx: Tx, start: int, stop: int, layout: Layout) -> None:
    """Let the messages from `start` up to `stop` wait, everything about them as if they had been enqueued."""
    (last,) = tx.execute("SELECT coalesce(max(id), 0) FROM outbox").fetchone()
    add_rows(tx.connection, start, stop, layout, tx.now_ms)
    by_class = "SELECT class, count(*) FROM outbox WHERE id > ? GROUP BY class"
    for message_class, added in tx.execute(by_class, (last,)).fetchall():
        tally(tx, f"queued:{message_class}", added)
    by_minute = "SELECT min(not_before), count(*) FROM outbox WHERE id > ? AND not_before IS NOT NULL"
    for not_before, added in tx.execute(f"{by_minute} GROUP BY not_before / 60000", (last,)).fetchall():
        scheduled(tx, not_before, added)
    relane_all(tx)


def add_rows(connection: sqlite3.Connection, start: int, stop: int, layout: Layout, now_ms: int) -> None:
    """The contacts and messages alone. Every second contact has written before, the others are strangers."""
    people = crowd(stop)
    connection.execute(
        f"{_NUMBERS} INSERT INTO contact (id, phone, first_seen_at, last_inbound_at)"
        " SELECT n + 1, printf('55119%08d', n), 0, iif(n % 2, 1, NULL) FROM number WHERE true ON CONFLICT DO NOTHING",
        {"start": 0, "stop": people},
    )
    connection.execute(
        f"{_NUMBERS} INSERT INTO outbox (contact_id, class, quota, due_at, not_before, enqueued_at, source, body)"
        " SELECT contact_id, class, 0, coalesce(not_before, enqueued_at), not_before, enqueued_at, 'manual', :body"
        f" FROM (SELECT {layout.contact} AS contact_id, {layout.message_class} AS class,"
        f" {layout.not_before} AS not_before, :now - :stop + n AS enqueued_at FROM number)",
        {"start": start, "stop": stop, "people": people, "now": now_ms, "body": BODY},
    )


def close_windows(tx: Tx, every: int) -> None:
    """Let the window of every so many-th contact be full for the next minutes."""
    tx.execute(
        "UPDATE contact SET free_at = :now + 300000 - id % 60000, reply_free_at = :now + 300000 - id % 60000"
        " WHERE id % :every = 0",
        {"now": tx.now_ms, "every": every},
    )
    relane_all(tx)


def relane_all(tx: Tx) -> None:
    """Bring the row of every lane up to date."""
    for contact_id, message_class in tx.execute(
        "SELECT DISTINCT contact_id, class FROM outbox WHERE state = 0"
    ).fetchall():
        lanes.relane(tx, contact_id, message_class)
