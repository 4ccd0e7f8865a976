"""Alerts: raised and cleared by a condition, kept, never raised twice at a time."""

from __future__ import annotations

from whatsself_tui.store.database import Tx
from whatsself_tui.store.readings import Severity
from whatsself_tui.store.topics import Topic

#: Alerts about something that has happened, not about a condition that holds: gone once they are seen.
EVENTS = ("clock_jumped", "flow_ended", "account_changed", "browser_restarted")

#: Alerts whose condition the keeper looks at: a transaction that makes it true need not raise them.
CONDITIONS = ("waiting_for_human",)


def raise_alert(tx: Tx, kind: str, severity: Severity, text: str) -> bool:
    """The condition holds: True if it is new. A changed text updates the alert that stands."""
    row = tx.execute("SELECT id, text FROM alert WHERE kind = ? AND cleared_at IS NULL", (kind,)).fetchone()
    if row is None:
        tx.execute(
            "INSERT INTO alert (kind, severity, text, raised_at) VALUES (?, ?, ?, ?)", (kind, severity, text, tx.now_ms)
        )
        tx.touch(Topic.ALERTS)
        return True
    if row[1] != text:
        tx.execute("UPDATE alert SET text = ?, severity = ? WHERE id = ?", (text, severity, row[0]))
        tx.touch(Topic.ALERTS)
    return False


def clear_alert(tx: Tx, kind: str) -> bool:
    """The condition holds no longer: True if an alert stood."""
    changed = tx.execute(
        "UPDATE alert SET cleared_at = ? WHERE kind = ? AND cleared_at IS NULL", (tx.now_ms, kind)
    ).rowcount
    if changed:
        tx.touch(Topic.ALERTS)
    return changed > 0


def acknowledge(tx: Tx, alert_id: int) -> bool:
    """The operator has seen it; False if there is no such alert or it was acknowledged before."""
    row = tx.execute(
        "UPDATE alert SET acknowledged_at = ? WHERE id = ? AND acknowledged_at IS NULL RETURNING kind",
        (tx.now_ms, alert_id),
    ).fetchone()
    if row is None:
        return False
    if row[0] in EVENTS:
        clear_alert(tx, row[0])
    tx.touch(Topic.ALERTS)
    return True
