"""Looking after the database: opened only if it can be trusted, and its refusals told to who asks."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from datetime import datetime
from zoneinfo import ZoneInfo

from whatsself_tui.clock import Clock
from whatsself_tui.errors import DataError
from whatsself_tui.host.atomic import write_atomic
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.host.logs import logger
from whatsself_tui.session import loss
from whatsself_tui.store.damage import is_damage
from whatsself_tui.store.database import Store

log = logger("database")

#: What helps against a refusal, by SQLite's primary result code; the robot tries again by itself.
_HELP = {
    sqlite3.SQLITE_FULL: "Make room on the disk: the robot goes on by itself then, and nothing is lost.",
    sqlite3.SQLITE_BUSY: "Another program holds it (a backup, a database browser?): close that.",
    sqlite3.SQLITE_READONLY: "Check the permissions of the data folder: the robot goes on by itself then.",
    sqlite3.SQLITE_IOERR: "Look at the disk: the robot tries again and again.",
}


async def open_store(folder: DataFolder, clock: Clock, zone: ZoneInfo) -> Store:
    """Open the folder's database, or make it where none has been yet. For the folder's owner.

    Raises DataError; a database that is certainly damaged is set aside then.
    """
    now = datetime.fromtimestamp(clock.now_ms() / 1000, zone)
    await asyncio.to_thread(loss.require_known, folder, now)
    try:
        store = await Store.open(folder.database, clock, zone)
    except DataError as error:
        told = await asyncio.to_thread(loss.explain, folder, error, now)
        if told is error:
            raise
        raise told from error
    store.on_refusal(RefusalNote(folder))
    try:
        await asyncio.to_thread(loss.has_begun, folder)
    except OSError as error:
        await store.close()
        raise DataError(
            f"{folder.began} cannot be written: {error.strerror or error}.", "Check the room on the disk."
        ) from error
    return store


async def give_up(folder: DataFolder, store: Store, error: sqlite3.Error, clock: Clock) -> DataError:
    """Close a database that failed at the start, and find out what is wrong with it. For the folder's owner."""
    await store.close()
    now = datetime.fromtimestamp(clock.now_ms() / 1000, store.zone)
    return await asyncio.to_thread(loss.explain, folder, error, now)


class RefusalNote:
    """Keeps `run/trouble` for `status`, and remembers damage for the next start."""

    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder
        self._told = ""
        self._remove()

    def __call__(self, error: sqlite3.Error | None) -> None:
        """The database refused, or (None) takes everything again."""
        if error is None:
            log.info("database takes everything again")
            self._told = ""
            self._remove()
            return
        if is_damage(error):
            log.critical("database damaged", error=str(error))
            loss.note_damage(self._folder, f"{error}\n")
            return
        told = f"It takes nothing at present: {error}.\n{_HELP.get(error.sqlite_errorcode & 0xFF, '')}\n"
        if told == self._told:
            return
        self._told = told
        log.error("database refuses", error=str(error))
        try:
            write_atomic(self._folder.trouble, told.encode())
        except OSError:
            with contextlib.suppress(OSError):  # no room: the name alone tells something, and so does the disk's line
                self._folder.trouble.touch()

    def _remove(self) -> None:
        with contextlib.suppress(OSError):  # it tells more than is true for a while, and harms nothing
            self._folder.trouble.unlink(missing_ok=True)


def read_refusal(folder: DataFolder) -> tuple[str, str] | None:
    """What the running robot last noted about its database, and what helps; None if all is well."""
    if folder.suspect.exists():
        return (
            "It is damaged: nothing is sent and nothing is stored any more.",
            "Stop the robot and start it again: it looks closer, keeps the damaged file and names the newest backup.",
        )
    try:
        text = folder.trouble.read_text(encoding="utf-8")
    except OSError:
        return None
    told, _, helps = text.partition("\n")
    return told or "It takes nothing at present.", helps.strip() or "Look at the room on the disk."
