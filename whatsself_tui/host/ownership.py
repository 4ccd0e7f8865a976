"""One owner for a data folder: an OS lock that dies with its process, and a note who holds it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from pathlib import Path
from typing import Any

import filelock

from whatsself_tui.errors import DataError, FolderOwned
from whatsself_tui.host.atomic import write_atomic
from whatsself_tui.host.data_folder import DataFolder

#: Mode of an owner that carries out one command and goes.
MOMENTARY = "command"

#: How long such owners, one after another, are waited for.
COMMAND_PATIENCE_S = 10.0

#: A probe holds the lock for microseconds; who wants to own waits longer than that.
ACQUIRE_TIMEOUT_S = 1.0


class Ownership:
    """The lock on a data folder, held until `release` or the end of the process."""

    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder
        # Not per thread: it is taken in one that may block, and released elsewhere.
        self._lock = filelock.FileLock(folder.lock, is_singleton=False, thread_local=False)

    def take(self, *, mode: str, now_ms: int, version: str) -> None:
        """Become the owner. Blocks: a command that holds the folder for a moment is waited for.

        Raises FolderOwned if somebody else is and stays the owner, DataError if it cannot be told.
        """
        for _ in range(round(COMMAND_PATIENCE_S / ACQUIRE_TIMEOUT_S)):
            try:
                self._lock.acquire(timeout=ACQUIRE_TIMEOUT_S, poll_interval=0.02)
                break
            except filelock.Timeout:
                note = read_owner(self._folder)
                if note is not None and note["mode"] != MOMENTARY:
                    raise FolderOwned(_owned_by(note, self._folder.root)) from None
            except OSError as error:
                raise DataError(f"{self._folder.lock} cannot be locked: {error.strerror or error}.") from error
        else:
            raise FolderOwned(_owned_by(read_owner(self._folder), self._folder.root))
        note = {"pid": os.getpid(), "since_ms": now_ms, "mode": mode, "host": socket.gethostname(), "version": version}
        try:
            write_atomic(self._folder.owner, json.dumps(note).encode())
        except OSError as error:
            self._lock.release()
            raise DataError(
                f"{self._folder.owner} cannot be written: {error.strerror or error}.",
                "Check the room on the disk and the permissions of the data folder.",
            ) from error

    def release(self) -> None:
        """Let others own the folder."""
        if not self._lock.is_locked:
            return
        with contextlib.suppress(OSError):
            self._folder.owner.unlink(missing_ok=True)
        self._lock.release()


def is_owned(folder: DataFolder) -> bool:
    """Whether a living process owns the folder, told by the lock alone."""
    if not folder.lock.exists():
        return False
    return is_locked(folder.lock)


def is_locked(path: Path) -> bool:
    """Whether a living process holds the lock on this file."""
    probe = filelock.FileLock(path, is_singleton=False)
    try:
        probe.acquire(blocking=False)
    except filelock.Timeout:
        return True
    except OSError:
        return False
    probe.release()
    return False


def read_owner(folder: DataFolder) -> dict[str, Any] | None:
    """The owner's note; None without a readable one. Meaningful only while the lock is held."""
    try:
        note = json.loads(folder.owner.read_bytes())
    except (OSError, ValueError):
        return None
    wanted = {"pid": int, "since_ms": int, "mode": str, "host": str, "version": str}
    if not isinstance(note, dict) or not all(isinstance(note.get(key), kind) for key, kind in wanted.items()):
        return None
    return note


def _owned_by(note: dict[str, Any] | None, root: Path) -> str:
    who = f"process {note['pid']} ({note['mode']}, on {note['host']})" if note else "another process"
    return f"The data folder {root} is in use by {who}."
