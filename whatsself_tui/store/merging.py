"""Two contacts become one: every row of both, and what the rules and the limits remember of them."""

from __future__ import annotations

from typing import Any

from whatsself_tui.store import lanes
from whatsself_tui.store.database import Tx
from whatsself_tui.store.topics import Topic

_COLUMNS = (
    "phone", "lid", "name", "consent", "consent_at", "first_seen_at", "last_inbound_at", "free_at", "reply_free_at",
    "hold_until", "inflight", "approached_at", "approached_by", "welcomed", "away_period", "unmatched",
    "handover_reason", "handover_until", "person_at",
)  # fmt: skip

#: The stronger word wins: nobody is written to who has withdrawn.
_CONSENT = ("unknown", "in", "out")

_Row = dict[str, Any]


def merge(tx: Tx, first: int, second: int) -> int:
    """Make two contacts one; its row id. `first` is asked first where only one of two values can stay.

    The row with the higher id stays, so that the id of the other is never given to anybody else.
    """
    gone, kept = sorted((first, second))
    mine, theirs = _row(tx, first), _row(tx, second)
    if mine["consent"] == "out":
        withdraw(tx, second, mine["consent_at"])
    elif theirs["consent"] == "out":
        withdraw(tx, first, theirs["consent_at"])
    classes = {
        row[0] for row in tx.execute("SELECT class FROM lane WHERE contact_id IN (?, ?)", (gone, kept)).fetchall()
    }
    for table in ("inbox", "outbox", "send_log", "contact_alias"):
        tx.execute(f"UPDATE {table} SET contact_id = ? WHERE contact_id = ?", (kept, gone))
    _move_memories(tx, gone, kept)
    tx.execute("DELETE FROM lane WHERE contact_id = ?", (gone,))
    tx.execute("DELETE FROM contact WHERE id = ?", (gone,))
    one = _united(mine, theirs)
    tx.execute(
        f"UPDATE contact SET ({', '.join(one)}) = ({', '.join('?' * len(one))}) WHERE id = ?", (*one.values(), kept)
    )
    for column in ("phone", "lid"):
        if theirs[column] and theirs[column] != one[column]:
            tx.execute("INSERT INTO contact_alias (address, contact_id) VALUES (?, ?)", (theirs[column], kept))
    if limits := lanes.remembered_limits(tx.connection):
        lanes.refresh_windows(tx, kept, limits)
    lanes.relane_contact(tx, kept, *classes)
    tx.touch(Topic.CONTACTS, Topic.QUEUE, Topic.MESSAGES, Topic.LIMITS)
    return kept


def withdraw(tx: Tx, contact_id: int, at_ms: int | None) -> None:
    """The same person has withdrawn consent under another address: nothing automatic goes to this one either."""
    # Loaded here: the queue itself knows contacts, and thereby this module.
    from whatsself_tui.store.outbox import cancel_automatic

    changed = tx.execute(
        "UPDATE contact SET consent = 'out', consent_at = ? WHERE id = ? AND consent <> 'out'", (at_ms, contact_id)
    ).rowcount
    if changed:
        cancel_automatic(tx, contact_id, "the contact has opted out")


def _row(tx: Tx, contact_id: int) -> _Row:
    row = tx.execute(f"SELECT {', '.join(_COLUMNS)} FROM contact WHERE id = ?", (contact_id,)).fetchone()
    return dict(zip(_COLUMNS, row, strict=True))


def _move_memories(tx: Tx, gone: int, kept: int) -> None:
    """Cool-downs, the texts they got last, and the place in a flow, of which the newer one stays."""
    tx.execute(
        "INSERT INTO trigger_fired (contact_id, trigger_name, fired_at)"
        " SELECT ?, trigger_name, fired_at FROM trigger_fired WHERE contact_id = ?"
        " ON CONFLICT (contact_id, trigger_name) DO UPDATE SET fired_at = max(fired_at, excluded.fired_at)",
        (kept, gone),
    )
    tx.execute(
        "INSERT INTO contact_variant (contact_id, template, variant)"
        " SELECT ?, template, variant FROM contact_variant WHERE contact_id = ? ON CONFLICT DO NOTHING",
        (kept, gone),
    )
    for table in ("trigger_fired", "contact_variant"):
        tx.execute(f"DELETE FROM {table} WHERE contact_id = ?", (gone,))
    flows = tx.execute(
        "SELECT contact_id FROM contact_flow WHERE contact_id IN (?, ?) ORDER BY since DESC", (gone, kept)
    ).fetchall()
    for (older,) in flows[1:]:
        tx.execute("DELETE FROM contact_flow WHERE contact_id = ?", (older,))
    tx.execute("UPDATE contact_flow SET contact_id = ? WHERE contact_id = ?", (kept, gone))


def _united(mine: _Row, theirs: _Row) -> _Row:
    """The columns of the one contact."""
    both = (mine, theirs)
    consent = max(both, key=lambda row: _CONSENT.index(row["consent"]))
    hand_over = max(both, key=_left_until)
    approached = min(both, key=lambda row: (row["approached_at"] is None, row["approached_at"] or 0))
    one = {column: mine[column] or theirs[column] for column in ("phone", "lid", "name")}
    one |= {column: consent[column] for column in ("consent", "consent_at")}
    one |= {column: hand_over[column] for column in ("handover_reason", "handover_until")}
    one |= {column: approached[column] for column in ("approached_at", "approached_by")}
    for column in ("hold_until", "welcomed", "unmatched", "free_at", "reply_free_at"):
        one[column] = max(mine[column], theirs[column])
    for column in ("last_inbound_at", "person_at", "away_period"):
        one[column] = max((row[column] for row in both if row[column] is not None), default=None)
    one["first_seen_at"] = min(mine["first_seen_at"], theirs["first_seen_at"])
    one["inflight"] = mine["inflight"] + theirs["inflight"]
    return one


def _left_until(row: _Row) -> tuple[bool, bool, int]:
    """Sorts hand-overs: none, then by their end, then those without one."""
    return row["handover_reason"] is not None, row["handover_until"] is None, row["handover_until"] or 0
