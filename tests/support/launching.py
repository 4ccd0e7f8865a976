"""Runs of `start.py` in a folder of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A copy of the launcher, and the programs it can see."""

    root: Path
    programs: Path
    """The whole PATH."""
    calls_file: Path

    @property
    def venv(self) -> Path:
        """The environment that starts make."""
        return self.root / ".venv"

    @property
    def stamp(self) -> Path:
        """What the last installation left."""
        return self.venv / "whatsself.json"

    @property
    def lock(self) -> Path:
        """The pinned versions of a plain start."""
        return self.root / "requirements.lock"

    def environment(self, **more: str) -> dict[str, str]:
        """What a start sees; `more` comes on top."""
        return {
            "PATH": str(self.programs),
            "CALLS": str(self.calls_file),
            "HOME": str(self.programs.parent),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PYTHONUTF8": "1",
            **more,
        }

    def command(self, *arguments: str) -> list[str]:
        """The command line of a start."""
        return [sys.executable, str(self.root / "start.py"), *arguments]

    def start(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Start once, from a folder that is not the checkout."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.programs,
            env=self.environment(**environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
        )

    def calls(self) -> list[list[str]]:
        """How the installer was called since the last look, oldest first."""
        if not self.calls_file.exists():
            return []
        lines = self.calls_file.read_text(encoding="utf-8").splitlines()
        self.calls_file.unlink()
        return [json.loads(line) for line in lines]

    def installed(self) -> list[str]:
        """What was installed since the last look: names of lock files, and `.` for the package."""
        return [Path(call[-1]).name or "." for call in self.calls()]


def ran(output: str) -> list[Any]:
    """What the installed programs tell of how they were called, one list a program."""
    return [json.loads(line) for line in output.splitlines()]
