"""Carrying out a command, with an owner or without: through the spool, or with the lock for the moment."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from whatsself_tui.clock import SystemClock
from whatsself_tui.errors import DataError, FolderOwned, RobotNotRunning
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.host.ownership import MOMENTARY, is_owned, read_owner
from whatsself_tui.robot import spool
from whatsself_tui.robot.client import ask
from whatsself_tui.robot.link import CommandResult
from whatsself_tui.robot.orchestrator import Orchestrator
from whatsself_tui.store.database import describe

#: How long other commands that hold the folder for a moment are waited for.
PATIENCE_S = 15.0


async def carry_out(folder: DataFolder, name: str, args: Mapping[str, Any]) -> CommandResult:
    """The command's result. One id for all tries: however often the owner changes, it is done once.

    Raises FolderOwned if other commands keep the folder busy, and what opening the folder raises.
    """
    clock = SystemClock()
    command = spool.SpooledCommand(spool.new_id(clock.now_ms()), name, args)
    give_up_at = clock.monotonic_s() + PATIENCE_S
    while clock.monotonic_s() < give_up_at:
        if is_owned(folder):
            note = read_owner(folder)
            if note is None or note["mode"] == MOMENTARY:
                await clock.sleep(0.05)
                continue
            try:
                return await ask(folder, clock, command)
            except RobotNotRunning:
                continue
            except OSError as error:
                reason = f"The command cannot be handed to the robot: {error.strerror or error}."
                raise DataError(reason, f"Check the room on the disk and the permissions of {folder.run}.") from error
        robot = Orchestrator(folder, clock, mode=MOMENTARY)
        try:
            await robot.open()
        except FolderOwned:
            continue
        try:
            return await robot.commands.execute(command)
        except sqlite3.Error as error:
            raise describe(error, folder.database) from error
        finally:
            await robot.close()
    raise FolderOwned("Other commands keep the data folder busy.", "Try again in a moment.")
