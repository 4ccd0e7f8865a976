"""Durable enqueue against raw sqlite3 with the same table and the same fsyncs, in the same run.

    python benchmarks/enqueue.py [--quick]

Prints for each line: what, its rate, the baseline's rate, the ratio, and the bar it must reach. Both sides take turns
and medians of the rounds count, so that the disk's moods hit both alike.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from backlog import BODY, Layout, crowd, fill, phone
from raw import RawSqlite
from report import Line, show

from whatsself_tui.clock import SystemClock
from whatsself_tui.store import contacts, outbox
from whatsself_tui.store.database import Store, Tx

RNG = random.Random(1)
ROUNDS = 9
EACH = 160

#: Messages that wait on both sides where the queue is called empty, so that there are people to write to.
FEW = 100


def main() -> int:
    """Measure and print; exit 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a backlog of 100 k instead of 1 M")
    backlog = 100_000 if parser.parse_args().quick else 1_000_000
    with tempfile.TemporaryDirectory(prefix="whatsself-bench-", dir=Path.cwd()) as folder:
        return show("enqueue", asyncio.run(measure(Path(folder), backlog)))


async def measure(folder: Path, backlog: int) -> list[Line]:
    """One by one and several at once against raw sqlite3; in batches against one by one; with a backlog without."""
    store = await Store.open(folder / "whatsself.db", SystemClock(), ZoneInfo("UTC"))
    raw = RawSqlite(folder)
    try:
        await store.write(partial(fill, start=0, stop=FEW, layout=Layout()))
        raw.fill(0, FEW)
        alone, together, baseline = await in_turns(store, raw)
        batch = statistics.median([await rate_of_batch(store) for _ in range(ROUNDS)])
        await store.write(partial(fill, start=FEW, stop=backlog, layout=Layout()))
        loaded = statistics.median([await one_by_one(store, EACH, crowd(backlog)) for _ in range(ROUNDS)])
    finally:
        raw.close()
        await store.close()
    name, at_once = RawSqlite.name, "one commit each, 8 callers at once, per second"
    return [
        Line("one commit each, per second", alone, name, baseline, alone / baseline, 0.5),
        Line(at_once, together, name, baseline, together / baseline, 0.5),
        Line("500 in one commit, messages per second", batch, "one commit each", alone, batch / alone, 10.0),
        Line(f"one commit each with {backlog:,} waiting", loaded, "with an empty queue", alone, loaded / alone, 0.5),
    ]


async def in_turns(store: Store, raw: RawSqlite) -> tuple[float, float, float]:
    """Messages per second: one caller, eight callers, and the baseline."""
    alone, together, baseline = [], [], []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(EACH):
            raw.enqueue()
        baseline.append(EACH / (time.perf_counter() - began))
        alone.append(await one_by_one(store, EACH, crowd(FEW)))
        together.append(await at_once(store, EACH, crowd(FEW)))
    return statistics.median(alone), statistics.median(together), statistics.median(baseline)


async def one_by_one(store: Store, count: int, people: int) -> float:
    """Messages per second, each to one of so many people and awaited until it is on disk."""
    began = time.perf_counter()
    for _ in range(count):
        await store.write(partial(enqueue, f"{phone(RNG.randrange(people))}@c.us"))
    return count / (time.perf_counter() - began)


def enqueue(chat: str, tx: Tx) -> None:
    """One message, as a person would queue it."""
    outbox.enqueue(tx, contacts.at_address(tx, chat), outbox.Outgoing(BODY))


async def at_once(store: Store, count: int, people: int, callers: int = 8) -> float:
    """Messages per second when several callers wait for their commits at the same time."""
    began = time.perf_counter()
    await asyncio.gather(*(one_by_one(store, count // callers, people) for _ in range(callers)))
    return count / (time.perf_counter() - began)


async def rate_of_batch(store: Store, size: int = 500) -> float:
    """Messages per second, 500 in one commit."""
    messages = [(f"{phone(RNG.randrange(crowd(FEW)))}@c.us", outbox.Outgoing(BODY)) for _ in range(size)]
    began = time.perf_counter()
    await store.write(partial(outbox.enqueue_many, messages=messages))
    return size / (time.perf_counter() - began)


if __name__ == "__main__":
    raise SystemExit(main())
