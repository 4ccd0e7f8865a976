"""The owner's own console: the robot runs in the same process and event loop."""

from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from whatsself_tui import __version__
from whatsself_tui.config.schema import Settings
from whatsself_tui.config.service import Configuration
from whatsself_tui.errors import Problem
from whatsself_tui.robot.link import CommandResult, LinkState, OwnerInfo
from whatsself_tui.robot.orchestrator import Orchestrator
from whatsself_tui.store.topics import Topic

T = TypeVar("T")


class LocalLink:
    """A RobotLink to an orchestrator of this process."""

    def __init__(self, robot: Orchestrator) -> None:
        self._robot = robot
        self._state = LinkState(
            "owner", OwnerInfo(os.getpid(), robot.clock.now_ms(), robot.mode, socket.gethostname(), __version__), None
        )

    @property
    def state(self) -> LinkState:
        """This process is the owner as long as the link is open."""
        return self._state

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._robot.settings

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the configuration files."""
        return self._robot.config.problems

    async def configuration(self) -> Configuration:
        """What the robot goes by."""
        return self._robot.config.current

    def now_ms(self) -> int:
        """The robot's clock."""
        return self._robot.clock.now_ms()

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run a query on the store's read-only connection."""
        return await self._robot.store.read(query)

    def listen(self, callback: Callable[[frozenset[Topic]], None]) -> Callable[[], None]:
        """Told directly after each commit."""
        return self._robot.store.listen(callback)

    async def execute(self, name: str, args: Mapping[str, Any]) -> CommandResult:
        """Carried out in this process."""
        return await self._robot.execute(name, args)

    async def aclose(self) -> None:
        """Stop the robot and let the folder go."""
        await self._robot.close()
