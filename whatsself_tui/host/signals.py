"""Being asked to stop: SIGTERM, SIGINT, SIGHUP (and Ctrl+Break on Windows), told in the event loop."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable

#: After this long a stop that hangs is cut off: everything is durable, nothing needs a clean exit.
DEADLINE_S = 15.0

_NAMES = ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK")


def on_stop(callback: Callable[[signal.Signals], None]) -> None:
    """Call `callback` in the running loop at the first signal; a second one, or a hang, ends the process.

    `signal.signal` is used, not the loop's own handlers: it works on Windows too, and the deadline
    runs even if the loop is stuck.
    """
    loop = asyncio.get_running_loop()
    asked = threading.Event()

    def handler(number: int, _frame: object) -> None:
        if asked.is_set():
            os._exit(128 + number)
        asked.set()
        deadline = threading.Timer(DEADLINE_S, os._exit, args=(128 + number,))
        deadline.daemon = True
        deadline.start()
        loop.call_soon_threadsafe(callback, signal.Signals(number))

    for name in _NAMES:
        number = getattr(signal, name, None)
        if number is not None:
            signal.signal(number, handler)


def exit_code(number: signal.Signals) -> int:
    """130 when a person interrupted; a service manager's SIGTERM is a stop like any other."""
    return 130 if number is signal.SIGINT else 0
