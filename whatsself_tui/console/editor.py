"""Which editor to open a file in, and running it while the robot goes on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PureWindowsPath

from whatsself_tui.errors import UsageError

_POSIX_EDITORS = ("nano", "vim", "vi")
#: `edit` comes with Windows 11 and works in a terminal; `notepad` opens a window.
_WINDOWS_EDITORS = ("edit", "nano", "vim", "notepad")

#: Editors, by the names of their programs, and how each is told the line: `+12 file`, ...
_PLUS = frozenset(("vi", "vim", "gvim", "nvim", "view", "ex", "nano", "pico", "emacs", "emacsclient", "mg", "micro"))
#: ... `-g file:12` (Visual Studio Code and those made of it), ...
_GOTO = frozenset(["code", "code-insiders", "codium", "vscodium", "code-oss", "cursor", "windsurf", "positron"])
#: ... `file:12`, ...
_COLON = frozenset(["hx", "helix", "subl", "sublime_text", "zed", "zeditor", "lapce"])
#: ... or an option of their own before the file.
_OPTION = {"notepad++": "-n", "kate": "--line=", "kwrite": "--line=", "mate": "--line="}

#: An editor that is asked to end gets this long before it is made to.
_END_WAIT_S = 2.0


def choose(environment: Mapping[str, str], platform: str, which: Callable[[str], str | None]) -> list[str]:
    """The command of the editor: `$VISUAL`, `$EDITOR`, else the first usual one that is installed.

    `platform` is `sys.platform`, `which` is `shutil.which`. Raises UsageError if none is found.
    """
    for name in ("VISUAL", "EDITOR"):
        value = environment.get(name, "").strip()
        if value:
            command = _split(name, value, platform)
            if which(command[0]) is None:
                raise UsageError(f"{name} names {command[0]!r}, which is not installed here.")
            return command
    for editor in _usual(environment, platform):
        found = which(editor)
        if found is not None:
            return [found]
    raise UsageError("No editor is installed here.", "Set EDITOR to the one you use.")


def _usual(environment: Mapping[str, str], platform: str) -> tuple[str, ...]:
    if platform != "win32":
        return _POSIX_EDITORS
    if "SSH_CONNECTION" in environment:  # a window would open where nobody sees it
        return tuple(editor for editor in _WINDOWS_EDITORS if editor != "notepad")
    return _WINDOWS_EDITORS


def _split(name: str, value: str, platform: str) -> list[str]:
    try:
        if platform == "win32":  # backslashes are part of paths there
            words = [word.strip('"') for word in shlex.split(value, posix=False)]
        else:
            words = shlex.split(value)
    except ValueError as error:
        raise UsageError(f"{name} cannot be read: {error}.") from error
    if not words:
        raise UsageError(f"{name} names no program.")
    return words


def opening(command: list[str], file: Path, line: int | None) -> list[str]:
    """The command that opens `file`, at `line` (from 1) if it is one of an editor that is known to take it."""
    if line is None:
        return [*command, str(file)]
    name = PureWindowsPath(command[0]).stem.lower()  # splits at both kinds of slashes
    if name in _PLUS:
        return [*command, f"+{line}", str(file)]
    if name in _GOTO:
        return [*command, "-g", f"{file}:{line}"]
    if name in _COLON:
        return [*command, f"{file}:{line}"]
    if name in _OPTION:
        return [*command, f"{_OPTION[name]}{line}", str(file)]
    return [*command, str(file)]


async def run(command: list[str], file: Path, line: int | None = None) -> int:
    """Run the editor on the terminal and return its exit code; the event loop goes on meanwhile.

    Raises OSError if it cannot be started. Cancelled, it ends the editor.
    """
    with _deaf_to_its_keys() as child:
        process = await asyncio.create_subprocess_exec(*opening(command, file, line))
        child.append(process)
        try:
            return await process.wait()
        except asyncio.CancelledError:
            await _end(process)
            raise


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_END_WAIT_S):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@contextlib.contextmanager
def _deaf_to_its_keys() -> Iterator[list[asyncio.subprocess.Process]]:
    """ctrl+c and ctrl+z are meant for the editor, but reach every process of the terminal.

    A handler of our own, unlike SIG_IGN, is not inherited by the editor. One that wants to be
    stopped is woken at once, for it would leave a terminal that nobody answers.
    """
    child: list[asyncio.subprocess.Process] = []

    def ignore(*_: object) -> None:
        pass

    def wake(*_: object) -> None:
        if sys.platform != "win32":
            for process in child:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGCONT)

    before = {signal.SIGINT: signal.signal(signal.SIGINT, ignore)}
    if sys.platform != "win32":
        before[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, wake)
    try:
        yield child
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
