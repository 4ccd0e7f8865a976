"""Who goes next and when to look again, at a million waiting messages in five shapes of backlog.

    python benchmarks/pick.py [--quick]

The pick must not look at messages that may not go: its cost has a budget, and hardly grows with the backlog.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from backlog import Layout, close_windows, fill
from report import Line, show

from whatsself_tui.clock import SystemClock
from whatsself_tui.config.schema import Settings
from whatsself_tui.store import claims
from whatsself_tui.store.database import Store, Tx
from whatsself_tui.store.terms import limits_of, policy_of

BUDGET_US = 100.0
SMALL = 10_000

#: Ten messages for each contact; with this each is in a class of its own.
EVERY_CLASS = "(n / :people + n) % 11"


@dataclass(frozen=True, slots=True)
class Shape:
    """A backlog, and which contacts' windows are full: every so many-th one's, 0 for nobody's."""

    name: str
    layout: Layout
    blocked_every: int = 0


SHAPES = (
    Shape("all may go", Layout()),
    Shape("all for tomorrow", Layout(not_before=":now + 86400000 + n * 997 % 86400000")),
    Shape("one contact has everything, window full", Layout(contact="1"), blocked_every=1),
    Shape("all contacts' windows full", Layout(), blocked_every=1),
    Shape("all priorities, every second window full", Layout(message_class=EVERY_CLASS), blocked_every=2),
)


def main() -> int:
    """Measure and print; exit 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a backlog of 100 k instead of 1 M")
    backlog = 100_000 if parser.parse_args().quick else 1_000_000
    lines: list[Line] = []
    for shape in SHAPES:
        with tempfile.TemporaryDirectory(prefix="whatsself-bench-", dir=Path.cwd()) as folder:
            small, large = asyncio.run(measure(Path(folder), shape, backlog))
        what = f"{shape.name}, {backlog:,} waiting: µs"
        lines.append(Line(what, large, "the budget of 100 µs", BUDGET_US, large / BUDGET_US, 1.0, True))
        lines.append(Line(what, large, f"with {SMALL:,} waiting", small, large / small, 3.0, True))
    return show("pick and next wake-up", lines)


async def measure(folder: Path, shape: Shape, backlog: int) -> tuple[float, float]:
    """Microseconds with few and with many messages in this shape, medians of what was measured in turns."""
    few, many = await filled(folder / "few.db", shape, SMALL), await filled(folder / "many.db", shape, backlog)
    try:
        costs = [(await few.write(pick_us), await many.write(pick_us)) for _ in range(15)]
    finally:
        await few.close()
        await many.close()
    small, large = (statistics.median(column) for column in zip(*costs, strict=True))
    return small, large


async def filled(path: Path, shape: Shape, count: int) -> Store:
    """A database with so many messages in this shape."""
    store = await Store.open(path, SystemClock(), ZoneInfo("UTC"))
    await store.write(partial(fill, start=0, stop=count, layout=shape.layout))
    if shape.blocked_every:
        await store.write(partial(close_windows, every=shape.blocked_every))
    return store


def pick_us(tx: Tx, rounds: int = 300) -> float:
    """Median cost of one pick and the next wake-up, in microseconds, where the dispatcher asks for it."""
    settings = Settings()
    limits, policy = limits_of(settings), policy_of(settings)
    costs = []
    for _ in range(rounds):
        began = time.perf_counter_ns()
        claims.wake_up(tx.connection, tx.now_ms, limits, policy)
        costs.append(time.perf_counter_ns() - began)
    return statistics.median(costs) / 1_000


if __name__ == "__main__":
    raise SystemExit(main())
