"""The whole robot on virtual time, which passes only when neither the robot nor its threads have anything to do."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

from support.crash_loop import LoopClock, VirtualLoop
from support.queue_world import NOON, chat

from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.robot import orchestrator
from whatsself_tui.robot.link import CommandResult
from whatsself_tui.robot.orchestrator import Orchestrator
from whatsself_tui.store import queue_view, views, worker
from whatsself_tui.store.readings import BreakerReading, QueueReading
from whatsself_tui.transport.base import Received, SendResult
from whatsself_tui.transport.simulator import received_lines

#: Nobody waits for a person's pace or for the phone, and only the limits that a test names bind.
QUICK = "[pace]\nenabled = false\n[simulator]\nlatency_ms = 0\n"


class VirtualRobot:
    """A robot under way."""

    def __init__(self, robot: Orchestrator, clock: LoopClock) -> None:
        self.robot = robot
        self.clock = clock

    async def do(self, name: str, **args: Any) -> CommandResult:
        """A command that is carried out."""
        result = await self.robot.execute(name, args)
        assert result.ok, result
        return result

    async def hear(self, person: int, wa_id: str, body: str = "oi") -> None:
        """Somebody writes."""
        assert await self.robot.deliver(Received(wa_id, chat(person), body, self.clock.now_ms()))

    async def pass_time(self, seconds: float) -> None:
        """Let so much virtual time pass."""
        await self.clock.sleep(seconds)

    def refuse(self, result: SendResult | None) -> None:
        """Let the phone answer every send so; None: accept again."""
        phone: Any = self.robot.connection
        if result is None:
            del phone.send
        else:

            async def send(chat: str, text: str, wa_id: str, attachment: object = None) -> SendResult:
                return result

            phone.send = send

    def phone(self) -> list[dict[str, str]]:
        """What the simulated phone has accepted, in order."""
        return list(received_lines(self.robot.folder.simulator / "received.jsonl"))

    async def breaker(self) -> BreakerReading:
        """The breaker as a pane shows it."""
        return await self.robot.store.read(
            lambda con: views.read_breaker(con, self.robot.settings, self.clock.now_ms())
        )

    async def queue(self) -> QueueReading:
        """The queue as a pane shows it."""
        return await self.robot.store.read(
            lambda con: queue_view.read_queue(con, self.robot.settings, self.clock.now_ms())
        )


def live(
    folder: Path,
    story: Callable[[VirtualRobot], Coroutine[Any, Any, None]],
    *,
    settings: str = QUICK,
    start_ms: int = NOON,
) -> int:
    """A robot's life from start to stop, with a story; the time at its end, in milliseconds."""
    (folder / "config").mkdir(parents=True, exist_ok=True)
    (folder / "config" / "settings.toml").write_text(settings, encoding="utf-8")
    loop = VirtualLoop()
    clock = LoopClock(loop, start_ms)

    async def life() -> None:
        robot = Orchestrator(DataFolder(folder), clock, mode="headless", rng=random.Random(1))
        await robot.open()
        try:
            await robot.start()
            await story(VirtualRobot(robot, clock))
        finally:
            await robot.close()

    submit = worker.submit
    with ExitStack() as replaced:
        replaced.enter_context(patch.object(orchestrator, "watch_folders", _watch_nothing))
        replaced.enter_context(patch.object(worker, "submit", lambda *args: loop.in_turn(lambda: submit(*args))))
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(life())
            return clock.now_ms()


async def _watch_nothing(_folders: object, stop: asyncio.Event, **_: object) -> AsyncIterator[frozenset[Path]]:
    """Nobody edits anything."""
    await stop.wait()
    return
    yield frozenset()
