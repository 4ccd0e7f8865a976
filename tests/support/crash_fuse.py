"""A fuse: counts the steps of a life and ends it with `kill -9` at one of them."""

from __future__ import annotations

import mmap
import os
import signal
import struct
from collections.abc import Callable
from dataclasses import dataclass

_FORMAT = struct.Struct("<qqq128s")

#: A statement is told apart by its beginning; behind that stand ids and times, new in every life.
_LABEL = 32

_READS = ("SELECT ", "PRAGMA ")


@dataclass(frozen=True, slots=True)
class Trace:
    """How far a life came."""

    steps: int
    last: str
    """The step it was at."""
    now_ms: int


class BlackBox:
    """Memory shared with a child process, readable after its death."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _FORMAT.size)

    def write(self, trace: Trace) -> None:
        """Note where the life is."""
        label = trace.last.encode()[:128]
        _FORMAT.pack_into(self._memory, 0, trace.steps, trace.now_ms, len(label), label)

    def read(self) -> Trace:
        """Where it was last."""
        steps, now_ms, length, label = _FORMAT.unpack_from(self._memory, 0)
        return Trace(steps, label[:length].decode(errors="replace"), now_ms)


class Fuse:
    """Steps are counted from 1, in whichever thread they happen; only one thread works at a time."""

    def __init__(self, box: BlackBox, now_ms: Callable[[], int], burns_at: int) -> None:
        self._box = box
        self._now_ms = now_ms
        self._burns_at = burns_at
        """The step not taken; 0: none."""
        self.labels: list[str] = []

    def step(self, label: str, before_death: Callable[[], None] | None = None) -> None:
        """One more step is about to be taken, unless it is the last one."""
        self.labels.append(label)
        if len(self.labels) == self._burns_at:
            if before_death:
                before_death()
            self.tell()
            os.kill(os.getpid(), signal.SIGKILL)

    def statement(self, sql: str) -> None:
        """A statement is about to be run (SQLite's statement trace).

        Those that only read are no steps: whoever dies before one leaves the same as before the next that writes.
        """
        label = " ".join(sql[: 2 * _LABEL].split())[:_LABEL]
        if not label.startswith(_READS):
            self.step(label)

    def tell(self) -> None:
        """Leave behind how far it came."""
        self._box.write(Trace(len(self.labels), self.labels[-1], self._now_ms()))
