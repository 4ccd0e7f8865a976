"""How long the console takes to its first frame, and what memory console and robot hold.

    python benchmarks/start.py [--rounds N]

The baseline is an empty Textual app, started in turns with the console on the same machine.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
from report import Line, show
from terminal import EMPTY, Terminal, console


def main() -> int:
    """Measure and print; exit 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="whatsself-bench-", dir=Path.cwd()) as folder:
        data = Path(folder)
        Terminal(*console(data)).close()  # the first start makes the files
        ours: list[float] = []
        empty: list[float] = []
        memory = 0.0
        for _ in range(rounds):
            for times, program in ((ours, console(data)), (empty, EMPTY)):
                terminal = Terminal(*program)
                times.append(terminal.first_frame_s)
                if times is ours:
                    terminal.drain(1)
                    memory = max(memory, terminal.memory_mb())
                terminal.close()
        robot = headless_memory_mb(data)
    first, baseline = statistics.median(ours), statistics.median(empty)
    return show(
        "start",
        [
            Line(
                "console: seconds to the first frame",
                first,
                "an empty Textual app",
                baseline,
                first / baseline,
                1.5,
                True,
            ),
            Line("console: resident memory, MB", memory, "the budget of 90 MB", 90, memory / 90, 1.0, True),
            Line("robot without console: resident memory, MB", robot, "the budget of 60 MB", 60, robot / 60, 1.0, True),
        ],
    )


def headless_memory_mb(data: Path) -> float:
    """Resident memory of `run --headless`, once it runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "whatsself_tui", "--data-dir", str(data), "run", "--headless"],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr
        process.stderr.readline()
        return float(psutil.Process(process.pid).memory_info().rss / 1e6)
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    raise SystemExit(main())
