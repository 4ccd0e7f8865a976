"""Only one start sets things up at a time."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from launcher.checkout import say


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Hold an operating system's lock on the file `path`, waiting for whoever holds it; it ends with the process."""
    with path.open("ab") as file:
        if not try_lock(file):
            say("Another start is setting up this folder; waiting for it.")
            wait_lock(file)
        yield


if sys.platform == "win32":
    import msvcrt

    def try_lock(file: BinaryIO) -> bool:
        """Take the lock if it is free."""
        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError as error:
            if error.errno != errno.EACCES:
                raise
            return False
        return True

    def wait_lock(file: BinaryIO) -> None:
        """Take the lock when it is free; the system's own call gives up every ten seconds."""
        while True:
            file.seek(0)
            try:
                return msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
            except OSError as error:
                if error.errno != errno.EDEADLOCK:
                    raise

else:
    import fcntl

    def try_lock(file: BinaryIO) -> bool:
        """Take the lock if it is free."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def wait_lock(file: BinaryIO) -> None:
        """Take the lock when it is free."""
        fcntl.flock(file, fcntl.LOCK_EX)
