"""Contacts for lists and details: dictionaries with the keys that `--json` prints. Names in them are foreign."""

from __future__ import annotations

import json
import sqlite3
from typing import Any, Literal

from whatsself_tui.store import identities

Which = Literal["all", "waiting", "handed_over", "opted_out"]

#: SQL of the condition that a contact is left to a person who has not answered yet.
WAITING = "handover_reason IS NOT NULL AND last_inbound_at > coalesce(person_at, 0)"

_WHICH: dict[Which, str] = {
    "all": "1",
    "waiting": WAITING,
    "handed_over": "handover_reason IS NOT NULL",
    "opted_out": "consent = 'out'",
}

_COLUMNS = (
    "id, phone, lid, name, consent, consent_at, first_seen_at, last_inbound_at, person_at, handover_reason,"
    " handover_until, unmatched"
)


def read_contacts(con: sqlite3.Connection, which: Which, limit: int) -> list[dict[str, Any]]:
    """Contacts of one kind, those that wrote last first."""
    order = "ORDER BY last_inbound_at DESC, id DESC LIMIT ?"
    rows = con.execute(f"SELECT {_COLUMNS} FROM contact WHERE {_WHICH[which]} {order}", (limit,))
    return [_contact(row) for row in rows]


def read_contact(con: sqlite3.Connection, column: Literal["phone", "lid"], value: str) -> dict[str, Any] | None:
    """One contact with its place in a flow and what waits for it, by any of its addresses; None if it is not known."""
    row = con.execute(
        f"SELECT {_COLUMNS} FROM contact"
        f" WHERE {column} = ? OR id = (SELECT contact_id FROM contact_alias WHERE address = ?)",
        (value, value),
    ).fetchone()
    if row is None:
        return None
    contact_id = row[0]
    flow = con.execute(
        "SELECT flow, step, collected, expires_at FROM contact_flow WHERE contact_id = ?", (contact_id,)
    ).fetchone()
    (queued,) = con.execute(
        "SELECT count(*) FROM"
        " (SELECT 1 FROM outbox INDEXED BY outbox_lane WHERE state = 0 AND contact_id = ? LIMIT 10000)",
        (contact_id,),
    ).fetchone()
    return {
        **_contact(row),
        "aliases": identities.aliases_of(con, contact_id),
        "queued": queued,
        "flow": flow and {"flow": flow[0], "step": flow[1], "collected": json.loads(flow[2]), "expires_at_ms": flow[3]},
    }


def _contact(row: tuple[Any, ...]) -> dict[str, Any]:
    return {
        "phone": row[1],
        "lid": row[2],
        "name": row[3],
        "consent": row[4],
        "consent_at_ms": row[5],
        "first_seen_at_ms": row[6],
        "last_inbound_at_ms": row[7],
        "person_at_ms": row[8],
        "handed_over": row[9],
        "handed_over_until_ms": row[10],
        "waits_for_a_person": row[9] is not None and (row[7] or 0) > (row[8] or 0),
        "unmatched": row[11],
    }
