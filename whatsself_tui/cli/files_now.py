"""The configuration as the files are on disk at this moment, in force or not; nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from whatsself_tui.cli.output import document, line, narrate
from whatsself_tui.config.files import FILES, Loaded, Rules, default_content
from whatsself_tui.config.folder import Snapshot, evaluate, take_snapshot
from whatsself_tui.errors import Problem
from whatsself_tui.text import visible


def read_files(folder: Path) -> Snapshot:
    """Both files of the configuration `folder`; the default in place of one that is not there. Blocks."""
    snapshot = take_snapshot(folder)
    missing = {name: default_content(name) for name in FILES if not (folder / name).exists()}
    for name in missing:
        narrate(f"There is no {name} yet; the one a new data folder gets is taken.")
    problems = tuple(problem for problem in snapshot.problems if problem.file not in missing)
    return Snapshot({**snapshot.contents, **missing}, problems, snapshot.digest)


def read_rules_now(folder: Path) -> Loaded[Rules]:
    """What the files say, or everything that is wrong with them. Blocks."""
    return evaluate(read_files(folder))


def tell_check(loaded: Loaded[Rules], as_json: bool) -> int:
    """Print everything that is wrong with the files or doubtful; returns the exit code: 2 if something is wrong."""
    if as_json:
        document(
            {
                "ok": loaded.value is not None,
                "problems": [as_data(problem) for problem in loaded.problems],
                "warnings": [as_data(warning) for warning in loaded.warnings],
            }
        )
    else:
        for problem in loaded.problems:
            line(visible(str(problem), 1000))
        for warning in loaded.warnings:
            line(f"warning: {visible(str(warning), 1000)}")
    if loaded.value is None:
        narrate(counted(len(loaded.problems), "problem"))
        return 2
    warnings = f" {counted(len(loaded.warnings), 'warning')}" if loaded.warnings else ""
    narrate(f"Both files are right.{warnings}")
    return 0


def tell_problems(problems: Sequence[Problem], as_json: bool) -> int:
    """Print what keeps the files from being used, as `config check` does; returns exit code 2."""
    if as_json:
        document({"ok": False, "problems": [as_data(problem) for problem in problems]})
    else:
        for problem in problems:
            line(visible(str(problem), 1000))
    narrate(counted(len(problems), "problem"))
    return 2


def as_data(problem: Problem) -> dict[str, Any]:
    """A problem or warning for a JSON document."""
    return {"file": problem.file, "line": problem.line, "field": problem.field, "message": problem.message}


def counted(number: int, what: str) -> str:
    """`1 problem.`, `3 problems.`"""
    return f"{number} {what}{'' if number == 1 else 's'}."
