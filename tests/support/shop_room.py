"""A shop with a running robot on a clock in the test's hand: customers write, the operator commands."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from support.fake_clock import FakeClock
from support.queue_world import NOON

from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.robot.orchestrator import Orchestrator
from whatsself_tui.robot.spool import SpooledCommand, new_id
from whatsself_tui.store import views
from whatsself_tui.store.contact_views import read_contact
from whatsself_tui.store.topics import Topic

PERSON = "5511999990001"


class Shop:
    """A running robot, seen by its customers."""

    def __init__(self, folder: Path, robot: Orchestrator, clock: FakeClock) -> None:
        self.folder = folder
        self.robot = robot
        self.clock = clock
        self._heard = 0

    async def hear(
        self, text: str, *, by_hand: bool = False, age_s: int = 0, kind: str = "text", name: str = "Ana"
    ) -> None:
        """A customer writes; or, by hand, a person of the shop writes to the customer."""
        self._heard += 1
        message = {
            "wa_id": f"in-{self.clock.now_ms()}-{self._heard}",
            "chat": f"{PERSON}@c.us",
            "body": text,
            "written_at_ms": self.clock.now_ms() - age_s * 1000,
            "name": name,
            "kind": kind,
            "by_hand": by_hand,
        }
        await self.do("receive", {"messages": [message]})

    async def do(self, name: str, args: dict[str, Any]) -> Any:
        """An operator's command that has to succeed; its data."""
        result = await self.robot.commands.execute(SpooledCommand(new_id(self.clock.now_ms()), name, args))
        assert result.ok, result
        return result.data

    async def pass_time(self, seconds: float) -> None:
        """Virtual time, with the work of threads done at every step."""
        for _ in range(round(seconds * 2)):
            await self.clock.advance(0.5)
            await self._rest()

    async def _rest(self) -> None:
        """Return once nothing happens any more while the clock stands still, however slow the threads are."""
        happened = True

        def hear(topics: frozenset[Topic]) -> None:
            nonlocal happened
            happened = True

        stop = self.robot.store.listen(hear)
        quiet = turns = 0
        while quiet < 8 or (turns < 200 and await self._is_sending()):
            happened = False
            await self.robot.store.write(lambda tx: None)
            await self.robot.store.read(lambda connection: None)
            await asyncio.to_thread(lambda: None)
            await self.clock.advance(0)
            quiet, turns = 0 if happened else quiet + 1, turns + 1
        stop()

    async def _is_sending(self) -> bool:
        """Whether the simulated phone may be writing at this moment."""
        query = "SELECT 1 FROM outbox WHERE state = 1 LIMIT 1"
        return await self.robot.store.read(lambda connection: connection.execute(query).fetchone()) is not None

    async def phone(self) -> list[str]:
        """What the customer got, in order."""
        log = self.folder / "simulator" / "received.jsonl"
        return [json.loads(line)["text"] for line in log.read_text().splitlines()] if log.exists() else []

    async def rules(self) -> list[str]:
        """The rule that decided about each message of the customer, in order."""
        recent = await self.robot.store.read(views.read_recent)
        return [message.note for message in reversed(recent) if message.direction == "in"]

    async def contact(self) -> dict[str, Any]:
        """What is known of the customer."""
        found = await self.robot.store.read(lambda con: read_contact(con, "phone", PERSON))
        assert found is not None
        return found

    async def alerts(self) -> set[str]:
        """The alerts that stand."""
        await self.pass_time(1)
        return {alert.kind for alert in await self.robot.store.read(views.read_alerts)}


@asynccontextmanager
async def shop(folder: Path, settings: str, automation: str, now_ms: int = NOON) -> AsyncIterator[Shop]:
    """A robot on these two files."""
    (folder / "config").mkdir(parents=True, exist_ok=True)
    (folder / "config" / "settings.toml").write_text(settings, encoding="utf-8")
    (folder / "config" / "automation.toml").write_text(automation, encoding="utf-8")
    clock = FakeClock(now_ms)
    robot = Orchestrator(DataFolder(folder), clock, mode="headless", rng=random.Random(1))
    await robot.open()
    try:
        await robot.start()
        await clock.advance(0)
        yield Shop(folder, robot, clock)
    finally:
        await clock.finish(robot.close())
