"""`pair` and `connect`: linking with the phone of the business, and trying to reach WhatsApp now.

The robot that runs tells what WhatsApp shows; where none runs, the connection is made here for as long as it takes.
"""

from __future__ import annotations

import asyncio
import signal
from argparse import Namespace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from whatsself_tui.cli.output import report
from whatsself_tui.cli.pair_terminal import CodeTerminal
from whatsself_tui.cli.pairing import Ask, Pairing
from whatsself_tui.clock import Clock, SystemClock
from whatsself_tui.config.files import ensure_files
from whatsself_tui.config.in_force import read_in_force
from whatsself_tui.errors import FolderOwned, RobotNotRunning, UsageError
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.host.ownership import MOMENTARY, is_owned, read_owner
from whatsself_tui.host.signals import exit_code, on_stop
from whatsself_tui.phones import parse_phone
from whatsself_tui.robot.client import ask_by_name
from whatsself_tui.robot.whatsapp_reading import forget_whatsapp
from whatsself_tui.transport.whatsapp_web.wa_js import read_verified

if TYPE_CHECKING:
    from whatsself_tui.robot.orchestrator import Orchestrator


def pair(folder: DataFolder, args: Namespace) -> int:
    """Show codes until a phone is linked. Raises UsageError, DataError, FolderOwned or RobotNotRunning."""
    phone = parse_phone(args.phone) if args.phone is not None else ""
    file = Path(args.png).expanduser().absolute() if args.png is not None else None
    if file is not None and (file.is_dir() or not file.parent.is_dir()):
        raise UsageError(f"{args.png} cannot be written.", "Name a file in a folder that exists.")
    is_alone = not _somebody_runs(folder)
    if is_alone:
        ensure_files(folder.config)
    settings, problems = read_in_force(folder.config)
    if settings.transport.kind != "whatsapp_web":
        rejected = f" What stands there now is not in force: {problems[0]}." if problems else ""
        raise UsageError(
            f"The robot of {folder.root} uses the simulator: there is nothing to link.",
            f'Write kind = "whatsapp_web" under [transport] in {folder.settings_file}.{rejected}',
        )
    if is_alone:
        read_verified(folder.bridge)  # a robot would go on trying; here somebody waits
    return asyncio.run(_pair(folder, phone, file))


def connect(folder: DataFolder, args: Namespace) -> int:
    """Let the running robot try now. Raises RobotNotRunning."""
    if not _somebody_runs(folder):
        raise RobotNotRunning(
            "No robot runs on this data folder.", "Start the console or `run --headless`; it connects by itself."
        )
    return report(asyncio.run(ask_by_name(folder, SystemClock(), "connect", {})), args.json)


def _somebody_runs(folder: DataFolder) -> bool:
    """Whether a robot does; who only carries out a command for a moment is none."""
    note = read_owner(folder) if is_owned(folder) else None
    return note is not None and note["mode"] != MOMENTARY


async def _pair(folder: DataFolder, phone: str, file: Path | None) -> int:
    clock = SystemClock()
    signals: list[signal.Signals] = []
    stopped = asyncio.Event()

    def stop(number: signal.Signals) -> None:
        signals.append(number)
        stopped.set()

    on_stop(stop)
    robot = None if _somebody_runs(folder) else await _own_robot(folder, clock)
    with CodeTerminal() as terminal:
        if robot is None:
            ask: Ask = partial(ask_by_name, folder, clock)
            code = await Pairing(folder, clock, ask, terminal, phone, file).run(stopped)
        else:
            try:
                forget_whatsapp(folder)  # what a robot before this one told
                await robot.start()
                code = await Pairing(folder, clock, robot.execute, terminal, phone, file, is_own=True).run(stopped)
            finally:
                terminal.clear()
                await robot.close()
    return (exit_code(signals[0]) or 1) if code is None else code


async def _own_robot(folder: DataFolder, clock: Clock) -> Orchestrator | None:
    """One of this process, open; None if somebody else was faster. Raises FolderOwned, DataError or ConfigError."""
    from whatsself_tui.robot.orchestrator import Orchestrator  # who follows a robot that runs does without

    robot = Orchestrator(folder, clock, mode="pairing")
    try:
        await robot.open()
    except FolderOwned:
        if _somebody_runs(folder):
            return None
        raise
    return robot
