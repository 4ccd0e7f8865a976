"""The queue as a pane or `status` shows it: the backlog, who is next, when, and what that waits for."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import TYPE_CHECKING

from whatsself_tui.delivery.circuit import State
from whatsself_tui.delivery.limits import HIGHEST_PRIORITY, NEVER, Gate, Limits, score
from whatsself_tui.store import breaker, lanes, pace, tally
from whatsself_tui.store.outbox_views import ADDRESS, NAME
from whatsself_tui.store.readings import QueueReading, WaitingMessage
from whatsself_tui.store.shown_text import with_attachment
from whatsself_tui.store.terms import limits_of, policy_of
from whatsself_tui.store.views import read_robot

if TYPE_CHECKING:
    from whatsself_tui.config.schema import Settings

#: Lanes shown as next up.
NEXT_UP = 20


def read_queue(con: sqlite3.Connection, settings: Settings, now_ms: int) -> QueueReading:
    """The backlog, who is next, and what it waits for."""
    tallies: dict[str, int] = dict(con.execute("SELECT name, n FROM tally WHERE n > 0").fetchall())
    by_priority = tuple(
        (HIGHEST_PRIORITY - number, tallies[f"queued:{number}"])
        for number in range(HIGHEST_PRIORITY + 1)
        if f"queued:{number}" in tallies
    )
    queued, sending = sum(n for _, n in by_priority), tallies.get("sending", 0)
    limits = limits_of(settings)
    firsts = lanes.firsts(con, now_ms, limits)
    wake_at, waits_for = _next_wake(con, now_ms, settings, sending, firsts) if queued else (None, "empty")
    oldest = con.execute("SELECT due_at FROM outbox WHERE state = 0 ORDER BY due_at, id LIMIT 1").fetchone()
    return QueueReading(
        queued=queued,
        scheduled=tally.later(con, now_ms),
        sending=sending,
        dead=tallies.get("dead", 0),
        unconfirmed=tallies.get("unconfirmed", 0),
        by_priority=by_priority,
        oldest_waiting_since_ms=oldest[0] if oldest and oldest[0] <= now_ms else None,
        next_wake_at_ms=wake_at,
        waits_for=waits_for,
        next_up=_next_up(con, now_ms, limits, firsts),
    )


def _next_wake(
    con: sqlite3.Connection, now_ms: int, settings: Settings, sending: int, firsts: Sequence[lanes.Head]
) -> tuple[int | None, str]:
    """When the next send may start and what it waits for until then; None if only an event can tell."""
    robot = read_robot(con)
    if robot.paused:
        return None, "paused"
    if robot.transport_state != "ready":
        return None, "offline"
    prepared = pace.load(con)
    if prepared is not None and prepared.send_at_ms > now_ms:
        return prepared.send_at_ms, "pace"
    limits, policy = limits_of(settings), policy_of(settings)
    if sending and breaker.load(con).state is State.HALF_OPEN:
        return None, "in_flight"  # a test send: nothing else goes before its outcome
    circuit = breaker.gate(con, policy, now_ms)
    first = min(firsts, key=lambda head: head.eligible_at_ms, default=None)
    if first is None or first.eligible_at_ms >= NEVER:
        return None, "in_flight"
    if circuit >= NEVER:
        return None, "breaker"
    minute = lanes.minute_free_at(con, limits)
    gate = max(minute, circuit)
    if gate > max(now_ms, first.eligible_at_ms):
        return gate, "breaker" if circuit >= minute else "minute_limit"
    if first.eligible_at_ms <= now_ms:
        return (None, "in_flight") if sending else (now_ms, "nothing")
    return first.eligible_at_ms, _why_later(con, first, now_ms, limits)


def _why_later(con: sqlite3.Connection, head: lanes.Head, now_ms: int, limits: Limits) -> str:
    lane_at, due_at, retry_at = con.execute(
        "SELECT l.eligible_at, o.due_at, o.retry_at FROM lane AS l JOIN outbox AS o ON o.id = l.head_id"
        " WHERE l.contact_id = ? AND l.class = ?",
        (head.contact_id, head.message_class),
    ).fetchone()
    if lane_at < head.eligible_at_ms:
        by_hours = lanes.gate_opens_at(con, head.gate & Gate.HOURS, now_ms, limits) == head.eligible_at_ms
        return "hours" if by_hours else "new_contacts"
    if retry_at == lane_at:
        return "retry"
    return "schedule" if due_at == lane_at and due_at > now_ms else "contact_limit"


def _next_up(
    con: sqlite3.Connection, now_ms: int, limits: Limits, firsts: Sequence[lanes.Head]
) -> tuple[WaitingMessage, ...]:
    heads: list[lanes.Head] = []
    opens_at = {gate: lanes.gate_opens_at(con, gate, now_ms, limits) for gate in {first.gate for first in firsts}}
    for first in firsts:
        rows = con.execute(
            "SELECT contact_id, class, max(eligible_at, ?), head_id, gate FROM lane WHERE gate = ? AND class = ?"
            " ORDER BY eligible_at, head_id LIMIT ?",
            (opens_at[first.gate], first.gate, first.message_class, NEXT_UP),
        )
        heads.extend(lanes.Head(*row) for row in rows)
    heads.sort(key=lambda head: _turn(head, now_ms, limits))
    return tuple(_waiting(con, head) for head in heads[:NEXT_UP])


def _turn(head: lanes.Head, now_ms: int, limits: Limits) -> tuple[bool, float, int]:
    waited = now_ms - head.eligible_at_ms
    if waited >= 0:
        return False, score(head.message_class, waited, limits.aging_ms), head.message_id
    return True, float(head.eligible_at_ms), head.message_id


def _waiting(con: sqlite3.Connection, head: lanes.Head) -> WaitingMessage:
    name, where, body, attachment = con.execute(
        f"SELECT {NAME}, {ADDRESS}, o.body, o.attachment"
        " FROM outbox AS o JOIN contact AS c ON c.id = o.contact_id WHERE o.id = ?",
        (head.message_id,),
    ).fetchone()
    eligible_at = None if head.eligible_at_ms >= NEVER else head.eligible_at_ms
    text, priority = with_attachment(body, attachment), HIGHEST_PRIORITY - head.message_class
    return WaitingMessage(head.message_id, name, where, priority, text, eligible_at)
