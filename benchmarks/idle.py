"""What a robot costs that has nothing to do: wake-ups, processor time, bytes to the terminal.

    python benchmarks/idle.py [--seconds N]

The robot holds 100 k messages for tomorrow. The console, with a robot in it and nothing queued, is
compared with an empty Textual app that runs beside it in the same seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import selectors
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from report import Line, show
from terminal import EMPTY, Terminal, console

from whatsself_tui.clock import SystemClock
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.robot.orchestrator import Orchestrator
from whatsself_tui.store import outbox

WAITING = 100_000
DAY_MS = 86_400_000


class CountingSelector(selectors.DefaultSelector):
    """Counts how often the event loop is woken."""

    wakes = 0

    def select(self, timeout: float | None = None) -> Any:
        """One turn of the event loop."""
        self.wakes += 1
        return super().select(timeout)


def main() -> int:
    """Measure and print; exit 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory(prefix="whatsself-bench-", dir=Path.cwd()) as folder:
        data = Path(folder)
        selector = CountingSelector()
        with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
            wakes, cpu = runner.run(idle_robot(data, selector, seconds))
        written, ours, empty = idle_console(data / "quiet", seconds)
    return show(
        "idle",
        [
            Line(
                "robot, 100 k for tomorrow: wake-ups of the event loop per second",
                wakes,
                "1 a second",
                1,
                wakes,
                0.2,
                True,
            ),
            Line("robot, 100 k for tomorrow: processor, percent", cpu * 100, "1 percent", 1, cpu * 100, 0.05, True),
            Line("console: bytes per second", written, "1 byte a second", 1, written, 0.0, True),
            Line(
                "console: processor, percent", ours * 100, "an empty Textual app", empty * 100, ours / empty, 1.5, True
            ),
        ],
    )


async def idle_robot(data: Path, selector: CountingSelector, seconds: int) -> tuple[float, float]:
    """Wake-ups a second and the share of one processor."""
    clock = SystemClock()
    robot = Orchestrator(DataFolder(data), clock, mode="headless")
    await robot.open()
    try:
        tomorrow = clock.now_ms() + DAY_MS
        for start in range(0, WAITING, 5_000):
            batch = [
                (f"55119{number:08d}@c.us", outbox.Outgoing("Bom dia!", priority=3, not_before_ms=tomorrow))
                for number in range(start, start + 5_000)
            ]
            await robot.store.write(partial(outbox.enqueue_many, messages=batch))
        await robot.start()
        await asyncio.sleep(2)
        wakes, cpu, began = selector.wakes, time.process_time(), time.perf_counter()
        await asyncio.sleep(seconds)
        passed = time.perf_counter() - began
        # One wake-up is the end of the measurement itself.
        return (selector.wakes - wakes - 1) / passed, (time.process_time() - cpu) / passed
    finally:
        await robot.close()


def idle_console(data: Path, seconds: int) -> tuple[float, float, float]:
    """Bytes a second, and the shares of a processor of the console and of an empty app."""
    ours, empty = Terminal(*console(data)), Terminal(*EMPTY)
    try:
        for terminal in (ours, empty):
            terminal.drain(3)
        before = ours.cpu_s(), empty.cpu_s()
        began = time.perf_counter()
        written = ours.drain(seconds)
        passed = time.perf_counter() - began
        used = ours.cpu_s() - before[0], empty.cpu_s() - before[1]
        return written / passed, used[0] / passed, used[1] / passed
    finally:
        ours.close()
        empty.close()


if __name__ == "__main__":
    raise SystemExit(main())
