"""The table every benchmark prints: a ratio against a named baseline, and the bar it has to reach."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One measured ratio."""

    what: str
    value: float
    baseline_name: str
    baseline: float
    ratio: float
    bar: float
    at_most: bool = False
    """Whether the ratio must not exceed the bar, instead of reaching it."""

    @property
    def holds(self) -> bool:
        """Whether the budget is kept."""
        return self.ratio <= self.bar if self.at_most else self.ratio >= self.bar


def show(title: str, lines: Sequence[Line]) -> int:
    """Print a Markdown table; returns the exit code: 1 if a bar is missed."""
    print(f"{title}: Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {platform.platform()}")
    print("| what | value | baseline | its value | ratio | bar | |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for line in lines:
        sign = "≤" if line.at_most else "≥"
        verdict = "ok" if line.holds else "MISSED"
        print(
            f"| {line.what} | {line.value:,.4g} | {line.baseline_name} | {line.baseline:,.4g}"
            f" | **{line.ratio:,.3g}** | {sign} {line.bar:g} | {verdict} |"
        )
    return 0 if all(line.holds for line in lines) else 1
