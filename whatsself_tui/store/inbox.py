"""Received messages: stored on arrival under WhatsApp's id, handled once."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from whatsself_tui.store import contacts
from whatsself_tui.store.database import Tx
from whatsself_tui.store.tally import count
from whatsself_tui.store.topics import Topic
from whatsself_tui.text import storable


@dataclass(frozen=True, slots=True)
class PendingMessage:
    """A stored message the rules have not seen."""

    id: int
    body: str
    kind: str
    written_at_ms: int
    received_at_ms: int


def record(tx: Tx, *, wa_id: str, chat: str, name: str, body: str, kind: str, written_at_ms: int) -> int | None:
    """Store an arrived message as pending; returns its contact's row id, None if it was known.

    Raises ValueError for a chat that is no person's.
    """
    if tx.execute("SELECT 1 FROM inbox WHERE wa_id = ?", (wa_id,)).fetchone():
        return None
    contact = contacts.at_address(tx, chat, storable(name))
    tx.execute(
        "INSERT INTO inbox (wa_id, contact_id, written_at, received_at, kind, body) VALUES (?, ?, ?, ?, ?, ?)",
        (wa_id, contact.id, written_at_ms, tx.now_ms, kind, storable(body)),
    )
    contacts.wrote(tx, contact)
    count(tx, "inbound")
    tx.touch(Topic.MESSAGES)
    return contact.id


def contacts_with_pending(connection: sqlite3.Connection) -> list[int]:
    """Contacts somebody has to look after, the earliest message first."""
    rows = connection.execute("SELECT contact_id FROM inbox WHERE state = 0 GROUP BY contact_id ORDER BY min(id)")
    return [row[0] for row in rows]


def pending_of(tx: Tx, contact_id: int) -> list[PendingMessage]:
    """The contact's messages the rules have not seen, in the order they arrived."""
    rows = tx.execute(
        "SELECT id, body, kind, written_at, received_at FROM inbox WHERE state = 0 AND contact_id = ? ORDER BY id",
        (contact_id,),
    )
    return [PendingMessage(*row) for row in rows.fetchall()]


def mark_handled(tx: Tx, message_id: int, rule: str, explanation: str) -> None:
    """Note which rule decided, and why."""
    tx.execute(
        "UPDATE inbox SET state = 1, handled_at = ?, rule = ?, explanation = ? WHERE id = ?",
        (tx.now_ms, rule, explanation, message_id),
    )
    tx.touch(Topic.MESSAGES)
