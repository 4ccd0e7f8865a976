"""A link to a robot that a test makes up: readings it sets, a clock it moves, commands it sees."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar, cast

from whatsself_tui.automation.model import Catalogue
from whatsself_tui.config.rules import rule_book
from whatsself_tui.config.schema import BusinessSettings, Settings
from whatsself_tui.config.service import Configuration
from whatsself_tui.console.queries import Query, Recent, RulesReading, Situation
from whatsself_tui.errors import Problem
from whatsself_tui.robot.link import CommandResult, LinkState, OwnerInfo
from whatsself_tui.store.readings import (
    AlertReading,
    BreakerReading,
    LimitsReading,
    MessageReading,
    QueueReading,
    RobotReading,
    TodayReading,
)
from whatsself_tui.store.topics import Topic

T = TypeVar("T")

#: Friday 21 November 2025, 14:03:22 in São Paulo.
NOW_MS = 1_763_744_602_000

OWNER = OwnerInfo(pid=4242, since_ms=NOW_MS - 3_600_000, mode="console", host="shop", version="1.0.0")

QUIET_ROBOT = RobotReading(False, "simulator", "ready", "")
QUIET_BREAKER = BreakerReading("closed", 0, 0, 0.0, 0.25, 20, None, 1)
QUIET_QUEUE = QueueReading(0, 0, 0, 0, 0, (), None, None, "empty", ())
QUIET_LIMITS = LimitsReading(0, 12, None, ())


class FakeLink:
    """Implements `RobotLink` over readings held in memory; counts the queries by name."""

    def __init__(self, mode: str = "owner", business: str = "Loja da Ana") -> None:
        self.robot = QUIET_ROBOT
        self.breaker = QUIET_BREAKER
        self.queue = QUIET_QUEUE
        self.limits = QUIET_LIMITS
        self.alerts: tuple[AlertReading, ...] = ()
        self.messages: tuple[MessageReading, ...] = ()
        self.today: dict[str, int] = {}
        self.fault: Exception | None = None
        self.queries: Counter[str] = Counter()
        self.commands: list[tuple[str, dict[str, Any]]] = []
        self.is_closed = False
        self.gate = asyncio.Event()
        self.gate.set()
        self.fired: dict[str, int] = {}
        self._settings = Settings(business=BusinessSettings(name=business))
        self._catalogue = Catalogue()
        self._warnings: tuple[Problem, ...] = ()
        self._revision = 1
        self._problems: tuple[Problem, ...] = ()
        self._now_ms = NOW_MS
        self._state = LinkState("attached" if mode == "attached" else "owner", OWNER, None)
        self._listeners: list[Callable[[frozenset[Topic]], None]] = []

    # What the console uses.

    @property
    def state(self) -> LinkState:
        """Who runs the robot."""
        return self._state

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._settings

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the files."""
        return self._problems

    async def configuration(self) -> Configuration:
        """What `apply_rules` put in force; waits while `gate` is closed."""
        await self.gate.wait()
        return self._configuration()

    def now_ms(self) -> int:
        """The time the test set."""
        return self._now_ms

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """The reading the query's name stands for; waits while `gate` is closed, raises `fault` if set."""
        assert isinstance(query, Query), "the console asks only named queries"
        self.queries[query.name] += 1
        await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        return cast(T, self._answers()[query.name])

    def listen(self, callback: Callable[[frozenset[Topic]], None]) -> Callable[[], None]:
        """Register; returns how to stop."""
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback)

    async def execute(self, name: str, args: Mapping[str, Any]) -> CommandResult:
        """Do what the robot would, as far as the console can see it."""
        self.commands.append((name, dict(args)))
        if name in ("pause", "resume"):
            self.change(Topic.ROBOT, robot=replace(self.robot, paused=name == "pause"))
            return CommandResult(True, f"The robot is {'paused' if name == 'pause' else 'running'}.", {})
        if name == "alert_ack":
            acknowledged = (
                replace(alert, acknowledged_at_ms=self._now_ms) if alert.id == args["id"] else alert
                for alert in self.alerts
            )
            self.change(Topic.ALERTS, alerts=tuple(acknowledged))
            return CommandResult(True, "The alert is acknowledged.", {})
        return CommandResult(False, f"Unknown command {name}.", {}, exit_code=1)

    async def aclose(self) -> None:
        """Remember that it was closed."""
        self.is_closed = True

    # What a test does.

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._listeners)

    def change(self, *topics: Topic, **readings: Any) -> None:
        """Set readings by attribute name and tell the listeners."""
        for name, reading in readings.items():
            assert hasattr(self, name), name
            setattr(self, name, reading)
        for listener in tuple(self._listeners):
            listener(frozenset(topics))

    def lose_owner(self, noticed_after_ms: int = 0) -> None:
        """The process that ran the robot goes away."""
        self._state = LinkState("attached", None, self._now_ms + noticed_after_ms)
        self.change(Topic.ROBOT)

    def find_owner(self, pid: int = 4343) -> None:
        """Another process takes the folder."""
        self._state = LinkState("attached", replace(OWNER, pid=pid), None)
        self.change(Topic.ROBOT)

    def reject_configuration(self, *problems: Problem) -> None:
        """A file was found wrong (or, with none, right again)."""
        self._problems = problems
        self.change(Topic.CONFIG)

    def apply_rules(self, catalogue: Catalogue, *warnings: Problem) -> None:
        """The automation's file was saved, and nothing is wrong with it."""
        self._catalogue, self._warnings, self._problems = catalogue, warnings, ()
        self._revision += 1
        self.change(Topic.CONFIG)

    def pass_time(self, ms: int) -> None:
        """Move the clock; nobody is told."""
        self._now_ms += ms

    def _answers(self) -> dict[str, object]:
        counters = ("inbound", "outbound", "failed", "delivered", "read", "automated", "opt_outs", "new_contacts")
        today = TodayReading("2025-11-21", tuple((name, self.today.get(name, 0)) for name in counters))
        return {
            "situation": Situation(self.robot, self.breaker, self.alerts),
            "breaker": self.breaker,
            "queue": self.queue,
            "limits": self.limits,
            "alerts": self.alerts,
            "rules": RulesReading(self._configuration(), self._problems, dict(self.fired)),
            "messages": Recent(self.messages, today),
        }

    def _configuration(self) -> Configuration:
        book = rule_book(self._settings, self._catalogue)
        return Configuration(self._settings, self._catalogue, self._revision, self._warnings, book)
