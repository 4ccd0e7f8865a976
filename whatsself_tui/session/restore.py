"""Putting a backup in place of what is there: checked in full first, never half, and what it replaces is kept."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from whatsself_tui.errors import DataError
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.session import archive, shelf, swap
from whatsself_tui.session.checking import verify
from whatsself_tui.session.contents import DATABASE
from whatsself_tui.session.database import database_fault
from whatsself_tui.session.manifest import Manifest
from whatsself_tui.store import alerts, state
from whatsself_tui.store.damage import recognise
from whatsself_tui.store.database import Tx, describe
from whatsself_tui.store.migrate import migrate
from whatsself_tui.text import visible

#: Kind of the alert that stands from a restore until the operator lets the robot send again.
RESTORED = "restored"


@dataclass(frozen=True, slots=True)
class Queue:
    """What a backup's queue held when it was made."""

    waiting: int
    in_flight: int
    """Handed to the phone with no answer yet; the next start looks each up."""


@dataclass(frozen=True, slots=True)
class Restored:
    """A backup that is in place."""

    manifest: Manifest
    queue: Queue
    kept: Path | None
    """Where what stood there before is; None if nothing did."""


def newest_good(folder: DataFolder) -> Path:
    """The newest backup that is whole. Reads backups until one is. Blocks. Raises DataError if none is."""
    last: DataError | None = None
    for backup in shelf.stored(folder.backups):
        try:
            verify(backup.path)
        except DataError as error:
            last = error
        else:
            return backup.path
    if last is None:
        raise DataError(f"There is no backup in {folder.backups}.", "`backup create` makes one.")
    raise DataError(f"No backup in {folder.backups} is whole: {last.message}", "Name a file that is kept elsewhere.")


def restore(folder: DataFolder, path: Path, now_ms: int, zone: ZoneInfo) -> Restored:
    """Put the backup in place of the database, the configuration and the browser profile.

    The restored robot is paused, with an alert that says why. What the backup does not hold stays.
    For the folder's owner, with nothing of it open. Blocks. Raises DataError, and has changed nothing then.
    """
    try:
        manifest, queue = _make_ready(folder, path, now_ms, zone)
    except OSError as error:
        swap.discard(folder)
        raise _not_made_ready(folder, error) from error
    except BaseException:
        swap.discard(folder)
        raise
    kept = swap.swap(folder, datetime.fromtimestamp(now_ms / 1000, zone))
    folder.suspect.unlink(missing_ok=True)
    return Restored(manifest, queue, kept)


def begin_empty(folder: DataFolder, now: datetime) -> Path | None:
    """Put an empty database in place; returns where the former one is kept, None if there was none.

    For the folder's owner. Blocks. Raises DataError, and has changed nothing then.
    """
    try:
        database = swap.prepare(folder) / DATABASE
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            migrate(connection, database)
    except OSError as error:
        raise _not_made_ready(folder, error) from error
    except sqlite3.Error as error:
        swap.discard(folder)
        raise describe(error, database) from error
    kept = swap.swap(folder, now)
    folder.suspect.unlink(missing_ok=True)
    return kept


def parts_of(manifest: Manifest) -> tuple[str, ...]:
    """The parts of the data folder a backup holds."""
    held = {entry.path.split("/")[0] for entry in manifest.files}
    return tuple(part for part in reversed(swap.PARTS) if part in held)


def look(path: Path, scratch: Path) -> tuple[Manifest, Queue]:
    """Unpack a backup into the empty folder `scratch` and check everything in it. Blocks. Raises DataError."""
    name = visible(path.name, 200)
    manifest = archive.unpack(path, scratch, lambda: None)
    database = scratch / DATABASE
    fault = database_fault(database)
    if fault:
        raise DataError(
            f"{name} is damaged: the database in it is not whole: {visible(fault, 200)}.", "Use another backup."
        )
    try:
        if not recognise(database):
            raise DataError(f"{name} is no backup of a robot: the database in it is empty.")
        with closing(sqlite3.connect(database)) as connection:
            return manifest, _queue(connection)
    except sqlite3.Error as error:
        raise DataError(f"{name} cannot be restored: the database in it: {error}.", "Use another backup.") from error
    except DataError as error:
        raise DataError(f"{name} cannot be restored: {error.message.replace(str(database), DATABASE)}") from error


def _make_ready(folder: DataFolder, path: Path, now_ms: int, zone: ZoneInfo) -> tuple[Manifest, Queue]:
    manifest, queue = look(path, swap.prepare(folder))
    database = swap.staged(folder) / DATABASE
    when = manifest.created_at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
    text = (
        f"Restored from {visible(path.name, 100)}, made {when}: {queue.waiting} messages waited then and"
        f" {queue.in_flight} being sent. Some may have been sent since, and what arrived since is not known here."
        " The robot is paused: look at `queue list`, then `queue resume`."
    )
    try:
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            connection.execute("PRAGMA trusted_schema=OFF")
            migrate(connection, database)
            _pause(Tx(connection, now_ms, zone), text)
    except sqlite3.Error as error:
        raise DataError(
            f"{visible(path.name, 200)} cannot be restored: the database in it: {error}.", "Use another backup."
        ) from error
    return manifest, queue


def _pause(tx: Tx, text: str) -> None:
    """What was queued may have been sent after the backup was made: a person decides."""
    tx.execute("BEGIN IMMEDIATE")
    state.set_paused(tx, True)
    alerts.clear_alert(tx, RESTORED)
    alerts.raise_alert(tx, RESTORED, "warning", text)
    tx.execute("COMMIT")


def _queue(connection: sqlite3.Connection) -> Queue:
    counts: dict[str, int] = dict(connection.execute("SELECT name, n FROM tally WHERE n > 0").fetchall())
    return Queue(sum(n for name, n in counts.items() if name.startswith("queued:")), counts.get("sending", 0))


def _not_made_ready(folder: DataFolder, error: OSError) -> DataError:
    return DataError(
        f"Nothing was restored: {folder.restoring} cannot be written: {error.strerror or error}.",
        "Check its permissions and the room on the disk.",
    )
