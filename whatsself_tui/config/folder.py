"""The configuration folder on the disk: both files at one moment, and the last good copies.

Editors truncate, rename and write in pieces, so a single look is never trusted: a file counts once
it has rested, and one that is gone or empty is given time to come back.
"""

from __future__ import annotations

import asyncio
import hashlib
import stat
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from whatsself_tui.clock import Clock
from whatsself_tui.config.files import (
    AUTOMATION_FILE,
    FILES,
    SETTINGS_FILE,
    Loaded,
    Rules,
    read_automation,
    read_rules,
    read_settings,
)
from whatsself_tui.config.toml_text import MAX_BYTES
from whatsself_tui.errors import Problem
from whatsself_tui.host.atomic import write_atomic

LAST_GOOD_FOLDER = "last-good"
"""Below the configuration folder: copies of the files that were last in force."""

#: Two looks this far apart have to agree. With a watcher's own delay an edit is in force within a second.
REST_S = 0.2

#: How long a file may be gone or empty while its editor saves it.
GRACE_S = 1.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Both files as they were at one moment."""

    contents: Mapping[str, bytes]
    """File name → content, of those that can be read."""
    problems: tuple[Problem, ...]
    """Why the others cannot."""
    digest: str
    """SHA-256 of all of this: equal for equal snapshots only."""


def take_snapshot(folder: Path) -> Snapshot:
    """Both files of `folder` now. Blocks."""
    contents: dict[str, bytes] = {}
    problems: list[Problem] = []
    digest = hashlib.sha256()
    for name in FILES:
        try:
            content = _read(folder / name)
        except OSError as error:
            reason = "the file is missing" if isinstance(error, FileNotFoundError) else _reason(error)
            problems.append(Problem(name, None, "", reason))
            digest.update(f"{name}: {reason}\n".encode())
            continue
        digest.update(f"{name}: {len(content)} bytes\n".encode() + content)
        if content.removeprefix(b"\xef\xbb\xbf").strip():
            contents[name] = content
        else:
            problems.append(Problem(name, None, "", "the file is empty"))
    return Snapshot(contents, tuple(problems), digest.hexdigest())


async def rested_snapshot(folder: Path, clock: Clock, known: Collection[str | None]) -> Snapshot:
    """Both files once they have rested for REST_S; at once if they are a snapshot of a `known` digest.

    A file that is missing, empty or unreadable is a problem only after GRACE_S. One that never
    rests is waited for without end.
    """
    snapshot = await asyncio.to_thread(take_snapshot, folder)
    waited_s = 0.0
    while snapshot.digest not in known:
        await clock.sleep(REST_S)
        waited_s += REST_S
        before, snapshot = snapshot, await asyncio.to_thread(take_snapshot, folder)
        if snapshot.digest == before.digest and (not snapshot.problems or waited_s >= GRACE_S):
            break
    return snapshot


def evaluate(snapshot: Snapshot) -> Loaded[Rules]:
    """What the files say, or everything that is wrong with either."""
    settings, automation = (snapshot.contents.get(name) for name in (SETTINGS_FILE, AUTOMATION_FILE))
    if settings is not None and automation is not None:
        return read_rules(settings, automation)
    problems = snapshot.problems
    if settings is not None:
        problems += read_settings(settings).problems
    if automation is not None:
        problems += read_automation(automation).problems
    return Loaded(None, problems)


def keep_last_good(folder: Path, snapshot: Snapshot) -> tuple[Problem, ...]:
    """Copy what is in force into LAST_GOOD_FOLDER, if it is not there; a problem if that fails. Blocks."""
    for name, content in snapshot.contents.items():
        copy = folder / LAST_GOOD_FOLDER / name
        try:
            if not copy.exists() or _read(copy) != content:
                copy.parent.mkdir(exist_ok=True)
                write_atomic(copy, content)
        except OSError as error:
            message = f"the copy for the next start cannot be written: {_reason(error)}"
            return (Problem(f"{LAST_GOOD_FOLDER}/{name}", None, "", message),)
    return ()


def _read(path: Path) -> bytes:
    """The content, at most one byte more than is allowed; raises OSError."""
    if not stat.S_ISREG(path.stat().st_mode):  # a pipe would block, a device never end
        raise OSError("it is no regular file")
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _reason(error: OSError) -> str:
    return f"the file cannot be read: {error.strerror or error}"
