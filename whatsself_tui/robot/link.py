"""How a console reaches the robot: in its own process, or through the data folder.

Both ways give the same readings and take the same commands, so no pane knows which it has.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from whatsself_tui.errors import Problem
from whatsself_tui.store.topics import Topic

if TYPE_CHECKING:
    from whatsself_tui.config.schema import Settings
    from whatsself_tui.config.service import Configuration

T = TypeVar("T")

LinkMode = Literal["starting", "owner", "attached"]
"""`starting`: nothing can be read or asked yet."""


@dataclass(frozen=True, slots=True)
class OwnerInfo:
    """Who runs the robot on this folder."""

    pid: int
    since_ms: int
    """When the owner took the folder."""
    mode: str
    """`console` or `headless`."""
    host: str
    version: str


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What became of a command."""

    ok: bool
    message: str
    """One sentence for a person."""
    data: Mapping[str, Any]
    """JSON-able details, the same keys as the command line's `--json`."""
    exit_code: int = 0


@dataclass(frozen=True, slots=True)
class LinkState:
    """What the top line tells about the link itself."""

    mode: LinkMode
    owner: OwnerInfo | None
    """None when nobody runs the robot (the owner went away)."""
    owner_lost_at_ms: int | None
    """When an attached console noticed that the owner is gone; None while there is one."""


class RobotLink(Protocol):
    """One console's way to one robot."""

    @property
    def state(self) -> LinkState:
        """The link's present state; `listen` tells about changes with Topic.ROBOT."""
        ...

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        ...

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the configuration files; empty when they are in force."""
        ...

    async def configuration(self) -> Configuration:
        """All that is in force, with its rules prepared; `listen` tells about changes with Topic.CONFIG.

        Raises RobotNotRunning while the mode is `starting`.
        """
        ...

    def now_ms(self) -> int:
        """Wall-clock milliseconds, from the one clock."""
        ...

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run a read-only query off the event loop, on the read-only connection."""
        ...

    def listen(self, callback: Callable[[frozenset[Topic]], None]) -> Callable[[], None]:
        """Call `callback` in the event loop after every change; returns how to stop that."""
        ...

    async def execute(self, name: str, args: Mapping[str, Any]) -> CommandResult:
        """Carry out a command (`pause`, `resume`, `alert_ack`, `send`, …); never raises for a refusal."""
        ...

    async def aclose(self) -> None:
        """Let go of the connection; an owner's link stops the robot first."""
        ...
