"""A clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

#: Turns of the event loop given to tasks between two moments; enough for a chain of awaits this long.
_TURNS = 50

#: Real seconds a thread may take for what `finish` waits for, before the clock jumps to the next sleeper.
_THREAD_S = 0.01

#: Real seconds after which a test that waits for something that never comes has failed.
_PATIENCE_S = 60


class FakeClock:
    """A `whatsself_tui.clock.Clock` whose time passes only in `advance` and `finish`.

    Work in threads (files, the database) takes no time of this clock: a test that depends on it
    waits for `sleepers` or for its own condition before it moves the clock.
    """

    def __init__(self, now_ms: int = 1_700_000_000_000) -> None:
        self._start_ms = now_ms
        self._passed_us = 0
        self._order = itertools.count()
        self._sleeping: list[tuple[int, int, asyncio.Future[None]]] = []
        self._arrived = asyncio.Event()

    def now_ms(self) -> int:
        """Wall-clock milliseconds: where the test put it, plus what has passed."""
        return self._start_ms + self._passed_us // 1000

    def monotonic_s(self) -> float:
        """Seconds since the clock was made."""
        return self._passed_us / 1_000_000

    def elapsed_s(self) -> float:
        """The same: this machine never sleeps."""
        return self.monotonic_s()

    def set_wall(self, seconds: float) -> None:
        """Somebody sets the wall clock, forward or (below 0) back; no time passes."""
        self._start_ms += round(seconds * 1000)

    async def sleep(self, seconds: float) -> None:
        """Return once the test has moved the clock `seconds` ahead."""
        if seconds <= 0:
            await asyncio.sleep(0)
        else:
            await self._sleeper(seconds)

    async def wait(self, event: asyncio.Event, seconds: float | None) -> bool:
        """Wait for `event`, at most `seconds` of this clock; True if it is set."""
        if event.is_set() or (seconds is not None and seconds <= 0):
            return event.is_set()
        if seconds is None:
            return await event.wait()
        happened = asyncio.ensure_future(event.wait())
        timer = self._sleeper(seconds)
        try:
            racing: set[asyncio.Future[Any]] = {happened, timer}
            await asyncio.wait(racing, return_when=asyncio.FIRST_COMPLETED)
        finally:
            happened.cancel()
            timer.cancel()
        return event.is_set()

    @property
    def next_wake_ms(self) -> int | None:
        """Wall-clock milliseconds at which the first sleeper wakes; None if nobody sleeps."""
        first = self._first()
        return None if first is None else self._start_ms + first // 1000

    async def advance(self, seconds: float) -> None:
        """Move `seconds` ahead; everybody due wakes at his own moment, in order, and runs until he waits again."""
        end = self._passed_us + round(seconds * 1_000_000)
        await self._settle()
        while (first := self._first()) is not None and first <= end:
            self._wake_first()
            await self._settle()
        self._passed_us = end
        await self._settle()

    async def sleepers(self, count: int = 1) -> None:
        """Return once at least `count` tasks sleep on this clock; TimeoutError if they never do."""
        async with asyncio.timeout(_PATIENCE_S):
            while sum(not future.done() for _, _, future in self._sleeping) < count:
                self._arrived.clear()
                await self._arrived.wait()

    async def finish(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`; the clock jumps to the next sleeper whenever `work` waits for it."""
        task = asyncio.ensure_future(work)
        try:
            while not task.done():
                # It may wait for a thread: then time must not fly meanwhile.
                await asyncio.wait({task}, timeout=_THREAD_S)
                if task.done():
                    break
                if self._first() is None:
                    await self._task_or_sleeper(task)
                else:
                    self._wake_first()
                await self._settle()
        finally:
            task.cancel()
        return await task

    def _sleeper(self, seconds: float) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        due = self._passed_us + round(seconds * 1_000_000)
        heapq.heappush(self._sleeping, (due, next(self._order), future))
        self._arrived.set()
        return future

    def _first(self) -> int | None:
        while self._sleeping and self._sleeping[0][2].done():
            heapq.heappop(self._sleeping)
        return self._sleeping[0][0] if self._sleeping else None

    def _wake_first(self) -> None:
        due, _, future = heapq.heappop(self._sleeping)
        self._passed_us = max(self._passed_us, due)
        future.set_result(None)

    async def _task_or_sleeper(self, task: asyncio.Future[T]) -> None:
        self._arrived.clear()
        arrival = asyncio.ensure_future(self._arrived.wait())
        try:
            racing: set[asyncio.Future[Any]] = {task, arrival}
            done, _ = await asyncio.wait(racing, timeout=_PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                raise TimeoutError("the work waits for something that is not this clock")
        finally:
            arrival.cancel()

    @staticmethod
    async def _settle() -> None:
        for _ in range(_TURNS):
            await asyncio.sleep(0)
