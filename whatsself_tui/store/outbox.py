"""The queue: enqueue, cancel, expire. Durable from the moment the transaction is committed."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Literal

from whatsself_tui.delivery.limits import REPLY_WINDOW_MS, Quota, class_of
from whatsself_tui.store import contacts, inbox, lanes
from whatsself_tui.store.database import Tx
from whatsself_tui.store.tally import count, scheduled, tally
from whatsself_tui.store.topics import Topic
from whatsself_tui.text import storable

#: Expired messages dropped in one transaction; the next transaction takes the rest.
EXPIRE_BATCH = 500

MANUAL = lanes.MANUAL
"""Source of what a person sends; everything else is automatic."""


BY_HAND = "typed"
"""Source of what a person typed on the phone itself."""


class State(IntEnum):
    """Where an outbound message is."""

    QUEUED = 0
    SENDING = 1
    SENT = 2
    DEAD = 3
    CANCELLED = 4
    UNCONFIRMED = 5


@dataclass(frozen=True, slots=True)
class AttachmentRow:
    """A file that goes out with a message."""

    file: str
    """Its name in the folder of outgoing files."""
    kind: Literal["image", "document", "audio"]
    mimetype: str
    name: str
    """What the contact sees it called."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to be queued."""

    body: str
    """With an attachment its caption, which may be empty."""
    source: str = MANUAL
    priority: int = 5
    """0 to 10, higher goes first."""
    exempt: bool = False
    """Not bounded by the contact's windows (confirmation of an opt-out)."""
    not_before_ms: int | None = None
    expires_at_ms: int | None = None
    dedup: str | None = None
    """Two messages with the same key are one."""
    in_hours: bool = False
    """Goes out only while the business is open."""
    attachment: AttachmentRow | None = None


@dataclass(frozen=True, slots=True)
class Queued:
    """What became of an enqueue."""

    id: int
    is_new: bool
    """False if a message with the same dedup key was there already; `id` is that one's."""


def enqueue(tx: Tx, contact: contacts.Contact, message: Outgoing) -> Queued:
    """Put a message into its contact's lane."""
    queued = _insert(tx, contact, message)
    if queued.is_new:
        if message.source == MANUAL:
            contacts.person_wrote(tx, contact.id)
        message_class = class_of(message.priority)
        tally(tx, f"queued:{message_class}", 1)
        lanes.relane(tx, contact.id, message_class)
        tx.touch(Topic.QUEUE)
    return queued


def enqueue_many(tx: Tx, messages: Iterable[tuple[str, Outgoing]]) -> list[Queued]:
    """Queue (address, message) pairs in one commit; each count and each lane is brought up to date once."""
    people: dict[str, contacts.Contact] = {}
    touched: Counter[tuple[int, int]] = Counter()
    results = []
    for chat, message in messages:
        if chat not in people:
            people[chat] = contacts.at_address(tx, chat)
        queued = _insert(tx, people[chat], message)
        results.append(queued)
        touched[people[chat].id, class_of(message.priority)] += queued.is_new
    by_class: Counter[int] = Counter()
    for (contact_id, message_class), added in touched.items():
        if added:
            by_class[message_class] += added
            lanes.relane(tx, contact_id, message_class)
    for message_class, added in by_class.items():
        tally(tx, f"queued:{message_class}", added)
    if by_class:
        tx.touch(Topic.QUEUE)
    return results


def _insert(tx: Tx, contact: contacts.Contact, message: Outgoing) -> Queued:
    cursor = tx.execute(
        "INSERT INTO outbox"
        " (contact_id, class, quota, due_at, not_before, expires_at, enqueued_at, source, dedup, in_hours, body,"
        " attachment) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            contact.id,
            class_of(message.priority),
            _quota(tx, contact, message),
            max(tx.now_ms, message.not_before_ms or 0),
            message.not_before_ms,
            message.expires_at_ms,
            tx.now_ms,
            message.source,
            message.dedup,
            message.in_hours,
            storable(message.body),
            _stored(message.attachment),
        ),
    )
    if cursor.rowcount == 0 or cursor.lastrowid is None:
        known = tx.execute("SELECT id FROM outbox WHERE dedup = ?", (message.dedup,)).fetchone()
        return Queued(known[0], is_new=False)
    scheduled(tx, message.not_before_ms, 1)
    return Queued(cursor.lastrowid, is_new=True)


def _stored(attachment: AttachmentRow | None) -> str | None:
    if attachment is None:
        return None
    return json.dumps({name: storable(value) for name, value in asdict(attachment).items()}, ensure_ascii=False)


def attachment_of(stored: str | None) -> AttachmentRow | None:
    """What the column `attachment` holds."""
    return None if stored is None else AttachmentRow(**json.loads(stored))


def attachments_in_use(connection: sqlite3.Connection) -> set[str]:
    """Names of the files that some message may still need: all but those of sent and of cancelled messages."""
    rows = connection.execute("SELECT attachment FROM outbox WHERE attachment IS NOT NULL AND state IN (0, 1, 3, 5)")
    return {json.loads(row[0])["file"] for row in rows}


def _quota(tx: Tx, contact: contacts.Contact, message: Outgoing) -> Quota:
    if message.exempt:
        return Quota.EXEMPT
    wrote = contact.last_inbound_at_ms
    if wrote is not None and tx.now_ms - wrote < REPLY_WINDOW_MS:
        return Quota.REPLY
    return Quota.CONTACT


def record_typed(tx: Tx, contact: contacts.Contact, wa_id: str, body: str, written_at_ms: int) -> bool:
    """Keep what a person typed on the phone as sent; False if the robot sent it, or it is kept already.

    What the contact wrote until then is answered thereby: the rules do not see it any more.
    """
    if is_ours(tx.connection, wa_id):
        return False
    typed_at_ms = min(written_at_ms, tx.now_ms)
    tx.execute(
        "INSERT INTO outbox (contact_id, class, quota, due_at, state, ack, wa_id, enqueued_at, done_at, source, body)"
        " VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?)",
        (
            contact.id,
            class_of(5),
            Quota.EXEMPT,
            tx.now_ms,
            State.SENT,
            wa_id,
            tx.now_ms,
            typed_at_ms,
            BY_HAND,
            storable(body),
        ),
    )
    is_answered = inbox.answered_by_hand(tx, contact.id, typed_at_ms)
    contacts.person_wrote(tx, contact.id, None if is_answered else typed_at_ms)
    count(tx, "outbound")
    tx.touch(Topic.MESSAGES)
    return True


def spend_id(tx: Tx, message_id: int) -> None:
    """The message gets another id with its next attempt; what turns up under this one is still known as ours."""
    tx.execute(
        "INSERT INTO spent_id (wa_id, message_id) SELECT wa_id, id FROM outbox WHERE id = ? AND wa_id IS NOT NULL"
        " ON CONFLICT (wa_id) DO NOTHING",
        (message_id,),
    )
    tx.execute("UPDATE outbox SET wa_id = NULL, doubtful = 0 WHERE id = ?", (message_id,))


def is_ours(connection: sqlite3.Connection, wa_id: str) -> bool:
    """Whether the outbox has, or once had, a message under this id."""
    row = connection.execute(
        "SELECT 1 FROM outbox WHERE wa_id = ? UNION ALL SELECT 1 FROM spent_id WHERE wa_id = ?", (wa_id, wa_id)
    ).fetchone()
    return row is not None


def count_sent(tx: Tx, source: str) -> None:
    """Count a message that WhatsApp has, in the statistics of now."""
    count(tx, "outbound")
    if source != MANUAL:
        count(tx, "automated")


def cancel_automatic(tx: Tx, contact_id: int, reason: str) -> int:
    """Cancel what waits for the contact and was not written by a person; returns how many."""
    rows = tx.execute(
        "SELECT id FROM outbox INDEXED BY outbox_lane WHERE state = 0 AND contact_id = ? AND source <> ?",
        (contact_id, MANUAL),
    ).fetchall()
    for (message_id,) in rows:
        drop(tx, message_id, State.CANCELLED, reason)
    return len(rows)


def expire(tx: Tx) -> int:
    """Cancel queued messages whose time is over; returns how many (at most EXPIRE_BATCH)."""
    rows = tx.execute(
        "SELECT id FROM outbox WHERE state = 0 AND expires_at IS NOT NULL AND expires_at <= ?"
        " ORDER BY expires_at LIMIT ?",
        (tx.now_ms, EXPIRE_BATCH),
    ).fetchall()
    for (message_id,) in rows:
        drop(tx, message_id, State.CANCELLED, "expired before it could be sent")
    return len(rows)


def drop(tx: Tx, message_id: int, state: State, reason: str) -> None:
    """Take a queued message out of its lane without sending it."""
    contact_id, message_class, not_before = tx.execute(
        "UPDATE outbox SET state = ?, done_at = ?, error = ? WHERE id = ? AND state = 0"
        " RETURNING contact_id, class, not_before",
        (state, tx.now_ms, reason, message_id),
    ).fetchone()
    tally(tx, f"queued:{message_class}", -1)
    scheduled(tx, not_before, -1)
    if state is State.DEAD:
        tally(tx, "dead", 1)
    lanes.relane(tx, contact_id, message_class)
    tx.touch(Topic.QUEUE, Topic.MESSAGES)
