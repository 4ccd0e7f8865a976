"""A database that refused is tried again until it takes something, also when nobody else writes."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

from support.fake_clock import FakeClock
from support.queue_world import NOON

from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.robot.database_watch import read_refusal
from whatsself_tui.robot.orchestrator import Orchestrator
from whatsself_tui.store.database import Tx


async def test_what_was_told_ends_by_itself(tmp_path: Path) -> None:
    clock = FakeClock(NOON)
    folder = DataFolder(tmp_path)
    robot = Orchestrator(folder, clock, mode="headless", rng=random.Random(1))
    await robot.open()
    try:
        await robot.start()
        await clock.advance(5)
        full = True

        def refuse(tx: Tx) -> None:
            if full:
                error = sqlite3.OperationalError("database or disk is full")
                error.sqlite_errorcode = sqlite3.SQLITE_FULL
                raise error

        try:
            await robot.store.write(refuse)
        except sqlite3.OperationalError:
            full = False
        told = read_refusal(folder)
        assert told is not None
        assert "disk is full" in told[0]
        for _ in range(100):
            await clock.advance(0.1)
            await robot.store.read(lambda con: con.execute("SELECT 1").fetchone())
            if read_refusal(folder) is None:
                break
        assert read_refusal(folder) is None
    finally:
        await clock.finish(robot.close())
