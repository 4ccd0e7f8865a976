"""Lanes: who may go next, found by one index seek for each class of urgency.

A lane is one contact's part of the queue within one class. Its row caches when its head may go,
so that the pick never looks at messages that are blocked: its cost does not grow with the backlog.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from whatsself_tui.delivery.limits import (
    HIGHEST_PRIORITY,
    MINUTE_MS,
    NEVER,
    Gate,
    Limits,
    Quota,
    day_of,
    free_at,
    score,
)
from whatsself_tui.store.database import Tx

_HEADS = """
SELECT o.id, o.due_at, o.retry_at, o.quota, o.source, c.free_at, c.reply_free_at, c.hold_until, c.inflight,
  (c.last_inbound_at IS NULL AND c.approached_at IS NULL) + 2 * o.in_hours
FROM outbox AS o JOIN contact AS c ON c.id = o.contact_id
WHERE o.state = 0 AND o.contact_id = ? AND o.class = ?{}
ORDER BY o.due_at, o.id LIMIT 1
"""

#: Source of what a person sends; everything else is automatic, and waits while a person has taken over.
MANUAL = "manual"

_HEAD = _HEADS.format("")
_HEAD_BY_A_PERSON = _HEADS.format(f" AND o.source = '{MANUAL}'")

#: By gate (a sum of `Gate`): the first lane of every class, one seek each, in one statement.
FIRSTS = {
    gate: " UNION ALL ".join(
        "SELECT * FROM (SELECT contact_id, class, eligible_at, head_id, gate FROM lane"
        f" WHERE gate = {gate} AND class = {number} ORDER BY eligible_at, head_id LIMIT 1)"
        for number in range(HIGHEST_PRIORITY + 1)
    )
    for gate in range(sum(Gate) + 1)
}

#: The next gate that any lane has.
NEXT_GATE = "SELECT gate FROM lane WHERE gate > ? ORDER BY gate LIMIT 1"

#: Strangers written to since a time, counted no further than a limit.
APPROACHED = "SELECT count(*) FROM (SELECT 1 FROM contact WHERE approached_at >= ? LIMIT ?)"

#: The n-th last send of all contacts; `seq` has no gaps among the rows a window can hold.
NTH_LAST_SEND = "SELECT ts FROM send_log WHERE seq <= (SELECT max(seq) FROM send_log) - ? + 1 ORDER BY seq DESC LIMIT 1"

#: The n-th last send to one contact.
NTH_LAST_SEND_TO = "SELECT ts FROM send_log WHERE contact_id = ? ORDER BY ts DESC LIMIT 1 OFFSET ?"


#: Sends that are remembered however old they are: a window that is made longer has to count them.
LEAST_LOG = 5_000


@dataclass(frozen=True, slots=True)
class Head:
    """The next message of a lane."""

    contact_id: int
    message_class: int
    eligible_at_ms: int
    message_id: int
    gate: int = 0
    """Which gates beside the contact's windows bound it: a sum of `Gate`."""


#: A `Head` as the database returns it: the pick makes objects of none but the best.
_Row = tuple[int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Pick:
    """What the lanes say at one moment."""

    best: Head | None
    """The most urgent head that may go now as far as its contact is concerned."""
    earliest_ms: int
    """When the first head may go: now or in the past with a `best`, NEVER with empty lanes."""


def relane(tx: Tx, contact_id: int, message_class: int) -> None:
    """Make one lane's row agree with the messages, the windows and the holds of its contact.

    While the contact is held (a person has taken over), what a person sends overtakes what is automatic.
    """
    row = tx.execute(_HEAD, (contact_id, message_class)).fetchone()
    if row is None:
        tx.execute("DELETE FROM lane WHERE contact_id = ? AND class = ?", (contact_id, message_class))
        return
    if row[4] != MANUAL and row[7] > tx.now_ms:
        row = tx.execute(_HEAD_BY_A_PERSON, (contact_id, message_class)).fetchone() or row
    head_id, due_at, retry_at, quota, source, contact_free_at, reply_free_at, hold_until, inflight, gate = row
    window_free_at = (contact_free_at, reply_free_at, 0)[Quota(quota)]
    held_until = 0 if source == MANUAL else hold_until
    eligible_at = NEVER if inflight else max(due_at, retry_at, window_free_at, held_until)
    tx.execute(
        "INSERT INTO lane (contact_id, class, eligible_at, head_id, gate) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (contact_id, class) DO UPDATE"
        " SET eligible_at = excluded.eligible_at, head_id = excluded.head_id, gate = excluded.gate"
        " WHERE (head_id, eligible_at, gate) <> (excluded.head_id, excluded.eligible_at, excluded.gate)",
        (contact_id, message_class, eligible_at, head_id, gate),
    )


def relane_contact(tx: Tx, contact_id: int, *also: int) -> None:
    """Do that for all lanes of a contact, and for the classes in `also` that may have none yet."""
    classes = {row[0] for row in tx.execute("SELECT class FROM lane WHERE contact_id = ?", (contact_id,))}
    for message_class in sorted(classes.union(also)):
        relane(tx, contact_id, message_class)


def relane_blocked(tx: Tx, after_ms: int) -> None:
    """Do that for every lane whose head may go only after that time."""
    rows = tx.execute("SELECT contact_id, class FROM lane WHERE eligible_at > ?", (after_ms,)).fetchall()
    for contact_id, message_class in rows:
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


def charge(tx: Tx, head: Head, limits: Limits) -> None:
    """A message is claimed: both windows and the day's strangers count it; the contact is busy with it."""
    tx.execute(
        "INSERT INTO send_log (seq, ts, contact_id, message_id)"
        " VALUES ((SELECT coalesce(max(seq), 0) + 1 FROM send_log), ?, ?, ?)",
        (tx.now_ms, head.contact_id, head.message_id),
    )
    tx.execute(
        "DELETE FROM send_log WHERE seq IN (SELECT seq FROM send_log ORDER BY seq LIMIT 50)"
        " AND seq <= (SELECT max(seq) FROM send_log) - ? AND ts <= ?",
        (LEAST_LOG, tx.now_ms - limits.horizon_ms),
    )
    refresh_windows(tx, head.contact_id, limits)
    tx.execute("UPDATE contact SET inflight = inflight + 1 WHERE id = ?", (head.contact_id,))
    _remember_limits(tx, limits)
    if head.gate & Gate.STRANGER:
        tx.execute(
            "UPDATE contact SET approached_at = ?, approached_by = ? WHERE id = ?",
            (tx.now_ms, head.message_id, head.contact_id),
        )


def refund(tx: Tx, contact_id: int, message_id: int, claimed_at_ms: int, limits: Limits) -> None:
    """A claimed message certainly never left: what `charge` counted is given back.

    Only the newest row of the log can go, because its numbers must have no gaps; a claim that is not
    the newest stays counted.
    """
    tx.execute(
        "DELETE FROM send_log WHERE seq = (SELECT max(seq) FROM send_log) AND message_id = ? AND ts = ?",
        (message_id, claimed_at_ms),
    )
    tx.execute(
        "UPDATE contact SET approached_at = NULL, approached_by = NULL WHERE id = ?"
        " AND (approached_by, approached_at) = (?, ?)",
        (contact_id, message_id, claimed_at_ms),
    )
    refresh_windows(tx, contact_id, limits)


def discharge(tx: Tx, contact_id: int, message_class: int) -> None:
    """A claim has ended: the contact is not busy with it any more.

    Two contacts of whom both had a message in flight may be one meanwhile, so it may still be with another.
    """
    tx.execute("UPDATE contact SET inflight = max(0, inflight - 1) WHERE id = ?", (contact_id,))
    relane_contact(tx, contact_id, message_class)


def remembered_limits(connection: sqlite3.Connection) -> Limits | None:
    """A contact's limits as its windows were worked out last; None before the first send."""
    row = connection.execute(
        "SELECT per_contact, per_contact_reply, contact_window FROM window_limits WHERE id = 1"
    ).fetchone()
    return row and Limits(per_contact=row[0], per_contact_reply=row[1], contact_window_ms=row[2])


def _remember_limits(tx: Tx, limits: Limits) -> None:
    tx.execute(
        "INSERT INTO window_limits (id, per_contact, per_contact_reply, contact_window) VALUES (1, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET per_contact = excluded.per_contact,"
        " per_contact_reply = excluded.per_contact_reply, contact_window = excluded.contact_window"
        " WHERE (per_contact, per_contact_reply, contact_window)"
        " <> (excluded.per_contact, excluded.per_contact_reply, excluded.contact_window)",
        (limits.per_contact, limits.per_contact_reply, limits.contact_window_ms),
    )


def _contact_free_at(tx: Tx, contact_id: int, limit: int, limits: Limits) -> int:
    row = tx.execute(NTH_LAST_SEND_TO, (contact_id, limit - 1)).fetchone()
    return free_at(row[0] if row else None, limits.contact_window_ms)


def pick(connection: sqlite3.Connection, now_ms: int, limits: Limits) -> Pick:
    """The most urgent lane whose head may go now, and when the first one may."""
    best: _Row | None = None
    best_turn = (float("inf"), 0)
    earliest = NEVER
    for row in _first_rows(connection, now_ms, limits):
        _, message_class, eligible_at, message_id, _ = row
        earliest = min(earliest, eligible_at)
        if eligible_at <= now_ms:
            turn = score(message_class, now_ms - eligible_at, limits.aging_ms), message_id
            if turn < best_turn:
                best, best_turn = row, turn
    return Pick(None if best is None else Head(*best), earliest)


def firsts(connection: sqlite3.Connection, now_ms: int, limits: Limits) -> list[Head]:
    """The first lane of every class and gate that has any; its time is not before its gate opens."""
    return [Head(*row) for row in _first_rows(connection, now_ms, limits)]


def _first_rows(connection: sqlite3.Connection, now_ms: int, limits: Limits) -> Iterator[_Row]:
    found = connection.execute(NEXT_GATE, (-1,)).fetchone()
    while found is not None:
        opens_at = gate_opens_at(connection, found[0], now_ms, limits)
        for contact_id, message_class, eligible_at, message_id, gate in connection.execute(FIRSTS[found[0]]):
            yield contact_id, message_class, max(eligible_at, opens_at), message_id, gate
        found = connection.execute(NEXT_GATE, found).fetchone()


def gate_opens_at(connection: sqlite3.Connection, gate: int, now_ms: int, limits: Limits) -> int:
    """When lanes of this gate may go: 0 for now, the next midnight, or when the business opens; NEVER if never."""
    opens_at = 0
    if gate & Gate.STRANGER and limits.daily_new_contacts:
        today, tomorrow = day_of(now_ms, limits.zone)
        if approached(connection, today, limits.daily_new_contacts) >= limits.daily_new_contacts:
            opens_at = tomorrow
    if gate & Gate.HOURS and limits.opens_at is not None:
        open_from = limits.opens_at(max(now_ms, opens_at))
        opens_at = NEVER if open_from is None else max(opens_at, open_from) if open_from > now_ms else opens_at
    return opens_at


def approached(connection: sqlite3.Connection, since_ms: int, most: int) -> int:
    """How many people who never wrote have been written to since then, counted up to `most`."""
    found: int = connection.execute(APPROACHED, (since_ms, most)).fetchone()[0]
    return found


def sends_since(connection: sqlite3.Connection, since_ms: int) -> Iterator[tuple[int, int]]:
    """(time, contact) of every send after that time, the last one first."""
    for ts, contact_id in connection.execute("SELECT ts, contact_id FROM send_log ORDER BY seq DESC"):
        if ts <= since_ms:
            return
        yield ts, contact_id


def minute_free_at(connection: sqlite3.Connection, limits: Limits) -> int:
    """When the window of all contacts admits the next send; in the past: now."""
    row = connection.execute(NTH_LAST_SEND, (limits.per_minute,)).fetchone()
    return free_at(row[0] if row else None, MINUTE_MS)


def apply_limits(tx: Tx, limits: Limits) -> None:
    """Let changed limits bind what already waits.

    Only contacts with a send inside the windows can be affected; they are few.
    """
    _remember_limits(tx, limits)
    for (contact_id,) in tx.execute("SELECT DISTINCT contact_id FROM send_log").fetchall():
        refresh_windows(tx, contact_id, limits)
        relane_contact(tx, contact_id)
