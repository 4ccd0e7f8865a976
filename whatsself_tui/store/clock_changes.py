"""When the machine's clock is set: stored times keep their distance to now, none binds from the future.

Sliding windows, pauses and cool-downs are intervals, so they move with the clock. Times that a person
chose (`not_before`, `expires_at`) are times of the wall clock and stay.
"""

from __future__ import annotations

from whatsself_tui.delivery.circuit import Policy
from whatsself_tui.delivery.limits import NEVER, REPLY_WINDOW_MS, Limits, day_of
from whatsself_tui.store import alerts, breaker, lanes, pace
from whatsself_tui.store.database import Tx
from whatsself_tui.store.topics import Topic

#: (table, column) of moments that have passed; after the clock went back they may lie in the future.
_PAST = (
    ("send_log", "ts"),
    ("outcome", "ts"),
    ("contact", "approached_at"),
    ("trigger_fired", "fired_at"),
)


def settle(tx: Tx, limits: Limits) -> bool:
    """At start: if the clock was set back since the last run, what lies in the future is brought to now.

    True if it had gone back.
    """
    newest = tx.execute(
        "SELECT max(coalesce((SELECT max(ts) FROM send_log), 0),"
        " coalesce((SELECT enqueued_at FROM outbox ORDER BY id DESC LIMIT 1), 0))"
    ).fetchone()[0]
    if newest <= tx.now_ms:
        return False
    tx.execute("UPDATE outbox SET retry_at = ? WHERE state = 0 AND retry_at > ?", (tx.now_ms, tx.now_ms))
    _bring_to_now(tx, limits, tx.now_ms)
    return True


def shift(tx: Tx, by_ms: int, limits: Limits, policy: Policy) -> None:
    """While running: the clock was set `by_ms` forward (back if negative). Raises an alert for the operator."""
    before_ms = tx.now_ms - by_ms
    _end_what_is_over(tx, before_ms)
    tx.execute("UPDATE send_log SET ts = ts + ?", (by_ms,))
    tx.execute("UPDATE outcome SET ts = ts + ?", (by_ms,))
    held = "hold_until > ? AND hold_until < ?"
    tx.execute(f"UPDATE contact SET hold_until = hold_until + ? WHERE {held}", (by_ms, before_ms, NEVER))
    tx.execute("UPDATE contact SET handover_until = handover_until + ? WHERE handover_until > ?", (by_ms, before_ms))
    tx.execute("UPDATE contact_flow SET since = since + ?, expires_at = expires_at + ?", (by_ms, by_ms))
    tx.execute("UPDATE outbox SET retry_at = retry_at + ? WHERE state = 0 AND retry_at > ?", (by_ms, before_ms))
    today, _ = day_of(before_ms, limits.zone)
    tx.execute("UPDATE contact SET approached_at = approached_at + ? WHERE approached_at >= ?", (by_ms, today))
    recent = min(before_ms, tx.now_ms) - REPLY_WINDOW_MS
    tx.execute("UPDATE contact SET last_inbound_at = last_inbound_at + ? WHERE last_inbound_at > ?", (by_ms, recent))
    breaker.shift(tx, policy, by_ms)
    pace.forget(tx)
    _bring_to_now(tx, limits, min(before_ms, tx.now_ms))
    way = "forward" if by_ms > 0 else "back"
    text = (
        f"The clock of this computer was set {way} by {_span(abs(by_ms))}. Limits and pauses were kept;"
        " check scheduled messages, and that the computer keeps its time from the network."
    )
    alerts.raise_alert(tx, "clock_jumped", "warning", text)


def _end_what_is_over(tx: Tx, before_ms: int) -> None:
    """Pauses that had ended before the clock was set back must not begin again."""
    over = (tx.now_ms, before_ms)
    for state in (0, 1):
        tx.execute(f"UPDATE outbox SET retry_at = 0 WHERE state = {state} AND retry_at > ? AND retry_at <= ?", over)
    tx.execute("UPDATE contact SET hold_until = 0 WHERE hold_until > ? AND hold_until <= ?", over)
    ended = "handover_reason = NULL, handover_until = NULL"
    tx.execute(f"UPDATE contact SET {ended} WHERE handover_until > ? AND handover_until <= ?", over)


def _bring_to_now(tx: Tx, limits: Limits, since_ms: int) -> None:
    now = tx.now_ms
    for table, column in _PAST:
        tx.execute(f"UPDATE {table} SET {column} = ? WHERE {column} > ?", (now, now))
    for state in (0, 1):  # one that is being sent may have to go again
        due = f"state = {state} AND not_before IS NULL AND due_at > ?"
        tx.execute(f"UPDATE outbox SET due_at = ? WHERE {due}", (now, now))
    # What was written long ago must not look as if it had been written just now: nothing answers it any more.
    long_ago = now - REPLY_WINDOW_MS
    tx.execute("UPDATE contact SET last_inbound_at = ? WHERE last_inbound_at > ?", (long_ago, now))
    # The newest row is what tells, next time, that the clock has been settled.
    tx.execute("UPDATE outbox SET enqueued_at = min(enqueued_at, ?) WHERE id = (SELECT max(id) FROM outbox)", (now,))
    # A window that is over has no row in the log any more, only its end in the contact.
    tx.execute("UPDATE contact SET free_at = 0, reply_free_at = 0 WHERE free_at > ? OR reply_free_at > ?", (now, now))
    lanes.apply_limits(tx, limits)
    lanes.relane_blocked(tx, since_ms)
    tx.touch(Topic.QUEUE, Topic.LIMITS)


def _span(ms: int) -> str:
    """`90 s`, `15 min`, `3 h`, `2 days`."""
    for unit_ms, name, most in ((1_000, "s", 120_000), (60_000, "min", 7_200_000), (3_600_000, "h", 172_800_000)):
        if ms < most:
            return f"{round(ms / unit_ms)} {name}"
    return f"{round(ms / 86_400_000)} days"
