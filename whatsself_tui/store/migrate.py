"""The database's schema: numbered SQL files, applied in order under PRAGMA user_version."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from whatsself_tui.errors import DataError

#: `PRAGMA application_id` of this program's databases: "WSLF". Those of its first versions have 0.
APPLICATION_ID = 0x57534C46


def scripts() -> dict[int, str]:
    """SQL by version number."""
    folder = resources.files("whatsself_tui.store") / "migrations"
    found = {
        int(entry.name.removesuffix(".sql")): entry.read_text(encoding="utf-8")
        for entry in folder.iterdir()
        if entry.name.endswith(".sql")
    }
    return dict(sorted(found.items()))


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the database to the newest version; one transaction for each step.

    A copy of an older database is made first, beside it. Raises DataError for a database made by
    a newer version of the program, and leaves it as it is.
    """
    steps = scripts()
    present: int = connection.execute("PRAGMA user_version").fetchone()[0]
    refuse_newer(present, path)
    if 0 < present < max(steps):
        _copy_aside(connection, path, present)
    for version, script in steps.items():
        if version > present:
            _apply(connection, version, script)


def refuse_newer(version: int, path: Path) -> None:
    """Raises DataError for a schema version this program does not know yet."""
    newest = max(scripts())
    if version > newest:
        raise DataError(
            f"{path.name} has schema version {version}; this program knows versions up to {newest}.",
            "A newer WhatsSelf TUI wrote it: update this program. Nothing was changed.",
        )


def is_present(connection: sqlite3.Connection) -> bool:
    """Whether the schema is that of this very program."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version == max(scripts())


def require_present(connection: sqlite3.Connection, path: Path) -> None:
    """For readers, which change nothing. Raises DataError for a schema that is older or newer than this program's."""
    present: int = connection.execute("PRAGMA user_version").fetchone()[0]
    refuse_newer(present, path)
    if present < max(scripts()):
        raise DataError(
            f"{path.name} was last used by an older version of this program.",
            "Start the robot once: it makes a copy of the database and brings it up to date.",
        )


def _copy_aside(connection: sqlite3.Connection, path: Path, present: int) -> None:
    copy = path.with_name(f"{path.stem}.before-migration-v{present}.db")
    copy.unlink(missing_ok=True)
    connection.execute("VACUUM INTO ?", (str(copy),))


def _apply(connection: sqlite3.Connection, version: int, script: str) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in _statements(script):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version={version}")
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _statements(script: str) -> Iterator[str]:
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
