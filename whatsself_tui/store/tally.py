"""Counts that are kept by the transactions that change them, so that nobody counts rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from whatsself_tui.store.database import Tx
from whatsself_tui.store.topics import Topic

#: The statistics' counters, in the order in which they are shown.
COUNTERS = ("inbound", "outbound", "failed", "delivered", "read", "automated", "opt_outs", "new_contacts")


#: Name of the count of queued messages with a `not_before`.
SCHEDULED = "scheduled"


def tally(tx: Tx, name: str, change: int) -> None:
    """Add `change` to one of the queue's counts."""
    tx.execute(
        "INSERT INTO tally (name, n) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET n = n + excluded.n", (name, change)
    )


def scheduled(tx: Tx, not_before_ms: int | None, change: int) -> None:
    """Count a queued message under the minute in which its `not_before` falls, and among all that have one."""
    if not_before_ms is None:
        return
    minute = not_before_ms // 60_000
    tx.execute(
        "INSERT INTO scheduled (minute, n) VALUES (?, ?) ON CONFLICT (minute) DO UPDATE SET n = n + excluded.n",
        (minute, change),
    )
    if change < 0:
        tx.execute("DELETE FROM scheduled WHERE minute = ? AND n <= 0", (minute,))
    tally(tx, SCHEDULED, change)


def later(connection: sqlite3.Connection, now_ms: int) -> int:
    """How many queued messages have a `not_before` that has not come.

    All of them without those whose minute has come: these are few, they are about to be sent.
    """
    due = connection.execute(
        "SELECT coalesce(sum(n), 0) FROM scheduled WHERE minute <= ?", (now_ms // 60_000,)
    ).fetchone()[0]
    row = connection.execute("SELECT n FROM tally WHERE name = ?", (SCHEDULED,)).fetchone()
    return (row[0] if row else 0) - int(due)


def decided(tx: Tx, rule: str, sources: Sequence[str]) -> None:
    """Count a decision of the rules for the business's day: the rule, and each trigger or flow that answered."""
    day = datetime.fromtimestamp(tx.now_ms / 1000, tx.zone).date().isoformat()
    for name in dict.fromkeys([rule, *(source.split("/")[0] for source in sources)]):
        tx.execute(
            "INSERT INTO rule_day (day, rule, n) VALUES (?, ?, 1) ON CONFLICT (day, rule) DO UPDATE SET n = n + 1",
            (day, name),
        )


def count(tx: Tx, counter: str, change: int = 1) -> None:
    """Add to a counter of the present hour and day of the business's time zone."""
    local = datetime.fromtimestamp(tx.now_ms / 1000, tx.zone)
    hour_ms = round(local.replace(minute=0, second=0, microsecond=0).timestamp() * 1000)
    tx.execute(
        "INSERT INTO stat_day (day, counter, n) VALUES (?, ?, ?)"
        " ON CONFLICT (day, counter) DO UPDATE SET n = n + excluded.n",
        (local.date().isoformat(), counter, change),
    )
    tx.execute(
        "INSERT INTO stat_hour (hour, counter, n) VALUES (?, ?, ?)"
        " ON CONFLICT (hour, counter) DO UPDATE SET n = n + excluded.n",
        (hour_ms, counter, change),
    )
    tx.touch(Topic.STATISTICS)
