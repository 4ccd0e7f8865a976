"""How long a message that may go waits for the transport: the real dispatcher, asleep until the message comes.

    python benchmarks/latency.py [--quick] [--folder FOLDER]

A message counts from the last moment of its enqueue's transaction, so its fsync and the claim's are inside; a
scheduled one counts from its time. Nothing else waits in the first run, 100 k messages for tomorrow in the second.
Disk and processor are probed between the messages, because their worst moments are in the numbers: the last lines tell
them. A folder in memory (`--folder /dev/shm` on Linux) leaves the disk's out.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from backlog import BODY, Layout, fill, phone
from report import Line, show

from whatsself_tui.clock import SystemClock
from whatsself_tui.config.schema import LimitSettings, PaceSettings, Settings
from whatsself_tui.host.logs import LogFiles
from whatsself_tui.robot.dispatcher import Dispatcher
from whatsself_tui.store import contacts, outbox
from whatsself_tui.store.database import Store, Tx
from whatsself_tui.transport.base import Attachment, LookUp, Outcome, SendResult, Sink

BUDGET_MS = 10.0
TOMORROW = 100_000

#: A scheduled message's time lies this far ahead when it is enqueued.
AHEAD_MS = 30

#: The pause before each message, in seconds: the dispatcher and its threads have really fallen asleep.
PAUSE_S = 0.005

#: Limits and human pace out of the way.
SETTINGS = Settings(
    limits=LimitSettings(per_minute=100_000, per_contact=20, per_contact_reply=60, daily_new_contacts=0),
    pace=PaceSettings(enabled=False),
)


class Phone:
    """A transport that notes when it was handed a message, and takes no time."""

    kind = "stopwatch"

    def __init__(self) -> None:
        self.handed = asyncio.Event()
        self.handed_ns = 0
        """Of the monotonic clock."""
        self.handed_wall_ms = 0.0

    async def start(self, sink: Sink) -> None:
        """There is nothing to tell."""

    async def stop(self) -> None:
        """There is nothing to end."""

    async def send(self, chat: str, text: str, wa_id: str, attachment: Attachment | None = None) -> SendResult:
        """Note the moment."""
        self.handed_ns, self.handed_wall_ms = time.perf_counter_ns(), time.time_ns() / 1e6
        self.handed.set()
        return SendResult(Outcome.SENT)

    async def look_up(self, chat: str, wa_id: str) -> LookUp:
        """Nothing is ever in doubt."""
        return LookUp.UNKNOWN

    async def show_typing(self, chat: str, duration_ms: int) -> None:
        """Nobody looks."""


class BedsideClock(SystemClock):
    """The machine's clocks, and whether the dispatcher sleeps on them."""

    def __init__(self) -> None:
        self.asleep = asyncio.Event()

    async def wait(self, event: asyncio.Event, seconds: float | None) -> bool:
        """Sleep, and let it be seen."""
        self.asleep.set()
        try:
            return await super().wait(event, seconds)
        finally:
            self.asleep.clear()


class Machine:
    """What this machine takes for the least that a message needs: two fsyncs, and waking up in time."""

    def __init__(self, folder: Path) -> None:
        self._fd = os.open(folder / "probe", os.O_CREAT | os.O_WRONLY | getattr(os, "O_BINARY", 0))
        self.fsyncs_ms: list[float] = []
        self.late_ms: list[float] = []

    async def probe(self) -> None:
        """Write a page over the last one and wait for the disk, twice; then sleep."""
        began = time.perf_counter_ns()
        for _ in range(2):
            os.lseek(self._fd, 0, os.SEEK_SET)
            os.write(self._fd, bytes(4096))
            os.fsync(self._fd)
        written = time.perf_counter_ns()
        await asyncio.sleep(PAUSE_S)
        self.fsyncs_ms.append((written - began) / 1e6)
        self.late_ms.append((time.perf_counter_ns() - written) / 1e6 - PAUSE_S * 1000)

    def tell(self) -> None:
        """Print how it was."""
        for what, times in (("two fsyncs", self.fsyncs_ms), ("a sleep is late by", self.late_ms)):
            median, worst = statistics.median(times), max(times)
            print(f"this machine alone, {what}: median {median:.2g} ms, p99 {p99(times):.3g} ms, worst {worst:.3g} ms")

    def close(self) -> None:
        """Let the file go."""
        os.close(self._fd)


class Robot:
    """A store, a dispatcher and the phone."""

    def __init__(self, store: Store, clock: BedsideClock, machine: Machine) -> None:
        self.store = store
        self.machine = machine
        self._clock = clock
        self._phone = Phone()
        self._people = 0
        self.dispatcher = Dispatcher(store, self._phone, clock, lambda: SETTINGS)
        store.listen(lambda _: self.dispatcher.kick())
        self.dispatcher.set_connected(True)

    async def enqueued_ms(self) -> float:
        """Enqueue one message; how long until the phone had it."""
        committing = await self._send(None)
        return (self._phone.handed_ns - committing) / 1e6

    async def scheduled_ms(self) -> float:
        """Schedule one message; how long after its time the phone had it."""
        due = self._clock.now_ms() + AHEAD_MS
        await self._send(due)
        return self._phone.handed_wall_ms - due

    async def _send(self, not_before_ms: int | None) -> int:
        """Returns the monotonic time at the end of the enqueue's transaction, before its commit."""
        await self.machine.probe()
        await self._clock.asleep.wait()
        self._phone.handed.clear()
        self._people += 1
        # Nobody of the backlog: each message is to a person of its own.
        chat = f"{phone(50_000_000 + self._people)}@c.us"

        def job(tx: Tx) -> int:
            outbox.enqueue(tx, contacts.at_address(tx, chat), outbox.Outgoing(BODY, not_before_ms=not_before_ms))
            return time.perf_counter_ns()

        committing = await self.store.write(job)
        async with asyncio.timeout(10):
            await self._phone.handed.wait()
        return committing


def main() -> int:
    """Measure and print; exit 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="100 messages for each line instead of 1,000")
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="where the database lies, default here")
    arguments = parser.parse_args()
    count = 100 if arguments.quick else 1_000
    with tempfile.TemporaryDirectory(prefix="whatsself-bench-", dir=arguments.folder) as folder:
        lines, machine = asyncio.run(measure(Path(folder), count))
    failed = show("latency", lines)
    machine.tell()
    return failed


async def measure(folder: Path, count: int) -> tuple[list[Line], Machine]:
    """With nothing else waiting, then with a backlog for tomorrow."""
    async with running(folder) as robot:
        lines = [
            line("enqueued", [await robot.enqueued_ms() for _ in range(count)]),
            line("scheduled", [await robot.scheduled_ms() for _ in range(count // 2)]),
        ]
        tomorrow = Layout(not_before=":now + 86400000 + n * 997 % 86400000")
        await robot.store.write(partial(fill, start=0, stop=TOMORROW, layout=tomorrow))
        waiting = f", {TOMORROW:,} for tomorrow"
        lines.append(line(f"enqueued{waiting}", [await robot.enqueued_ms() for _ in range(count)]))
        lines.append(line(f"scheduled{waiting}", [await robot.scheduled_ms() for _ in range(count // 2)]))
        return lines, robot.machine


@contextlib.asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Robot]:
    """A robot that sends, with its log written as always."""
    logs = LogFiles(folder, "info", max_mb=10, keep=2)
    clock = BedsideClock()
    store = await Store.open(folder / "whatsself.db", clock, ZoneInfo("America/Sao_Paulo"))
    machine = Machine(folder)
    robot = Robot(store, clock, machine)
    sending = asyncio.create_task(robot.dispatcher.run())
    try:
        yield robot
    finally:
        robot.dispatcher.stop()
        await sending
        await store.close()
        machine.close()
        logs.close()


def line(what: str, waits_ms: list[float]) -> Line:
    """The wait that 99 of 100 messages do not exceed, against the budget."""
    worst = p99(waits_ms)
    name = f"{what}: ms to the transport, p99 of {len(waits_ms):,} (median {statistics.median(waits_ms):.2g})"
    return Line(name, worst, "the budget of 10 ms", BUDGET_MS, worst / BUDGET_MS, 1.0, True)


def p99(values: list[float]) -> float:
    """What 99 of 100 do not exceed."""
    return statistics.quantiles(values, n=100)[98]


if __name__ == "__main__":
    raise SystemExit(main())
