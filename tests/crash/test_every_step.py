"""`kill -9` at every step of enqueue, claim, send, finish and recover, none left out.

The steps are found from outside: each statement of the writing connection that writes, as SQLite traces them, and
each thing that happens between the robot and its phone or its clients. A first life counts them;
then one life dies before the first step, another one before the second, up to the last.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from support import crash_scenario as scenario
from support.crash_judge import Remains, arrivals, remains
from support.crash_life import STARTED
from support.crash_server import Death
from support.crash_world import SIDE_BY_SIDE, CrashWorld, crash_world

from whatsself_tui.store.outbox import State

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="lives are forked")

#: Deaths whose folders are kept at a time.
BATCH = 40


@pytest.fixture
def world(tmp_path: Path) -> Iterator[CrashWorld]:
    with crash_world(tmp_path) as there:
        yield there


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        yield pool


def die_at(world: CrashWorld, steps: list[str], number: int) -> tuple[Path, Death, Remains]:
    """The first life in a new folder ends before its step `number`."""
    folder = world.new(str(number))
    death = world.die(folder, number)
    assert (death.killed, death.last) == (True, steps[number - 1]), "every life takes the same steps"
    return folder, death, remains(folder, scenario.LIMITS, death.now_ms)


def recover(world: CrashWorld, folder: Path, death: Death, nth: int) -> list[str]:
    """Faults after a recovery; every third one is killed too, each time somewhere else."""
    faults: list[str] = []
    if nth % 3 == 0:
        death = world.die(folder, 1 + 37 * nth % 250, death)
        faults.extend(remains(folder, scenario.LIMITS, death.now_ms).faults)
    return faults + world.outlive(folder, death)


def test_killed_at_every_step(world: CrashWorld, threads: ThreadPoolExecutor) -> None:
    steps = world.steps("whole")
    recovered: set[tuple[str, int]] = set()
    faults: dict[int, list[str]] = {}
    for start in range(0, len(steps), BATCH):
        numbers = range(start + 1, min(start + BATCH, len(steps)) + 1)
        dead = dict(zip(numbers, threads.map(lambda number: die_at(world, steps, number), numbers), strict=True))
        jobs = {}
        for number, (folder, death, left) in dead.items():
            faults[number] = list(left.faults)
            # Two deaths at the same moment that left the same rows and notes have the same future.
            if (left.fingerprint, death.now_ms) not in recovered:
                recovered.add((left.fingerprint, death.now_ms))
                jobs[number] = threads.submit(recover, world, folder, death, len(recovered))
        for number, job in jobs.items():
            faults[number] += job.result()
        for folder, _, _ in dead.values():
            world.forget(folder)
    assert {number: (steps[number - 1], found) for number, found in faults.items() if found} == {}
    assert len(recovered) > 5 * len(scenario.EVENTS), "queued, claimed, arrived, recorded: all looked different"


def nth(steps: list[str], label: str, count: int) -> int:
    """Number of the step that has this name for the `count`-th time."""
    return [number for number, step in enumerate(steps, 1) if step.startswith(label)][count - 1]


def before_it_arrived(steps: list[str]) -> int:
    return nth(steps, "phone: writes", 2)


def half_arrived(steps: list[str]) -> int:
    return nth(steps, "phone: half written", 2)


def arrived(steps: list[str]) -> int:
    return nth(steps, "phone: written", 2)


def nothing_decided(steps: list[str]) -> int:
    """The message of a contact is stored, the rules have not seen it."""
    stored = nth(steps, "INSERT INTO inbox", 1)
    return steps.index("COMMIT", stored) + 2


def steps_of_recovery(world: CrashWorld, folder: Path, death: Death, *, blind: bool = False) -> range:
    """The steps of the second life, up to the moment when all is settled that the first one left."""
    steps = world.steps_after(world.copy(folder, "counted"), death, blind=blind)
    settled = steps.index(STARTED) + 1
    assert any(step.startswith(("phone: is looked up", "UPDATE inbox")) for step in steps[:settled])
    return range(1, settled + 1)


@pytest.mark.parametrize("moment", [before_it_arrived, half_arrived, arrived, nothing_decided])
def test_killed_at_every_step_of_a_recovery(
    world: CrashWorld, threads: ThreadPoolExecutor, moment: Callable[[list[str]], int]
) -> None:
    first, death, _ = die_at(world, steps := world.steps("whole"), moment(steps))

    def die_again(number: int) -> list[str]:
        folder = world.copy(first, f"again-{number}")
        second = world.die(folder, number, death)
        assert second.killed
        inside = remains(folder, scenario.LIMITS, second.now_ms).faults
        faults = [*inside, *world.outlive(folder, second)]
        world.forget(folder)
        return faults

    numbers = steps_of_recovery(world, first, death)
    faults = dict(zip(numbers, threads.map(die_again, numbers), strict=True))
    assert {number: found for number, found in faults.items() if found} == {}


@pytest.mark.parametrize("moment", [before_it_arrived, arrived])
def test_a_phone_that_cannot_tell_gets_no_second_copy(
    world: CrashWorld, threads: ThreadPoolExecutor, moment: Callable[[list[str]], int]
) -> None:
    first, death, _ = die_at(world, steps := world.steps("whole"), moment(steps))
    in_flight = texts(first, State.SENDING)
    assert len(in_flight) == 1

    def die_again(number: int) -> list[str]:
        folder = world.copy(first, f"again-{number}")
        second = world.die(folder, number, death, blind=True)
        last = world.live_on(folder, second, blind=True)
        unsure = texts(folder, State.UNCONFIRMED)
        count = arrivals(folder)
        faults = [*remains(folder, scenario.LIMITS, last.now_ms).faults]
        faults += [f"{text} is not unconfirmed" for text in in_flight - unsure]
        faults += [f"came {count[text]} times: {text}" for text in count if count[text] > 1]
        faults += [f"lost: {text}" for text in scenario.EXPECTED if not count[text] and text not in unsure]
        faults += [] if alerted(folder) else ["no alert"]
        world.forget(folder)
        return faults

    numbers = steps_of_recovery(world, first, death, blind=True)
    faults = dict(zip(numbers, threads.map(die_again, numbers), strict=True))
    assert {number: found for number, found in faults.items() if found} == {}


def texts(folder: Path, state: State) -> set[str]:
    with closing(sqlite3.connect(folder / "whatsself.db")) as connection:
        return {row[0] for row in connection.execute("SELECT body FROM outbox WHERE state = ?", (state,))}


def alerted(folder: Path) -> bool:
    with closing(sqlite3.connect(folder / "whatsself.db")) as connection:
        kinds = connection.execute("SELECT kind FROM alert WHERE cleared_at IS NULL").fetchall()
    return ("unconfirmed",) in kinds
