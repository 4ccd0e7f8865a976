"""A consistent copy of a database that is being written, and the check of such a copy."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from whatsself_tui.errors import DataError
from whatsself_tui.store.database import describe


def copy_database(source: Path, target: Path) -> None:
    """Make `target` a copy of the database as it stands at one moment, in one file, checked.

    Reads over a connection of its own and in one step: in smaller steps the copy would begin anew
    whenever somebody writes. Never opens the live file in another way, which would drop SQLite's
    locks in this process. Blocks. Raises DataError if the source cannot be read or the copy is not
    whole, OSError if `target` exists or cannot be made.
    """
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with (
            closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as live,
            closing(sqlite3.connect(target, isolation_level=None)) as copy,
        ):
            # A copy that was not finished is thrown away: it needs no journal.
            copy.execute("PRAGMA journal_mode=OFF")
            copy.execute("PRAGMA synchronous=OFF")
            live.backup(copy, pages=-1, progress=_refuse_waiting)
            # The copy comes marked as WAL; without that mark it is one file, readable anywhere.
            copy.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise DataError(
            f"The backup was not made: {source.name} could not be copied: {error}.", describe(error, source).advice
        ) from error
    fault = database_fault(target)
    if fault:
        raise DataError(
            f"The backup was not made: the copy of {source.name} is not whole: {fault}.",
            "The database itself may be damaged: keep older backups, and look at the disk.",
        )


def database_fault(path: Path) -> str:
    """What is wrong with a database file nobody writes; empty if nothing. Blocks; nothing in it is trusted or run."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            connection.execute("PRAGMA trusted_schema=OFF")
            connection.execute("PRAGMA cell_size_check=ON")
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        return str(error)
    return "" if verdict == "ok" else str(verdict)


def _refuse_waiting(status: int, remaining: int, total: int) -> None:
    """`backup` would try for ever; each try has waited for the connection's timeout already."""
    if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        raise sqlite3.OperationalError("database is locked")
