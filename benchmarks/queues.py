"""The queue beside other durable queues, and its own cost as it grows to a million waiting messages.

    python benchmarks/queues.py [--quick] [--plot FILE]

Every contestant holds the same number of messages and makes an fsync for every commit. They take turns, and medians
of the rounds count, so that the disk's moods hit all alike.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from backlog import Layout, crowd, fill
from enqueue import one_by_one
from pick import pick_us
from raw import RawSqlite
from report import Line, show
from rivals import JsonFile, Rival, rivals

from whatsself_tui.clock import SystemClock
from whatsself_tui.config.schema import Settings
from whatsself_tui.delivery.limits import Limits
from whatsself_tui.store import claims, state
from whatsself_tui.store.database import Store
from whatsself_tui.store.queue_view import read_queue

OURS = "WhatsSelf TUI"
SMALL = 10_000

#: A rival that would take longer for one size is left out there.
PATIENCE_S = 60.0

#: Nothing but the queue's own work bounds the sends.
WIDE = Limits(per_minute=1_000_000, per_contact=1_000_000, per_contact_reply=1_000_000)

#: One message in five is for tomorrow.
LAYOUT = Layout(not_before="iif(n % 5, NULL, :now + 86400000 + n * 997 % 86400000)")


class Costs:
    """What one contestant's operations cost at one size, round by round."""

    def __init__(self) -> None:
        self._rounds_us: dict[str, list[float]] = {}

    def add(self, what: str, seconds: float, operations: int = 1) -> None:
        """A round more."""
        self._rounds_us.setdefault(what, []).append(seconds / operations * 1e6)

    def us(self, what: str) -> float:
        """Microseconds for one operation, median of the rounds."""
        return statistics.median(self._rounds_us[what])

    def rate(self, what: str) -> float:
        """Operations per second, median of the rounds."""
        return 1e6 / self.us(what)


@dataclass(frozen=True, slots=True)
class Effort:
    """Rounds at each size, and operations in each: enough that every round moves the log into the database."""

    rounds: int
    enqueue: int
    deliver: int


Table = dict[int, dict[str, Costs]]
"""By messages waiting and by contestant."""


def main() -> int:
    """Measure and print; exit 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="up to 100 k waiting instead of 1 M, fewer operations")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the costs into this PNG file")
    arguments = parser.parse_args()
    sizes, effort = [1_000, SMALL, 100_000, 1_000_000], Effort(9, 400, 150)
    if arguments.quick:
        sizes, effort = sizes[:-1], Effort(3, 100, 40)
    with tempfile.TemporaryDirectory(prefix="whatsself-bench-", dir=Path.cwd()) as folder:
        table = asyncio.run(measure(Path(folder), sizes, effort))
    failed = show("queue", bars(table))
    for what, title in (("enqueue", "Enqueued per second"), ("deliver", "Taken and finished per second")):
        compare(table, what, title)
    if arguments.plot:
        draw(table, arguments.plot)
    return failed


async def measure(folder: Path, sizes: list[int], effort: Effort) -> Table:
    """All contestants at all sizes; the same files grow from size to size."""
    store = await Store.open(folder / "whatsself.db", SystemClock(), ZoneInfo("America/Sao_Paulo"))
    others = rivals(folder)
    table: Table = {}
    try:
        await store.write(lambda tx: state.set_transport(tx, "simulator", "ready", ""))
        for start, stop in zip([0, *sizes], sizes, strict=False):
            await store.write(partial(fill, start=start, stop=stop, layout=LAYOUT))
            for rival in others:
                rival.fill(start, stop)
            table[stop] = await in_turns(store, others, stop, effort)
            if (rewritten := rewriting(JsonFile(folder), stop, effort)) is not None:
                table[stop][JsonFile.name] = rewritten
    finally:
        await store.close()
        for rival in others:
            rival.close()
    return table


async def in_turns(store: Store, others: list[Rival], size: int, effort: Effort) -> dict[str, Costs]:
    """Costs of everyone at one size."""
    costs = {OURS: Costs()}
    for _ in range(effort.rounds):
        await ours(store, size, effort, costs[OURS])
        for rival in others:
            theirs = costs.setdefault(rival.name, Costs())
            theirs.add("enqueue", timed(rival.enqueue, effort.enqueue), effort.enqueue)
            theirs.add("deliver", timed(rival.deliver, effort.deliver), effort.deliver)
    return costs


async def ours(store: Store, size: int, effort: Effort, costs: Costs) -> None:
    """One round of ours: each enqueue, claim and finish awaited until it is on disk; a pick; a view of the queue."""
    costs.add("enqueue", 1 / await one_by_one(store, effort.enqueue, crowd(size)))
    began = time.perf_counter()
    for _ in range(effort.deliver):
        step = await store.write(lambda tx: claims.step(tx, WIDE, True))
        if step.claim is None:
            raise RuntimeError("nothing could be claimed")
        await store.write(partial(claims.sent, claim=step.claim))
    costs.add("deliver", time.perf_counter() - began, effort.deliver)
    costs.add("pick", await store.write(partial(pick_us, rounds=500)) / 1e6)
    costs.add("view", await view_s(store))


async def view_s(store: Store) -> float:
    """Seconds to read everything that the console's queue pane shows, in a process that does nothing else."""
    settings = Settings()
    costs = []
    for _ in range(20):
        now_ms = time.time_ns() // 1_000_000
        began = time.perf_counter()
        await store.read(partial(read_queue, settings=settings, now_ms=now_ms))
        costs.append(time.perf_counter() - began)
    return statistics.median(costs)


def rewriting(rival: JsonFile, size: int, effort: Effort) -> Costs | None:
    """The file's costs, with fewer operations where one takes long; None if it takes too long.

    Not in turns with the others, whose memory it would crowd.
    """
    rival.fill(0, size)
    first = timed(rival.enqueue, 1)
    if first * 3 * 3 > PATIENCE_S:
        print(f"{rival.name}: left out with {size:,} waiting, one rewrite takes {first:.1f} s.")
        return None
    most = max(3, round(5 / first))
    costs = Costs()
    for what, work, operations in (
        ("enqueue", rival.enqueue, min(most, effort.enqueue)),
        ("deliver", rival.deliver, min(most, effort.deliver)),
    ):
        costs.add(what, timed(work, operations), operations)
    return costs


def timed(work: Callable[[], None], count: int) -> float:
    """Seconds for so many calls."""
    began = time.perf_counter()
    for _ in range(count):
        work()
    return time.perf_counter() - began


def bars(table: Table) -> list[Line]:
    """The budgets: against the baseline at each size, and the largest size against `SMALL`."""
    lines = []
    for size, row in table.items():
        mine, raw = row[OURS].rate("enqueue"), row[RawSqlite.name].rate("enqueue")
        what = f"one commit each with {size:,} waiting, per second"
        lines.append(Line(what, mine, RawSqlite.name, raw, mine / raw, 0.5))
    size, largest, small = max(table), table[max(table)][OURS], table[SMALL][OURS]
    with_ = f"with {SMALL:,} waiting"
    for what, name in (("enqueue", "one commit each"), ("deliver", "claimed and finished, two commits each")):
        mine, before = largest.rate(what), small.rate(what)
        lines.append(Line(f"{name} with {size:,} waiting, per second", mine, with_, before, mine / before, 0.5))
    for what, name, bar in (("pick", "pick and next wake-up", 3.0), ("view", "queue view", 2.0)):
        cost, before = largest.us(what), small.us(what)
        lines.append(Line(f"{name} with {size:,} waiting, µs", cost, with_, before, cost / before, bar, True))
    return lines


def compare(table: Table, what: str, title: str) -> None:
    """Print everybody's rates beside each other; no bar is set for them."""
    names = list(next(iter(table.values())))
    print(f"\n| {title}, waiting | {' | '.join(names)} |")
    print("| --- " * (len(names) + 1) + "|")
    for size, row in table.items():
        rates = [row[name].rate(what) if name in row else None for name in names]
        cells = ["left out" if rate is None else f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}" for rate in rates]
        print(f"| {size:,} | {' | '.join(cells)} |")


def draw(table: Table, file: Path) -> None:
    """What one operation costs at each size: everybody's enqueue, and all of ours."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4.4), sharey=True, layout="constrained")
    left.set_title("A durable enqueue, one commit each")
    for name in next(iter(table.values())):
        found = {size: row[name].us("enqueue") for size, row in table.items() if name in row}
        curve(left, found, name, bold=name == OURS)
    right.set_title(f"What {OURS} does, by messages waiting")
    for what, name in (
        ("deliver", "claim and finish (two commits)"),
        ("enqueue", "enqueue (one commit)"),
        ("view", "read the queue view"),
        ("pick", "pick and next wake-up"),
    ):
        curve(right, {size: row[OURS].us(what) for size, row in table.items()}, name)
    for axes in (left, right):
        axes.set(xscale="log", yscale="log", xlabel="messages waiting")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    left.set_ylabel("microseconds")
    figure.savefig(file, dpi=100)
    pyplot.close(figure)


def curve(axes: Any, costs: Mapping[int, float], name: str, *, bold: bool = False) -> None:
    """One line with a mark at each size that was measured."""
    axes.plot(list(costs), list(costs.values()), marker="o", markersize=4, linewidth=3 if bold else 1.5, label=name)


if __name__ == "__main__":
    raise SystemExit(main())
