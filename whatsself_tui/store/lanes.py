"""Lanes: who may go next, found by one index seek for each class of urgency.

A lane is one contact's part of the queue within one class. Its row caches when its head may go,
so that the pick never looks at messages that are blocked: its cost does not grow with the backlog.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from whatsself_tui.delivery.limits import HIGHEST_PRIORITY, MINUTE_MS, NEVER, Limits, Quota, free_at, score
from whatsself_tui.store.database import Tx

_HEAD = """
SELECT o.id, o.due_at, o.retry_at, o.quota, c.free_at, c.reply_free_at, c.hold_until, c.inflight
FROM outbox AS o JOIN contact AS c ON c.id = o.contact_id
WHERE o.state = 0 AND o.contact_id = ? AND o.class = ?
ORDER BY o.due_at, o.id LIMIT 1
"""

#: The first lane of every class, most urgent class first.
PICK = " UNION ALL ".join(
    "SELECT * FROM (SELECT contact_id, class, eligible_at, head_id FROM lane"
    f" WHERE class = {number} ORDER BY eligible_at, head_id LIMIT 1)"
    for number in range(HIGHEST_PRIORITY + 1)
)

#: The n-th last send of all contacts; `seq` has no gaps among the rows a window can hold.
NTH_LAST_SEND = "SELECT ts FROM send_log WHERE seq <= (SELECT max(seq) FROM send_log) - ? + 1 ORDER BY seq DESC LIMIT 1"

#: The n-th last send to one contact.
NTH_LAST_SEND_TO = "SELECT ts FROM send_log WHERE contact_id = ? ORDER BY ts DESC LIMIT 1 OFFSET ?"


@dataclass(frozen=True, slots=True)
class Head:
    """The next message of a lane."""

    contact_id: int
    message_class: int
    eligible_at_ms: int
    message_id: int


@dataclass(frozen=True, slots=True)
class Pick:
    """What the lanes say at one moment."""

    best: Head | None
    """The most urgent head that may go now as far as its contact is concerned."""
    earliest_ms: int
    """When the first head may go: now or in the past with a `best`, NEVER with empty lanes."""


def relane(tx: Tx, contact_id: int, message_class: int) -> None:
    """Make one lane's row agree with the messages, the windows and the holds of its contact."""
    row = tx.execute(_HEAD, (contact_id, message_class)).fetchone()
    if row is None:
        tx.execute("DELETE FROM lane WHERE contact_id = ? AND class = ?", (contact_id, message_class))
        return
    head_id, due_at, retry_at, quota, contact_free_at, reply_free_at, hold_until, inflight = row
    window_free_at = (contact_free_at, reply_free_at, 0)[Quota(quota)]
    eligible_at = NEVER if inflight else max(due_at, retry_at, window_free_at, hold_until)
    tx.execute(
        "INSERT INTO lane (contact_id, class, eligible_at, head_id) VALUES (?, ?, ?, ?) ON CONFLICT (contact_id, class)"
        " DO UPDATE SET eligible_at = excluded.eligible_at, head_id = excluded.head_id"
        " WHERE head_id <> excluded.head_id OR eligible_at <> excluded.eligible_at",
        (contact_id, message_class, eligible_at, head_id),
    )


def relane_contact(tx: Tx, contact_id: int, *also: int) -> None:
    """Do that for all lanes of a contact, and for the classes in `also` that may have none yet."""
    classes = {row[0] for row in tx.execute("SELECT class FROM lane WHERE contact_id = ?", (contact_id,))}
    for message_class in sorted(classes.union(also)):
        relane(tx, contact_id, message_class)


def refresh_windows(tx: Tx, contact_id: int, limits: Limits) -> None:
    """Write down when the contact's windows admit the next send; the lanes follow with `relane`."""
    tx.execute(
        "UPDATE contact SET free_at = ?, reply_free_at = ? WHERE id = ?",
        (
            _contact_free_at(tx, contact_id, limits.per_contact, limits),
            _contact_free_at(tx, contact_id, limits.per_contact_reply, limits),
            contact_id,
        ),
    )


def _contact_free_at(tx: Tx, contact_id: int, limit: int, limits: Limits) -> int:
    row = tx.execute(NTH_LAST_SEND_TO, (contact_id, limit - 1)).fetchone()
    return free_at(row[0] if row else None, limits.contact_window_ms)


def pick(connection: sqlite3.Connection, now_ms: int, limits: Limits) -> Pick:
    """The most urgent lane whose head may go now, and when the first one may."""
    best: Head | None = None
    best_score = float("inf")
    earliest = NEVER
    for row in connection.execute(PICK):
        head = Head(*row)
        earliest = min(earliest, head.eligible_at_ms)
        if head.eligible_at_ms <= now_ms:
            urgency = score(head.message_class, now_ms - head.eligible_at_ms, limits.aging_ms)
            if urgency < best_score:
                best, best_score = head, urgency
    return Pick(best, earliest)


def minute_free_at(connection: sqlite3.Connection, limits: Limits) -> int:
    """When the window of all contacts admits the next send; in the past: now."""
    row = connection.execute(NTH_LAST_SEND, (limits.per_minute,)).fetchone()
    return free_at(row[0] if row else None, MINUTE_MS)


def apply_limits(tx: Tx, limits: Limits) -> None:
    """Let changed limits bind what already waits.

    Only contacts with a send inside the windows can be affected; they are few.
    """
    for (contact_id,) in tx.execute("SELECT DISTINCT contact_id FROM send_log").fetchall():
        refresh_windows(tx, contact_id, limits)
        relane_contact(tx, contact_id)
