"""A program on a pseudo-terminal, watched from outside: bytes, processor time, memory. POSIX only."""

from __future__ import annotations

import os
import pty
import select
import struct
import sys
import termios
import time
from fcntl import ioctl
from pathlib import Path

import psutil

#: A Textual app with nothing in it but one line: what any console costs at least.
EMPTY_APP = """
from textual.app import App, ComposeResult
from textual.widgets import Static
class Empty(App[None]):
    def compose(self) -> ComposeResult:
        yield Static("nothing-but-this")
Empty().run()
"""

EMPTY = ([sys.executable, "-c", EMPTY_APP], b"nothing-but-this")


def console(data: Path) -> tuple[list[str], bytes]:
    """The console on a data folder, and a text of its first frame."""
    return [sys.executable, "-m", "whatsself_tui", "--data-dir", str(data)], b"Breaker"


class Terminal:
    """One program on a pseudo-terminal of 80 by 24."""

    def __init__(self, argv: list[str], awaited: bytes) -> None:
        began = time.perf_counter()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", COLUMNS="80", LINES="24")
            os.execv(argv[0], argv)
        ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = psutil.Process(self.pid)
        self.first_frame_s = self._until(awaited, began)

    def _until(self, awaited: bytes, began: float) -> float:
        seen = b""
        while awaited not in seen:
            if time.perf_counter() - began > 30:
                raise TimeoutError(f"{awaited!r} never appeared in: {seen[-2000:]!r}")
            seen += self.read(0.5)
        return time.perf_counter() - began

    def read(self, seconds: float) -> bytes:
        """What it writes next, at most one piece."""
        ready, _, _ = select.select([self._fd], [], [], seconds)
        return os.read(self._fd, 65_536) if ready else b""

    def drain(self, seconds: float) -> int:
        """Bytes written within that time."""
        end = time.perf_counter() + seconds
        total = 0
        while (left := end - time.perf_counter()) > 0:
            total += len(self.read(left))
        return total

    def cpu_s(self) -> float:
        """Processor seconds used so far by all threads, to the microsecond where the system tells."""
        tasks = list(Path(f"/proc/{self.pid}/task").glob("*/schedstat"))
        if tasks:
            return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def memory_mb(self) -> float:
        """Resident memory."""
        return float(self.process.memory_info().rss / 1e6)

    def close(self) -> None:
        """End it."""
        self.process.kill()
        os.waitpid(self.pid, 0)
        os.close(self._fd)
