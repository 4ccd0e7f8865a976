"""`run --headless`: the robot without a console."""

from __future__ import annotations

import asyncio
import os
import signal
from argparse import Namespace
from typing import Any

from whatsself_tui.cli.output import document, narrate
from whatsself_tui.clock import SystemClock
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.host.signals import exit_code, on_stop
from whatsself_tui.robot.orchestrator import Orchestrator


def run_headless(folder: DataFolder, args: Namespace) -> int:
    """Run until asked to stop, or until nothing is left to do now."""
    return asyncio.run(_run(folder, args.until_idle, args.json))


async def _run(folder: DataFolder, until_idle: bool, as_json: bool) -> int:
    robot = Orchestrator(folder, SystemClock(), mode="headless")
    stopped: asyncio.Future[signal.Signals] = asyncio.get_running_loop().create_future()
    on_stop(lambda number: None if stopped.done() else stopped.set_result(number))
    await robot.open()
    try:
        await robot.start()
        narrate(f"The robot runs on {folder.root} (process {os.getpid()}). Ctrl+C stops it.")
        if not until_idle:
            return exit_code(await stopped)
        idle = asyncio.ensure_future(robot.until_idle())
        racing: set[asyncio.Future[Any]] = {idle, stopped}
        await asyncio.wait(racing, return_when=asyncio.FIRST_COMPLETED)
        if not idle.done():
            idle.cancel()
            return exit_code(stopped.result())
        blocked = idle.result()
        if blocked:
            narrate(blocked)
        if as_json:
            document({"idle": not blocked, "reason": blocked})
        return 1 if blocked else 0
    finally:
        await robot.close()
