"""Single messages of the outbox, for lists and details: dictionaries with the keys that `--json` prints."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict
from typing import Any

from whatsself_tui.delivery.limits import HIGHEST_PRIORITY
from whatsself_tui.store import attempts
from whatsself_tui.store.shown_text import with_attachment

#: SQL of a contact's name and address, and words for the outbox's states.
NAME = "CASE WHEN c.name <> '' THEN c.name ELSE coalesce(c.phone, c.lid) END"
ADDRESS = "coalesce(c.phone, c.lid)"
_STATUS = {0: "queued", 1: "sending", 2: "sent", 3: "failed", 4: "cancelled", 5: "unconfirmed"}
_ACK_STATUS = {2: "delivered", 3: "read"}

_COLUMNS = (
    f"o.id, {NAME}, {ADDRESS}, o.class, o.state, o.ack, o.due_at, o.not_before, o.expires_at, o.enqueued_at, o.done_at,"
    " o.attempts, o.source, o.error, o.dedup, o.wa_id, o.body, o.attachment"
)
_FROM = "FROM outbox AS o JOIN contact AS c ON c.id = o.contact_id"


def status_word(state: int, ack: int) -> str:
    """`queued`, `sending`, `sent`, `delivered`, `read`, `failed`, `cancelled` or `unconfirmed`."""
    return _ACK_STATUS.get(ack, "sent") if state == 2 else _STATUS[state]


def read_outbox(con: sqlite3.Connection, state: int, limit: int) -> list[dict[str, Any]]:
    """Messages in one state for `queue list`, those that are due first."""
    order = "o.due_at, o.id" if state == 0 else "o.id"
    rows = con.execute(
        f"SELECT {_COLUMNS} {_FROM} WHERE o.state = {int(state)} ORDER BY {order} LIMIT ?",
        (limit,),
    )
    return [_message(row) for row in rows]


def read_message(con: sqlite3.Connection, message_id: int) -> dict[str, Any] | None:
    """One message with its `history`, the oldest entry first; None if there is none with this id."""
    row = con.execute(f"SELECT {_COLUMNS} {_FROM} WHERE o.id = ?", (message_id,)).fetchone()
    if row is None:
        return None
    return {**_message(row), "history": [asdict(entry) for entry in attempts.of_message(con, message_id)]}


def _message(row: tuple[Any, ...]) -> dict[str, Any]:
    return {
        "id": row[0],
        "contact": row[1],
        "address": row[2],
        "priority": HIGHEST_PRIORITY - row[3],
        "status": status_word(row[4], row[5]),
        "due_at_ms": row[6],
        "not_before_ms": row[7],
        "expires_at_ms": row[8],
        "enqueued_at_ms": row[9],
        "done_at_ms": row[10],
        "attempts": row[11],
        "source": row[12],
        "error": row[13],
        "dedup": row[14],
        "wa_id": row[15],
        "body": with_attachment(row[16], row[17]),
        "attachment": row[17] and {**json.loads(row[17]), "caption": row[16]},
    }
