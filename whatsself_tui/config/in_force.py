"""The configuration as somebody sees it who does not run the robot: another console, a command."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from whatsself_tui.automation.model import Catalogue
from whatsself_tui.config.files import FILES, Rules
from whatsself_tui.config.folder import LAST_GOOD_FOLDER, evaluate, take_snapshot
from whatsself_tui.config.schema import Settings
from whatsself_tui.errors import Problem


@dataclass(frozen=True, slots=True)
class InForce:
    """What a robot on the folder goes by."""

    rules: Rules = field(default_factory=lambda: Rules(Settings(), Catalogue()))
    problems: tuple[Problem, ...] = ()
    """What is wrong with the files; empty when they are in force."""
    warnings: tuple[Problem, ...] = ()
    """What is doubtful in those that are in force."""


def read_in_force(folder: Path) -> tuple[Settings, tuple[Problem, ...]]:
    """The settings a robot on this folder uses, and what is wrong with the files. Blocks."""
    in_force = read_rules_in_force(folder)
    return in_force.rules.settings, in_force.problems


def read_rules_in_force(folder: Path) -> InForce:
    """Settings and automation: those of the files if they are right, else the last good ones, else none. Blocks."""
    if not any((folder / name).exists() for name in FILES):
        return InForce()
    loaded = evaluate(take_snapshot(folder))
    if loaded.value is not None:
        return InForce(loaded.value, (), loaded.warnings)
    last_good = evaluate(take_snapshot(folder / LAST_GOOD_FOLDER))
    if last_good.value is None:
        return InForce(problems=loaded.problems)
    return InForce(last_good.value, loaded.problems, last_good.warnings)
