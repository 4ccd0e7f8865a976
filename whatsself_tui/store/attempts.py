"""The history of a message that did not simply go out: what each attempt came to, what the operator decided."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from whatsself_tui.store.database import Tx

BY_OPERATOR = 0
"""Number of an entry that is the operator's decision and no attempt."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One entry of a message's history."""

    at_ms: int
    number: int
    """Which attempt it was, from 1; 0 for a decision of the operator."""
    result: str
    """`retry`, `failed`, `no answer`, `unconfirmed` or `arrived late`; of the operator `queued again`, `cancelled`,
    `discarded` or `confirmed`."""
    reason: str


def note(tx: Tx, message_id: int, number: int, result: str, reason: str) -> None:
    """Add to the history of a message."""
    tx.execute(
        "INSERT INTO attempt (message_id, at, number, result, reason) VALUES (?, ?, ?, ?, ?)",
        (message_id, tx.now_ms, number, result, reason),
    )


def of_message(connection: sqlite3.Connection, message_id: int) -> list[Attempt]:
    """A message's history, the oldest entry first."""
    rows = connection.execute(
        "SELECT at, number, result, reason FROM attempt WHERE message_id = ? ORDER BY id", (message_id,)
    )
    return [Attempt(*row) for row in rows]
