"""A database that is lost or damaged: never a silent new beginning, and what the operator can do about it."""

from __future__ import annotations

import contextlib
import os
import shlex
import sqlite3
import subprocess
import sys
from datetime import datetime
from pathlib import Path

from whatsself_tui.errors import DataError
from whatsself_tui.host import atomic
from whatsself_tui.host.data_folder import DataFolder, locate
from whatsself_tui.session import checking, shelf
from whatsself_tui.store.damage import COMPANIONS, DamagedDatabase, fault_of, is_damage, recognise
from whatsself_tui.store.database import describe
from whatsself_tui.text import visible


def require_known(folder: DataFolder, now: datetime) -> None:
    """Let only a robot's own, whole database be opened, or none where none has been yet.

    For the folder's owner, before it opens the database. Costs the same for any size, except after a
    run that met damage: then all of it is read. Blocks. Raises DataError.
    """
    database = folder.database
    if os.path.lexists(database) and not os.access(database, os.R_OK | os.W_OK):
        # Before SQLite makes its files beside it with the same permissions, which would outlive a correction.
        raise DataError(f"The database {database} cannot be read and written.", "Check its permissions.")
    try:
        known = recognise(database)
        fault = fault_of(database) if known and folder.suspect.exists() else ""
    except sqlite3.Error as error:
        raise explain(folder, error, now) from error
    if fault:
        raise _set_aside(folder, fault, now)
    if known:
        folder.suspect.unlink(missing_ok=True)
    elif _has_run(folder):
        raise DataError(_what_is_lost(folder), ways_out(folder, now))


def has_begun(folder: DataFolder) -> None:
    """Remember that there is a database here, so that its loss will be noticed. Blocks. Raises OSError."""
    if not folder.began.exists():
        atomic.write_atomic(folder.began, b"A robot has had a database here.\n")


def explain(folder: DataFolder, error: sqlite3.Error | DataError, now: datetime) -> DataError:
    """What an error of the database means; one that is certainly damaged is set aside.

    For the folder's owner, with no connection open. Blocks.
    """
    cause = error if isinstance(error, sqlite3.Error) else error.__cause__
    told = error if isinstance(error, DataError) else describe(error, folder.database)
    if cause is None or not is_damage(cause):
        return told
    try:
        fault = fault_of(folder.database)
    except sqlite3.Error as second:
        return describe(second, folder.database)
    return _set_aside(folder, fault, now) if fault else told


def note_damage(folder: DataFolder, text: str) -> None:
    """Let the next start read all of the database before it trusts it. Blocks."""
    with contextlib.suppress(OSError):  # without room there is at least the name
        atomic.write_atomic(folder.suspect, text.encode("utf-8", "replace"))
        return
    with contextlib.suppress(OSError):
        folder.suspect.touch()


def ways_out(folder: DataFolder, now: datetime) -> str:
    """The commands that give the robot a database again. Reads backups until a whole one is found. Blocks."""
    empty = (
        f"To begin with an empty database: `{command_line(folder, 'backup', 'restore', '--empty')}`;"
        " the robot then knows neither its queue nor whom it has answered."
    )
    for backup in shelf.stored(folder.backups):
        with contextlib.suppress(DataError):  # a damaged one is no way out
            manifest = checking.verify(backup.path)
            made = manifest.created_at.astimezone(now.tzinfo).strftime("%Y-%m-%d %H:%M")
            put_back = command_line(folder, "backup", "restore", backup.path.name)
            name = backup.path.name
            return f"The newest good backup is {name}, made {made}. To put it in place: `{put_back}`. {empty}"
    return f"There is no good backup in {folder.backups}. {empty}"


def command_line(folder: DataFolder, *arguments: str) -> str:
    """A command of this program on this folder, as this system's shell takes it."""
    place = [] if folder.root == locate(None).root else ["--data-dir", str(folder.root)]
    words = ["whatsself-tui", *place, *arguments]
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)


def _has_run(folder: DataFolder) -> bool:
    """Whether this folder has had a database: its own mark, or what only a robot leaves behind.

    A log without its database proves nothing: a power cut at the very first start can leave one.
    """
    phone = folder.simulator / "received.jsonl"
    return (
        folder.began.exists()
        or (phone.is_file() and phone.stat().st_size > 0)
        or bool(_set_aside_before(folder))
        or bool(shelf.stored(folder.backups))
    )


def _set_aside_before(folder: DataFolder) -> list[Path]:
    return sorted(folder.damaged.glob("whatsself-*.db")) if folder.damaged.is_dir() else []


def _what_is_lost(folder: DataFolder) -> str:
    name = folder.database.name
    before = _set_aside_before(folder)
    if before:
        return f"The database {name} is missing: it was damaged, and is kept as {before[-1]}."
    what = "is empty" if folder.database.exists() else "is missing"
    return f"The database {name} in {folder.root} {what}, though a robot has run here."


def _set_aside(folder: DataFolder, fault: str, now: datetime) -> DataError:
    """Move the damaged database away, whole; nothing is deleted or overwritten. Returns what to tell."""
    database = folder.database
    found = f"The database {database} is damaged ({visible(fault, 100)})."
    try:
        target = _free_place(folder.damaged, now)
        # The database first: it must never be opened without the log that stands beside it.
        for ending in ("", *COMPANIONS):
            if os.path.lexists(f"{database}{ending}"):
                atomic.replace(Path(f"{database}{ending}"), Path(f"{target}{ending}"))
        atomic.sync_folder(folder.damaged)
        atomic.sync_folder(folder.root)
        folder.suspect.unlink(missing_ok=True)
    except OSError as error:
        reason = f"It could not be moved to {folder.damaged}: {error.strerror or error}."
        return DamagedDatabase(f"{found} {reason}", ways_out(folder, now))
    return DamagedDatabase(f"{found} It was moved to {target}.", ways_out(folder, now))


def _free_place(folder: Path, now: datetime) -> Path:
    folder.mkdir(exist_ok=True)
    stem, number = f"whatsself-{now:%Y%m%d-%H%M%S}", 1
    while any(os.path.lexists(folder / f"{stem}{_count(number)}.db{ending}") for ending in ("", *COMPANIONS)):
        number += 1
    return folder / f"{stem}{_count(number)}.db"


def _count(number: int) -> str:
    return f"-{number}" if number > 1 else ""
