"""`backup create|list|verify|restore`: copies of everything that cannot be made again."""

from __future__ import annotations

import asyncio
import tempfile
from argparse import Namespace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from whatsself_tui import __version__
from whatsself_tui.cli.carry_out import carry_out
from whatsself_tui.cli.output import clock_time, document, iso, line, narrate, report
from whatsself_tui.clock import SystemClock
from whatsself_tui.config.in_force import read_in_force
from whatsself_tui.errors import CommandRefused, DataError, FolderOwned, NoAnswer, UsageError
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.host.ownership import MOMENTARY, Ownership, is_locked
from whatsself_tui.session import checking, shelf, swap
from whatsself_tui.session import restore as restoring
from whatsself_tui.session.making import size_text
from whatsself_tui.session.manifest import Manifest
from whatsself_tui.session.restore import Queue, Restored
from whatsself_tui.text import visible


def create(folder: DataFolder, args: Namespace) -> int:
    """Make a backup, by the robot if one runs."""
    folder.require()
    try:
        result = asyncio.run(carry_out(folder, "backup", {}))
    except NoAnswer as error:
        advice = "It is made once, by this robot or the next one; `backup list` shows it when it is whole."
        raise NoAnswer(error.message, advice) from error
    return report(result, args.json)


def show(folder: DataFolder, args: Namespace) -> int:
    """Print the backups that are there; none of them is looked into."""
    backups = shelf.stored(folder.backups)
    if args.json:
        document(
            {
                "folder": str(folder.backups),
                "backups": [
                    {"file": backup.path.name, "date": backup.day.isoformat(), "size_bytes": backup.size_bytes}
                    for backup in backups
                ],
            }
        )
        return 0
    for backup in backups:
        line(f"{backup.path.name:<36}  {backup.day}  {size_text(backup.size_bytes):>12}")
    if not backups:
        narrate(f"No backups in {folder.backups}.")
    return 0


def verify(folder: DataFolder, args: Namespace) -> int:
    """Check one backup. Raises DataError with what is wrong with it."""
    path = _newest(folder) if args.file is None else _named(folder, args.file)
    manifest = checking.verify(path)
    size = path.stat().st_size
    zone = read_in_force(folder.config)[0].business.zone
    made_at_ms = round(manifest.created_at.timestamp() * 1000)
    text = (
        f"{visible(path.name, 200)} is whole: {len(manifest.files)} files, {size_text(size)},"
        f" made {clock_time(made_at_ms, zone)}."
    )
    if args.json:
        document(
            {
                "ok": True,
                "message": text,
                "file": path.name,
                "path": str(path),
                "size_bytes": size,
                "files": len(manifest.files),
                "created_at": iso(made_at_ms, zone),
                "version": manifest.version,
            }
        )
    else:
        line(text)
    return 0


def restore(folder: DataFolder, args: Namespace) -> int:
    """Put a backup, or an empty database, in place of what is there; the robot must be stopped."""
    if args.empty and (args.file is not None or args.dry_run):
        raise UsageError("`--empty` stands alone: it takes no backup and has nothing to try out.")
    if args.dry_run:
        return _try_out(folder, args)
    folder.create()
    ownership = Ownership(folder)
    clock = SystemClock()
    try:
        ownership.take(mode=MOMENTARY, now_ms=clock.now_ms(), version=__version__)
    except FolderOwned as error:
        raise FolderOwned(error.message, "Stop it first, then restore.") from error
    try:
        _require_no_console(folder)
        if swap.finish_interrupted(folder):
            narrate("A restore that was interrupted before is finished now.")
        zone = read_in_force(folder.config)[0].business.zone
        if args.empty:
            return _begin_empty(folder, datetime.fromtimestamp(clock.now_ms() / 1000, zone), args.json)
        path = _good(folder, args.file)
        return _tell(path, restoring.restore(folder, path, clock.now_ms(), zone), zone, args.json)
    finally:
        ownership.release()


def _require_no_console(folder: DataFolder) -> None:
    """An attached console would go on showing what was there before."""
    if any(is_locked(console) for console in folder.consoles.iterdir()):
        raise CommandRefused("A console is attached to this data folder.", "Close it first, then restore.")


def _try_out(folder: DataFolder, args: Namespace) -> int:
    """Do everything but the exchange, in a temporary folder."""
    path = _good(folder, args.file)
    try:
        with tempfile.TemporaryDirectory(prefix="whatsself-restore-") as scratch:
            manifest, queue = restoring.look(path, Path(scratch))
    except OSError as error:
        raise DataError(f"The backup cannot be unpacked for the look: {error.strerror or error}.") from error
    zone = read_in_force(folder.config)[0].business.zone
    parts = restoring.parts_of(manifest)
    text = f"{_what(path, manifest, queue, zone)} It would take the place of {', '.join(parts)}. Nothing was changed."
    _print(text, _document(path, manifest, queue, zone) | {"dry_run": True, "replaced": None}, args.json)
    return 0


def _tell(path: Path, restored: Restored, zone: ZoneInfo, as_json: bool) -> int:
    manifest, queue, kept = restored.manifest, restored.queue, restored.kept
    where = f" What was there before is kept in {kept}." if kept else ""
    text = (
        f"Restored. {_what(path, manifest, queue, zone)}{where} The robot is paused, because some of what waits may"
        " have been sent since: look at `queue list`, then `queue resume`."
    )
    _print(text, _document(path, manifest, queue, zone) | {"dry_run": False, "replaced": kept and str(kept)}, as_json)
    return 0


def _begin_empty(folder: DataFolder, now: datetime, as_json: bool) -> int:
    kept = restoring.begin_empty(folder, now)
    where = f" The former one is kept in {kept}." if kept else ""
    text = (
        f"The database is empty.{where} The robot knows no contact, no consent, no queue and no message any more:"
        " nothing that waited is sent, and what arrives a second time is answered a second time."
    )
    _print(text, {"file": None, "dry_run": False, "replaced": kept and str(kept)}, as_json)
    return 0


def _what(path: Path, manifest: Manifest, queue: Queue, zone: ZoneInfo) -> str:
    made = clock_time(round(manifest.created_at.timestamp() * 1000), zone)
    return (
        f"{visible(path.name, 200)}, made {made}, holds {len(manifest.files)} files;"
        f" {queue.waiting} messages were waiting and {queue.in_flight} being sent."
    )


def _document(path: Path, manifest: Manifest, queue: Queue, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "file": path.name,
        "path": str(path),
        "created_at": iso(round(manifest.created_at.timestamp() * 1000), zone),
        "version": manifest.version,
        "files": len(manifest.files),
        "parts": list(restoring.parts_of(manifest)),
        "waiting": queue.waiting,
        "in_flight": queue.in_flight,
        "paused": True,
    }


def _print(text: str, content: dict[str, Any], as_json: bool) -> None:
    if as_json:
        document({"ok": True, "message": text, **content})
    else:
        line(text)


def _good(folder: DataFolder, argument: str | None) -> Path:
    """The backup that is named, else the newest whole one."""
    return restoring.newest_good(folder) if argument is None else _named(folder, argument)


def _newest(folder: DataFolder) -> Path:
    backups = shelf.stored(folder.backups)
    if not backups:
        raise DataError(f"There is no backup in {folder.backups}.", "`backup create` makes one.")
    return backups[0].path


def _named(folder: DataFolder, argument: str) -> Path:
    """A file by its path or as one of the list."""
    path = Path(argument)
    if path.exists():
        return path
    if path.name == argument and (folder.backups / argument).exists():
        return folder.backups / argument
    raise UsageError(f"There is no file {visible(argument, 200)}.", "`backup list` shows the names.")
