"""Making a backup: copy, pack, read back, and only then give it its name."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from whatsself_tui import __version__
from whatsself_tui.errors import CommandRefused, DataError
from whatsself_tui.host import atomic
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.session import archive, shelf
from whatsself_tui.session.archive import Proceed
from whatsself_tui.session.contents import DATABASE, Source, settings_and_profile
from whatsself_tui.session.database import copy_database
from whatsself_tui.session.manifest import Entry, Manifest

#: Stays free beside a backup, so that it never takes the robot's own last room.
SPARE_BYTES = 50_000_000

#: Among how many of the newest backups that of a repeated command is sought; a robot that died repeats at its start.
LOOK_BACK = 10


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was written and verified."""

    path: Path
    size_bytes: int
    manifest: Manifest


class BackupMaker:
    """Makes the backups of one data folder, one after another; only the folder's owner may have one."""

    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder
        self._turn = asyncio.Lock()

    async def make(self, identity: str, now_ms: int, zone: ZoneInfo) -> Made:
        """The backup with this identity: a new one, or the one that was made under it before.

        A cancelled caller gives the work up: nothing of it is left, and no thread writes any more
        when this returns. Raises DataError if no backup can be made.
        """
        async with self._turn:
            gives_up = threading.Event()

            def go() -> None:
                if gives_up.is_set():
                    raise CommandRefused("The backup was given up.")

            now = datetime.fromtimestamp(now_ms / 1000, zone)
            work = asyncio.ensure_future(asyncio.to_thread(find_or_make, self._folder, identity, now, go))
            try:
                return await asyncio.shield(work)
            except asyncio.CancelledError:
                gives_up.set()
                await asyncio.gather(work, return_exceptions=True)
                raise


def find_or_make(folder: DataFolder, identity: str, now: datetime, go: Proceed) -> Made:
    """The backup with this identity, made if it is not there. Blocks. Raises DataError, and what `go` raises.

    The archive itself carries the identity, so a crash between its last step and the record of it
    elsewhere does not lead to a second one.
    """
    for backup in shelf.stored(folder.backups)[:LOOK_BACK]:
        with contextlib.suppress(DataError):  # one that cannot be read is not the one that is sought
            manifest = archive.read_manifest(backup.path)
            if manifest.id == identity:
                return Made(backup.path, backup.size_bytes, manifest)
    try:
        return _make(folder, identity, now, go)
    except OSError as error:
        raise DataError(
            f"The backup was not made: {folder.backups} cannot be written: {error.strerror or error}.",
            "Check its permissions and the room on the disk.",
        ) from error


def _make(folder: DataFolder, identity: str, now: datetime, go: Proceed) -> Made:
    folder.backups.mkdir(exist_ok=True)
    shelf.sweep(folder.backups)
    sources = settings_and_profile(folder)
    _require_room(folder, sources)
    copy = shelf.temporary_path(folder.backups, "database")
    packed = shelf.temporary_path(folder.backups, "archive")

    def describe(entries: tuple[Entry, ...]) -> Manifest:
        return Manifest(version=__version__, id=identity, created_at=now.astimezone(UTC), files=entries)

    try:
        copy_database(folder.database, copy)
        go()
        sources.append(Source(DATABASE, copy, copy.stat().st_size))
        archive.pack(packed, sources, describe, go)
        manifest = _read_back(packed, go)
        size = packed.stat().st_size
        path = shelf.free_path(folder.backups, now.date())
        atomic.replace(packed, path)
        atomic.sync_folder(folder.backups)
    finally:
        shelf.sweep(folder.backups)
    return Made(path, size, manifest)


def _read_back(packed: Path, go: Proceed) -> Manifest:
    try:
        return archive.check(packed, go)
    except DataError as error:
        raise DataError(
            f"The backup was not made: it does not read back as it was written: {error.message}",
            "The disk may be failing: look at it first.",
        ) from error


def _require_room(folder: DataFolder, sources: list[Source]) -> None:
    """Room for everything uncompressed, and for the database's copy beside it."""
    log = folder.database.with_name(f"{folder.database.name}-wal")
    database = sum(path.stat().st_size for path in (folder.database, log) if path.exists())
    needed = sum(source.size_bytes for source in sources) + 2 * database + SPARE_BYTES
    free = shutil.disk_usage(folder.backups).free
    if free < needed:
        raise DataError(
            f"The backup was not made: it may need {size_text(needed)}, and {size_text(free)} are free.",
            f"Make room on the disk of {folder.backups}.",
        )


def size_text(size_bytes: int) -> str:
    """A size for a person, such as `12.3 MB`."""
    return f"{size_bytes / 1e6:,.1f} MB" if size_bytes >= 1_000_000 else f"{size_bytes / 1e3:,.1f} kB"
