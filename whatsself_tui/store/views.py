"""Read models: what a pane or `status` shows, each at a cost that does not grow with the tables.

Every function takes a read-only connection and, where it needs them, the settings and the time.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import TYPE_CHECKING

from whatsself_tui.delivery.circuit import Policy
from whatsself_tui.delivery.limits import HIGHEST_PRIORITY, MINUTE_MS, NEVER, Limits, score
from whatsself_tui.store import breaker, lanes
from whatsself_tui.store.readings import (
    AlertReading,
    BreakerChange,
    BreakerReading,
    ContactLimitReading,
    LimitsReading,
    MessageReading,
    QueueReading,
    RobotReading,
    TodayReading,
    WaitingMessage,
)
from whatsself_tui.store.tally import COUNTERS

if TYPE_CHECKING:
    from whatsself_tui.config.schema import Settings

#: Changes of the breaker that are shown.
TRANSITIONS = 20

#: Lanes shown as next up.
NEXT_UP = 20

_NAME = "CASE WHEN c.name <> '' THEN c.name ELSE coalesce(c.phone, c.lid) END"
_ADDRESS = "coalesce(c.phone, c.lid)"
_OUT_STATUS = {0: "queued", 1: "sending", 2: "sent", 3: "failed", 4: "cancelled", 5: "unconfirmed"}
_ACK_STATUS = {2: "delivered", 3: "read"}


def limits_of(settings: Settings) -> Limits:
    """The settings as the queue's arithmetic wants them."""
    return Limits(
        per_minute=settings.limits.per_minute,
        per_contact=settings.limits.per_contact,
        per_contact_reply=settings.limits.per_contact_reply,
        contact_window_ms=settings.limits.contact_window_s * 1000,
        aging_ms=settings.queue.aging_s * 1000,
    )


def policy_of(settings: Settings) -> Policy:
    """The settings as the breaker's rules want them."""
    breaker = settings.breaker
    return Policy(
        window_ms=breaker.window_s * 1000,
        window_attempts=breaker.window_attempts,
        min_attempts=breaker.min_attempts,
        fail_rate=breaker.fail_rate,
        cooldown_initial_ms=breaker.cooldown_initial_s * 1000,
        cooldown_max_ms=breaker.cooldown_max_s * 1000,
        probe_interval_ms=breaker.probe_interval_s * 1000,
        probe_samples=breaker.probe_samples,
        probe_success=breaker.probe_success,
        # A full round of test sends four times over, and far more than one send can take.
        probe_lost_ms=max(600_000, breaker.probe_interval_s * breaker.probe_samples * 4_000),
    )


def read_robot(con: sqlite3.Connection) -> RobotReading:
    """Whether it sends, and how it is connected."""
    row = con.execute("SELECT paused, transport_kind, transport_state, transport_detail FROM robot").fetchone()
    return RobotReading(bool(row[0]), row[1], row[2], row[3])


def read_breaker(con: sqlite3.Connection, settings: Settings, now_ms: int) -> BreakerReading:
    """The breaker's state, the outcomes in its window, its last changes."""
    policy = policy_of(settings)
    circuit = breaker.load(con)
    attempts, failures = con.execute(
        "SELECT count(*), coalesce(sum(1 - ok), 0) FROM (SELECT ok FROM outcome WHERE ts > ? ORDER BY id DESC LIMIT ?)",
        (now_ms - policy.window_ms, policy.window_attempts),
    ).fetchone()
    changes = con.execute(
        "SELECT at, from_state, to_state, cause FROM breaker_transition ORDER BY id DESC LIMIT ?", (TRANSITIONS,)
    )
    return BreakerReading(
        state=circuit.state,
        attempts=attempts,
        failures=failures,
        failure_rate=failures / attempts if attempts else 0.0,
        opens_at=policy.fail_rate,
        min_attempts=policy.min_attempts,
        closes_at_ms=circuit.open_until_ms,
        multiplier=circuit.multiplier,
        mode=circuit.mode,
        probes=circuit.probes_ok + circuit.probes_failed,
        probes_needed=policy.probe_samples,
        transitions=tuple(BreakerChange(*row) for row in changes),
    )


def read_queue(con: sqlite3.Connection, settings: Settings, now_ms: int) -> QueueReading:
    """The backlog, who is next, and what it waits for."""
    limits = limits_of(settings)
    tallies: dict[str, int] = dict(con.execute("SELECT name, n FROM tally WHERE n > 0").fetchall())
    by_priority = tuple(
        (HIGHEST_PRIORITY - number, tallies[f"queued:{number}"])
        for number in range(HIGHEST_PRIORITY + 1)
        if f"queued:{number}" in tallies
    )
    queued = sum(n for _, n in by_priority)
    wake_at, waits_for = _next_wake(con, now_ms, limits, policy_of(settings), queued)
    oldest = con.execute("SELECT due_at FROM outbox WHERE state = 0 ORDER BY due_at, id LIMIT 1").fetchone()
    (scheduled,) = con.execute(
        "SELECT coalesce(sum(n), 0) FROM scheduled WHERE minute > ?", (now_ms // 60_000,)
    ).fetchone()
    return QueueReading(
        queued=queued,
        scheduled=scheduled,
        sending=tallies.get("sending", 0),
        dead=tallies.get("dead", 0),
        unconfirmed=tallies.get("unconfirmed", 0),
        by_priority=by_priority,
        oldest_waiting_since_ms=oldest[0] if oldest and oldest[0] <= now_ms else None,
        next_wake_at_ms=wake_at,
        waits_for=waits_for,
        next_up=_next_up(con, now_ms, limits),
    )


def _next_wake(
    con: sqlite3.Connection, now_ms: int, limits: Limits, policy: Policy, queued: int
) -> tuple[int | None, str]:
    robot = read_robot(con)
    if not queued:
        return None, "empty"
    if robot.paused:
        return None, "paused"
    if robot.transport_state != "ready":
        return None, "offline"
    minute = lanes.minute_free_at(con, limits)
    circuit = breaker.gate(con, policy, now_ms)
    earliest = lanes.pick(con, now_ms, limits).earliest_ms
    if earliest >= NEVER:
        return None, "in_flight"
    if circuit >= NEVER:
        return None, "breaker"
    gate = max(minute, circuit)
    if gate > max(now_ms, earliest):
        return gate, "breaker" if circuit >= minute else "minute_limit"
    if earliest <= now_ms:
        return now_ms, "nothing"
    return earliest, _why_later(con, earliest, now_ms)


def _why_later(con: sqlite3.Connection, eligible_at: int, now_ms: int) -> str:
    due_at, retry_at = con.execute(
        f"SELECT o.due_at, o.retry_at FROM ({lanes.PICK}) AS l JOIN outbox AS o ON o.id = l.head_id"
        " ORDER BY l.eligible_at LIMIT 1"
    ).fetchone()
    if retry_at == eligible_at:
        return "retry"
    return "schedule" if due_at == eligible_at and due_at > now_ms else "contact_limit"


def _next_up(con: sqlite3.Connection, now_ms: int, limits: Limits) -> tuple[WaitingMessage, ...]:
    heads: list[lanes.Head] = []
    for number in range(HIGHEST_PRIORITY + 1):
        rows = con.execute(
            "SELECT contact_id, class, eligible_at, head_id FROM lane WHERE class = ?"
            " ORDER BY eligible_at, head_id LIMIT ?",
            (number, NEXT_UP),
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
    name, where, body = con.execute(
        f"SELECT {_NAME}, {_ADDRESS}, o.body FROM outbox AS o JOIN contact AS c ON c.id = o.contact_id WHERE o.id = ?",
        (head.message_id,),
    ).fetchone()
    eligible_at = None if head.eligible_at_ms >= NEVER else head.eligible_at_ms
    return WaitingMessage(head.message_id, name, where, HIGHEST_PRIORITY - head.message_class, body, eligible_at)


def read_limits(con: sqlite3.Connection, settings: Settings, now_ms: int) -> LimitsReading:
    """How full both sliding windows are."""
    limits = limits_of(settings)
    (used,) = con.execute("SELECT count(*) FROM send_log WHERE ts > ?", (now_ms - MINUTE_MS,)).fetchone()
    minute_free = lanes.minute_free_at(con, limits)
    rows = con.execute(
        f"SELECT {_NAME}, {_ADDRESS}, s.used, c.free_at FROM (SELECT contact_id, count(*) AS used FROM send_log"
        " WHERE ts > ? GROUP BY contact_id ORDER BY used DESC, max(ts) DESC LIMIT 50) AS s"
        " JOIN contact AS c ON c.id = s.contact_id ORDER BY s.used DESC, c.free_at DESC, c.id",
        (now_ms - limits.contact_window_ms,),
    )
    return LimitsReading(
        minute_used=used,
        minute_limit=limits.per_minute,
        minute_free_at_ms=minute_free if minute_free > now_ms else None,
        contacts=tuple(
            ContactLimitReading(
                contact=name,
                address=where,
                used=count,
                limit=limits.per_contact,
                reply_limit=limits.per_contact_reply,
                free_at_ms=free_at if free_at > now_ms else None,
            )
            for name, where, count, free_at in rows
        ),
    )


def read_alerts(con: sqlite3.Connection, limit: int = 50) -> tuple[AlertReading, ...]:
    """The alerts whose condition holds, the newest first."""
    rows = con.execute(
        "SELECT id, kind, severity, text, raised_at, cleared_at, acknowledged_at FROM alert"
        " WHERE cleared_at IS NULL ORDER BY raised_at DESC, id DESC LIMIT ?",
        (limit,),
    )
    return tuple(AlertReading(*row) for row in rows)


def read_recent(con: sqlite3.Connection, limit: int = 50) -> tuple[MessageReading, ...]:
    """The last messages of both directions, the newest first; what waits is the queue's to show."""
    messages = [*_recent_in(con, limit), *_recent_out(con, limit)]
    messages.sort(key=lambda message: message.at_ms, reverse=True)
    return tuple(messages[:limit])


def _recent_in(con: sqlite3.Connection, limit: int) -> list[MessageReading]:
    rows = con.execute(
        f"SELECT i.id, i.received_at, {_NAME}, {_ADDRESS}, i.body, i.state, i.rule"
        " FROM inbox AS i JOIN contact AS c ON c.id = i.contact_id ORDER BY i.id DESC LIMIT ?",
        (limit,),
    )
    return [
        MessageReading(f"in:{id_}", "in", at, name, where, body, "handled" if state else "pending", rule)
        for id_, at, name, where, body, state, rule in rows
    ]


def _recent_out(con: sqlite3.Connection, limit: int) -> list[MessageReading]:
    columns = f"o.id, coalesce(o.done_at, o.claimed_at), {_NAME}, {_ADDRESS}, o.body, o.state, o.ack, o.error, o.source"
    source = "FROM outbox AS o JOIN contact AS c ON c.id = o.contact_id"
    sending = con.execute(f"SELECT {columns} {source} WHERE o.state = 1 ORDER BY o.id")
    done = con.execute(
        f"SELECT {columns} {source} WHERE o.done_at IS NOT NULL ORDER BY o.done_at DESC, o.id DESC LIMIT ?", (limit,)
    )
    return [
        MessageReading(f"out:{id_}", "out", at, name, where, body, _out_status(state, ack), error or source_name)
        for id_, at, name, where, body, state, ack, error, source_name in [*sending, *done]
    ]


def _out_status(state: int, ack: int) -> str:
    return _ACK_STATUS.get(ack, "sent") if state == 2 else _OUT_STATUS[state]


def read_today(con: sqlite3.Connection, settings: Settings, now_ms: int) -> TodayReading:
    """The counters of the business's present day."""
    day = datetime.fromtimestamp(now_ms / 1000, settings.business.zone).date().isoformat()
    found: dict[str, int] = dict(con.execute("SELECT counter, n FROM stat_day WHERE day = ?", (day,)).fetchall())
    return TodayReading(day, tuple((name, found.get(name, 0)) for name in COUNTERS))


def read_outbox(con: sqlite3.Connection, state: int, limit: int) -> list[dict[str, object]]:
    """Messages in one state for `queue list`, those that are due first."""
    order = "o.due_at, o.id" if state == 0 else "o.id"
    rows = con.execute(
        f"SELECT o.id, {_NAME}, {_ADDRESS}, o.class, o.due_at, o.not_before, o.expires_at, o.attempts, o.source,"
        " o.error, o.dedup, o.wa_id, o.body FROM outbox AS o JOIN contact AS c ON c.id = o.contact_id"
        f" WHERE o.state = {int(state)} ORDER BY {order} LIMIT ?",
        (limit,),
    )
    return [
        {
            "id": row[0],
            "contact": row[1],
            "address": row[2],
            "priority": HIGHEST_PRIORITY - row[3],
            "status": _OUT_STATUS[state],
            "due_at_ms": row[4],
            "not_before_ms": row[5],
            "expires_at_ms": row[6],
            "attempts": row[7],
            "source": row[8],
            "error": row[9],
            "dedup": row[10],
            "wa_id": row[11],
            "body": row[12],
        }
        for row in rows
    ]
