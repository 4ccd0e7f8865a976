"""A disk that loses power: of what was written and not yet synced, a random half of the sectors is gone.

SQLite asks the file system through a VFS, and APSW lets Python be one. APSW brings an SQLite of its
own, so the connection it makes is dressed up as one of `sqlite3` and handed to the program in place
of it: everything above it, the store with its pragmas, transactions and threads, is the program's own.

APSW offers no shared memory to SQLite, which therefore keeps the WAL's index in its heap and locks
the file for itself (`locking_mode=EXCLUSIVE`); the program's reading connection is the same one. What
is written and synced, and when, does not depend on that. A file's name is durable at once; a sector is
written whole or not at all (the assumption SQLite makes too).
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

SECTOR = 512

#: Pages in the WAL after which SQLite copies them into the database; 1000 by default, too many for
#: a short life to come to it.
CHECKPOINT_PAGES = 40

SURVIVED = ".survived"

Step = Callable[[str, Callable[[], None]], None]


@dataclass(slots=True)
class _File:
    """One file, as it is for certain and as it was written since."""

    synced: bytearray
    pending: list[tuple[int, bytes]] = field(default_factory=list)
    """(offset, data); an offset alone, with a length to cut to, is written as (length, b"")."""

    def write(self, offset: int, data: bytes) -> None:
        """Into the cache."""
        self.pending.append((offset, data))

    def sync(self) -> None:
        """Out of the cache."""
        for offset, data in self.pending:
            _apply(self.synced, offset, data)
        self.pending.clear()

    def after_the_cut(self, dice: random.Random) -> bytes:
        """What can be read when the power is back."""
        left = bytearray(self.synced)
        for offset, data in self.pending:
            for sector in _sectors(offset, data):
                if dice.random() < 0.5:
                    _apply(left, *sector)
        return bytes(left)


def _sectors(offset: int, data: bytes) -> Iterable[tuple[int, bytes]]:
    if not data:
        yield offset, data
    end = offset + len(data)
    while offset < end:
        stop = min(end, (offset // SECTOR + 1) * SECTOR)
        yield offset, data[len(data) - (end - offset) : len(data) - (end - stop)]
        offset = stop


def _apply(content: bytearray, offset: int, data: bytes) -> None:
    if not data:
        del content[offset:]
        return
    content.extend(bytes(max(0, offset + len(data) - len(content))))
    content[offset : offset + len(data)] = data


class Disk(apsw.VFS):
    """The VFS of one process; `step` is told before each operation, and what to do if the power goes now."""

    NAME = "disk-that-loses-power"

    def __init__(self, step: Step, dice: random.Random) -> None:
        self._step = step
        self._dice = dice
        self.files: dict[str, _File] = {}
        super().__init__(self.NAME, "")

    def about_to(self, operation: str, path: str) -> None:
        """The next operation; the power may go instead."""
        self._step(f"disk: {operation} {Path(path).name}", self._cut)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        """SQLite opens a file; a temporary one has no name and no future."""
        if name is None:
            return super().xOpen(name, flags)
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        if path not in self.files:
            self.files[path] = _File(bytearray(Path(path).read_bytes() if Path(path).exists() else b""))
        return _OpenFile(self, path, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        """SQLite deletes a file."""
        self.about_to("delete", filename)
        self.files.pop(filename, None)
        super().xDelete(filename, syncdir)

    def _cut(self) -> None:
        for path, file in self.files.items():
            Path(path + SURVIVED).write_bytes(file.after_the_cut(self._dice))


class _OpenFile(apsw.VFSFile):
    def __init__(self, disk: Disk, path: str, name: str | apsw.URIFilename, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self._disk = disk
        self._path = path

    def xWrite(self, data: bytes, offset: int) -> None:
        """SQLite writes."""
        self._disk.about_to("write", self._path)
        super().xWrite(data, offset)
        self._disk.files[self._path].write(offset, bytes(data))

    def xTruncate(self, newsize: int) -> None:
        """SQLite cuts the file off."""
        self._disk.about_to("truncate", self._path)
        super().xTruncate(newsize)
        self._disk.files[self._path].write(newsize, b"")

    def xSync(self, flags: int) -> None:
        """SQLite wants everything before this to last."""
        self._disk.about_to("sync", self._path)
        self._disk.files[self._path].sync()


@dataclass(frozen=True, slots=True)
class _Rows:
    """As much of `sqlite3.Cursor` as the program uses."""

    rows: Sequence[Any]
    rowcount: int
    lastrowid: int

    def fetchone(self) -> Any:
        """The first row, or None."""
        return self.rows[0] if self.rows else None

    def fetchall(self) -> list[Any]:
        """All rows."""
        return list(self.rows)

    def __iter__(self) -> Any:
        return iter(self.rows)


class Connection:
    """As much of `sqlite3.Connection` as the program uses."""

    def __init__(self, path: Path, synchronous: str) -> None:
        self._synchronous = synchronous
        self._connection = apsw.Connection(str(path), vfs=Disk.NAME)
        self._connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        self._connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")

    @property
    def in_transaction(self) -> bool:
        """Between BEGIN and COMMIT."""
        return self._connection.in_transaction

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> _Rows:
        """Run one statement to its end."""
        if self._synchronous and sql.startswith("PRAGMA synchronous"):
            sql = f"PRAGMA synchronous={self._synchronous}"
        try:
            rows = self._connection.execute(sql, tuple(parameters)).fetchall()
        except apsw.Error as error:
            raise sqlite3.OperationalError(str(error)) from error
        changes = self._connection.changes() if sql.startswith(("INSERT", "UPDATE", "DELETE")) else -1
        return _Rows(rows, changes, self._connection.last_insert_rowid())

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row."""
        for row in rows:
            self.execute(sql, row)

    def close(self) -> None:
        """The reading and the writing end are the same: it stays open until the process ends."""


def connector(synchronous: str) -> Callable[..., Connection]:
    """What stands in for `sqlite3.connect`; with an empty `synchronous` the program's own stays in force."""
    opened: list[Connection] = []

    def connect(path: str | Path, **_: Any) -> Connection:
        if not opened:
            opened.append(Connection(Path(path), synchronous))
        return opened[0]

    return connect


def back_on(folder: Path) -> None:
    """The power is back: what survived is what there is."""
    for path in folder.glob("whatsself.db*"):
        if not path.name.endswith(SURVIVED):
            path.unlink()
    for path in folder.glob(f"whatsself.db*{SURVIVED}"):
        path.rename(path.with_name(path.name.removesuffix(SURVIVED)))
