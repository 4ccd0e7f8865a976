"""What WhatsApp says of a message later: that it has it, delivered it, showed it; at times after it was given up."""

from __future__ import annotations

from whatsself_tui.phones import address
from whatsself_tui.store import attempts, lanes, outbox
from whatsself_tui.store.database import Tx
from whatsself_tui.store.outbox import State
from whatsself_tui.store.tally import count, scheduled, tally
from whatsself_tui.store.topics import Topic

#: Older messages are hardly read any more; more of them would take long to ask for.
UNREAD_MS = 2 * 86_400_000
MOST_UNREAD = 300

#: What the history says of a message that arrived after it had been put back or given up.
ARRIVED_LATE = "arrived late"


def acknowledged(tx: Tx, wa_id: str, ack: int) -> bool:
    """Raise the status of a message that WhatsApp has (1), delivered (2) or showed (3); it is never lowered.

    A message that was put back or given up has arrived after all: it counts as sent and never goes again. One
    that was cancelled meanwhile stays so, and its history tells.
    """
    if ack < 1:
        return False
    row = tx.execute("SELECT id, state, ack FROM outbox WHERE wa_id = ?", (wa_id,)).fetchone() or _spent(tx, wa_id)
    if row is None:
        return False
    message_id, state, known = row[0], State(row[1]), row[2]
    if state in (State.QUEUED, State.DEAD, State.UNCONFIRMED):
        _arrived_late(tx, message_id, state)
    elif known >= ack:
        return False
    elif state is State.CANCELLED and not known:
        attempts.note(tx, message_id, _attempt(tx, message_id), ARRIVED_LATE, "it had been cancelled")
    tx.execute("UPDATE outbox SET ack = max(ack, ?) WHERE id = ?", (ack, message_id))
    for level, counter in ((2, "delivered"), (3, "read")):
        if known < level <= ack and state is not State.CANCELLED:
            count(tx, counter)
    tx.touch(Topic.MESSAGES)
    return True


def unread(tx: Tx) -> list[tuple[str, str]]:
    """(address, WhatsApp id) of messages of the last days that may have come further than is known, the newest first.

    Those nobody knows of are among them: they may have arrived after all.
    """
    rows = tx.execute(
        "SELECT c.phone, c.lid, o.wa_id FROM outbox AS o JOIN contact AS c ON c.id = o.contact_id"
        " WHERE o.done_at > ? AND o.state IN (2, 5) AND o.ack < 3 AND o.wa_id IS NOT NULL AND o.source <> ?"
        " ORDER BY o.done_at DESC, o.id DESC LIMIT ?",
        (tx.now_ms - UNREAD_MS, outbox.BY_HAND, MOST_UNREAD),
    )
    return [(address(phone, lid), wa_id) for phone, lid, wa_id in rows.fetchall()]


def _spent(tx: Tx, wa_id: str) -> tuple[int, int, int] | None:
    """(id, state, ack) of the message that was tried under this id first and has it again; None if there is none.

    If the other attempt was made meanwhile, the contact has it twice: its history tells.
    """
    row = tx.execute(
        "SELECT o.id, o.state, o.ack FROM spent_id AS s JOIN outbox AS o ON o.id = s.message_id WHERE s.wa_id = ?",
        (wa_id,),
    ).fetchone()
    if row is None:
        return None
    message_id, state, ack = row
    if state in (State.SENDING, State.SENT):
        told = "SELECT 1 FROM attempt WHERE message_id = ? AND result = ?"
        if tx.execute(told, (message_id, ARRIVED_LATE)).fetchone() is None:
            attempts.note(tx, message_id, 1, ARRIVED_LATE, "an earlier attempt; the contact may have it twice")
            tx.touch(Topic.MESSAGES)
        return None
    outbox.spend_id(tx, message_id)
    tx.execute("DELETE FROM spent_id WHERE wa_id = ?", (wa_id,))
    tx.execute("UPDATE outbox SET wa_id = ? WHERE id = ?", (wa_id, message_id))
    return message_id, state, ack


def _arrived_late(tx: Tx, message_id: int, state: State) -> None:
    """The attempt without an answer that was put back, or given up, did reach WhatsApp."""
    contact_id, message_class, not_before, source = tx.execute(
        "UPDATE outbox SET state = 2, done_at = ?, error = '' WHERE id = ?"
        " RETURNING contact_id, class, not_before, source",
        (tx.now_ms, message_id),
    ).fetchone()
    if state is State.QUEUED:
        tally(tx, f"queued:{message_class}", -1)
        scheduled(tx, not_before, -1)
        lanes.relane(tx, contact_id, message_class)
    else:
        tally(tx, "dead" if state is State.DEAD else "unconfirmed", -1)
    outbox.count_sent(tx, source)
    attempts.note(tx, message_id, _attempt(tx, message_id), ARRIVED_LATE, "")
    tx.touch(Topic.QUEUE)


def _attempt(tx: Tx, message_id: int) -> int:
    """Number of the last attempt, at least the first: one that was given back had a number, too."""
    (number,) = tx.execute("SELECT attempts FROM outbox WHERE id = ?", (message_id,)).fetchone()
    return max(1, int(number))
