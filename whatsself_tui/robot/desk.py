"""The owner's desk: takes commands from the spool, one after another, and answers them."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.host.logs import logger
from whatsself_tui.robot import spool
from whatsself_tui.robot.commands import Commands, refused

log = logger("desk")

#: Commands that others need not wait for: each runs beside them, and closing the desk cancels it.
LONG_COMMANDS = frozenset({"backup", "connect", "media", "pair_code", "pair_qr", "queue"})


class CommandDesk:
    """Carries out what lies in `run/commands/`."""

    def __init__(self, folder: DataFolder, commands: Commands) -> None:
        self._folder = folder
        self._commands = commands
        self._long: dict[Path, asyncio.Task[None]] = {}

    async def work(self) -> None:
        """Take everything that waits; returns when all of it but the long ones is answered."""
        for path in spool.waiting(self._folder):
            taken = None if path in self._long else spool.take(path)
            if taken is not None:
                await self._take(taken)

    async def close(self) -> None:
        """Cancel what is long; the next owner carries it out."""
        for task in self._long.values():
            task.cancel()
        await asyncio.gather(*self._long.values(), return_exceptions=True)

    async def _take(self, path: Path) -> None:
        try:
            command = spool.read_command(path)
        except spool.BadCommand as error:
            log.warning("command rejected", file=path.name, reason=str(error))
            spool.answer(self._folder, path.stem, refused(f"The command was not taken: {error}.", 2))
            spool.reject(self._folder, path)
            return
        if command.name not in LONG_COMMANDS:
            await self._carry_out(command, path)
            return
        task = asyncio.get_running_loop().create_task(self._carry_out(command, path), name=command.name)
        self._long[path] = task
        task.add_done_callback(lambda _: self._long.pop(path, None))

    async def _carry_out(self, command: spool.SpooledCommand, path: Path) -> None:
        """Do it, answer, and take the file away; a stop in between leaves it to the next owner."""
        try:
            result = await self._commands.execute(command)
        except sqlite3.Error as error:
            log.error("command failed", command=command.name, id=command.id, error=str(error))
            result = refused(f"The database refused: {error}. Give the command again.")
        try:
            spool.answer(self._folder, command.id, result)
        except OSError as error:
            log.error("result not written", id=command.id, error=str(error))
            spool.answer_in_place(self._folder, path, result)
        path.unlink(missing_ok=True)
