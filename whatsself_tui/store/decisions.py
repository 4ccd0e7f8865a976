"""What the operator decides about single messages: send again, take out, give up, confirm.

Each function is one part of a transaction; it returns why it cannot be done, or nothing once it is.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Final

from whatsself_tui.delivery.limits import Quota
from whatsself_tui.store import attempts, lanes, outbox
from whatsself_tui.store.database import Tx
from whatsself_tui.store.outbox import State
from whatsself_tui.store.tally import scheduled, tally
from whatsself_tui.store.topics import Topic

_IS: Final = {
    State.QUEUED: "waits in the queue",
    State.SENDING: "is being sent",
    State.SENT: "is sent",
    State.DEAD: "has failed",
    State.CANCELLED: "is cancelled",
    State.UNCONFIRMED: "is unconfirmed",
}

Decision = Callable[[Tx, int], str]


def retry(tx: Tx, message_id: int) -> str:
    """Queue a dead or unconfirmed message again, behind what its contact already waits for.

    A dead letter keeps its WhatsApp id; an unconfirmed one gets another: the operator has decided that
    the first did not arrive.
    """
    state = _state(tx.connection, message_id)
    if state not in (State.DEAD, State.UNCONFIRMED):
        return _refusal(message_id, state)
    expires_at, quota, consent, wa_id = tx.execute(
        "SELECT o.expires_at, o.quota, c.consent, o.wa_id FROM outbox AS o JOIN contact AS c ON c.id = o.contact_id"
        " WHERE o.id = ?",
        (message_id,),
    ).fetchone()
    if expires_at is not None and expires_at <= tx.now_ms:
        return f"Message {message_id} has expired."
    if consent == "out" and quota != Quota.EXEMPT:
        return f"Message {message_id} is to a contact who has opted out."
    if state is State.UNCONFIRMED:
        outbox.spend_id(tx, message_id)
    contact_id, message_class, not_before = tx.execute(
        "UPDATE outbox SET state = 0, attempts = 0, retry_at = 0, error = '', done_at = NULL,"
        " due_at = max(?, coalesce(not_before, 0))"
        " WHERE id = ? RETURNING contact_id, class, not_before",
        (tx.now_ms, message_id),
    ).fetchone()
    tally(tx, _tally_of(state), -1)
    tally(tx, f"queued:{message_class}", 1)
    scheduled(tx, not_before, 1)
    lanes.relane(tx, contact_id, message_class)
    was = f"was unconfirmed under the id {wa_id}" if state is State.UNCONFIRMED else ""
    return _decided(tx, message_id, "queued again", was)


def cancel(tx: Tx, message_id: int) -> str:
    """Take a waiting message out of the queue."""
    state = _state(tx.connection, message_id)
    if state is not State.QUEUED:
        return _refusal(message_id, state)
    outbox.drop(tx, message_id, State.CANCELLED, "cancelled by the operator")
    return _decided(tx, message_id, "cancelled", "")


def discard(tx: Tx, message_id: int) -> str:
    """Give a dead or unconfirmed message up; its reason stays with it."""
    state = _state(tx.connection, message_id)
    if state not in (State.DEAD, State.UNCONFIRMED):
        return _refusal(message_id, state)
    tx.execute("UPDATE outbox SET state = 4, error = 'discarded: ' || error WHERE id = ?", (message_id,))
    tally(tx, _tally_of(state), -1)
    return _decided(tx, message_id, "discarded", "")


def confirm(tx: Tx, message_id: int) -> str:
    """An unconfirmed message has arrived, as the operator has seen."""
    state = _state(tx.connection, message_id)
    if state is not State.UNCONFIRMED:
        return _refusal(message_id, state)
    (source,) = tx.execute(
        "UPDATE outbox SET state = 2, ack = max(ack, 1), error = '' WHERE id = ? RETURNING source", (message_id,)
    ).fetchone()
    tally(tx, "unconfirmed", -1)
    outbox.count_sent(tx, source)
    return _decided(tx, message_id, "confirmed", "")


#: Name of a decision → (what does it, the state whose messages "all" means, the word for it in a sentence).
DECISIONS: Final[dict[str, tuple[Decision, State, str]]] = {
    "retry": (retry, State.DEAD, "queued again"),
    "cancel": (cancel, State.QUEUED, "cancelled"),
    "discard": (discard, State.DEAD, "discarded"),
    "confirm": (confirm, State.UNCONFIRMED, "confirmed as sent"),
}


def in_state(connection: sqlite3.Connection, state: State, after_id: int, limit: int) -> list[int]:
    """Ids of messages in a state, in their order, beginning behind `after_id`."""
    # No index holds waiting messages by id: without one the rows are passed in order, each once over all batches.
    how = "NOT INDEXED" if state is State.QUEUED else ""
    rows = connection.execute(
        f"SELECT id FROM outbox {how} WHERE state = {int(state)} AND id > ? ORDER BY id LIMIT ?", (after_id, limit)
    )
    return [row[0] for row in rows]


def _state(connection: sqlite3.Connection, message_id: int) -> State | None:
    row = connection.execute("SELECT state FROM outbox WHERE id = ?", (message_id,)).fetchone()
    return None if row is None else State(row[0])


def _refusal(message_id: int, state: State | None) -> str:
    return f"There is no message {message_id}." if state is None else f"Message {message_id} {_IS[state]}."


def _tally_of(state: State) -> str:
    return "dead" if state is State.DEAD else "unconfirmed"


def _decided(tx: Tx, message_id: int, result: str, reason: str) -> str:
    attempts.note(tx, message_id, attempts.BY_OPERATOR, result, reason)
    tx.touch(Topic.QUEUE, Topic.MESSAGES)
    return ""
