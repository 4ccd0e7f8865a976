"""Waiting for a condition of another process: looks often, gives up late, never waits for time itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

PATIENCE_S = 60.0
_never = threading.Event()


def until(condition: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
    """Return once `condition` holds; AssertionError if it does not within the patience."""
    give_up_at = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < give_up_at, "the condition never held"
        _never.wait(0.01)
