"""The configuration as somebody sees it who does not run the robot: another console, a command."""

from __future__ import annotations

from pathlib import Path

from whatsself_tui.config.files import FILES
from whatsself_tui.config.folder import LAST_GOOD_FOLDER, evaluate, take_snapshot
from whatsself_tui.config.schema import Settings
from whatsself_tui.errors import Problem


def check_files(folder: Path) -> tuple[Problem, ...]:
    """Everything that is wrong with the files; empty if they can be applied. Blocks."""
    return evaluate(take_snapshot(folder)).problems


def read_in_force(folder: Path) -> tuple[Settings, tuple[Problem, ...]]:
    """The settings a robot on this folder uses, and what is wrong with the files. Blocks.

    Those of the files if they are right, else the last good ones, else the defaults.
    """
    if not any((folder / name).exists() for name in FILES):
        return Settings(), ()
    loaded = evaluate(take_snapshot(folder))
    if loaded.value is not None:
        return loaded.value.settings, ()
    last_good = evaluate(take_snapshot(folder / LAST_GOOD_FOLDER)).value
    return last_good.settings if last_good else Settings(), loaded.problems
