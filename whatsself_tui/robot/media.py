"""Files on their way out: checked before they are queued, handed to the transport, swept when nobody needs them.

A message owns one file in `media/outgoing/`, a copy that its sender has made under a random name.
"""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from whatsself_tui.errors import CommandRefused, DataError, UsageError
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.host.logs import logger
from whatsself_tui.host.media_files import Medium, inspect_as, shown_name
from whatsself_tui.host.media_types import Kind
from whatsself_tui.robot import spool
from whatsself_tui.store.database import Store
from whatsself_tui.store.outbox import AttachmentRow, attachments_in_use
from whatsself_tui.text import visible
from whatsself_tui.transport.base import Attachment

log = logger("media")

#: Younger files are left alone: the command that speaks of one may not be written yet.
LEAVE_MS = 3_600_000

_FILE = re.compile(r"[0-9a-f]{32}")


class AttachmentArgs(BaseModel):
    """A file to send, as its sender found it."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    file: str
    """Its copy in `media/outgoing/`: 32 hexadecimal digits."""
    kind: Kind
    mimetype: str
    name: str
    """What the contact sees."""
    size_bytes: int


class AttachmentGone(DataError):
    """The file of a queued message is not there any more, or is another one: it can never be sent."""


def attachment_args(file: str, medium: Medium) -> AttachmentArgs:
    """What the command `send` says of a copy."""
    return AttachmentArgs(
        file=file, kind=medium.kind, mimetype=medium.mimetype, name=medium.name, size_bytes=medium.size_bytes
    )


def accepted(folder: DataFolder, args: AttachmentArgs) -> AttachmentRow:
    """What is queued of a file. Raises CommandRefused unless its copy is there and is what was told. Blocks."""
    try:
        medium = _look(folder, args.file, args.name)
    except UsageError as error:
        raise CommandRefused(f"The file to send is not taken: {error}") from error
    if attachment_args(args.file, medium) != args or shown_name(args.name) != args.name:
        raise CommandRefused("The file to send is not what it was a moment ago.", "Send it when nobody writes it.")
    return AttachmentRow(args.file, args.kind, args.mimetype, args.name)


def outgoing_attachment(folder: DataFolder, row: AttachmentRow) -> Attachment:
    """What the transport sends of a queued message's file. Raises AttachmentGone. Blocks for a moment."""
    try:
        medium = _look(folder, row.file, row.name)
    except UsageError as error:
        raise AttachmentGone(f"the file to send ({visible(row.name, 120)}) is gone: {error.message}") from error
    if medium.kind != row.kind:
        raise AttachmentGone(f"the file to send ({visible(row.name, 120)}) is another one by now")
    return Attachment(folder.outgoing / row.file, medium.kind, row.mimetype, row.name)


def _look(folder: DataFolder, file: str, name: str) -> Medium:
    if not _FILE.fullmatch(file):
        raise UsageError(f"{visible(file, 60)} is not the name of a copy.", "It is 32 hexadecimal digits.")
    return inspect_as(folder.outgoing / file, name)


async def sweep(folder: DataFolder, store: Store, now_ms: int) -> int:
    """Delete the copies that no message which may still be sent refers to, and no waiting command; returns how many.

    Raises sqlite3.Error; what cannot be deleted is told in the log and stays.
    """
    # In this order: a command that is carried out meanwhile is found in one place or the other.
    needed = await asyncio.to_thread(_on_their_way, folder)
    needed |= await store.read(attachments_in_use)
    return await asyncio.to_thread(_delete_others, folder.outgoing, needed, now_ms - LEAVE_MS)


def _on_their_way(folder: DataFolder) -> set[str]:
    files = set()
    for path in spool.waiting(folder):
        try:
            attachment = spool.read_command(path).args.get("attachment")
        except spool.BadCommand:
            continue  # the desk rejects it, and tells why
        if isinstance(attachment, dict) and isinstance(file := attachment.get("file"), str):
            files.add(file)
    return files


def _delete_others(outgoing: Path, needed: set[str], before_ms: int) -> int:
    deleted = 0
    try:
        entries = list(os.scandir(outgoing))
    except FileNotFoundError:
        return 0
    except OSError as error:
        log.warning("copies of files not swept", folder=str(outgoing), error=error.strerror)
        return 0
    for entry in entries:
        try:
            if entry.name in needed or entry.stat(follow_symlinks=False).st_mtime * 1000 > before_ms:
                continue
            os.unlink(entry.path)
            deleted += 1
        except OSError as error:
            log.warning("copy of a file not deleted", file=entry.name, error=error.strerror)
    return deleted
