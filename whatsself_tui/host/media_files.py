"""Files that are to be sent: what they are, whether WhatsApp takes them, and the robot's own copy of each.

A file is looked at through one opened handle, and never through what its name claims.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from whatsself_tui.errors import DataError, UsageError
from whatsself_tui.host.atomic import TEMP_PREFIX, TEMP_SUFFIX, replace, sync_folder
from whatsself_tui.host.media_types import HEAD_BYTES, Kind, document_type, sniff
from whatsself_tui.text import visible

#: Largest files that are sent, in bytes. 16 MB is WhatsApp's limit for pictures and audio, 100 MB the one of its
#: business platform for documents; WhatsApp's page takes larger ones, but not well in one piece from a program.
MAX_BYTES: dict[Kind, int] = {"image": 16_000_000, "audio": 16_000_000, "document": 100_000_000}

#: Longest name a contact is shown, in characters.
MAX_NAME = 120

#: A longer ending is part of the name.
MAX_ENDING = 16

#: Stays free beside a copy, so that it never takes the robot's own last room.
SPARE_BYTES = 50_000_000

_CHUNK_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Medium:
    """A file that can be sent."""

    kind: Kind
    mimetype: str
    name: str
    """What the contact sees."""
    size_bytes: int


def inspect(path: Path) -> Medium:
    """What the file at `path` is to WhatsApp, by its content.

    Pictures are JPEG, PNG, GIF and WebP; audio is Ogg (Opus, Vorbis, Speex, FLAC), MP3, M4A, AAC, WAV and AMR.
    All else is a document, videos too: they arrive as files, as they are. A link is followed.
    Raises UsageError for what is no ordinary file, cannot be read, is empty or too large; never waits for a pipe.
    """
    return inspect_as(path, shown_name(path.name), follow=True)


def inspect_as(path: Path, name: str, *, follow: bool = False) -> Medium:
    """The same for a file that is called `name` to the contact; a link is refused unless it is to be followed."""
    try:
        with _opened(path, follow=follow) as descriptor:
            size, head = os.fstat(descriptor).st_size, os.read(descriptor, HEAD_BYTES)
    except OSError as error:
        raise UsageError(f"{_told(path)} cannot be read: {error.strerror or error}.") from error
    if not head:
        raise UsageError(f"{_told(path)} is empty.", "WhatsApp takes no empty file.")
    kind, mimetype = sniff(head) or ("document", document_type(head, name))
    if size > MAX_BYTES[kind]:
        raise UsageError(
            f"{_told(path)} is too large: {size:,} bytes.",
            f"WhatsApp takes at most {MAX_BYTES[kind] // 1_000_000} MB of this kind ({kind}).",
        )
    return Medium(kind, mimetype, name, size)


def shown_name(name: str) -> str:
    """A file's name as a contact may see it: one line without separators or invisible characters, at most MAX_NAME.

    A name that is too long loses characters before its ending.
    """
    base = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    kept = "".join(char for char in base if unicodedata.category(char)[0] != "C" and char not in "\u2028\u2029")
    stem, dot, ending = kept.strip().rpartition(".")
    if not dot or len(ending) > MAX_ENDING:
        stem, dot, ending = kept.strip(), "", ""
    shown = f"{stem[: MAX_NAME - len(dot + ending)]}{dot}{ending}".strip()
    return shown if shown.strip(". ") else "file"


def copy_in(path: Path, folder: Path, size_bytes: int) -> str:
    """Copy a file that was inspected into `folder`; returns the copy's random name, 32 hexadecimal digits.

    The copy is its owner's alone (mode 0600 on POSIX), on the disk before it has its name, and never half there.
    Raises UsageError if the file is not `size_bytes` long any more, DataError if the copy cannot be written.
    """
    name = secrets.token_hex(16)
    temp = folder / f"{TEMP_PREFIX}{name}{TEMP_SUFFIX}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _require_room(folder, size_bytes)
        with _opened(path, follow=True) as source:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
            target = os.open(temp, flags, 0o600)
            try:
                copied = _pour(source, target, size_bytes + 1)
                os.fsync(target)
            finally:
                os.close(target)
        if copied != size_bytes:
            raise UsageError(f"{_told(path)} has changed while it was copied.", "Send it when nobody writes it.")
        replace(temp, folder / name)
        sync_folder(folder)
    except OSError as error:
        _away(temp)
        advice = f"Check the room on the disk and the permissions of {folder}."
        raise DataError(f"{_told(path)} cannot be copied: {error.strerror or error}.", advice) from error
    except BaseException:
        _away(temp)
        raise
    return name


def _require_room(folder: Path, size_bytes: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < size_bytes + SPARE_BYTES:
        raise DataError(
            f"The file is not copied: {free:,} bytes are free, and {size_bytes + SPARE_BYTES:,} are needed.",
            f"Make room on the disk of {folder}.",
        )


def _pour(source: int, target: int, limit_bytes: int) -> int:
    """Copy at most `limit_bytes`; returns how many there were."""
    copied = 0
    while copied < limit_bytes and (chunk := os.read(source, min(_CHUNK_BYTES, limit_bytes - copied))):
        left = memoryview(chunk)
        while left:
            left = left[os.write(target, left) :]
        copied += len(chunk)
    return copied


@contextlib.contextmanager
def _opened(path: Path, *, follow: bool) -> Iterator[int]:
    """An ordinary file, opened for reading; nothing else is opened, for that may wait or act.

    Raises OSError, and UsageError for what is no ordinary file.
    """
    _require_ordinary(path, path.stat() if follow else path.lstat())
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path, flags if follow else flags | getattr(os, "O_NOFOLLOW", 0))
    try:
        _require_ordinary(path, os.fstat(descriptor))  # whoever may write the folder may have exchanged it
        yield descriptor
    finally:
        os.close(descriptor)


def _require_ordinary(path: Path, info: os.stat_result) -> None:
    if not stat.S_ISREG(info.st_mode):
        known = {stat.S_IFDIR: "a folder", stat.S_IFLNK: "a link"}
        what = known.get(stat.S_IFMT(info.st_mode), "a pipe or a device")
        raise UsageError(f"{_told(path)} is no ordinary file but {what}.", "Only files can be sent.")


def _away(temp: Path) -> None:
    with contextlib.suppress(OSError):
        temp.unlink()


def _told(path: Path) -> str:
    return visible(str(path), 200)
