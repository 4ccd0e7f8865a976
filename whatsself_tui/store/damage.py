"""Whether a database file is ours and whole: what can be seen at no cost, and the look that costs its size.

All looks go through SQLite's own read-only connections: reading the file with plain calls would drop
the locks this process holds on it.
"""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

from whatsself_tui.errors import DataError
from whatsself_tui.store import migrate

#: Tables every version has had; another program's database has not all of them.
CORE_TABLES = frozenset({"contact", "inbox", "outbox", "robot"})

#: Files SQLite keeps beside a database; they belong to it, and may hold its last transactions.
COMPANIONS = ("-wal", "-shm", "-journal")


class DamagedDatabase(DataError):
    """SQLite says that the file is damaged or no database at all."""


def is_damage(error: BaseException) -> bool:
    """Whether SQLite found the file itself wrong; never true for a lock, a full disk or a permission."""
    return _primary_code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def is_trouble(error: BaseException) -> bool:
    """Whether the fault lies with the file, the disk or a lock, not with the statement."""
    return is_damage(error) or _primary_code(error) in (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
    )


def _primary_code(error: BaseException) -> int:
    """SQLite's result code without its extension; 0 for errors that are not SQLite's."""
    code = getattr(error, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else 0


def recognise(path: Path) -> bool:
    """Whether the file holds a robot's data; False for one that is missing or in which nothing is yet.

    Looks at the header and the schema alone, whatever the size, and changes nothing. Blocks. Raises
    DataError for what is no file, for another program's database and for one of a newer version,
    sqlite3.Error for what SQLite cannot read.
    """
    try:
        info = path.stat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise DataError(f"{path} cannot be looked at: {error.strerror or error}.") from error
    if not stat.S_ISREG(info.st_mode):
        raise DataError(f"{path} is no ordinary file.", "The database goes there: move away what is in its place.")
    if info.st_size == 0:
        return False
    with closing(_reader(path)) as connection:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if application in (0, migrate.APPLICATION_ID) and version == 0 and not tables:
        return False
    if application == migrate.APPLICATION_ID:
        migrate.refuse_newer(version, path)
    if application not in (0, migrate.APPLICATION_ID) or not tables >= CORE_TABLES:
        raise DataError(
            f"{path} is a database of another program: it was not touched.",
            "Move it away and put the robot's own database back, or restore a backup with `backup restore`.",
        )
    migrate.refuse_newer(version, path)
    return True


def fault_of(path: Path) -> str:
    """What is wrong inside the database; empty if nothing is. Reads all of it, indexes against tables too. Blocks.

    Raises sqlite3.Error if it cannot be told: for a lock, a missing file or a permission.
    """
    try:
        with closing(_reader(path)) as connection:
            connection.execute("PRAGMA trusted_schema=OFF")
            connection.execute("PRAGMA cell_size_check=ON")
            (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.Error as error:
        if not is_damage(error):
            raise
        return str(error)
    return "" if verdict == "ok" else str(verdict)


def _reader(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=5)
