"""Processes of a browser: which they are, what memory they take, and how all of them are ended.

Everything here blocks; psutil is loaded when it is first needed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from whatsself_tui.clock import SystemClock

#: Carried by every process of a browser, as one argument of its main process.
PROFILE_ARGUMENT = "--user-data-dir="

#: Only the children of a browser's main process have it.
_CHILD_ARGUMENT = "--type="

#: A killed process is gone within milliseconds unless the system itself is stuck.
_KILL_PATIENCE_S = 5.0

#: Between two looks at processes that are ending.
_POLL_S = 0.05


class ProcessTree:
    """A process and its descendants, remembered by pid and start time: a pid that was given anew is never touched."""

    def __init__(self, known: Iterable[Any]) -> None:
        self._known = list(known)
        """`psutil.Process` objects, the root first."""
        self._clock = SystemClock()

    @property
    def pids(self) -> list[int]:
        """Those that are alive, the root first."""
        return [process.pid for process in self._known if _is_alive(process)]

    def memory_mb(self) -> int | None:
        """Memory that would be free without them, in MiB; None when none is left."""
        self._grow()
        taken = [_memory_bytes(process) for process in self._known if _is_alive(process)]
        return round(sum(taken) / 1024**2) if taken else None

    def end(self, *, patience_s: float) -> bool:
        """Ask the root to end, and kill whatever is left after `patience_s`; True when all are gone.

        Windows knows no asking: there the root is ended at once, and its last writes may be lost.
        """
        self._grow()
        for process in self._known[:1]:
            _signal(process, "terminate")
        if not self._wait(patience_s):
            self._grow()
            give_up_at = self._clock.monotonic_s() + _KILL_PATIENCE_S
            while self.pids and self._clock.monotonic_s() < give_up_at:
                for process in self._known:
                    _signal(process, "kill")
                self._wait(_POLL_S)
                self._grow()  # what was started between the look and the kill
        return not self.pids

    def _wait(self, patience_s: float) -> bool:
        give_up_at = self._clock.monotonic_s() + patience_s
        while self.pids:
            if self._clock.monotonic_s() >= give_up_at:
                return False
            time.sleep(_POLL_S)
        return True

    def _grow(self) -> None:
        """Add descendants that were started since; those whose parent has died stay known."""
        known = set(self._known)
        for process in list(self._known):
            for child in _children(process):
                if child not in known:
                    known.add(child)
                    self._known.append(child)


def tree_of(pid: int) -> ProcessTree:
    """A process with its descendants; empty when it is not there. Whoever keeps it is safe from reused pids."""
    import psutil

    try:
        root = psutil.Process(pid)
    except psutil.NoSuchProcess:
        return ProcessTree(())
    return ProcessTree((root, *_children(root)))


def memory_mb(pid: int) -> int | None:
    """Memory of the process and its descendants in MiB; None when it is gone."""
    return tree_of(pid).memory_mb()


def end_tree(pid: int, *, patience_s: float) -> bool:
    """End the process with its descendants, the patient way first; True when all are gone."""
    return tree_of(pid).end(patience_s=patience_s)


def browser_pid(profile: Path) -> int | None:
    """The main process of the browser that uses this profile; None if there is none."""
    mains = {process.pid: process for process, arguments in using(profile) if is_main(arguments)}
    # Some packages leave a wrapper script waiting with the same arguments: the browser is its child.
    parents = {_parent_pid(process) for process in mains.values()}
    return next((pid for pid in mains if pid not in parents), None)


def using(profile: Path) -> list[tuple[Any, list[str]]]:
    """Processes (`psutil.Process`) whose command line names this profile, with that command line."""
    import psutil

    place = _place(profile)
    return [
        (process, process.info["cmdline"])
        for process in psutil.process_iter(["cmdline"])
        if any(
            argument.startswith(PROFILE_ARGUMENT) and _place(argument.removeprefix(PROFILE_ARGUMENT)) == place
            for argument in process.info["cmdline"] or ()
        )
    ]


def is_main(arguments: Sequence[str]) -> bool:
    """Whether this is the command line of a browser's main process."""
    return not any(argument.startswith(_CHILD_ARGUMENT) for argument in arguments)


def _place(path: str | Path) -> str:
    """A path as the system compares it: links followed, on Windows without regard to case."""
    return os.path.normcase(os.path.realpath(path))


def _children(process: Any) -> list[Any]:
    import psutil

    try:
        children: list[Any] = process.children(recursive=True)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return []  # gone, or a stranger's: then its children are not ours either
    return children


def _parent_pid(process: Any) -> int | None:
    import psutil

    try:
        parent: int = process.ppid()
    except psutil.NoSuchProcess:
        return None
    return parent


def _is_alive(process: Any) -> bool:
    """Whether it runs; one that has ended and that nobody has asked about counts as gone."""
    import psutil

    try:
        return bool(process.is_running()) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def _signal(process: Any, how: str) -> None:
    """`terminate` or `kill`; one that is gone needs neither, one that is not ours stays and is told by the result."""
    import psutil

    try:
        getattr(process, how)()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return


def _memory_bytes(process: Any) -> int:
    """Unique set size; where that may not be read, the resident pages that are not shared."""
    import psutil

    try:
        return int(process.memory_full_info().uss)
    except psutil.NoSuchProcess:
        return 0
    except psutil.AccessDenied:
        pass  # sandboxed processes hide it on Linux, and macOS tells it of its own processes only
    try:
        resident = process.memory_info()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0
    return int(resident.rss - getattr(resident, "shared", 0))
