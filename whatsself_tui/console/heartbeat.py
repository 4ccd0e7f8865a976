"""The console's one timer: it wakes when the next picture changes by mere time, and sleeps for good when none does.

It is a plain timer of the event loop: on Windows each of Textual's sleeping timers holds a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

#: Longest sleep: the wall clock may be set, and a laptop may sleep.
_LONGEST_S = 60.0

#: Shortest one: the loop's clock and the wall clock round differently.
_SHORTEST_S = 0.02


class Heartbeat:
    """Calls `beat` at the time that `due_ms` names, as long as it names one."""

    def __init__(self, now_ms: Callable[[], int], due_ms: Callable[[], int | None], beat: Callable[[], None]) -> None:
        self._now_ms = now_ms
        self._due_ms = due_ms
        self._beat = beat
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_running(self) -> bool:
        """Whether it will wake."""
        return self._timer is not None

    def set(self) -> None:
        """Ask for the next time and sleep until then."""
        self.stop()
        due_ms = self._due_ms()
        if due_ms is not None:
            wait_s = min(_LONGEST_S, max(_SHORTEST_S, (due_ms - self._now_ms()) / 1000))
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._wake)

    def stop(self) -> None:
        """Sleep until `set`."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wake(self) -> None:
        self._timer = None
        self._beat()
        self.set()
