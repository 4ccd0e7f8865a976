"""Small durable state: paused or not, the transport's state, commands carried out, configuration changes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from whatsself_tui.store.database import Tx
from whatsself_tui.store.topics import Topic

#: Commands are remembered this long, far longer than a file can wait in the spool unnoticed.
REMEMBER_COMMANDS_MS = 30 * 86_400_000


def set_paused(tx: Tx, paused: bool) -> bool:
    """Stop or allow sends, from the next claim on; False if it was so already."""
    changed = tx.execute("UPDATE robot SET paused = ? WHERE paused <> ?", (int(paused), int(paused))).rowcount
    if changed:
        tx.touch(Topic.ROBOT, Topic.QUEUE)
    return changed > 0


def set_transport(tx: Tx, kind: str, state: str, detail: str) -> None:
    """Write down how the robot is connected, for readers in other processes."""
    changed = tx.execute(
        "UPDATE robot SET transport_kind = ?, transport_state = ?, transport_detail = ?"
        " WHERE (transport_kind, transport_state, transport_detail) <> (?, ?, ?)",
        (kind, state, detail, kind, state, detail),
    ).rowcount
    if changed:
        tx.touch(Topic.ROBOT, Topic.QUEUE)


def known_result(tx: Tx, command_id: str) -> dict[str, Any] | None:
    """The result of a command that was carried out before; None if it was not."""
    row = tx.execute("SELECT result FROM command WHERE id = ?", (command_id,)).fetchone()
    return None if row is None else json.loads(row[0])


def remember_result(tx: Tx, command_id: str, name: str, result: Mapping[str, Any]) -> None:
    """Note that a command was carried out, in the transaction that did it."""
    tx.execute(
        "INSERT INTO command (id, name, done_at, result) VALUES (?, ?, ?, ?)",
        (command_id, name, tx.now_ms, json.dumps(dict(result))),
    )
    tx.execute("DELETE FROM command WHERE done_at < ?", (tx.now_ms - REMEMBER_COMMANDS_MS,))


def record_config_changes(tx: Tx, who: str, changes: Iterable[tuple[str, str, str, str]]) -> None:
    """Keep (file, field, old, new) of an applied configuration."""
    tx.connection.executemany(
        "INSERT INTO config_change (at, who, file, field, old, new) VALUES (?, ?, ?, ?, ?, ?)",
        [(tx.now_ms, who, *change) for change in changes],
    )
    tx.touch(Topic.CONFIG)
