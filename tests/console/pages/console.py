"""The console as an operator meets it: keys go in, and what the terminal was sent is drawn and read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pyte
from support.fake_link import FakeLink
from textual.driver import Driver
from textual.drivers.headless_driver import HeadlessDriver
from textual.pilot import Pilot

from whatsself_tui.console.app import WhatsSelfApp

#: Actions that end only when somebody answers.
_OPEN_ENDED = ("act-quit", "act-take_over", "act-edit", "act-reconnect")

_PATIENCE_S = 30.0


class DrawnTerminal(HeadlessDriver):
    """Keeps count of what it is sent, and draws it."""

    screen: pyte.Screen
    drawn: asyncio.Event
    sent: list[str]

    @property
    def is_headless(self) -> bool:
        """No: output is wanted."""
        return False

    def write(self, data: str) -> None:
        """Count and draw."""
        if not hasattr(self, "_stream"):
            assert self._size is not None
            self.drawn, self.sent = asyncio.Event(), []
            self.screen = pyte.Screen(*self._size)
            self._stream = pyte.Stream(self.screen)
        self.sent.append(data)
        self._stream.feed(data)
        self.drawn.set()


class DrawnApp(WhatsSelfApp):
    """The console on a drawn terminal."""

    def get_driver_class(self) -> type[Driver]:
        return DrawnTerminal


class ConsolePage:
    """One open console."""

    def __init__(self, app: WhatsSelfApp, link: FakeLink, pilot: Pilot[int]) -> None:
        self.app = app
        self.link = link
        self.pilot = pilot
        assert isinstance(app._driver, DrawnTerminal)
        self._terminal = app._driver

    @property
    def text(self) -> str:
        """What stands on the terminal."""
        return "\n".join(self._terminal.screen.display)

    @property
    def top(self) -> str:
        """The top line."""
        return str(self._terminal.screen.display[0])

    @property
    def keys(self) -> str:
        """The bottom line."""
        return str(self._terminal.screen.display[-1])

    @property
    def sent(self) -> str:
        """All the terminal was sent so far."""
        return "".join(self._terminal.sent)

    @property
    def written(self) -> int:
        """Bytes the terminal was sent so far."""
        return len(self.sent.encode())

    async def press(self, *keys: str) -> None:
        """Type, and let the console do what follows."""
        for key in keys:
            await self.pilot.press(key)
        await self.settle()

    async def settle(self) -> None:
        """Let everything happen that does not wait for time or for an answer."""
        while True:
            await self.pilot.pause()
            under_way = [
                worker for worker in self.app.workers if worker.group not in _OPEN_ENDED and not worker.is_finished
            ]
            if not under_way or not self.link.gate.is_set():
                break
            await self.app.workers.wait_for_complete(under_way)
        await self.pilot.pause()

    async def resize(self, width: int, height: int) -> None:
        """The operator makes the terminal larger or smaller."""
        self._terminal.screen.resize(height, width)
        await self.pilot.resize_terminal(width, height)
        await self.settle()

    async def until(self, condition: Callable[[], object]) -> None:
        """Let the console go on until the condition holds."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while not condition():
                    await self.pilot.pause()
        except TimeoutError:
            raise AssertionError(f"it never came to that; the terminal shows\n{self.text}") from None

    async def drawn(self, text: str) -> None:
        """Wait until the terminal shows `text`, doing nothing that would hurry it."""
        async with asyncio.timeout(_PATIENCE_S):
            while text not in self.text:
                self._terminal.drawn.clear()
                await self._terminal.drawn.wait()

    async def tick(self, ms: int = 1000) -> None:
        """Let time pass for the robot's clock, and tell the console as its heartbeat does."""
        self.link.pass_time(ms)
        self.app.beat()
        await self.settle()


@asynccontextmanager
async def open_console(
    link: FakeLink, size: tuple[int, int] = (80, 24), *, notifications: bool = False, **arguments: Any
) -> AsyncIterator[ConsolePage]:
    """A console over `link`, its first readings made and painted; toasts only on request."""
    app = DrawnApp(link, **arguments)
    async with app.run_test(headless=False, size=size, notifications=notifications) as pilot:
        page = ConsolePage(app, link, pilot)
        await page.settle()
        yield page
