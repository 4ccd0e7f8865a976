"""A process that has loaded the whole program, has no thread, and forks a life whenever asked.

A fresh interpreter for every life would cost ten times the life itself. As a program it reads one
JSON object a line from its input, lives that life in a child, and answers with one.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NoReturn

from support.crash_fuse import BlackBox, Trace
from support.crash_life import Life, Order
from support.crash_scenario import furnish
from support.queue_world import NOON

TESTS = Path(__file__).resolve().parents[1]

#: A life that hangs is ended after this long of real time, and told as a fault.
PATIENCE_S = 60


@dataclass(frozen=True, slots=True)
class Death:
    """How a life ended."""

    killed: bool
    """By its own fuse; else nothing was left to do."""
    steps: int
    last: str
    """Name of the step it did not take any more."""
    now_ms: int


class Lives:
    """The server, as tests see it."""

    def __init__(self) -> None:
        path = os.pathsep.join([str(TESTS.parent), str(TESTS)])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "support.crash_server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # One seed: what depends on the order of a set is the same in every life.
            env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"},
            text=True,
            encoding="utf-8",
        )

    def live(self, order: Order) -> Death:
        """Live once. AssertionError with the traceback if the program itself failed."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(asdict(order)) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline() or '{"error": "the server of lives has died"}')
        assert "error" not in answer, f"{order}: {answer['error']}"
        return Death(**answer)

    def close(self) -> None:
        """Let the server end."""
        if self._process.stdin and self._process.stdout:
            self._process.stdin.close()
            self._process.wait(PATIENCE_S)
            self._process.stdout.close()


def serve() -> None:
    """Answer until the input ends."""
    box = BlackBox()
    try:
        _rehearse(box)
    except BaseException:  # threads of the failed life would keep the process, and who waits for it, for ever
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    gc.freeze()  # what has been loaded stays shared with the children
    gc.disable()
    for line in sys.stdin:
        order = Order(**json.loads(line))
        box.write(Trace(0, "", order.start_ms))
        child = os.fork()
        if child == 0:
            _live(order, box)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(json.dumps(_told(status, box.read())) + "\n")
        sys.stdout.flush()


def _rehearse(box: BlackBox) -> None:
    """Live once in this process: what the program loads when it needs it is there for all children."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "rehearsal"
        furnish(folder)
        life = Life(Order(str(folder), NOON), box)
        life.run()
        life.loop.run_until_complete(life.loop.shutdown_default_executor())
        life.loop.close()
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            thread.join()


def _live(order: Order, box: BlackBox) -> NoReturn:
    """The child; whatever happens, it does not return into the server's loop."""
    code = 1
    try:
        signal.alarm(PATIENCE_S)
        Life(order, box).run()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _told(status: int, trace: Trace) -> dict[str, object]:
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    if not killed and status != 0:
        return {"error": f"it ended with status {status} at step {trace.steps} ({trace.last}); see standard error"}
    return {"killed": killed, "steps": trace.steps, "last": trace.last, "now_ms": trace.now_ms}


if __name__ == "__main__":
    serve()
