"""Claim, finish, recover: a message leaves the queue with its intent on disk before it is sent.

Every function is one part of a transaction, and every `finish` of a claim is idempotent: a late or
repeated report changes nothing.
"""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import dataclass

from whatsself_tui.delivery.circuit import Policy
from whatsself_tui.delivery.limits import NEVER, Limits, Quota
from whatsself_tui.phones import address
from whatsself_tui.store import attempts, breaker, lanes, outbox, pace
from whatsself_tui.store.acknowledgements import acknowledged as acknowledged
from whatsself_tui.store.database import Tx
from whatsself_tui.store.outbox import AttachmentRow, State, attachment_of
from whatsself_tui.store.tally import count, scheduled, tally
from whatsself_tui.store.topics import Topic

#: The breaker's numbers where a caller has no others.
DEFAULT_POLICY = Policy()

#: How long a message whose earlier attempt may have arrived waits for a look-up that can tell.
DOUBT_MS = 600_000

#: What the history says of an attempt that nobody answered.
NO_ANSWER = "no answer"

#: Heads found to be unsendable that one transaction drops before it lets others write.
DROP_BATCH = 100

_CLAIMED = (
    "SELECT o.id, o.contact_id, o.class, c.phone, c.lid, o.wa_id, o.body, o.attempts, o.claimed_at,"
    " o.doubtful, o.attachment"
    " FROM outbox AS o JOIN contact AS c ON c.id = o.contact_id WHERE o.state = 1 ORDER BY o.id"
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A message about to be sent, or found in flight after a crash."""

    id: int
    contact_id: int
    message_class: int
    chat: str
    wa_id: str
    """WhatsApp message id, chosen before the first attempt and the same for all."""
    body: str
    attempt: int
    """1 for the first."""
    claimed_at_ms: int
    generation: int
    """The breaker's, at the claim; -1 for a claim of an earlier process."""
    doubtful: bool = False
    """Whether an earlier attempt under this id had no answer, so that it may have arrived since."""
    attachment: AttachmentRow | None = None
    """A file that goes with it; `body` is its caption then."""


@dataclass(frozen=True, slots=True)
class Typing:
    """Somebody types: what a contact is to see before a message comes."""

    message_id: int
    chat: str
    from_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class Step:
    """What the dispatcher does next: send the claim, or sleep until `wake_at_ms`."""

    claim: Claim | None
    wake_at_ms: int | None
    """None: nothing but an event can change anything."""
    typing: Typing | None = None
    """Only while a message is prepared."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    head: lanes.Head
    chat: str
    text_length: int


def step(
    tx: Tx, limits: Limits, may_send: bool, policy: Policy = DEFAULT_POLICY, plan: pace.Planner | None = None
) -> Step:
    """Drop what has expired, prepare or claim what may go now, else say when to look again.

    Nothing is claimed unless `may_send` (connected), nor while the robot is paused or the breaker open.
    With a `plan` a message is prepared first for as long as it says; without one it goes at once.
    """
    if outbox.expire(tx) == outbox.EXPIRE_BATCH:
        return Step(None, tx.now_ms)
    may_send = may_send and not tx.execute("SELECT paused FROM robot").fetchone()[0]
    candidate = _candidate(tx, limits, policy) if may_send else None
    if candidate is None or plan is None:
        pace.forget(tx)
    elif (prepared := pace.prepare(tx, candidate.head.message_id, candidate.text_length, plan)).send_at_ms > tx.now_ms:
        typing = Typing(prepared.message_id, candidate.chat, prepared.typing_at_ms, prepared.send_at_ms)
        return Step(None, min(prepared.send_at_ms, _next_expiry(tx.connection)), typing)
    if candidate is not None:
        return Step(_claim(tx, candidate.head, limits, policy), None)
    wake_at = _next_expiry(tx.connection)
    if may_send:
        wake_at = min(wake_at, wake_up(tx.connection, tx.now_ms, limits, policy))
    return Step(None, None if wake_at >= NEVER else wake_at)


def wake_up(connection: sqlite3.Connection, now_ms: int, limits: Limits, policy: Policy) -> int:
    """When the next message may go: windows, schedules, holds and the breaker; NEVER if only an event can tell."""
    earliest = lanes.pick(connection, now_ms, limits).earliest_ms
    gates = lanes.minute_free_at(connection, limits), breaker.gate(connection, policy, now_ms)
    return min(NEVER, max(earliest, *gates))


def _next_expiry(connection: sqlite3.Connection) -> int:
    row = connection.execute(
        "SELECT expires_at FROM outbox WHERE state = 0 AND expires_at IS NOT NULL ORDER BY expires_at LIMIT 1"
    ).fetchone()
    return row[0] if row else NEVER


def _candidate(tx: Tx, limits: Limits, policy: Policy) -> _Candidate | None:
    """What may go now; heads of contacts who have opted out meanwhile become dead letters."""
    if lanes.minute_free_at(tx.connection, limits) > tx.now_ms or breaker.gate(tx.connection, policy, tx.now_ms):
        return None
    for _ in range(DROP_BATCH):
        head = lanes.pick(tx.connection, tx.now_ms, limits).best
        if head is None:
            return None
        quota, consent, phone, lid, text_length = tx.execute(
            "SELECT o.quota, c.consent, c.phone, c.lid, length(o.body)"
            " FROM outbox AS o JOIN contact AS c ON c.id = o.contact_id WHERE o.id = ?",
            (head.message_id,),
        ).fetchone()
        if consent != "out" or quota == Quota.EXEMPT:
            return _Candidate(head, address(phone, lid), text_length)
        outbox.drop(tx, head.message_id, State.DEAD, "the contact has opted out")
        count(tx, "failed")
    return None


def _claim(tx: Tx, head: lanes.Head, limits: Limits, policy: Policy) -> Claim:
    """The durable intent: id chosen, attempt counted, windows charged; only then is anything sent."""
    wa_id, body, attachment, attempt, doubtful, not_before, phone, lid = tx.execute(
        "UPDATE outbox SET state = 1, attempts = attempts + 1, claimed_at = ?, wa_id = coalesce(wa_id, ?)"
        " WHERE id = ? AND state = 0 RETURNING wa_id, body, attachment, attempts, doubtful, not_before,"
        " (SELECT phone FROM contact WHERE id = contact_id), (SELECT lid FROM contact WHERE id = contact_id)",
        (tx.now_ms, f"3EB0{secrets.token_hex(9).upper()}", head.message_id),
    ).fetchone()
    pace.forget(tx)
    lanes.charge(tx, head, limits)
    tally(tx, f"queued:{head.message_class}", -1)
    tally(tx, "sending", 1)
    scheduled(tx, not_before, -1)
    lanes.relane_contact(tx, head.contact_id)
    tx.touch(Topic.QUEUE, Topic.LIMITS, Topic.MESSAGES)
    return Claim(
        id=head.message_id,
        contact_id=head.contact_id,
        message_class=head.message_class,
        chat=address(phone, lid),
        wa_id=wa_id,
        body=body,
        attempt=attempt,
        claimed_at_ms=tx.now_ms,
        generation=breaker.claim(tx, policy),
        doubtful=bool(doubtful),
        attachment=attachment_of(attachment),
    )


def in_flight(connection: sqlite3.Connection) -> list[Claim]:
    """Claims without an outcome: what a crash left, looked at before anything new is claimed."""
    found = []
    for row in connection.execute(_CLAIMED):
        id_, contact_id, message_class, phone, lid, wa_id, body, attempt, claimed_at, doubtful, attachment = row
        found.append(
            Claim(
                id=id_,
                contact_id=contact_id,
                message_class=message_class,
                chat=address(phone, lid),
                wa_id=wa_id,
                body=body,
                attempt=attempt,
                claimed_at_ms=claimed_at,
                generation=-1,
                doubtful=bool(doubtful),
                attachment=attachment_of(attachment),
            )
        )
    return found


def sent(tx: Tx, claim: Claim, policy: Policy = DEFAULT_POLICY) -> bool:
    """WhatsApp has it."""
    if not _has_left(tx, claim):
        return False
    breaker.outcome(tx, policy, True, claim.generation)
    return True


def _has_left(tx: Tx, claim: Claim) -> bool:
    if not _leave(tx, claim, State.SENT, ""):
        return False
    (source,) = tx.execute("UPDATE outbox SET ack = max(ack, 1) WHERE id = ? RETURNING source", (claim.id,)).fetchone()
    outbox.count_sent(tx, source)
    return True


def failed(tx: Tx, claim: Claim, reason: str, *, counts: bool, policy: Policy = DEFAULT_POLICY) -> bool:
    """It will not be tried again: a dead letter. `counts`: the failure says something about WhatsApp."""
    if not _leave(tx, claim, State.DEAD, reason):
        return False
    attempts.note(tx, claim.id, claim.attempt, "failed", reason)
    tally(tx, "dead", 1)
    count(tx, "failed")
    _failed(tx, claim, counts, policy)
    return True


def retry(tx: Tx, claim: Claim, reason: str, delay_ms: int, *, counts: bool, policy: Policy = DEFAULT_POLICY) -> bool:
    """Refused: back to its place in the lane, which waits for `delay_ms`."""
    if _was_acknowledged(tx, claim):
        return True
    if not _requeue(tx, claim, reason, retry_at_ms=tx.now_ms + delay_ms, attempts=claim.attempt):
        return False
    attempts.note(tx, claim.id, claim.attempt, "retry", reason)
    _failed(tx, claim, counts, policy)
    return True


def never_left(tx: Tx, claim: Claim) -> bool:
    """WhatsApp certainly does not have it: queued again under the same id, the attempt refunded.

    The windows stay charged, and before the repetition it is looked up once more: something may have been
    on its way when the process died.
    """
    if _was_acknowledged(tx, claim):
        return True
    breaker.released(tx, claim.generation)
    doubt(tx, claim)
    return _requeue(tx, claim, "", retry_at_ms=0, attempts=claim.attempt - 1)


def doubt(tx: Tx, claim: Claim) -> None:
    """An attempt had no answer: it may arrive late, so it is looked up before it is repeated."""
    if tx.execute("UPDATE outbox SET doubtful = 1 WHERE id = ? AND state = 1", (claim.id,)).rowcount:
        attempts.note(tx, claim.id, claim.attempt, NO_ANSWER, "")


def still_in_doubt(tx: Tx, claim: Claim, limits: Limits, delay_ms: int) -> bool:
    """The look-up before a repetition cannot tell: asked again after `delay_ms`, for `DOUBT_MS` in all."""
    if _was_acknowledged(tx, claim):
        return True
    (since_ms,) = tx.execute(
        "SELECT max(at) FROM attempt WHERE message_id = ? AND result = ?", (claim.id, NO_ANSWER)
    ).fetchone()
    if since_ms is not None and tx.now_ms - since_ms >= DOUBT_MS:
        return unconfirmed(tx, claim, "no look-up could tell whether an earlier attempt has arrived")
    return postpone(tx, claim, limits, "waits until a look-up shows whether an earlier attempt has arrived", delay_ms)


def spend_id(tx: Tx, claim: Claim) -> None:
    """WhatsApp knows the id as that of a failed message: the next attempt gets another."""
    if tx.execute("SELECT 1 FROM outbox WHERE id = ? AND state = 1", (claim.id,)).fetchone():
        outbox.spend_id(tx, claim.id)


def left_open(tx: Tx, claim: Claim) -> bool:
    """Nobody could be asked what became of it: it stays in flight, to be looked up once there is a connection."""
    breaker.released(tx, claim.generation)
    return True


def postpone(tx: Tx, claim: Claim, limits: Limits, reason: str, delay_ms: int) -> bool:
    """Nothing was attempted: back to its place for `delay_ms`, attempt and windows refunded."""
    breaker.released(tx, claim.generation)
    lanes.refund(tx, _contact_of(tx, claim), claim.id, claim.claimed_at_ms, limits)
    return _requeue(tx, claim, reason, retry_at_ms=tx.now_ms + delay_ms, attempts=claim.attempt - 1)


def unconfirmed(tx: Tx, claim: Claim, reason: str) -> bool:
    """Nobody can tell whether WhatsApp has it: an operator decides, it is never sent again by itself."""
    if _was_acknowledged(tx, claim):
        return True
    if not _leave(tx, claim, State.UNCONFIRMED, reason):
        return False
    attempts.note(tx, claim.id, claim.attempt, "unconfirmed", reason)
    tally(tx, "unconfirmed", 1)
    breaker.released(tx, claim.generation)
    return True


def _was_acknowledged(tx: Tx, claim: Claim) -> bool:
    """Whether WhatsApp acknowledged it while it was in flight: then it is sent, whatever else is said of it."""
    row = tx.execute("SELECT 1 FROM outbox WHERE id = ? AND state = 1 AND ack > 0", (claim.id,)).fetchone()
    if row is None:
        return False
    breaker.released(tx, claim.generation)
    return _has_left(tx, claim)


def _failed(tx: Tx, claim: Claim, counts: bool, policy: Policy) -> None:
    if counts:
        breaker.outcome(tx, policy, False, claim.generation)
    else:
        breaker.released(tx, claim.generation)


def _leave(tx: Tx, claim: Claim, state: State, error: str) -> bool:
    changed = tx.execute(
        "UPDATE outbox SET state = ?, done_at = ?, error = ? WHERE id = ? AND state = 1",
        (state, tx.now_ms, error, claim.id),
    ).rowcount
    if changed:
        _release(tx, claim)
    return changed > 0


def _requeue(tx: Tx, claim: Claim, error: str, *, retry_at_ms: int, attempts: int) -> bool:
    row = tx.execute(
        "UPDATE outbox SET state = 0, error = ?, retry_at = ?, attempts = ? WHERE id = ? AND state = 1"
        " RETURNING not_before",
        (error, retry_at_ms, attempts, claim.id),
    ).fetchone()
    if row is None:
        return False
    tally(tx, f"queued:{claim.message_class}", 1)
    scheduled(tx, row[0], 1)
    _release(tx, claim)
    return True


def _release(tx: Tx, claim: Claim) -> None:
    tally(tx, "sending", -1)
    lanes.discharge(tx, _contact_of(tx, claim), claim.message_class)
    tx.touch(Topic.QUEUE, Topic.MESSAGES)


def _contact_of(tx: Tx, claim: Claim) -> int:
    """Whose message it is now: since the claim its contact may have turned out to be another one, too."""
    row = tx.execute("SELECT contact_id FROM outbox WHERE id = ?", (claim.id,)).fetchone()
    return int(row[0])
