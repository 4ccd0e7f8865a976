"""Which process uses a browser profile; nothing is ever locked, unlocked or deleted to find out."""

from __future__ import annotations

import os
import re
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from whatsself_tui.host import processes
from whatsself_tui.text import visible

#: A symbolic link to `host-pid`, kept by a running Chromium everywhere but on Windows; a killed one leaves it behind.
LOCK = "SingletonLock"

#: The pipe by which Playwright drives a browser; nobody starts one for himself with it.
_AUTOMATION_ARGUMENT = "--remote-debugging-pipe"

_BROWSER_NAME = re.compile("chrom|edge|brave", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Holder:
    """The browser that has the profile open."""

    pid: int
    name: str
    """Of its program; empty on another computer."""
    ours: bool
    """Whether it was started to be driven, not by a person."""
    host: str = ""
    """Another computer, by the lock in a shared folder; empty for this one."""

    @property
    def sentence(self) -> str:
        """For a person."""
        if self.host:
            return f"The profile is in use on the computer {visible(self.host, 100)}, by process {self.pid} there."
        who = "the robot's browser" if self.ours else "a browser that somebody opened"
        return f"The profile is in use by {who}, {visible(self.name, 100)} (process {self.pid})."


def holder_of(folder: Path) -> Holder | None:
    """Who uses the profile; None if nobody does, as far as can be told. Blocks."""
    pid = processes.browser_pid(folder)
    if pid is not None:
        holder = _described(pid)
        if holder is not None:
            return holder
    return _by_lock(folder)


def _described(pid: int) -> Holder | None:
    import psutil

    try:
        process = psutil.Process(pid)
        with process.oneshot():
            return Holder(pid, process.name(), _AUTOMATION_ARGUMENT in process.cmdline())
    except psutil.NoSuchProcess:
        return None
    except psutil.AccessDenied:
        return Holder(pid, "", False)


def _by_lock(folder: Path) -> Holder | None:
    """By the link: a browser of another user or computer, whose command line is not told."""
    if sys.platform == "win32":
        return None
    import psutil

    try:
        host, _, number = os.readlink(folder / LOCK).rpartition("-")
    except OSError:
        return None  # no link, nobody
    if not (host and number.isascii() and number.isdigit()):
        return None
    pid = int(number)
    if host != socket.gethostname():
        return Holder(pid, "", False, host)
    try:
        name = psutil.Process(pid).name()
    except (psutil.NoSuchProcess, OverflowError):
        return None  # left behind by a killed browser; the next one replaces it
    # The pid may have been given to another program since.
    return Holder(pid, name, False) if _BROWSER_NAME.search(name) else None
