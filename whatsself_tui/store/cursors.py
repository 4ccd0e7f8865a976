"""How far each chat is recorded: where catching up begins after the robot was away."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from whatsself_tui.store.database import Tx

#: Chats asked for in one statement; SQLite allows 999 and more.
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last message of a chat that is recorded."""

    key: str
    """WhatsApp's full id."""
    written_at_ms: int


def reach(tx: Tx, chat: str, key: str, written_at_ms: int) -> None:
    """This message is recorded; the cursor never goes back to an older one."""
    tx.execute(
        "INSERT INTO chat_cursor (chat, key, written_at) VALUES (?, ?, ?) ON CONFLICT (chat) DO UPDATE"
        " SET key = excluded.key, written_at = excluded.written_at WHERE excluded.written_at >= written_at",
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
