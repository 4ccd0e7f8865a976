"""What a session of WhatsApp Web costs: start, memory, and how long an answer takes, on the stand-in of the tests.

    python benchmarks/browser.py [--quick]

The unchanged robot drives this machine's Chromium with the real wa-js; the page is the stand-in's, so WhatsApp's own
weight and network are not in the numbers. Start and memory stand against the same Chromium opened by Playwright on an
empty page, in turns; answers against the bridge alone, without rules, database and queue. The stand-in's page asks for
news every 40 ms, so half of that is in each answer; wa-js waits 0.75 s at each start until the page's modules settle.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import async_playwright
from report import Line, show

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # the stand-in lives with them

from support.whatsapp_room import ORDERS, Room, furnish
from whatsapp_web.standin.https_server import listening, write_browser_wrapper
from whatsapp_web.standin.routing import until
from whatsapp_web.standin.server import FakeWhatsApp

from whatsself_tui.clock import Clock, SystemClock
from whatsself_tui.host import processes
from whatsself_tui.host.browsers import needs_no_sandbox
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.robot.orchestrator import Orchestrator
from whatsself_tui.transport.whatsapp_web.browser_session import BrowserSession
from whatsself_tui.transport.whatsapp_web.preparing import Options, prepare

ROUNDS = 3
MESSAGES = 200
CUSTOMERS = 40

#: The stand-in's page asks for news this often, in seconds.
ASKS_EVERY_S = 0.04


class ShortDays(SystemClock):
    """Days pass 20 times faster, so that the limits of a minute are none here; what takes time takes as long."""

    TIMES = 20

    def __init__(self) -> None:
        self._began_ms = super().now_ms()

    def now_ms(self) -> int:
        """Since the clock was made, faster."""
        return self._began_ms + (super().now_ms() - self._began_ms) * self.TIMES

    def elapsed_s(self) -> float:
        """In step with the time of day."""
        return super().elapsed_s() * self.TIMES

    def monotonic_s(self) -> float:
        """In step with the time of day."""
        return super().monotonic_s() * self.TIMES

    async def sleep(self, seconds: float) -> None:
        """Over sooner."""
        await super().sleep(seconds / self.TIMES)

    async def wait(self, event: asyncio.Event, seconds: float | None) -> bool:
        """Given up sooner."""
        return await super().wait(event, None if seconds is None else seconds / self.TIMES)


class Bench:
    """A data folder, and the WhatsApp that its browser finds."""

    def __init__(self, folder: Path, server: FakeWhatsApp, port: int) -> None:
        self.server = server
        self.browser = write_browser_wrapper(folder, port)
        self.data: DataFolder = furnish(folder / "data", self.browser)
        (self.data.config / "automation.toml").write_text(ORDERS, encoding="utf-8")

    @asynccontextmanager
    async def connected(self, clock: Clock) -> AsyncIterator[tuple[Room, float]]:
        """The robot, connected; and the seconds from its start until then."""
        robot = Orchestrator(self.data, clock, mode="headless", rng=random.Random(1))
        await robot.open()
        try:
            began = time.perf_counter()
            await robot.start()
            room = Room(robot, self.server)
            if self.server.device is None:
                await room.until_state("pairing")
                self.server.scan()
            await room.until_state("ready")
            yield room, time.perf_counter() - began
        finally:
            await robot.close()

    async def answers_ms(self, count: int) -> list[float]:
        """From a customer's message to the answer at WhatsApp, one after another."""
        rng, waits = random.Random(1), []
        for number in range(count):
            await asyncio.sleep(rng.uniform(0, ASKS_EVERY_S))
            waits.append(await self._answer_ms(f"55119{number % CUSTOMERS:08d}@c.us", f"um pedido, {number}"))
        return waits

    async def _answer_ms(self, sender: str, text: str) -> float:
        before, began = len(self.server.delivered), time.time()
        self.server.receive(sender, text)
        await until(self.server, lambda: len(self.server.delivered) > before)
        return (self.server.delivered[before].at - began) * 1000

    async def bridge_alone_ms(self, count: int) -> list[float]:
        """The same with nothing but the page: every message is answered at once, and nothing is kept."""
        data, tasks, looks = self.data, set[asyncio.Task[Any]](), asyncio.Event()
        options = Options(data.session, data.bridge, data.browser_log, str(self.browser), "always", 0)

        def heard(name: str, message: Any) -> None:
            looks.set()
            if name == "message" and not message["fromMe"]:
                answer = {"to": message["chat"], "bare": f"B{message['bare']}", "text": "anotado", "deadlineMs": 10_000}
                tasks.add(asyncio.ensure_future(session.call("send", answer, timeout_s=10)))

        session = BrowserSession(prepare(options, False).launch, heard, lambda _: None)
        try:
            await session.open()
            await session.load()
            while not ((await session.call("status", timeout_s=10)) or {}).get("full"):
                await looks.wait()
                looks.clear()
            waits = await self.answers_ms(count)
            await asyncio.gather(*tasks)
            return waits
        finally:
            await session.close()

    def memory_mb(self, profile: Path) -> float:
        """What would be free without this browser."""
        pid = processes.browser_pid(profile)
        return float(processes.memory_mb(pid) or 0) if pid else 0.0


def main() -> int:
    """Measure and print; exit 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="50 messages instead of 200")
    count = 50 if parser.parse_args().quick else MESSAGES
    server = FakeWhatsApp()
    with tempfile.TemporaryDirectory(prefix="whatsself-bench-") as folder, listening(server) as port:
        return show("browser", asyncio.run(measure(Bench(Path(folder), server, port), Path(folder) / "empty", count)))


async def measure(bench: Bench, empty_profile: Path, count: int) -> list[Line]:
    """All lines."""
    async with bench.connected(SystemClock()):
        pass  # pairing, and what a first start takes
    await empty_page(bench, empty_profile)
    starts, empty_starts, memory, empty_memory = [], [], [], []
    for _ in range(ROUNDS):
        async with bench.connected(SystemClock()) as (_, took_s):
            starts.append(took_s)
            memory.append(bench.memory_mb(bench.data.session))
        took_s, took_mb = await empty_page(bench, empty_profile)
        empty_starts.append(took_s)
        empty_memory.append(took_mb)
    async with bench.connected(ShortDays()) as (room, _):
        answers = await bench.answers_ms(count)
        await room.until(lambda: everything_sent(room))
        later = bench.memory_mb(bench.data.session)
    alone = await bench.bridge_alone_ms(count)
    start, empty = statistics.median(starts), statistics.median(empty_starts)
    ready_mb, empty_mb = statistics.median(memory), statistics.median(empty_memory)
    page, bridge = "the same Chromium with an empty page", "the bridge alone"
    return [
        line("session: seconds from the start to connected", start, page, empty, 3.5),
        line("session: the browser's own memory when connected, MB", ready_mb, page, empty_mb, 1.5),
        line(f"session: after {count} messages in and {count} out, MB", later, "when connected", ready_mb, 1.5),
        line(
            f"received → answer at WhatsApp, ms, median of {count}",
            statistics.median(answers),
            bridge,
            statistics.median(alone),
            1.5,
        ),
        line(f"received → answer at WhatsApp, ms, p95 of {count}", p95(answers), bridge, p95(alone), 1.5),
    ]


async def empty_page(bench: Bench, profile: Path) -> tuple[float, float]:
    """Seconds until the same browser shows an empty page, and its memory then in MB."""
    began = time.perf_counter()
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            profile, executable_path=bench.browser, headless=True, chromium_sandbox=not needs_no_sandbox()
        )
        await context.pages[0].goto("about:blank")
        took_s = time.perf_counter() - began
        memory_mb = await asyncio.to_thread(bench.memory_mb, profile)
        await context.close()
    return took_s, memory_mb


async def everything_sent(room: Room) -> bool:
    """Whether the robot knows of every answer that it has left."""
    return not await room.sql("SELECT 1 FROM outbox WHERE state <> 2")


def line(what: str, value: float, name: str, baseline: float, bar: float) -> Line:
    """A ratio that must not exceed the bar."""
    return Line(what, value, name, baseline, value / baseline, bar, True)


def p95(values: list[float]) -> float:
    """What 95 of 100 do not exceed."""
    return statistics.quantiles(values, n=100)[94]


if __name__ == "__main__":
    raise SystemExit(main())
