"""Trouble for a data folder, made from outside: other programs' locks, full disks, damage, other users."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from support.cli import PROGRAM, cli, cli_json, environment

PAGE = 4096

_HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA locking_mode=" + sys.argv[3])
connection.execute("BEGIN " + sys.argv[2])
connection.execute("UPDATE robot SET id = id")
print("held", flush=True)
sys.stdin.read()
connection.execute("ROLLBACK")
"""


@contextmanager
def held(database: Path, begin: str = "IMMEDIATE", mode: str = "NORMAL") -> Iterator[None]:
    """Another process has the database in a transaction until the block ends."""
    other = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(database), begin, mode], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdin
    assert other.stdout
    try:
        assert other.stdout.readline().strip() == b"held"
        yield
    finally:
        other.stdin.close()
        other.wait(60)
        other.stdout.close()


@contextmanager
def small_disk(place: Path, size_kb: int = 40_000) -> Iterator[Path]:
    """A file system of its own that is soon full; the test is skipped where none can be made."""
    place.mkdir()
    mount = shutil.which("mount")
    if sys.platform == "win32" or mount is None or os.geteuid() != 0:
        pytest.skip("a small disk can only be made by root with mount")
    made = subprocess.run([mount, "-t", "tmpfs", "-o", f"size={size_kb}k", "tmpfs", place], capture_output=True)
    if made.returncode != 0:
        pytest.skip(f"no small disk can be made here: {made.stderr.decode().strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


class Filler:
    """A file that takes all room of a disk."""

    def __init__(self, disk: Path) -> None:
        self._path = disk / "filler"

    def fill(self, pages_left: int = 0) -> None:
        """Leave only so many pages."""
        with self._path.open("ab", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * PAGE)
            except OSError:
                pass
        if pages_left:
            os.truncate(self._path, self._path.stat().st_size - pages_left * PAGE)

    def free(self) -> None:
        """Make room again."""
        self._path.unlink()


#: Drops, for good, root's right to pass over permissions, and becomes the program.
_ORDINARY = """
import ctypes, os, sys
for right in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH; 24: PR_CAPBSET_DROP
    if ctypes.CDLL(None, use_errno=True).prctl(24, right, 0, 0, 0) != 0:
        sys.exit("cannot drop the right")
os.execv(sys.argv[1], sys.argv[1:])
"""


def cli_bound_by_permissions(data: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run one command as a user whom permissions bind, root too; skips where there is none."""
    if sys.platform == "win32":
        pytest.skip("Windows has other permissions")
    command = [*PROGRAM, "--data-dir", str(data), *arguments]
    if os.geteuid() == 0:
        if sys.platform != "linux":
            pytest.skip("only Linux lets root give up a single right")
        command = [sys.executable, "-c", _ORDINARY, *command]
    return subprocess.run(command, capture_output=True, timeout=90, check=False, env=environment())


def root_page(database: Path, name: str) -> int:
    """The first page of a table or an index."""
    with closing(sqlite3.connect(database)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchone()
    return int(page)


def overwrite_page(database: Path, page: int) -> None:
    """Damage one page of a database nobody has open."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with database.open("r+b") as file:
        file.seek((page - 1) * PAGE)
        file.write(b"\xa5" * PAGE)


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file of a data folder but the robot's own state and log."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).parts[0] not in ("run", "logs")
    }


def checkpointed(data: Path) -> Path:
    """The database in one file."""
    with closing(sqlite3.connect(data / "whatsself.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return data / "whatsself.db"


def refusal(data: Path, *arguments: str, code: int = 1) -> str:
    """What a command that has to fail says; nothing of Python's own."""
    done = cli(data, *(arguments or ("run", "--headless")))
    told = done.stderr.decode()
    assert (done.returncode, "Traceback" in told) == (code, False), told
    return told


def health_of(data: Path, name: str) -> tuple[str, str]:
    """Level, and text with advice, of one line of `status`."""
    (entry,) = [line for line in cli_json(data, "status")["health"] if line["name"] == name]
    return entry["level"], f"{entry['text']} {entry['advice']}"


def follow_advice(told: str, which: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command the message names, as an operator would copy it."""
    (command,) = [found for found in re.findall(r"`(whatsself-tui [^`]*)`", told) if which in found]
    words = shlex.split(command.replace("\\", "\\\\"))
    return subprocess.run([*PROGRAM, *words[1:]], capture_output=True, timeout=90, env=environment(), check=False)
