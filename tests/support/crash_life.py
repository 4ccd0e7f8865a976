"""One life of a robot in a process of its own: the fixed scenario on virtual time, with a fuse.

The program is the real one, from the orchestrator down to SQLite and its threads. Replaced are the
clock, the watching of folders (nobody edits anything) and the phone's door, where a life may end
before and after each hand-over and half-way through the phone's own writing. SQLite tells of every
statement of the writing connection by its statement trace.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import secrets
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from unittest.mock import patch

import aiosqlite
from support import crash_scenario as scenario
from support.crash_disk import Disk, connector
from support.crash_fuse import BlackBox, Fuse
from support.crash_loop import LoopClock, VirtualLoop
from support.queue_world import chat as address

from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.robot import connection, orchestrator
from whatsself_tui.robot.orchestrator import Orchestrator
from whatsself_tui.store import worker
from whatsself_tui.transport import simulator
from whatsself_tui.transport.base import Acknowledged, Attachment, Event, LookUp, Outcome, SendResult, Sink
from whatsself_tui.transport.simulator import Simulator

#: Two events of the scenario are this far apart.
GAP_S = 0.06

#: What a start finds is looked at this often until it is settled.
SETTLING_S = 0.001

#: After the last send: time for the phone to tell that it was read.
REST_S = 5.0

#: The step a life takes when everything an earlier one left has been settled.
STARTED = "life: started"


@dataclass(frozen=True, slots=True)
class Order:
    """A life to be lived in a data folder."""

    folder: str
    start_ms: int
    dies_at: int = 0
    """The step it does not take any more; 0: it lives until nothing is left to do."""
    blind: bool = False
    """Whether the phone cannot tell which messages it has."""
    disk: Literal["real", "lossy", "lossy-normal"] = "real"
    """On a lossy disk the steps are the disk's, and death is a power cut. `lossy-normal` also lets
    SQLite sync less often (`synchronous=NORMAL`) than the program wants it to."""
    labels: str = ""
    """A file for the names of all steps, if it ends by itself."""


class Life:
    """What the replaced parts of one life share."""

    def __init__(self, order: Order, box: BlackBox) -> None:
        self.folder = Path(order.folder)
        self.order = order
        self.loop = VirtualLoop()
        self.clock = LoopClock(self.loop, order.start_ms)
        self.fuse = Fuse(box, self.clock.now_ms, order.dies_at)
        self.asked: set[str] = set()

    def step(self, label: str, before_death: Callable[[], None] | None = None) -> None:
        """Something is about to happen between the robot, its phone and its clients."""
        if self.order.disk == "real":
            self.fuse.step(label, before_death)

    def note(self, name: str, **what: Any) -> None:
        """Append a line to a file outside the robot's own; written before this returns."""
        descriptor = os.open(self.folder / f"{name}.jsonl", os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        os.write(descriptor, (json.dumps(what) + "\n").encode())
        os.close(descriptor)

    def run(self) -> None:
        """Live until nothing is left to do, or until the fuse has burnt."""
        with ExitStack() as replaced:
            for where, name, part in [*self._parts(), *self._disk_parts()]:
                replaced.enter_context(patch.object(where, name, part))
            self.loop.run_until_complete(self._live())
        self.fuse.tell()
        if self.order.labels:
            Path(self.order.labels).write_text("\n".join(self.fuse.labels), encoding="utf-8")

    def _parts(self) -> list[tuple[Any, str, Any]]:
        dice = random.Random(self.order.start_ms)  # the same ids in the same life, others in the next
        return [
            (orchestrator, "watch_folders", _watch_nothing),
            (connection, "simulated_phone", lambda *args: ObservedPhone(self, *args)),
            (secrets, "token_hex", lambda length: dice.randbytes(length).hex()),
            (simulator, "_append", self._observed(simulator._append)),
            (worker, "submit", self._in_turn(worker.submit)),
        ]

    def _disk_parts(self) -> list[tuple[Any, str, Any]]:
        if self.order.disk == "real":
            return [(worker, "open_writer", self._traced(worker.open_writer))]
        self._disk = Disk(self.fuse.step, random.Random(self.order.dies_at))
        synchronous = "NORMAL" if self.order.disk == "lossy-normal" else ""
        return [(sqlite3, "connect", connector(synchronous))]

    def _in_turn(self, submit: Callable[..., asyncio.Future[Any]]) -> Callable[..., asyncio.Future[Any]]:
        return lambda *args: self.loop.in_turn(lambda: submit(*args))

    def _traced(self, open_writer: Callable[[Path], Any]) -> Callable[[Path], Any]:
        async def traced(path: Path) -> aiosqlite.Connection:
            connection: aiosqlite.Connection = await open_writer(path)
            await worker.run(connection, lambda raw: raw.set_trace_callback(self.fuse.statement))
            return connection

        return traced

    def _observed(self, append: Callable[[Path, str], None]) -> Callable[[Path, str], None]:
        def observed(log: Path, line: str) -> None:
            self.step("phone: writes")
            self.step("phone: half written", lambda: _write_half(log, line))
            append(log, line)
            self.step("phone: written")

        return observed

    async def _live(self) -> None:
        robot = Orchestrator(DataFolder(self.folder), self.clock, mode="headless", rng=random.Random(1))
        await robot.open()
        await robot.start()
        while await robot.store.read(self._unsettled):  # what an earlier life left is looked up beside the start
            await self.clock.sleep(SETTLING_S)
        self.step(STARTED)
        for event in scenario.EVENTS:
            await self.clock.sleep(GAP_S)
            await self._happen(robot, event)
        while await robot.store.read(_waiting):
            await robot.until_idle()
            await self.clock.sleep(REST_S)
        await robot.close()
        self.step("life: over")

    def _unsettled(self, connection: sqlite3.Connection) -> int:
        """Claims of earlier lives without an outcome."""
        query = "SELECT count(*) FROM outbox WHERE state = 1 AND claimed_at < ?"
        return int(connection.execute(query, (self.order.start_ms,)).fetchone()[0])

    async def _happen(self, robot: Orchestrator, event: scenario.Event) -> None:
        """Ask for it as a client does that repeats, under the same key, what it may have asked before."""
        self.step("client: asks")
        if isinstance(event, scenario.Send):
            due = None if event.after_s is None else self.clock.now_ms() + event.after_s * 1000
            message = {"phone": scenario.phone(event), "text": event.text, "priority": event.priority}
            result = await robot.execute("send", {**message, "dedup": event.key, "not_before_ms": due})
        else:
            message = {"wa_id": event.key, "chat": scenario.address(event), "body": event.text}
            result = await robot.execute("receive", {"messages": [{**message, "written_at_ms": self.clock.now_ms()}]})
        if not result.ok:
            raise AssertionError(result.message)
        is_new = bool(result.data["new"] if isinstance(event, scenario.Send) else result.data["received"])
        self.step("client: was told")
        self.note("acknowledged", key=event.key, is_new=is_new)
        self.step("client: noted it")


class ObservedPhone(Simulator):
    """The simulated phone; notes who knocks, and refuses what the scenario says."""

    def __init__(self, life: Life, *args: Any) -> None:
        super().__init__(*args)
        self._life = life
        self._reader_has: set[str] = set()

    async def start(self, sink: Sink) -> None:
        """Connect; only one person's phone tells that messages were delivered and read."""

        async def hear(event: Event) -> None:
            if not isinstance(event, Acknowledged) or event.wa_id in self._reader_has:
                await sink(event)

        await super().start(hear)

    async def send(self, chat: str, text: str, wa_id: str, attachment: Attachment | None = None) -> SendResult:
        """Hand a message over."""
        life = self._life
        if chat == address(scenario.READER):
            self._reader_has.add(wa_id)
        life.step("phone: is asked")
        life.note("handed", id=wa_id, chat=chat, text=text, at_ms=life.clock.now_ms())
        first = wa_id not in life.asked
        life.asked.add(wa_id)
        if first and text.endswith(scenario.REFUSED):
            result = SendResult(Outcome.RETRYABLE, "refused")
        elif first and text.endswith(scenario.SILENT_REFUSED):
            result = SendResult(Outcome.UNKNOWN, "no answer")
        else:
            result = await super().send(chat, text, wa_id)
        life.step("phone: has answered")
        if first and text.endswith(scenario.SILENT_ACCEPTED):
            result = SendResult(Outcome.UNKNOWN, "no answer")
        return result

    async def look_up(self, chat: str, wa_id: str) -> LookUp:
        """Whether it has a message."""
        self._life.step("phone: is looked up")
        return LookUp.UNKNOWN if self._life.order.blind else await super().look_up(chat, wa_id)


async def _watch_nothing(_folders: object, stop: asyncio.Event, **_: object) -> AsyncIterator[frozenset[Path]]:
    await stop.wait()
    return
    yield frozenset()


def _write_half(log: Path, line: str) -> None:
    with log.open("ab") as file:
        file.write(line.encode()[: len(line) // 2])


def _waiting(con: sqlite3.Connection) -> int:
    (waiting,) = con.execute("SELECT count(*) FROM outbox WHERE state IN (0, 1)").fetchone()
    return int(waiting)
