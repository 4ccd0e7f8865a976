"""The power goes at 200 moments: what was acknowledged is there, and nothing is sent a second time.

A life is lived on a disk that forgets (`support.crash_disk`); the power goes right before one of its
operations. The next robot finds what survived, on an ordinary disk and with Python's own SQLite. The
phone and the clients' notes are the outside world and forget nothing.
"""

from __future__ import annotations

import random
import sqlite3
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from support import crash_scenario as scenario
from support.crash_disk import back_on
from support.crash_judge import remains
from support.crash_world import SIDE_BY_SIDE, CrashWorld, crash_world

from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.session.restore import begin_empty

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="lives are forked")

CUTS = 200

FORGOTTEN = "acknowledged, then forgotten: the whole database"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[CrashWorld]:
    with crash_world(tmp_path) as there:
        yield there


def is_lost(folder: Path) -> bool:
    """Whether the whole database is gone, after it was in use."""
    with closing(sqlite3.connect(folder / "whatsself.db")) as connection:
        made = connection.execute("PRAGMA user_version").fetchone()[0] > 0
    return not made and (folder / "run" / "began").exists()


def faults_after_a_cut(world: CrashWorld, disk: Literal["lossy", "lossy-normal"], operation: int) -> list[str]:
    folder = world.new(str(operation))
    death = world.die(folder, operation, disk=disk)
    assert death.killed
    back_on(folder)
    inside = list(remains(folder, scenario.LIMITS, death.now_ms).faults)
    if is_lost(folder):  # no robot starts then, until the operator says that it is to begin anew
        inside.append(FORGOTTEN)
        begin_empty(DataFolder(folder), datetime.now(UTC))
    faults = [*inside, *world.outlive(folder, death)]
    world.forget(folder)
    return faults


def cuts(world: CrashWorld, disk: Literal["lossy", "lossy-normal"]) -> list[int]:
    """The operations before which the power goes, each in a life of its own."""
    operations = world.steps("whole", disk=disk)
    return random.Random(1).sample(range(1, len(operations) + 1), CUTS)


def test_nothing_is_lost_or_sent_twice(world: CrashWorld) -> None:
    moments = cuts(world, "lossy")
    with ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        found = threads.map(lambda operation: faults_after_a_cut(world, "lossy", operation), moments)
        assert {operation: faults for operation, faults in zip(moments, found, strict=True) if faults} == {}


@pytest.mark.parametrize("harm", ["acknowledged, then forgotten", "came 2 times"])
def test_these_cuts_would_do_harm(world: CrashWorld, harm: str) -> None:
    """With commits that are not synced (`synchronous=NORMAL`) one of 200 cuts does it, and it is seen."""
    found = (faults_after_a_cut(world, "lossy-normal", operation) for operation in cuts(world, "lossy-normal"))
    assert any(fault.startswith(harm) for faults in found for fault in faults)
