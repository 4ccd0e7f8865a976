"""Counts that are kept by the transactions that change them, so that nobody counts rows."""

from __future__ import annotations

from datetime import datetime

from whatsself_tui.store.database import Tx
from whatsself_tui.store.topics import Topic

#: The statistics' counters, in the order in which they are shown.
COUNTERS = ("inbound", "outbound", "failed", "delivered", "read", "automated", "opt_outs", "new_contacts")


def tally(tx: Tx, name: str, change: int) -> None:
    """Add `change` to one of the queue's counts."""
    tx.execute(
        "INSERT INTO tally (name, n) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET n = n + excluded.n", (name, change)
    )


def scheduled(tx: Tx, not_before_ms: int | None, change: int) -> None:
    """Count a queued message under the minute in which its `not_before` falls."""
    if not_before_ms is None:
        return
    minute = not_before_ms // 60_000
    tx.execute(
        "INSERT INTO scheduled (minute, n) VALUES (?, ?) ON CONFLICT (minute) DO UPDATE SET n = n + excluded.n",
        (minute, change),
    )
    if change < 0:
        tx.execute("DELETE FROM scheduled WHERE minute = ? AND n <= 0", (minute,))


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
