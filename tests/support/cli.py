"""Real processes: the command line, and a robot without a console that can be killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAM = [sys.executable, "-m", "whatsself_tui"]

#: No test should need this long; a hang must end some time.
PATIENCE_S = 90

#: Settings that let a test drain a queue quickly.
FAST = """\
[simulator]
latency_ms = 0
[limits]
per_minute = 100000
per_contact = 20
per_contact_reply = 60
contact_window_s = 1
daily_new_contacts = 0
[pace]
enabled = false
[answers]
debounce_ms = 0
handover_after = 0
"""


def environment() -> dict[str, str]:
    """The test's environment without what a developer may have set."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WHATSSELF_", "TEXTUAL"))}
    return {**kept, "PYTHONUTF8": "1"}


def cli(data: Path, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run one command to its end."""
    return subprocess.run(
        [*PROGRAM, "--data-dir", str(data), *arguments],
        input=stdin,
        capture_output=True,
        timeout=PATIENCE_S,
        env=environment(),
        check=False,
    )


def cli_json(data: Path, *arguments: str) -> dict[str, Any]:
    """Run a command with --json that has to succeed; its document."""
    done = cli(data, *arguments, "--json")
    assert done.returncode == 0, done.stderr.decode()
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def settings(data: Path, text: str) -> None:
    """Write settings.toml."""
    (data / "config").mkdir(parents=True, exist_ok=True)
    (data / "config" / "settings.toml").write_text(text, encoding="utf-8")


def received(data: Path) -> list[dict[str, str]]:
    """What the simulated phone has accepted."""
    log = data / "simulator" / "received.jsonl"
    if not log.exists():
        return []
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line]


class Headless:
    """A robot without a console in a process of its own."""

    def __init__(self, data: Path, *flags: str) -> None:
        self.process = subprocess.Popen(
            [*PROGRAM, "--data-dir", str(data), "run", "--headless", *flags],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment(),
            text=True,
            encoding="utf-8",
        )
        self.narration: list[str] = []
        self._runs = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self._runs.wait(PATIENCE_S)
        assert any("robot runs" in line for line in self.narration), self.narration

    def kill(self) -> None:
        """What a power cut does to a process."""
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def stop(self) -> int:
        """Ask it to stop; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Its exit code, once it has ended."""
        code = self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        return code

    def _read(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.narration.append(line.rstrip())
            self._runs.set()
        self._runs.set()


@contextmanager
def headless(data: Path, *flags: str) -> Iterator[Headless]:
    """A running robot that is gone afterwards, whatever happens."""
    robot = Headless(data, *flags)
    try:
        yield robot
    finally:
        if robot.process.poll() is None:
            robot.kill()
        if robot.process.stderr:
            robot._reader.join(PATIENCE_S)
            robot.process.stderr.close()
