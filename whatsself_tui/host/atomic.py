"""Files that are either there in full or not there: never half-written under their name."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
import time
from pathlib import Path

#: Begins and ends the temporary names, so that whoever lists or watches a folder can tell them.
TEMP_PREFIX = "."
TEMP_SUFFIX = ".tmp"

#: Access denied, sharing violation, lock violation: another process has the file open at this moment.
#: Readers (virus scanners, indexers, editors, Python's own `open`) do not share deletion.
_BUSY_ERRORS = frozenset({5, 32, 33})

#: Pauses before the next try, in seconds; 2.55 s together outlast a virus scanner's look at a small file.
_RETRY_PAUSES_S = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0)


def is_temporary(name: str) -> bool:
    """Whether a file's name is one of the temporary names of `write_atomic`."""
    return name.startswith(TEMP_PREFIX) and name.endswith(TEMP_SUFFIX)


def write_atomic(path: Path, data: bytes) -> None:
    """Make `data` the content of `path`, readable by this user only (mode 0600 on POSIX).

    The content is on the disk before it gets its name; a crash leaves the old file or the new one.
    A symbolic link is followed: the file it points to is replaced, the link stays.
    Raises OSError, and leaves no temporary file behind. Blocks; on Windows up to about 2.5 s
    while another process holds the file open.
    """
    target = Path(os.path.realpath(path))
    temp = target.with_name(f"{TEMP_PREFIX}{target.name}.{secrets.token_hex(4)}{TEMP_SUFFIX}")
    try:
        # O_EXCL: never through a link somebody laid at the temporary name.
        descriptor = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        replace(temp, target)
    except BaseException:
        with contextlib.suppress(OSError):
            temp.unlink()
        raise
    sync_folder(target.parent)


def replace(temp: Path, target: Path) -> None:
    """`os.replace`, again and again on Windows while another process has the target open. Raises OSError."""
    for pause_s in _RETRY_PAUSES_S:
        try:
            os.replace(temp, target)
            return
        except OSError as error:
            if getattr(error, "winerror", None) not in _BUSY_ERRORS:
                raise
        time.sleep(pause_s)
    os.replace(temp, target)


def sync_folder(folder: Path) -> None:
    """Make the new name durable; Windows cannot open a folder, and does not need it for this."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
