"""`backup create|list|verify`: copies of everything that cannot be made again."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from pathlib import Path

from whatsself_tui.cli.carry_out import carry_out
from whatsself_tui.cli.output import clock_time, document, iso, line, narrate, report
from whatsself_tui.config.in_force import read_in_force
from whatsself_tui.errors import DataError, NoAnswer, UsageError
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.session import checking, shelf
from whatsself_tui.session.making import size_text
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
    path = _chosen(folder, args.file)
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


def _chosen(folder: DataFolder, argument: str | None) -> Path:
    """The file that is named, by its path or as one of the list; without a name the newest."""
    if argument is None:
        backups = shelf.stored(folder.backups)
        if not backups:
            raise DataError(f"There is no backup in {folder.backups}.", "`backup create` makes one.")
        return backups[0].path
    path = Path(argument)
    if path.exists():
        return path
    if path.name == argument and (folder.backups / argument).exists():
        return folder.backups / argument
    raise UsageError(f"There is no file {visible(argument, 200)}.", "`backup list` shows the names.")
