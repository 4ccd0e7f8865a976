"""A console's link while the robot is still being started: the first frame need not wait for it.

It answers nothing and takes no command; whoever opened it puts a real link in its place.
"""

from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from whatsself_tui import __version__
from whatsself_tui.clock import Clock
from whatsself_tui.errors import Problem, RobotNotRunning
from whatsself_tui.robot.link import CommandResult, LinkState, OwnerInfo
from whatsself_tui.store.topics import Topic

if TYPE_CHECKING:
    from whatsself_tui.config.schema import Settings
    from whatsself_tui.config.service import Configuration

T = TypeVar("T")


class StartingLink:
    """A RobotLink to a robot that is not there yet."""

    problems: tuple[Problem, ...] = ()

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        me = OwnerInfo(os.getpid(), clock.now_ms(), "console", socket.gethostname(), __version__)
        self.state = LinkState("starting", me, None)

    @property
    def settings(self) -> Settings:
        """The defaults."""
        from whatsself_tui.config.schema import Settings

        return Settings()

    async def configuration(self) -> Configuration:
        """Refused: it has not been read yet."""
        raise RobotNotRunning("The robot is being started.")

    def now_ms(self) -> int:
        """The present."""
        return self._clock.now_ms()

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Refused: nobody reads before there is another link."""
        raise RobotNotRunning("The robot is being started.")

    def listen(self, callback: Callable[[frozenset[Topic]], None]) -> Callable[[], None]:
        """Nothing ever changes here."""
        return lambda: None

    async def execute(self, name: str, args: Mapping[str, Any]) -> CommandResult:
        """Refused."""
        return CommandResult(False, "The robot is being started.", {}, 1)

    async def aclose(self) -> None:
        """Nothing is open."""
