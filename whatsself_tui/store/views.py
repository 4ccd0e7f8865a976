"""Read models: what a pane or `status` shows, each at a cost that does not grow with the tables.

Every function takes a read-only connection and, where it needs them, the settings and the time.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING

from whatsself_tui.delivery.limits import MINUTE_MS, Limits, day_of
from whatsself_tui.store import breaker, lanes
from whatsself_tui.store.outbox_views import ADDRESS, NAME, status_word
from whatsself_tui.store.readings import (
    AlertReading,
    BreakerChange,
    BreakerReading,
    ContactLimitReading,
    LimitsReading,
    MessageReading,
    RobotReading,
    TodayReading,
)
from whatsself_tui.store.shown_text import with_attachment, with_medium
from whatsself_tui.store.tally import COUNTERS
from whatsself_tui.store.terms import limits_of, policy_of

if TYPE_CHECKING:
    from whatsself_tui.config.schema import Settings

#: Contacts shown with their windows, the fullest first.
MOST_CONTACTS = 50

#: New contacts of a day are counted up to here.
MOST_COUNTED = 10_000

#: Changes of the breaker that are shown.
TRANSITIONS = 20


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
        window_s=policy.window_ms // 1000,
        transitions=tuple(BreakerChange(*row) for row in changes),
    )


def read_limits(con: sqlite3.Connection, settings: Settings, now_ms: int) -> LimitsReading:
    """How full both sliding windows are."""
    limits = limits_of(settings)
    used = Counter[int]()
    in_a_minute = 0
    for ts, contact_id in lanes.sends_since(con, now_ms - limits.horizon_ms):
        in_a_minute += ts > now_ms - MINUTE_MS
        used[contact_id] += ts > now_ms - limits.contact_window_ms
    minute_free = lanes.minute_free_at(con, limits)
    fullest = [(contact_id, count) for contact_id, count in used.most_common(MOST_CONTACTS) if count]
    contacts = [_contact_limit(con, limits, contact_id, count, now_ms) for contact_id, count in fullest]
    contacts.sort(key=lambda contact: (-contact.used, -(contact.free_at_ms or 0)))
    return LimitsReading(
        minute_used=in_a_minute,
        minute_limit=limits.per_minute,
        minute_free_at_ms=minute_free if minute_free > now_ms else None,
        contacts=tuple(contacts),
        new_contacts_used=lanes.approached(con, day_of(now_ms, limits.zone)[0], MOST_COUNTED),
        new_contacts_limit=limits.daily_new_contacts,
    )


def _contact_limit(
    con: sqlite3.Connection, limits: Limits, contact_id: int, used: int, now_ms: int
) -> ContactLimitReading:
    name, where, free_at = con.execute(
        f"SELECT {NAME}, {ADDRESS}, c.free_at FROM contact AS c WHERE c.id = ?", (contact_id,)
    ).fetchone()
    return ContactLimitReading(
        contact=name,
        address=where,
        used=used,
        limit=limits.per_contact,
        reply_limit=limits.per_contact_reply,
        free_at_ms=free_at if free_at > now_ms else None,
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
        f"SELECT i.id, i.received_at, {NAME}, {ADDRESS}, i.body, i.state, i.rule, i.kind, i.edited_at, i.revoked_at,"
        " i.mimetype, i.file_name, i.size_bytes"
        " FROM inbox AS i JOIN contact AS c ON c.id = i.contact_id ORDER BY i.id DESC LIMIT ?",
        (limit,),
    )
    return [
        MessageReading(
            f"in:{id_}",
            "in",
            at,
            name,
            where,
            with_medium(body, kind, file_name),
            "handled" if state else "pending",
            rule,
            kind=kind,
            edited=edited_at is not None,
            revoked=revoked_at is not None,
            mimetype=mimetype,
            file_name=file_name,
            size_bytes=size,
        )
        for id_, at, name, where, body, state, rule, kind, edited_at, revoked_at, mimetype, file_name, size in rows
    ]


def _recent_out(con: sqlite3.Connection, limit: int) -> list[MessageReading]:
    columns = (
        f"o.id, coalesce(o.done_at, o.claimed_at), {NAME}, {ADDRESS}, o.body, o.attachment, o.state, o.ack,"
        " CASE WHEN o.error <> '' THEN o.error ELSE o.source END"
    )
    source = "FROM outbox AS o JOIN contact AS c ON c.id = o.contact_id"
    sending = con.execute(f"SELECT {columns} {source} WHERE o.state = 1 ORDER BY o.id")
    done = con.execute(
        f"SELECT {columns} {source} WHERE o.done_at IS NOT NULL ORDER BY o.done_at DESC, o.id DESC LIMIT ?", (limit,)
    )
    return [
        MessageReading(
            f"out:{id_}", "out", at, name, where, with_attachment(body, attachment), status_word(state, ack), note
        )
        for id_, at, name, where, body, attachment, state, ack, note in [*sending, *done]
    ]


def read_today(con: sqlite3.Connection, settings: Settings, now_ms: int) -> TodayReading:
    """The counters of the business's present day."""
    day = datetime.fromtimestamp(now_ms / 1000, settings.business.zone).date().isoformat()
    found: dict[str, int] = dict(con.execute("SELECT counter, n FROM stat_day WHERE day = ?", (day,)).fetchall())
    return TodayReading(day, tuple((name, found.get(name, 0)) for name in COUNTERS))


def read_fired_today(con: sqlite3.Connection, settings: Settings, now_ms: int) -> tuple[tuple[str, int], ...]:
    """How often each rule decided today, and each `trigger:NAME` or `flow:NAME` answered; the most frequent first."""
    day = datetime.fromtimestamp(now_ms / 1000, settings.business.zone).date().isoformat()
    rows = con.execute("SELECT rule, n FROM rule_day WHERE day = ? ORDER BY n DESC, rule", (day,))
    return tuple((rule, n) for rule, n in rows)
