"""The console: as the owner where the folder is free, attached where it is not, or as a demonstration.

Nothing but Textual is loaded before the first frame; the robot is opened behind it.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
import tempfile
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from whatsself_tui.clock import SystemClock
from whatsself_tui.errors import FolderOwned, UsageError
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.host.signals import exit_code, on_stop

if TYPE_CHECKING:
    from whatsself_tui.robot.link import RobotLink


def run_console(folder: DataFolder, args: Namespace) -> int:
    """Open the console; returns the exit code. Raises UsageError without a terminal."""
    require_terminal()
    if args.demo:
        return _run_demo()
    return asyncio.run(_run(folder, args.read_only))


def require_terminal() -> None:
    """The console reads keys and draws: without a terminal it would only burn the processor."""
    drawn_on = sys.__stdout__ if sys.platform == "win32" else sys.__stderr__
    if not (sys.__stdin__ and sys.__stdin__.isatty() and drawn_on and drawn_on.isatty()):
        raise UsageError(
            "The console needs a terminal.",
            "Over SSH use `ssh -t`; without a terminal use `run --headless`, `status` and the other commands.",
        )


def _run_demo() -> int:
    root = Path(tempfile.mkdtemp(prefix="whatsself-demo-"))
    try:
        return asyncio.run(_run(DataFolder(root), read_only=False, demo=True))
    finally:
        shutil.rmtree(root, ignore_errors=True)


async def _run(folder: DataFolder, read_only: bool, demo: bool = False) -> int:
    """Run the console. Raises what opening the robot raises, after the terminal is given back."""
    from whatsself_tui.console.app import WhatsSelfApp
    from whatsself_tui.robot.starting import StartingLink

    async with contextlib.AsyncExitStack() as stack:

        async def open_link() -> RobotLink:
            link = await _link(folder, read_only)
            if demo:
                _let_customers_write(link, stack)
            return link

        app = WhatsSelfApp(
            StartingLink(SystemClock()),
            open_link=open_link,
            take_over=None if read_only else lambda: _take_over(folder),
            read_only=read_only,
            settings_file=folder.settings_file,
            demo=demo,
        )
        stack.push_async_callback(lambda: app.link.aclose())
        on_stop(lambda number: app.exit(return_code=exit_code(number)))
        await app.run_async()
        if app.failure is not None:
            raise app.failure
        return app.return_code or 0


async def _link(folder: DataFolder, read_only: bool) -> RobotLink:
    """The robot of the folder: this process's own if the folder is free, else another's."""
    await asyncio.to_thread(_load_the_robot)
    if not read_only:
        with contextlib.suppress(FolderOwned):
            return await _take_over(folder)
    from whatsself_tui.robot.attached import AttachedLink

    attached = AttachedLink(folder, SystemClock())
    await attached.open()
    return attached


async def _take_over(folder: DataFolder) -> RobotLink:
    """Become the owner. Raises FolderOwned if somebody else is."""
    from whatsself_tui.robot.local import LocalLink
    from whatsself_tui.robot.orchestrator import Orchestrator

    robot = Orchestrator(folder, SystemClock(), mode="console")
    await robot.open()
    try:
        await robot.start()
    except BaseException:
        await robot.close()
        raise
    return LocalLink(robot)


def _load_the_robot() -> None:
    """In a thread, so that the console draws and listens meanwhile."""
    import whatsself_tui.robot.attached
    import whatsself_tui.robot.orchestrator  # noqa: F401


def _let_customers_write(link: RobotLink, stack: contextlib.AsyncExitStack) -> None:
    """Start the customers of the demonstration; the end of `stack` ends them."""
    from whatsself_tui.robot.demo import customers_write

    writing = asyncio.ensure_future(customers_write(link, SystemClock()))

    async def end() -> None:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)

    stack.push_async_callback(end)
