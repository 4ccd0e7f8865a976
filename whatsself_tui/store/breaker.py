"""The circuit breaker's rows: outcomes of sends inside its window."""

from __future__ import annotations

from whatsself_tui.delivery.breaker import WINDOW_ATTEMPTS, WINDOW_MS
from whatsself_tui.store.database import Tx
from whatsself_tui.store.topics import Topic


def generation(tx: Tx) -> int:
    """Number of the breaker's present state; a claim carries it to its outcome."""
    return int(tx.execute("SELECT generation FROM breaker").fetchone()[0])


def record(tx: Tx, ok: bool, claimed_in: int) -> None:
    """Count an outcome; one that belongs to an earlier generation is ignored."""
    if generation(tx) != claimed_in:
        return
    tx.execute("INSERT INTO outcome (ts, ok) VALUES (?, ?)", (tx.now_ms, int(ok)))
    tx.execute("DELETE FROM outcome WHERE ts <= ?", (tx.now_ms - WINDOW_MS,))
    tx.execute(
        "DELETE FROM outcome WHERE id <= (SELECT id FROM outcome ORDER BY id DESC LIMIT 1 OFFSET ?)", (WINDOW_ATTEMPTS,)
    )
    tx.touch(Topic.BREAKER)
