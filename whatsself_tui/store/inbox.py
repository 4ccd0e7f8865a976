"""Received messages: stored on arrival under WhatsApp's id, handled once; edited or taken back by their sender."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from whatsself_tui.store import contacts
from whatsself_tui.store.database import Tx
from whatsself_tui.store.outbox_views import ADDRESS, NAME
from whatsself_tui.store.tally import count, decided
from whatsself_tui.store.topics import Topic
from whatsself_tui.text import storable

#: A name of a file or a type that is longer is cut: file systems allow 255.
MAX_MEDIA_NAME = 255


@dataclass(frozen=True, slots=True)
class PendingMessage:
    """A stored message the rules have not seen."""

    id: int
    body: str
    kind: str
    written_at_ms: int
    received_at_ms: int


@dataclass(frozen=True, slots=True)
class MediaRow:
    """What is known of a medium without fetching it; all of it foreign text."""

    mimetype: str = ""
    file_name: str = ""
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class ReceivedMedium:
    """A received message with a medium."""

    id: int
    contact: str
    """Display name, else phone, else LID."""
    address: str
    """Phone digits or LID."""
    kind: str
    """`image`, `audio`, `video`, `document`, …"""
    mimetype: str
    file_name: str
    size_bytes: int | None
    written_at_ms: int
    key: str
    """WhatsApp's full id, by which it can be fetched; empty if WhatsApp told none."""


def record(
    tx: Tx,
    *,
    wa_id: str,
    chat: str,
    name: str,
    body: str,
    kind: str,
    written_at_ms: int,
    other: str = "",
    key: str = "",
    media: MediaRow | None = None,
) -> int | None:
    """Store an arrived message as pending; returns its contact's row id, None if it was known.

    `other` is the same person's other address, `key` WhatsApp's full id, by which a medium can be fetched.
    Raises ValueError for a chat that is no person's.
    """
    if tx.execute("SELECT 1 FROM inbox WHERE wa_id = ?", (wa_id,)).fetchone():
        return None
    contact = contacts.at_address(tx, chat, storable(name), other)
    tx.execute(
        "INSERT INTO inbox (wa_id, contact_id, written_at, received_at, kind, body, wa_key, mimetype, file_name,"
        " size_bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            wa_id,
            contact.id,
            written_at_ms,
            tx.now_ms,
            kind,
            storable(body),
            key,
            None if media is None else storable(media.mimetype)[:MAX_MEDIA_NAME],
            "" if media is None else storable(media.file_name)[:MAX_MEDIA_NAME],
            None if media is None else media.size_bytes,
        ),
    )
    contacts.wrote(tx, contact)
    count(tx, "inbound")
    tx.touch(Topic.MESSAGES)
    return contact.id


def edit(tx: Tx, wa_id: str, body: str, at_ms: int) -> int | None:
    """The sender has changed a message: its contact's row id, None if nothing changed.

    The first text is kept. The rules see the new one, unless they have decided already: that stands. An edit that
    is older than a known one, or of a message that was taken back, changes nothing.
    """
    row = tx.execute(
        "UPDATE inbox SET original = coalesce(original, body), body = ?, edited_at = ?"
        " WHERE wa_id = ? AND body <> ? AND coalesce(edited_at, 0) <= ? AND revoked_at IS NULL RETURNING contact_id",
        (storable(body), at_ms, wa_id, storable(body), at_ms),
    ).fetchone()
    if row is None:
        return None
    tx.touch(Topic.MESSAGES)
    return int(row[0])


def revoke(tx: Tx, wa_id: str, at_ms: int) -> int | None:
    """The sender has taken a message back: its contact's row id, None if it is unknown or taken back already.

    Its text is kept for the operator; if nobody has decided about it, nobody does any more.
    """
    row = tx.execute(
        "UPDATE inbox SET revoked_at = ? WHERE wa_id = ? AND revoked_at IS NULL RETURNING id, contact_id, state",
        (at_ms, wa_id),
    ).fetchone()
    if row is None:
        return None
    message_id, contact_id, is_handled = row
    if not is_handled:
        mark_handled(tx, message_id, "revoked", "The contact took the message back before it was answered.")
        decided(tx, "revoked", ())
    tx.touch(Topic.MESSAGES)
    return int(contact_id)


def answered_by_hand(tx: Tx, contact_id: int, until_ms: int) -> bool:
    """A person has answered what the contact wrote until then; whether the contact has written nothing since."""
    rows = tx.execute(
        "SELECT id FROM inbox INDEXED BY inbox_pending WHERE state = 0 AND contact_id = ? AND written_at <= ?",
        (contact_id, until_ms),
    ).fetchall()
    for (message_id,) in rows:
        mark_handled(tx, message_id, "human", "A person has answered on the phone.")
    last = tx.execute(
        "SELECT written_at FROM inbox WHERE contact_id = ? ORDER BY id DESC LIMIT 1", (contact_id,)
    ).fetchone()
    return last is None or last[0] <= until_ms


def contacts_with_pending(connection: sqlite3.Connection) -> list[int]:
    """Contacts somebody has to look after, the earliest message first."""
    rows = connection.execute("SELECT contact_id FROM inbox WHERE state = 0 GROUP BY contact_id ORDER BY min(id)")
    return [row[0] for row in rows]


def pending_of(tx: Tx, contact_id: int) -> list[PendingMessage]:
    """The contact's messages the rules have not seen, in the order they arrived."""
    rows = tx.execute(
        "SELECT id, body, kind, written_at, received_at FROM inbox INDEXED BY inbox_pending"
        " WHERE state = 0 AND contact_id = ? ORDER BY id",
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


_MEDIA = (
    f"SELECT i.id, {NAME}, {ADDRESS}, i.kind, i.mimetype, i.file_name, i.size_bytes, i.written_at, i.wa_key"
    " FROM inbox AS i JOIN contact AS c ON c.id = i.contact_id WHERE i.mimetype IS NOT NULL"
)


def media_list(connection: sqlite3.Connection, limit: int) -> list[ReceivedMedium]:
    """The received media that were recorded last, the newest first."""
    rows = connection.execute(f"{_MEDIA} ORDER BY i.id DESC LIMIT ?", (limit,))
    return [ReceivedMedium(*row) for row in rows]


def media_by_id(connection: sqlite3.Connection, message_id: int) -> ReceivedMedium | None:
    """The medium of one message; None if there is no such message, or it has none."""
    row = connection.execute(f"{_MEDIA} AND i.id = ?", (message_id,)).fetchone()
    return None if row is None else ReceivedMedium(*row)
