"""A terminal with a program in it: the test types, reads or refuses to read."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyte

_ROOT = Path(__file__).parents[3]

#: A program that has not done by then what is waited for will not do it.
_PATIENCE_S = 60.0


class ReportingTerminal:
    """A pseudo terminal, a program on it, and a pipe over which the program reports."""

    def __init__(self, module: str, args: Sequence[str], env: Mapping[str, str]) -> None:
        width, height = 80, 24
        self.master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        self.reports, report_to = os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, str(report_to), *args],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            pass_fds=(report_to,),
            cwd=_ROOT,
            env=_environment(env),
            start_new_session=True,
        )
        os.close(slave)
        os.close(report_to)
        self.screen = pyte.Screen(width, height)
        self.received = 0
        self._stream = pyte.ByteStream(self.screen)
        self._told = b""

    @property
    def text(self) -> str:
        """What stands on the screen."""
        return "\n".join(self.screen.display)

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self.master, keys.encode())

    def read_until(self, condition: Callable[[str], bool]) -> None:
        """Read and draw until the screen fulfils the condition."""
        deadline = time.monotonic() + _PATIENCE_S
        while not condition(self.text):
            if not self._read(deadline):
                raise AssertionError(f"the screen never came to that; it shows\n{self.text}")

    def wait_for_report(self, word: str) -> None:
        """Wait until the program has reported `word`, without reading the terminal."""
        deadline = time.monotonic() + _PATIENCE_S
        while word not in self._told.decode().split():
            ready, _, _ = select.select([self.reports], [], [], max(0.0, deadline - time.monotonic()))
            data = os.read(self.reports, 65536) if ready else b""
            if not data:
                raise AssertionError(f"never reported {word!r}; last: {self._told[-200:].decode()!r}")
            self._told += data

    def last_report(self) -> int:
        """The last number the program reported."""
        while select.select([self.reports], [], [], 0)[0]:
            self._told += os.read(self.reports, 65536)
        return int(self._told.split()[-1])

    def drain(self) -> int:
        """Read to the end of the program and return its exit code."""
        deadline = time.monotonic() + _PATIENCE_S
        while self._read(deadline):
            pass
        return self.wait()

    def wait(self) -> int:
        """Wait for the end of the program, without reading."""
        return self.process.wait(timeout=_PATIENCE_S)

    def hang_up(self) -> None:
        """The terminal goes away."""
        if self.master >= 0:
            os.close(self.master)
            self.master = -1

    def close(self) -> None:
        """Leave nothing behind."""
        self.hang_up()
        os.close(self.reports)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self.master], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:  # Linux tells the end of the program this way
            return False
        self.received += len(data)
        # pyte takes the `u` of a private sequence of the kitty protocol for text
        self._stream.feed(data.replace(b"\x1b[>1u", b"").replace(b"\x1b[<u", b""))
        return bool(data)


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("TEXTUAL", "NO_COLOR"))}
    path = os.pathsep.join((str(_ROOT), str(_ROOT / "tests")))
    return {**inherited, "PYTHONPATH": path, "TERM": "xterm-256color", "COLORTERM": "truecolor", **more}
