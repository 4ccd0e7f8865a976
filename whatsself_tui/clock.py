"""The one owner of time: wall clock for what is stored, monotonic for waiting.

Rules get the time passed in; only the edges of the program hold a clock.
"""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """What the program may ask about time."""

    def now_ms(self) -> int:
        """Wall-clock milliseconds since 1970 (UTC)."""
        ...

    def monotonic_s(self) -> float:
        """Seconds of a clock that never goes back; only differences mean something."""
        ...

    def elapsed_s(self) -> float:
        """Seconds that also count while the machine sleeps; only differences mean something."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds` of this clock have passed."""
        ...

    async def wait(self, event: asyncio.Event, seconds: float | None) -> bool:
        """Wait for `event`, at most `seconds` (None: for ever); True if it is set."""
        ...


#: Two readings may differ by this much before the wall clock counts as set ...
JUMP_MS = 5_000

#: ... and by this share of the time between them: oscillators drift, and synchronisation slews by up to 500 ppm.
DRIFT = 0.001


@dataclass(frozen=True, slots=True)
class Moment:
    """One reading of both clocks."""

    wall_ms: int
    elapsed_s: float

    @classmethod
    def of(cls, clock: Clock) -> Moment:
        """Now."""
        return cls(clock.now_ms(), clock.elapsed_s())


def jumped_ms(before: Moment, now: Moment) -> int:
    """How far somebody set the wall clock between two moments: forward above 0, back below, else 0."""
    passed_ms = (now.elapsed_s - before.elapsed_s) * 1000
    difference = round(now.wall_ms - before.wall_ms - passed_ms)
    return difference if abs(difference) > JUMP_MS + passed_ms * DRIFT else 0


class SystemClock:
    """The machine's clocks."""

    def now_ms(self) -> int:
        """Wall-clock milliseconds since 1970 (UTC)."""
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        """Seconds of the machine's monotonic clock."""
        return time.monotonic()

    def elapsed_s(self) -> float:
        """Seconds of the clock that goes on during suspend; nobody can set it."""
        return _ticks_s()

    async def sleep(self, seconds: float) -> None:
        """Sleep in the running loop."""
        await asyncio.sleep(seconds)

    async def wait(self, event: asyncio.Event, seconds: float | None) -> bool:
        """Wait for `event`, at most `seconds`; True if it is set."""
        if seconds is not None and seconds <= 0:
            return event.is_set()
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            pass
        return event.is_set()


def _ticks_s() -> float:
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    if sys.platform == "darwin":
        return time.clock_gettime(time.CLOCK_MONOTONIC)  # `time.monotonic` stands still there during suspend
    return time.monotonic()
