"""Where things lie in one checkout, and how its programs are run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

WINDOWS = sys.platform == "win32"


class SetupError(Exception):
    """What a person must be told, in one or two sentences, when the program cannot be set up."""


def say(sentence: str) -> None:
    """Tell the person what is being done; on stderr, because stdout belongs to the program."""
    print(sentence, file=sys.stderr, flush=True)


@dataclass(frozen=True, slots=True)
class Checkout:
    """The folder that holds `start.py`."""

    root: Path
    """Absolute."""

    @property
    def venv(self) -> Path:
        """The environment everything is installed in."""
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """The interpreter of the environment."""
        return self.venv / ("Scripts/python.exe" if WINDOWS else "bin/python")

    @property
    def pyproject(self) -> Path:
        """The description of the package."""
        return self.root / "pyproject.toml"

    def lock(self, *, dev: bool) -> Path:
        """The file with the pinned versions; that of the development extras holds all of the other's too."""
        return self.root / ("requirements-dev.lock" if dev else "requirements.lock")

    def script(self, name: str) -> Path:
        """Where the installer puts the entry point `name`."""
        return self.venv / (f"Scripts/{name}.exe" if WINDOWS else f"bin/{name}")

    def command(self, name: str, arguments: Sequence[str] = ()) -> list[str]:
        """The command line that runs the entry point `name`.

        On POSIX the interpreter is named, because a `#!` line has no room for a long path or one with spaces.
        """
        script = str(self.script(name))
        return [script, *arguments] if WINDOWS else [str(self.python), script, *arguments]


def become(command: Sequence[str]) -> int:
    """Run `command` in place of this process, so that signals reach it; the result is its exit code.

    Windows cannot replace a process: there this one waits, and leaves Ctrl+C to the program.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    if sys.platform != "win32":
        os.execv(command[0], list(command))
    with subprocess.Popen(command) as program:
        while True:
            try:
                return program.wait()
            except KeyboardInterrupt:
                continue


def narrate(command: Sequence[str | Path], *, cwd: Path, env: dict[str, str] | None = None) -> bool:
    """Run `command` without input, with all it prints on stderr; whether it succeeded."""
    try:
        return subprocess.call(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=2) == 0
    except OSError as error:
        say(f"{command[0]} cannot be run: {error.strerror}.")
        return False
