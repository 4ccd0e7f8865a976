"""A clock whose waiting is over sooner: for tests with a real browser, which cannot move time by hand."""

from __future__ import annotations

import asyncio

from whatsself_tui.clock import SystemClock


class HastyClock(SystemClock):
    """Waits take a fraction of what was asked; the time of day is the real one."""

    def __init__(self, times: float = 10.0) -> None:
        self._times = times

    def monotonic_s(self) -> float:
        """Passes as many times faster."""
        return super().monotonic_s() * self._times

    async def sleep(self, seconds: float) -> None:
        """Over sooner."""
        await super().sleep(seconds / self._times)

    async def wait(self, event: asyncio.Event, seconds: float | None) -> bool:
        """Given up sooner."""
        return await super().wait(event, None if seconds is None else seconds / self._times)
