"""From an arrived message to its stored answer, against raw sqlite3 running the very same statements.

    python benchmarks/inbound.py [--quick]

The statements with their parameters are noted while a first robot answers; a trace of SQLite proves that none is
missing. Then a second robot answers the same messages, in turns with the replay on a copy of its database.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar, cast
from zoneinfo import ZoneInfo

from backlog import Layout, fill, phone
from raw import open_raw
from report import Line, show

from whatsself_tui.clock import SystemClock
from whatsself_tui.config.files import ensure_files
from whatsself_tui.config.service import ConfigService, Configuration
from whatsself_tui.host.logs import LogFiles
from whatsself_tui.robot.inbound import Inbound
from whatsself_tui.store.database import Store, Tx
from whatsself_tui.transport.base import Received

T = TypeVar("T")

Statement = tuple[str, Sequence[Any]]

#: What people write, as the default automation knows it; each gets an answer.
TEXTS = ("Oi", "Bom dia!", "Qual o horário de vocês?", "quero falar com um ATENDENTE por favor", "olá, tudo bem?")

EACH = 100
CONTROL = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")


class NotingStore:
    """Stands in for the store and notes every statement of the transactions it passes on."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.noted: list[Statement] = []

    async def write(self, job: Callable[[Tx], T]) -> T:
        """As the store's."""
        return await self._store.write(lambda tx: job(self._noting(tx)))

    def _noting(self, tx: Tx) -> Tx:
        connection = tx.connection

        def execute(sql: str, parameters: Any = ()) -> sqlite3.Cursor:
            self.noted.append((sql, parameters))
            return connection.execute(sql, parameters)

        tx.execute = execute
        tx.connection = cast(sqlite3.Connection, SimpleNamespace(execute=execute))  # what only reads asks it
        return tx


def main() -> int:
    """Measure and print; exit 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="300 messages instead of 3,000")
    count = 300 if parser.parse_args().quick else 3_000
    with tempfile.TemporaryDirectory(prefix="whatsself-bench-", dir=Path.cwd()) as folder:
        return show("inbound", asyncio.run(measure(Path(folder), count)))


async def measure(folder: Path, count: int) -> list[Line]:
    """Medians of both sides, in turns."""
    logs = LogFiles(folder, "info", max_mb=10, keep=2)
    ensure_files(folder / "config")
    service = ConfigService(folder / "config", SystemClock())
    service.load()
    ours, raw, noted = (folder / name for name in ("ours.db", "raw.db", "noted.db"))
    await prepare(ours, count)
    for copy in (raw, noted):
        shutil.copyfile(ours, copy)
    try:
        replay = await note(noted, service.current, count)
        rates, baselines = await in_turns(ours, raw, service.current, replay)
    finally:
        logs.close()
    statements = round(sum(map(len, replay)) / count)
    per_second, baseline = statistics.median(rates), statistics.median(baselines)
    what = f"message in → decision and answer on disk ({statements} statements), per second"
    name = "raw sqlite3, the same statements, FULL"
    return [Line(what, per_second, name, baseline, per_second / baseline, 0.5)]


async def prepare(path: Path, count: int) -> None:
    """A database in which everybody is known and something waits, closed again."""
    store = await Store.open(path, SystemClock(), ZoneInfo("America/Sao_Paulo"))
    await store.write(lambda tx: fill(tx, 0, 10 * count, Layout(not_before=":now + 86400000 + n * 997 % 86400000")))
    await store.close()


def received(number: int) -> Received:
    """The message of one person; each writes once, so that no cool-down silences an answer."""
    text = TEXTS[number % len(TEXTS)]
    return Received(f"3A{number:018X}", f"{phone(number)}@c.us", text, time.time_ns() // 1_000_000)


async def note(path: Path, configuration: Configuration, count: int) -> list[list[Statement]]:
    """Every message's statements in order, from BEGIN to COMMIT. Raises RuntimeError if one escaped."""
    store = await Store.open(path, SystemClock(), ZoneInfo("America/Sao_Paulo"))
    noting, traced, replay = NotingStore(store), list[str](), list[list[Statement]]()
    inbound = Inbound(cast(Store, noting), SystemClock(), lambda: configuration)
    await store.write(lambda tx: tx.connection.set_trace_callback(traced.append))
    for number in range(count):
        traced.clear()
        noting.noted.clear()
        await inbound.receive(received(number))
        own = iter(noting.noted)
        message = [(text, ()) if text.startswith(CONTROL) else next(own, ("", ())) for text in traced]
        if ("", ()) in message or next(own, None) is not None:
            raise RuntimeError(f"statements noted and traced differ: {noting.noted} {traced}")
        replay.append(message)
    await store.close()
    return replay


async def in_turns(
    ours: Path, raw: Path, configuration: Configuration, replay: list[list[Statement]]
) -> tuple[list[float], list[float]]:
    """Messages per second of both sides in each round. Raises RuntimeError if they end differently."""
    store = await Store.open(ours, SystemClock(), ZoneInfo("America/Sao_Paulo"))
    inbound = Inbound(store, SystemClock(), lambda: configuration)
    connection = open_raw(raw)
    rates, baselines = [], []
    try:
        for start in range(0, len(replay), EACH):
            baselines.append(run(connection, replay[start : start + EACH]))
            began = time.perf_counter()
            for number in range(start, start + EACH):
                await inbound.receive(received(number))
            rates.append(EACH / (time.perf_counter() - began))
        results = await store.read(result), result(connection)
    finally:
        connection.close()
        await store.close()
    if results[0] != results[1] or results[0] != (len(replay), len(replay)):
        raise RuntimeError(f"messages handled and answers, ours and raw: {results}")
    return rates, baselines


def run(connection: sqlite3.Connection, replay: list[list[Statement]]) -> float:
    """Messages per second of the statements alone, their rows read."""
    began = time.perf_counter()
    for message in replay:
        for sql, parameters in message:
            connection.execute(sql, parameters).fetchall()
    return len(replay) / (time.perf_counter() - began)


def result(connection: sqlite3.Connection) -> tuple[int, int]:
    """How many messages were handled, and how many answers wait."""
    (handled,) = connection.execute("SELECT count(*) FROM inbox WHERE state = 1").fetchone()
    (answers,) = connection.execute("SELECT count(*) FROM outbox WHERE dedup LIKE 'in:%'").fetchone()
    return handled, answers


if __name__ == "__main__":
    raise SystemExit(main())
