"""Asking a robot in another process: put a command into its spool and wait for the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whatsself_tui.clock import Clock
from whatsself_tui.errors import NoAnswer, RobotNotRunning, WhatsSelfError
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.host.ownership import is_owned
from whatsself_tui.robot import spool
from whatsself_tui.robot.link import CommandResult

#: How often the answer is looked for.
LOOK_EVERY_S = 0.02

#: How often, while waiting, the owner's life is checked.
CHECK_EVERY_S = 0.5

#: A robot that has not answered by then is busy or hung.
PATIENCE_S = 30.0


async def ask(folder: DataFolder, clock: Clock, command: spool.SpooledCommand) -> CommandResult:
    """The owner's answer to a command.

    Raises RobotNotRunning if nobody owns the folder or the owner went away before it took the
    command, which is withdrawn then; WhatsSelfError if there is no answer in time.
    """
    if not is_owned(folder):
        raise RobotNotRunning("No robot runs on this data folder.")
    spool.submit(folder, command)
    began = checked = clock.monotonic_s()
    while True:
        result = spool.fetch(folder, command.id)
        if result is not None:
            return result
        now = clock.monotonic_s()
        if now - checked >= CHECK_EVERY_S:
            checked = now
            if not is_owned(folder) and spool.withdraw(folder, command.id):
                raise RobotNotRunning("The robot went away before it took the command; nothing was done.")
        if now - began >= PATIENCE_S:
            raise _no_answer(folder, command)
        await clock.sleep(LOOK_EVERY_S)


async def ask_by_name(folder: DataFolder, clock: Clock, name: str, args: Mapping[str, Any]) -> CommandResult:
    """The same with a new id."""
    return await ask(folder, clock, spool.SpooledCommand(spool.new_id(clock.now_ms()), name, args))


def _no_answer(folder: DataFolder, command: spool.SpooledCommand) -> WhatsSelfError:
    if spool.withdraw(folder, command.id):
        return WhatsSelfError(f"The robot did not take the command within {PATIENCE_S:.0f} s; it was withdrawn.")
    return NoAnswer(
        f"The robot took the command but did not answer within {PATIENCE_S:.0f} s.",
        "It is carried out once, by this robot or the next one; look with `status` or `queue list`.",
    )
