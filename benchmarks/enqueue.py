"""Durable enqueue against raw sqlite3 with the same table and the same fsyncs, in the same run.

    python benchmarks/enqueue.py [--quick]

Prints for each line: what, its rate, the baseline's rate, the ratio, and the bar it must reach.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

from report import Line, show

from whatsself_tui.clock import SystemClock
from whatsself_tui.store import contacts, outbox
from whatsself_tui.store.database import Store
from whatsself_tui.store.migrate import migrate

BODY = "Olá Maria! Seu pedido saiu para entrega e chega ainda hoje. " * 4
PEOPLE = 1_000
INSERT = (
    "INSERT INTO outbox (contact_id, class, quota, due_at, enqueued_at, source, body)"
    " VALUES (?, 5, 0, ?, ?, 'manual', ?)"
)


def main() -> int:
    """Measure and print; exit 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a backlog of 100 k instead of 1 M")
    backlog = 100_000 if parser.parse_args().quick else 1_000_000
    with tempfile.TemporaryDirectory(prefix="whatsself-bench-", dir=Path.cwd()) as folder:
        return show("enqueue", asyncio.run(measure(Path(folder), backlog)))


async def measure(folder: Path, backlog: int) -> list[Line]:
    """One by one against raw sqlite3; in batches against one by one; with a backlog against without."""
    store = await Store.open(folder / "whatsself.db", SystemClock(), ZoneInfo("UTC"))
    raw = open_raw(folder / "raw.db")
    try:
        ours, baseline = await alternate(store, raw)
        together, baseline_then = await at_once(store, 600), rate(600, lambda: raw_enqueue(raw))
        batch = await rate_of_batches(store)
        await fill(store, backlog)
        loaded = await one_by_one(store, 300)
    finally:
        raw.close()
        await store.close()
    return [
        Line("one commit each, per second", ours, "raw sqlite3, same table, FULL", baseline, ours / baseline, 0.5),
        Line(
            "one commit each, 8 callers at once, per second",
            together,
            "raw sqlite3, same table, FULL",
            baseline_then,
            together / baseline_then,
            0.5,
        ),
        Line("500 in one commit, messages per second", batch, "one commit each", ours, batch / ours, 10.0),
        Line(f"one commit each with {backlog:,} waiting", loaded, "with an empty queue", ours, loaded / ours, 0.5),
    ]


def open_raw(path: Path) -> sqlite3.Connection:
    """The baseline: the same schema, WAL and FULL, one thread, nothing else."""
    connection = sqlite3.connect(path, isolation_level=None, cached_statements=256)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    migrate(connection, path)
    connection.executemany(
        "INSERT INTO contact (phone, first_seen_at) VALUES (?, 0)", [(phone(number),) for number in range(PEOPLE)]
    )
    return connection


def phone(number: int) -> str:
    """A phone number for each simulated person."""
    return f"55119{number:08d}"


async def alternate(store: Store, raw: sqlite3.Connection, rounds: int = 8, each: int = 150) -> tuple[float, float]:
    """Medians of both sides, measured in turns so that the disk's moods hit both alike."""
    ours, baseline = [], []
    await store.write(lambda tx: [contacts.at_address(tx, f"{phone(number)}@c.us") for number in range(PEOPLE)])
    for _ in range(rounds):
        baseline.append(rate(each, lambda: raw_enqueue(raw)))
        ours.append(await one_by_one(store, each))
    return statistics.median(ours), statistics.median(baseline)


def rate(count: int, work: Callable[[], None]) -> float:
    """Calls per second."""
    began = time.perf_counter()
    for _ in range(count):
        work()
    return count / (time.perf_counter() - began)


def raw_enqueue(raw: sqlite3.Connection) -> None:
    """One row, one commit."""
    now = time.time_ns() // 1_000_000
    raw.execute("BEGIN IMMEDIATE")
    raw.execute(INSERT, (now % PEOPLE + 1, now, now, BODY))
    raw.execute("COMMIT")


async def one_by_one(store: Store, count: int) -> float:
    """Messages per second, each awaited until it is on disk."""
    began = time.perf_counter()
    for number in range(count):
        chat = f"{phone(number % PEOPLE)}@c.us"
        await store.write(
            lambda tx, chat=chat: outbox.enqueue(tx, contacts.at_address(tx, chat), outbox.Outgoing(BODY))
        )
    return count / (time.perf_counter() - began)


async def at_once(store: Store, count: int, callers: int = 8) -> float:
    """Messages per second when several callers wait for a commit each: nobody waits for a thread to wake up."""
    began = time.perf_counter()
    await asyncio.gather(*(one_by_one(store, count // callers) for _ in range(callers)))
    return count / (time.perf_counter() - began)


async def rate_of_batches(store: Store, batches: int = 10, size: int = 500) -> float:
    """Messages per second, 500 in each commit."""
    messages = [(f"{phone(number % PEOPLE)}@c.us", outbox.Outgoing(BODY)) for number in range(size)]
    began = time.perf_counter()
    for _ in range(batches):
        await store.write(lambda tx: outbox.enqueue_many(tx, messages))
    return batches * size / (time.perf_counter() - began)


async def fill(store: Store, count: int) -> None:
    """Let `count` more messages wait, for a hundred times as many people."""
    size = 5_000
    for start in range(0, count, size):
        messages = [
            (f"{phone(number % (PEOPLE * 100))}@c.us", outbox.Outgoing(BODY)) for number in range(start, start + size)
        ]
        await store.write(lambda tx, messages=messages: outbox.enqueue_many(tx, messages))


if __name__ == "__main__":
    raise SystemExit(main())
