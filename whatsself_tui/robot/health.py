"""The robot's health: what is well, what is not, and what to do about it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from whatsself_tui.errors import Problem
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.robot.database_watch import read_refusal
from whatsself_tui.store.readings import HealthLevel, HealthReading, QueueReading, RobotReading
from whatsself_tui.transport.states import advice

#: Less free room than this is an error, less than five times this a warning.
LEAST_FREE_BYTES = 200_000_000


def health(
    folder: DataFolder, robot: RobotReading, queue: QueueReading, owned: bool, problems: Sequence[Problem]
) -> tuple[HealthReading, ...]:
    """One line for each part of the robot."""
    return (
        _transport(robot, owned),
        _robot(robot, owned),
        _database(folder, queue, owned),
        _disk(folder),
        _configuration(problems),
    )


def _transport(robot: RobotReading, owned: bool) -> HealthReading:
    if not owned:
        return HealthReading(
            "whatsapp", "error", "Not connected: no robot runs.", "Start the console or `run --headless`."
        )
    if robot.transport_state == "ready":
        return HealthReading("whatsapp", "ok", f"Connected ({robot.transport_kind}).", "")
    text = robot.transport_detail or f"The {robot.transport_kind} is {robot.transport_state}."
    waits = "Messages wait until it is connected."
    return HealthReading("whatsapp", _level(robot.transport_state), text, advice(robot.transport_state) or waits)


def _level(transport_state: str) -> HealthLevel:
    """An error where only a person can help."""
    return "error" if transport_state in ("pairing", "logged_out", "blocked", "conflict") else "warning"


def _robot(robot: RobotReading, owned: bool) -> HealthReading:
    if not owned:
        return HealthReading("robot", "error", "Nobody runs the robot.", "Start the console or `run --headless`.")
    if robot.paused:
        return HealthReading("robot", "warning", "Paused by the operator.", "`queue resume`, or p in the console.")
    return HealthReading("robot", "ok", "Running.", "")


def _database(folder: DataFolder, queue: QueueReading, owned: bool) -> HealthReading:
    refusal = read_refusal(folder) if owned else None
    if refusal is not None:
        return HealthReading("database", "error", *refusal)
    size_mb = folder.database.stat().st_size / 1e6
    text = f"{size_mb:,.1f} MB."
    if queue.unconfirmed:
        advice = "See `queue list --state unconfirmed`."
        return HealthReading("database", "warning", f"{text} {queue.unconfirmed} sends are unconfirmed.", advice)
    return HealthReading("database", "ok", text, "")


def _disk(folder: DataFolder) -> HealthReading:
    free = shutil.disk_usage(folder.root).free
    text = f"{free / 1e9:,.1f} GB free."
    if free < LEAST_FREE_BYTES:
        return HealthReading("disk", "error", text, "Make room: nothing can be stored on a full disk.")
    if free < 5 * LEAST_FREE_BYTES:
        return HealthReading("disk", "warning", text, "Make room soon.")
    return HealthReading("disk", "ok", text, "")


def _configuration(problems: Sequence[Problem]) -> HealthReading:
    if problems:
        return HealthReading(
            "configuration", "error", str(problems[0]), "`config check` tells all; the last good one is used."
        )
    return HealthReading("configuration", "ok", "Both files are in force.", "")
