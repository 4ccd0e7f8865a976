"""The folder of the backups: their names, those that are there, and what a crash left."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from whatsself_tui.errors import DataError
from whatsself_tui.host.atomic import TEMP_PREFIX, TEMP_SUFFIX

STEM = "whatsapp_session"

_NAME = re.compile(STEM + r"-(\d{8})(?:-([2-9]|[1-9]\d{1,5}))?\.zip", re.ASCII)

#: Archives and database copies under way; SQLite puts files of its own beside a copy.
_UNFINISHED = re.compile(
    re.escape(TEMP_PREFIX) + STEM + r"-.*" + re.escape(TEMP_SUFFIX) + r"(-journal|-wal|-shm)?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Backup:
    """An archive on the shelf, told by its name; nothing in it was looked at."""

    path: Path
    day: date
    """Of its making, in the business's time zone."""
    number: int
    """Counts the backups of one day, from 1."""
    size_bytes: int


def stored(folder: Path) -> list[Backup]:
    """The finished backups, the newest first. Raises DataError if the folder cannot be read."""
    found = []
    try:
        with os.scandir(folder) as listing:
            for entry in listing:
                parts = _parts(entry.name)
                if parts and entry.is_file():
                    found.append(Backup(folder / entry.name, *parts, entry.stat().st_size))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise DataError(f"The backups in {folder} cannot be listed: {error.strerror or error}.") from error
    return sorted(found, key=lambda backup: (backup.day, backup.number), reverse=True)


def free_path(folder: Path, day: date) -> Path:
    """Where the next backup of this day goes: behind all there are, so that names sort by time."""
    taken = [backup.number for backup in stored(folder) if backup.day == day]
    number = max(taken, default=0) + 1
    while os.path.lexists(path := folder / _name(day, number)):
        number += 1  # a folder, or a name that only the file system takes for the same
    return path


def temporary_path(folder: Path, kind: str) -> Path:
    """A new name for something unfinished, which `sweep` knows."""
    return folder / f"{TEMP_PREFIX}{STEM}-{kind}.{secrets.token_hex(4)}{TEMP_SUFFIX}"


def sweep(folder: Path) -> None:
    """Delete what is unfinished. Only for whoever may make a backup, while none is made."""
    for entry in os.scandir(folder):
        if _UNFINISHED.fullmatch(entry.name):
            with contextlib.suppress(OSError):  # held open by a virus scanner: the next backup gets it
                os.unlink(entry.path)


def _name(day: date, number: int) -> str:
    return f"{STEM}-{day:%Y%m%d}{f'-{number}' if number > 1 else ''}.zip"


def _parts(name: str) -> tuple[date, int] | None:
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    try:
        day = date.fromisoformat(match[1])
    except ValueError:
        return None
    return day, int(match[2] or 1)
