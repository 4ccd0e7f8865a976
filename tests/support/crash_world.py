"""Robots that die and are started again, several side by side, and what is wrong after it all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from support import crash_judge as judge
from support import crash_scenario as scenario
from support.crash_life import Order
from support.crash_server import Death, Lives
from support.queue_world import NOON

#: Lives lived at the same time: two processors are busy, also while one life is being judged.
SIDE_BY_SIDE = 3

#: A robot is started again this long after its death.
PAUSE_MS = 1000

#: A disk in memory, if the system has one: a killed process leaves the same there, and nobody waits
#: for its syncs.
MEMORY = Path("/dev/shm")

#: What several lives need of it.
ROOM_BYTES = 500_000_000


class CrashWorld:
    """Data folders below one folder, and servers of lives shared by the threads of a test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._servers = [Lives() for _ in range(SIDE_BY_SIDE)]
        self._free: SimpleQueue[Lives] = SimpleQueue()
        for server in self._servers:
            self._free.put(server)

    def live(self, order: Order) -> Death:
        """One life, on the next server that is free."""
        server = self._free.get()
        try:
            return server.live(order)
        finally:
            self._free.put(server)

    def new(self, name: str) -> Path:
        """A furnished data folder in which nobody has lived."""
        folder = self._folder / name
        scenario.furnish(folder)
        return folder

    def copy(self, folder: Path, name: str) -> Path:
        """The same folder once more, as its dead left it."""
        return Path(shutil.copytree(folder, self._folder / name))

    def forget(self, folder: Path) -> None:
        """Make room."""
        shutil.rmtree(folder)

    def steps(self, name: str, **how: Any) -> list[str]:
        """The names of the steps of a whole life in a new folder, which also has to be without fault."""
        folder = self.new(name)
        labels, death = self._live_and_tell(folder, None, how)
        assert faults(folder, death.now_ms) == []
        self.forget(folder)
        return labels

    def steps_after(self, folder: Path, death: Death, **how: Any) -> list[str]:
        """The names of the steps of a life that follows one that died."""
        return self._live_and_tell(folder, death, how)[0]

    def die(self, folder: Path, step: int, after: Death | None = None, **how: Any) -> Death:
        """A life that ends before its `step`, or with nothing left to do if it has not that many."""
        return self.live(Order(str(folder), restart(after), dies_at=step, **how))

    def live_on(self, folder: Path, after: Death | None, **how: Any) -> Death:
        """A life that ends with nothing left to do."""
        end = self.live(Order(str(folder), restart(after), **how))
        assert not end.killed
        return end

    def outlive(self, folder: Path, after: Death) -> list[str]:
        """What is wrong when a last robot has done all that was left to do."""
        return faults(folder, self.live_on(folder, after).now_ms)

    def _live_and_tell(self, folder: Path, after: Death | None, how: dict[str, Any]) -> tuple[list[str], Death]:
        labels = folder.with_suffix(".labels")
        death = self.live_on(folder, after, labels=str(labels), **how)
        return labels.read_text(encoding="utf-8").split("\n"), death

    def close(self) -> None:
        """End the servers."""
        for server in self._servers:
            server.close()


def restart(after: Death | None) -> int:
    """When the next life begins."""
    return NOON if after is None else after.now_ms + PAUSE_MS


def faults(folder: Path, now_ms: int) -> list[str]:
    """Everything that is wrong in a folder in which nothing is left to do."""
    return [
        *judge.delivery_faults(folder, scenario.EXPECTED),
        *judge.order_faults(folder),
        *judge.limit_faults(judge.handed_over(folder), scenario.LIMITS),
        *judge.remains(folder, scenario.LIMITS, now_ms).faults,
        *judge.unfinished(folder),
    ]


@contextmanager
def crash_world(folder: Path) -> Iterator[CrashWorld]:
    """A world in memory if there is room, else in `folder`."""
    in_memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM_BYTES
    with tempfile.TemporaryDirectory(dir=MEMORY if in_memory else folder) as place:
        world = CrashWorld(Path(place))
        try:
            yield world
        finally:
            world.close()
