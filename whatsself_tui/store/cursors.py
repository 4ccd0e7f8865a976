"""How far each chat is recorded without a gap: where catching up begins."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from whatsself_tui.store.database import Tx

#: Chats asked for in one statement; SQLite allows 999 and more.
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a chat was recorded when it was compared with WhatsApp the last time."""

    key: str
    """Of the last message received, WhatsApp's full id."""
    written_at_ms: int
    """When the last message was written, ours included."""


def reach(tx: Tx, chat: str, key: str, written_at_ms: int) -> None:
    """Everything up to there is recorded; WhatsApp's word counts, even if it goes back."""
    tx.execute(
        "INSERT INTO chat_cursor (chat, key, written_at) VALUES (?, ?, ?) ON CONFLICT (chat) DO UPDATE"
        " SET key = excluded.key, written_at = excluded.written_at",
        (chat, key, written_at_ms),
    )


def of_chats(connection: sqlite3.Connection, chats: Sequence[str]) -> dict[str, Cursor]:
    """The cursors of these chats, by address; chats of which nothing is recorded are left out."""
    found = {}
    for start in range(0, len(chats), CHUNK):
        chunk = chats[start : start + CHUNK]
        marks = ", ".join("?" * len(chunk))
        rows = connection.execute(f"SELECT chat, key, written_at FROM chat_cursor WHERE chat IN ({marks})", chunk)
        found.update({chat: Cursor(key, written_at) for chat, key, written_at in rows})
    return found


def forget(tx: Tx) -> None:
    """The chats are another account's now."""
    tx.execute("DELETE FROM chat_cursor")
