"""Lets a contact see that somebody types, while a message to them is prepared."""

from __future__ import annotations

import asyncio

from whatsself_tui.clock import Clock
from whatsself_tui.host.logs import logger
from whatsself_tui.phones import mask
from whatsself_tui.store.claims import Step, Typing
from whatsself_tui.transport.base import Outlet

log = logger("typing")


class Typist:
    """Shows typing for at most one message at a time, beside the dispatcher's own waiting."""

    def __init__(self, transport: Outlet, clock: Clock) -> None:
        self._transport = transport
        self._clock = clock
        self._shown: Typing | None = None
        self._task: asyncio.Task[None] | None = None

    def follow(self, step: Step) -> int | None:
        """Begin or end showing it as the step says; returns when the dispatcher has to look again (ms)."""
        typing = step.typing
        if typing != self._shown:
            self._end()
        if typing is None or self._shown is not None:
            return step.wake_at_ms
        now_ms = self._clock.now_ms()
        if typing.from_ms > now_ms:
            return typing.from_ms if step.wake_at_ms is None else min(typing.from_ms, step.wake_at_ms)
        self._shown = typing
        self._task = asyncio.get_running_loop().create_task(self._show(typing.chat, typing.until_ms - now_ms))
        return step.wake_at_ms

    async def stop(self) -> None:
        """Show nothing any more."""
        task = self._task
        self._end()
        if task is not None:
            await asyncio.gather(task, return_exceptions=True)

    def _end(self) -> None:
        self._shown = None
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _show(self, chat: str, duration_ms: int) -> None:
        """A contact that sees no typing gets the message all the same."""
        try:
            await self._transport.show_typing(chat, duration_ms)
        except Exception as error:
            log.warning("typing not shown", to=mask(chat), error=repr(error))
