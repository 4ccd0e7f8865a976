"""A restore killed before each of its file operations: run as a program, prints what was found afterwards.

Every try is a fork of this process, which has one thread, so that thousands of imports are not repeated.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.session import restore, swap

COUNTED = ("open", "replace", "rename", "mkdir", "rmdir", "unlink", "fsync")
ZONE = ZoneInfo("America/Sao_Paulo")
NOW_MS = 1_795_352_400_000


def state_of(folder: DataFolder) -> str:
    """`old` or `new` if database, settings and login agree, else what each of them is."""
    with closing(sqlite3.connect(f"{folder.database.as_uri()}?mode=ro", uri=True)) as connection:
        database = connection.execute("SELECT body FROM outbox").fetchone()[0]
    settings = "new" if "per_minute = 7" in folder.settings_file.read_text(encoding="utf-8") else "old"
    login = (folder.session / "Default" / "login").read_text(encoding="utf-8")
    return database if database == settings == login else f"{database}/{settings}/{login}"


def die_before(operation: int) -> list[int]:
    """Kill this process before its n-th counted operation; the list's only number is how many there were."""
    done = [0]

    def counting(real: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            done[0] += 1
            if done[0] == operation:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **kwargs)

        return wrapper

    for name in COUNTED:
        setattr(os, name, counting(getattr(os, name)))
    return done


def forked(work: Callable[[], object]) -> tuple[bool, bytes]:
    """Run in a process of its own: whether it was killed, and what it wrote."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _child(work, writer)
    os.close(writer)
    with open(reader, "rb") as pipe:
        written = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True, written
    if os.WEXITSTATUS(status):
        raise SystemExit(f"a child failed: {written.decode()}")
    return False, written


def _child(work: Callable[[], object], writer: int) -> NoReturn:
    try:
        os.write(writer, json.dumps(work()).encode())
        os._exit(0)
    except BaseException as error:
        os.write(writer, repr(error).encode())
        os._exit(1)


def restoring(folder: DataFolder, archive: Path, operation: int) -> int:
    """Restore, killed on the way; the number of operations if not."""
    done = die_before(operation)
    swap.finish_interrupted(folder)
    restore.restore(folder, archive, NOW_MS, ZONE)
    return done[0]


def finishing(folder: DataFolder, operation: int) -> int:
    """What the next start does first, killed on the way."""
    done = die_before(operation)
    folder.create()
    swap.finish_interrupted(folder)
    return done[0]


def one_life(original: Path, scratch: Path, archive: Path, operation: int) -> tuple[bool, str, int]:
    """Die at one operation of the restore and once more while it is finished; what the third start finds."""
    data = scratch / f"life-{operation}"
    shutil.copytree(original, data)
    folder = DataFolder(data)
    killed, _ = forked(lambda: restoring(folder, archive, operation))
    forked(lambda: finishing(folder, 1 + operation % 11))
    forked(lambda: finishing(folder, 0))
    found = state_of(folder)
    rest = sorted(path.name for path in data.iterdir() if path.name == "restoring")
    kept = len(list(folder.replaced.rglob("login"))) if folder.replaced.exists() else 0
    shutil.rmtree(data)
    return killed, found + "".join(rest), kept


def main(original: Path, scratch: Path, archive: Path) -> None:
    """Every operation in turn; prints a JSON list of what was found."""
    lives = []
    operation = 1
    while True:
        killed, found, kept = one_life(original, scratch, archive, operation)
        lives.append({"operation": operation, "killed": killed, "found": found, "kept": kept})
        if not killed:
            break
        operation += 1
    print(json.dumps(lives))


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:4]))
