"""The message a person would be typing now, and when it goes: one row, so that a restart skips no wait.

The wait ends before the claim, so the sliding windows hold the times of real sends.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from whatsself_tui.delivery.pace import Pace
from whatsself_tui.store.database import Tx
from whatsself_tui.store.topics import Topic

#: How long a person would take for a text of so many characters.
Planner = Callable[[int], Pace]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A message that will be claimed at `send_at_ms`, unless something more urgent or a pause comes first."""

    message_id: int
    typing_at_ms: int
    """From when its contact sees somebody typing."""
    send_at_ms: int


def load(connection: sqlite3.Connection) -> Prepared | None:
    """The message under preparation; None without one."""
    row = connection.execute("SELECT message_id, typing_at, send_at FROM pace").fetchone()
    return None if row is None else Prepared(*row)


def prepare(tx: Tx, message_id: int, text_length: int, plan: Planner) -> Prepared:
    """Begin to prepare the message, or go on with what was begun; another message's preparation ends."""
    known = load(tx.connection)
    if known is not None and known.message_id == message_id:
        return known
    waits = plan(text_length)
    send_at = tx.now_ms + waits.total_ms
    prepared = Prepared(message_id, send_at - waits.typing_ms, send_at)
    tx.execute(
        "INSERT INTO pace (id, message_id, typing_at, send_at) VALUES (1, ?, ?, ?) ON CONFLICT (id) DO UPDATE"
        " SET message_id = excluded.message_id, typing_at = excluded.typing_at, send_at = excluded.send_at",
        (prepared.message_id, prepared.typing_at_ms, prepared.send_at_ms),
    )
    tx.touch(Topic.PACE)
    return prepared


def forget(tx: Tx) -> None:
    """Nothing is prepared any more: it was claimed, or it may not go now."""
    if tx.execute("DELETE FROM pace").rowcount:
        tx.touch(Topic.PACE)
