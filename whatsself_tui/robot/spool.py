"""The command spool: how other processes ask the owner for something.

A command is a JSON file in `run/commands/`, written under a temporary name and renamed. The owner
carries it out once and answers in `run/results/`. Who may write the folder may command the robot.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from whatsself_tui.errors import CommandRefused
from whatsself_tui.host.atomic import write_atomic
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.robot.link import CommandResult

#: Version of the command files' format.
VERSION = 1

#: No command is larger; a larger file is not even read.
MAX_BYTES = 1_000_000

#: Rejected files kept for a person to look at.
KEEP_REJECTED = 50

#: Results nobody fetched are deleted after this long.
RESULT_LIFE_MS = 3_600_000

#: Ending of a command file the owner has taken.
TAKEN = ".taken"

_ID = re.compile(r"[0-9a-z]{8,60}")


@dataclass(frozen=True, slots=True)
class SpooledCommand:
    """A command as it stands in a file."""

    id: str
    name: str
    args: Mapping[str, Any]


class BadCommand(Exception):
    """A file that is no command this version can take; the text says why."""


def new_id(now_ms: int) -> str:
    """An id that sorts by time."""
    return f"{now_ms:013d}{secrets.token_hex(6)}"


def submit(folder: DataFolder, command: SpooledCommand) -> Path:
    """Put a command into the spool; raises CommandRefused if it is too large."""
    content = {"version": VERSION, "id": command.id, "command": command.name, "args": dict(command.args)}
    data = json.dumps(content, ensure_ascii=True).encode()
    if len(data) > MAX_BYTES:
        raise CommandRefused(f"The command is {len(data):,} bytes long; at most {MAX_BYTES:,} are taken.")
    path = folder.commands / f"{command.id}.json"
    write_atomic(path, data)
    return path


def waiting(folder: DataFolder) -> list[Path]:
    """Command files, the earliest first; those an owner took before it died among them."""
    try:
        names = sorted(entry.name for entry in os.scandir(folder.commands) if entry.name.endswith((".json", TAKEN)))
    except FileNotFoundError:
        return []
    return [folder.commands / name for name in names]


def take(path: Path) -> Path | None:
    """Make a waiting command the owner's, so that nobody can withdraw it; None if it was withdrawn."""
    if path.name.endswith(TAKEN):
        return path
    taken = path.with_suffix(TAKEN)
    try:
        os.replace(path, taken)
    except FileNotFoundError:
        return None
    return taken


def read_command(path: Path) -> SpooledCommand:
    """The command in a file; raises BadCommand for anything else, without following or blocking."""
    try:
        info = path.lstat()
        if not stat.S_ISREG(info.st_mode):
            raise BadCommand("it is no ordinary file")
        if info.st_size > MAX_BYTES:
            raise BadCommand(f"it is {info.st_size:,} bytes long; at most {MAX_BYTES:,} are taken")
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise BadCommand(f"it cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise BadCommand("it is no JSON") from error
    return _checked(content, path.stem)


def _checked(content: object, stem: str) -> SpooledCommand:
    if not isinstance(content, dict):
        raise BadCommand("it is no JSON object")
    version = content.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise BadCommand("it has no version")
    if version > VERSION:
        raise BadCommand(f"it has version {version}, written by a newer program; this one knows {VERSION}")
    identity, name, args = content.get("id"), content.get("command"), content.get("args")
    if identity != stem or not _ID.fullmatch(stem):
        raise BadCommand("its id is not its file's name, or not 8 to 60 digits and lower-case letters")
    if not isinstance(name, str) or not isinstance(args, dict):
        raise BadCommand("it needs `command` (text) and `args` (object)")
    return SpooledCommand(stem, name, args)


def answer(folder: DataFolder, identity: str, result: CommandResult) -> None:
    """Leave the result for who asked; nothing is left for an id that could not be a file's name."""
    if not _ID.fullmatch(identity):
        return
    write_atomic(folder.results / f"{identity}.json", _document(result))


def _document(result: CommandResult) -> bytes:
    content = {"ok": result.ok, "message": result.message, "data": dict(result.data), "exit_code": result.exit_code}
    return json.dumps(content).encode()


def answer_in_place(folder: DataFolder, taken: Path, result: CommandResult) -> None:
    """Leave the result in the room the command itself takes: for a disk that has no other. Raises OSError.

    Torn by a crash, the file is no command any more and is rejected: nothing is carried out twice.
    """
    with taken.open("r+b") as file:
        file.write(_document(result))
        file.truncate()
        file.flush()
        os.fsync(file.fileno())
    os.replace(taken, folder.results / f"{taken.stem}.json")


def fetch(folder: DataFolder, identity: str) -> CommandResult | None:
    """The result if it is there; it is taken away."""
    path = folder.results / f"{identity}.json"
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (PermissionError, ValueError):
        return None  # being written on a system that locks files meanwhile: the next look finds it
    path.unlink(missing_ok=True)
    return CommandResult(content["ok"], content["message"], content["data"], content["exit_code"])


def withdraw(folder: DataFolder, identity: str) -> bool:
    """Take back a command nobody has carried out; False if it is gone already."""
    try:
        (folder.commands / f"{identity}.json").unlink()
    except FileNotFoundError:
        return False
    return True


def reject(folder: DataFolder, path: Path) -> None:
    """Move a file that is no command aside, and keep only the last of those."""
    os.replace(path, folder.rejected / f"{secrets.token_hex(3)}-{path.name[:80]}")
    kept = sorted(folder.rejected.iterdir(), key=lambda entry: entry.lstat().st_ctime, reverse=True)
    for old in kept[KEEP_REJECTED:]:
        if old.is_dir() and not old.is_symlink():
            continue
        old.unlink(missing_ok=True)


def sweep_results(folder: DataFolder, now_ms: int) -> None:
    """Delete results nobody has fetched for an hour."""
    for entry in folder.results.iterdir():
        if entry.lstat().st_mtime * 1000 < now_ms - RESULT_LIFE_MS:
            entry.unlink(missing_ok=True)
