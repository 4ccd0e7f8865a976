"""The command `media`: fetch a received medium from WhatsApp, once, when somebody asks for it."""

from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from whatsself_tui.errors import DataError, RobotNotRunning
from whatsself_tui.host.atomic import is_temporary, write_atomic
from whatsself_tui.host.logs import logger
from whatsself_tui.host.media_files import SPARE_BYTES
from whatsself_tui.host.media_types import HEAD_BYTES, ending_for
from whatsself_tui.robot.link import CommandResult
from whatsself_tui.session.making import size_text
from whatsself_tui.store import inbox
from whatsself_tui.transport.base import DownloadFailed

if TYPE_CHECKING:
    from whatsself_tui.robot.commands import Host

log = logger("media")

#: Largest medium that is fetched, in bytes: it comes through the page in one piece.
MAX_BYTES = 100_000_000


class MediaArgs(BaseModel):
    """Which one."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    id: int = Field(ge=1, le=1 << 53)
    """Number of the received message."""


@dataclass(frozen=True, slots=True)
class _Kept:
    path: Path
    size_bytes: int


class Downloads:
    """Fetches media into `media/received/`, one at a time: each may fill a good part of the memory."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._turn = asyncio.Lock()

    async def fetch(self, args: MediaArgs) -> CommandResult:
        """Where the medium is, fetched now unless it was before. A repetition finds the file itself."""
        async with self._turn:
            try:
                return await self._fetch(args.id)
            except (DownloadFailed, RobotNotRunning, DataError) as error:
                log.info("medium not fetched", message=args.id, reason=str(error))
                return CommandResult(False, str(error), {}, error.exit_code)

    async def _fetch(self, number: int) -> CommandResult:
        medium = await self._host.store.read(lambda con: inbox.media_by_id(con, number))
        if medium is None:
            return _refused(f"No message {number} with a medium was received; `messages media` lists them.")
        folder = self._host.folder.downloads
        kept = await asyncio.to_thread(_kept, folder, number)
        if kept is not None:
            return _done(number, kept, new=False)
        if not medium.key:
            return _refused(f"Message {number} did not come from WhatsApp: there is nothing to fetch.")
        if medium.size_bytes is not None and medium.size_bytes > MAX_BYTES:
            large, most = size_text(medium.size_bytes), size_text(MAX_BYTES)
            return _refused(f"The medium of message {number} has {large}; at most {most} are fetched.")
        data = await self._host.download(medium.key, MAX_BYTES)
        if not data:
            return _refused(f"WhatsApp gave an empty file for message {number}.")
        day = datetime.fromtimestamp(medium.written_at_ms / 1000, self._host.store.zone).date()
        path = folder / f"{number}-{day}.{ending_for(data[:HEAD_BYTES], medium.mimetype)}"
        await asyncio.to_thread(_keep, path, data)
        return _done(number, _Kept(path, len(data)), new=True)


def _kept(folder: Path, number: int) -> _Kept | None:
    """What was fetched before; only ordinary files count."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                ours = entry.name.startswith(f"{number}-") and not is_temporary(entry.name)
                if ours and entry.is_file(follow_symlinks=False):
                    return _Kept(Path(entry.path), entry.stat(follow_symlinks=False).st_size)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataError(f"{folder} cannot be read: {error.strerror or error}.") from error
    return None


def _keep(path: Path, data: bytes) -> None:
    """Write it, its owner's alone. Raises DataError."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        free = shutil.disk_usage(path.parent).free
        needed = len(data) + SPARE_BYTES
        if free < needed:
            raise DataError(f"The medium was not kept: it needs {size_text(needed)}, and {size_text(free)} are free.")
        write_atomic(path, data)
    except OSError as error:
        advice = f"Check the room on the disk and the permissions of {path.parent}."
        raise DataError(f"The medium cannot be written: {error.strerror or error}.", advice) from error


def _done(number: int, kept: _Kept, *, new: bool) -> CommandResult:
    text = f"{kept.path} holds {size_text(kept.size_bytes)}{'' if new else ', fetched before'}."
    data = {"id": number, "path": str(kept.path), "size_bytes": kept.size_bytes, "new": new}
    return CommandResult(True, text, data)


def _refused(message: str) -> CommandResult:
    return CommandResult(False, message, {}, 1)
