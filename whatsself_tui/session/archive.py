"""One archive: packing files with their manifest, and reading every byte of it back."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import stat
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from whatsself_tui.errors import DataError
from whatsself_tui.session import manifest as manifests
from whatsself_tui.session.contents import DATABASE, Source
from whatsself_tui.session.manifest import Entry, Manifest
from whatsself_tui.text import visible

#: Read and written at once.
CHUNK_BYTES = 1 << 20

#: Fast rather than small: most of a profile is compressed already.
COMPRESSION = 1

#: A manifest of half a million files is not larger; more is not read.
MAX_MANIFEST_BYTES = 100_000_000

#: Names that mean a device on Windows, whatever ending they have, or that it changes: `a.`, `a `.
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?|.*[ .]", re.IGNORECASE | re.DOTALL)

Proceed = Callable[[], None]
"""Called between chunks; raises a WhatsSelfError if the work is to be given up."""

Sink = Callable[[bytes], object]
"""Takes all bytes it is given, or raises a WhatsSelfError."""


def pack(path: Path, sources: Iterable[Source], describe: Callable[[tuple[Entry, ...]], Manifest], go: Proceed) -> None:
    """Write the sources and the manifest that `describe` makes of them into a new archive, on the disk when done.

    Readable by this user only. Blocks. Raises DataError naming a source that cannot be read, OSError
    if the archive cannot be written.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    with open(descriptor, "w+b") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION) as archive:
            entries = tuple([_add(archive, source, go) for source in sources])
            text = describe(entries).model_dump_json(indent=1)
            archive.writestr(manifests.NAME, text)
        file.flush()
        os.fsync(file.fileno())


def _add(archive: zipfile.ZipFile, source: Source, go: Proceed) -> Entry:
    """Copy one file; what is listed is what was written, should the file change meanwhile."""
    digest, size = hashlib.sha256(), 0
    with archive.open(source.name, "w", force_zip64=True) as member:
        for chunk in _chunks_of(source):
            go()
            digest.update(chunk)
            size += len(chunk)
            member.write(chunk)
    return Entry(path=source.name, size_bytes=size, sha256=digest.hexdigest())


def _chunks_of(source: Source) -> Iterator[bytes]:
    try:
        with open(source.path, "rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise DataError(
            f"The backup was not made: {visible(source.name, 200)} cannot be read: {error.strerror or error}.",
            "Check its permissions, and whether a browser uses the profile.",
        ) from error


def read_manifest(path: Path) -> Manifest:
    """What the archive says it holds; nothing else of it is read. Blocks. Raises DataError."""
    with _opened(path) as archive:
        return _manifest_of(archive, path)


def check(path: Path, go: Proceed, database: Sink | None = None) -> Manifest:
    """Read the whole archive and compare it with its manifest: the same names, sizes and checksums.

    What stands in it as the database also goes to `database`. Blocks. Raises DataError with what is wrong.
    """
    with _opened(path) as archive:
        manifest = _manifest_of(archive, path)
        members = _members(archive, manifest, path)
        for entry in manifest.files:
            with archive.open(members[entry.path]) as member:
                _compare(member, entry, path, go, database if entry.path == DATABASE else None)
    return manifest


def unpack(path: Path, target: Path, go: Proceed) -> Manifest:
    """Write every file of the archive into the empty folder `target`, on the disk when done, and check it as `check`.

    Sizes are compared before anything is written, so an archive never takes more room than it lists.
    Blocks. Raises DataError with what is wrong; what was written until then stays.
    """
    with _opened(path) as archive:
        manifest = _manifest_of(archive, path)
        members = _members(archive, manifest, path)
        for entry in manifest.files:
            if members[entry.path].file_size != entry.size_bytes:
                raise _not_as_listed(path, entry)
        _require_room(target, sum(entry.size_bytes for entry in manifest.files))
        for entry in manifest.files:
            with archive.open(members[entry.path]) as member, _new_file(target, entry.path) as sink:
                _compare(member, entry, path, go, sink)
    return manifest


@contextmanager
def _new_file(target: Path, name: str) -> Iterator[Sink]:
    """A new file below `target`, through no link and in nobody's place."""
    if sys.platform == "win32" and any(_RESERVED.fullmatch(part) for part in name.split("/")):
        raise DataError(f"The backup cannot be restored here: Windows takes no file {visible(name, 200)!r}.")
    try:
        place = target.joinpath(*name.split("/"))
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        file = open(descriptor, "wb")  # noqa: SIM115 - closed below, with its errors told
    except OSError as error:
        raise _cannot_unpack(name, error) from error

    def sink(data: bytes) -> None:
        try:
            file.write(data)
        except OSError as error:
            raise _cannot_unpack(name, error) from error

    try:
        yield sink
        try:
            file.flush()
            os.fsync(file.fileno())
        except OSError as error:
            raise _cannot_unpack(name, error) from error
    finally:
        with suppress(OSError):  # what could not be written was told before
            file.close()


def _cannot_unpack(name: str, error: OSError) -> DataError:
    return DataError(
        f"{visible(name, 200)} cannot be unpacked: {error.strerror or error}.",
        "Check the room on the disk and the permissions of the data folder.",
    )


def _require_room(target: Path, needed: int) -> None:
    free = shutil.disk_usage(target).free
    if free < needed:
        raise DataError(
            f"The backup holds {needed:,} bytes, and only {free:,} are free on the disk of {target}.", "Make room."
        )


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive, with every way in which a foreign file can fail told as a DataError."""
    name = visible(path.name, 200)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise DataError(f"{name} is no ordinary file.")
        with open(path, "rb") as file:
            if file.read(4) != b"PK\x03\x04":
                raise DataError(f"{name} is no backup: it is no ZIP archive.")
            with zipfile.ZipFile(file) as archive:
                yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, struct.error, ValueError, RuntimeError) as error:
        raise _damaged(name, error) from error
    except OSError as error:
        if error.errno == errno.EINVAL:  # a place before the beginning of the file
            raise _damaged(name, error) from error
        raise DataError(f"{name} cannot be read: {error.strerror or error}.") from error


def _damaged(name: str, error: Exception) -> DataError:
    what = visible(str(error) or type(error).__name__, 200)
    return DataError(f"{name} is damaged: {what}.", "Use another backup.")


def _manifest_of(archive: zipfile.ZipFile, path: Path) -> Manifest:
    name = visible(path.name, 200)
    try:
        info = archive.getinfo(manifests.NAME)
    except KeyError:
        raise DataError(f"{name} is no backup of WhatsSelf TUI: it has no {manifests.NAME}.") from None
    if info.file_size > MAX_MANIFEST_BYTES:
        raise DataError(f"{name} is no backup of WhatsSelf TUI: its {manifests.NAME} is too large.")
    return manifests.parse(archive.read(info), name)


def _members(archive: zipfile.ZipFile, manifest: Manifest, path: Path) -> dict[str, zipfile.ZipInfo]:
    """The archive's files by name, once they are known to be those of the manifest and no others."""
    name = visible(path.name, 200)
    listed = {entry.path for entry in manifest.files} | {manifests.NAME}
    present: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        # `orig_filename`: what stands in the file, before zipfile makes it fit this system.
        stored = info.orig_filename
        shown = visible(stored, 200)
        if stored not in listed:
            raise DataError(
                f"{name} holds {shown!r}, which its {manifests.NAME} does not list.",
                "Somebody else made or changed it: do not use it.",
            )
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
            raise DataError(
                f"{name} is not safe: {shown!r} in it is a link or a device.",
                "Somebody else made or changed it: do not use it.",
            )
        if stored in present:
            raise DataError(f"{name} is damaged: it holds {shown!r} twice.")
        present[stored] = info
    missing = sorted(listed - present.keys())
    if missing:
        raise DataError(f"{name} is damaged: {visible(missing[0], 200)} is missing.", "Use another backup.")
    return present


def _compare(member: IO[bytes], entry: Entry, path: Path, go: Proceed, sink: Sink | None) -> None:
    digest, size = hashlib.sha256(), 0
    while size <= entry.size_bytes and (chunk := member.read(CHUNK_BYTES)):
        go()
        digest.update(chunk)
        size += len(chunk)
        if sink is not None:
            sink(chunk)
    if (size, digest.hexdigest()) != (entry.size_bytes, entry.sha256):
        raise _not_as_listed(path, entry)


def _not_as_listed(path: Path, entry: Entry) -> DataError:
    return DataError(
        f"{visible(path.name, 200)} is damaged: {visible(entry.path, 200)} is not what its {manifests.NAME} lists.",
        "Use another backup.",
    )
