"""An event loop whose time is virtual: it moves only when nothing else can happen.

A robot on this loop runs as fast as its work allows and always in the same order: time stands still
while a callback is ready or a thread works, and no two timers share a moment, so that whatever one
timer starts has ended before the next one fires.
"""

from __future__ import annotations

import asyncio
import selectors
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import Context
from typing import Any, TypeVar, TypeVarTuple

from whatsself_tui.clock import SystemClock

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class _IdleSelector(selectors.DefaultSelector):
    """Starts a thread's work, or lets time pass, when the loop would wait."""

    def __init__(self, on_idle: Callable[[float | None], float | None]) -> None:
        super().__init__()
        self._on_idle = on_idle

    def select(self, timeout: float | None = None) -> Any:
        """What the event loop calls with the time until its next timer; 0 if a callback is ready."""
        return super().select(timeout if timeout == 0 else self._on_idle(timeout))


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop; its time begins at 0 and counts microseconds."""

    def __init__(self) -> None:
        self._passed_us = 0
        self._working: asyncio.Future[Any] | None = None
        self._waiting: deque[Callable[[], asyncio.Future[Any]]] = deque()
        self._moments: set[int] = set()
        super().__init__(_IdleSelector(self._idle))

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self._passed_us / 1_000_000

    def passed_ms(self) -> int:
        """Whole milliseconds since the loop was made; may be asked in any thread."""
        return self._passed_us // 1000

    def in_turn(self, start: Callable[[], asyncio.Future[T]]) -> asyncio.Future[T]:
        """The result of work that `start` hands to a thread, once the loop and all threads rest."""
        result: asyncio.Future[T] = self.create_future()

        def begin() -> asyncio.Future[T]:
            work = start()
            work.add_done_callback(lambda _: _pass_on(work, result))
            return work

        self._waiting.append(begin)
        return result

    def run_in_executor(self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        """What `asyncio.to_thread` is made of."""
        hand_over = super().run_in_executor
        return self.in_turn(lambda: hand_over(executor, func, *args))

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """A timer at the next moment that no other timer has."""
        moment = round(when * 1_000_000)
        while moment in self._moments:
            moment += 1
        self._moments.add(moment)
        return super().call_at(moment / 1_000_000, callback, *args, context=context)

    def _idle(self, seconds: float | None) -> float | None:
        """Nothing is ready, the next timer is `seconds` away; how long to really wait."""
        if self._working and not self._working.done():
            return None  # the thread's result wakes the loop
        if self._waiting:
            self._working = self._waiting.popleft()()
            return None
        if seconds is None:
            return None  # a thread that does not work in turn (it opens or closes something)
        self._passed_us = max(self._passed_us + 1, round((self.time() + seconds) * 1_000_000))
        return 0


def _pass_on(done: asyncio.Future[T], result: asyncio.Future[T]) -> None:
    if result.cancelled():
        return
    error = done.exception()
    if error is None:
        result.set_result(done.result())
    else:
        result.set_exception(error)


class LoopClock(SystemClock):
    """The program's clock on a virtual loop."""

    def __init__(self, loop: VirtualLoop, start_ms: int) -> None:
        self._loop = loop
        self._start_ms = start_ms

    def now_ms(self) -> int:
        """Where it started, plus what has passed on the loop."""
        return self._start_ms + self._loop.passed_ms()

    def monotonic_s(self) -> float:
        """The loop's time."""
        return self._loop.time()

    def elapsed_s(self) -> float:
        """The same."""
        return self._loop.time()
