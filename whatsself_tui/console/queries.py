"""What the panes read: one named query each, made of the store's views.

A link runs a query with its read-only connection; the name tells what is asked for, whoever answers.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, TypeVar

from whatsself_tui.store import queue_view, views
from whatsself_tui.store.readings import (
    AlertReading,
    BreakerReading,
    LimitsReading,
    MessageReading,
    QueueReading,
    RobotReading,
    TodayReading,
)

if TYPE_CHECKING:
    from whatsself_tui.config.schema import Settings
    from whatsself_tui.config.service import Configuration
    from whatsself_tui.errors import Problem
    from whatsself_tui.host.data_folder import DataFolder
    from whatsself_tui.robot.whatsapp_reading import WhatsAppReading

T = TypeVar("T")

#: Messages the messages pane holds.
RECENT = 100

#: Alerts the alerts pane holds.
ALERTS = 50


@dataclass(frozen=True, slots=True)
class Query(Generic[T]):
    """A question to the store; called with a connection it gives the answer."""

    name: str
    """`situation`, `breaker`, `queue`, `limits`, `alerts`, `messages`, `rules` or `whatsapp`."""
    view: Callable[[sqlite3.Connection], T]

    def __call__(self, con: sqlite3.Connection) -> T:
        """The answer."""
        return self.view(con)


@dataclass(frozen=True, slots=True)
class Situation:
    """What the top line and the actions need."""

    robot: RobotReading
    breaker: BreakerReading
    alerts: tuple[AlertReading, ...]


@dataclass(frozen=True, slots=True)
class Recent:
    """The conversation of late, and the day's counters."""

    messages: tuple[MessageReading, ...]
    today: TodayReading


@dataclass(frozen=True, slots=True)
class RulesReading:
    """The automation in force, what is wrong with its files, and what answered today."""

    configuration: Configuration
    problems: tuple[Problem, ...]
    """With any, what is in force is the last good configuration."""
    fired: Mapping[str, int]
    """`trigger:NAME` and `flow:NAME` → how often it answered today."""


@dataclass(frozen=True, slots=True)
class Connection:
    """How the robot is connected, as far as its owner tells."""

    robot: RobotReading
    whatsapp: WhatsAppReading | None
    """None with the simulator, and before the owner has told anything."""


def situation(settings: Settings, now_ms: int) -> Query[Situation]:
    """For the top line."""
    return Query(
        "situation",
        lambda con: Situation(
            views.read_robot(con), views.read_breaker(con, settings, now_ms), views.read_alerts(con, limit=ALERTS)
        ),
    )


def breaker(settings: Settings, now_ms: int) -> Query[BreakerReading]:
    """For the breaker pane."""
    return Query("breaker", lambda con: views.read_breaker(con, settings, now_ms))


def queue(settings: Settings, now_ms: int) -> Query[QueueReading]:
    """For the queue pane, and for the question before quitting."""
    return Query("queue", lambda con: queue_view.read_queue(con, settings, now_ms))


def limits(settings: Settings, now_ms: int) -> Query[LimitsReading]:
    """For the limits pane."""
    return Query("limits", lambda con: views.read_limits(con, settings, now_ms))


def alerts() -> Query[tuple[AlertReading, ...]]:
    """For the alerts pane."""
    return Query("alerts", lambda con: views.read_alerts(con, limit=ALERTS))


def messages(settings: Settings, now_ms: int) -> Query[Recent]:
    """For the messages pane."""
    return Query(
        "messages",
        lambda con: Recent(views.read_recent(con, limit=RECENT), views.read_today(con, settings, now_ms)),
    )


def rules(configuration: Configuration, problems: tuple[Problem, ...], now_ms: int) -> Query[RulesReading]:
    """For the list of rules: what a link says is in force, with what the store counted today."""

    def view(con: sqlite3.Connection) -> RulesReading:
        fired = views.read_fired_today(con, configuration.settings, now_ms)
        return RulesReading(configuration, problems, dict(fired))

    return Query("rules", view)


def whatsapp(folder: DataFolder | None, *, with_codes: bool) -> Query[Connection]:
    """For the WhatsApp screen; a console that may not link a phone never holds a code."""
    from whatsself_tui.robot.whatsapp_reading import read_whatsapp  # the first frame does without

    def view(con: sqlite3.Connection) -> Connection:
        reading = read_whatsapp(folder) if folder is not None else None
        return Connection(views.read_robot(con), reading if with_codes else without_codes(reading))

    return Query("whatsapp", view)


def without_codes(reading: WhatsAppReading | None) -> WhatsAppReading | None:
    """The same without anything that links a phone."""
    return reading and replace(reading, qr=None, phone_code=None)
