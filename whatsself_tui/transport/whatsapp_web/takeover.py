"""When to take a login back that is open somewhere else: pure rules.

Two robots on one login would take it from each other for ever, so there is a wait before and a bound.
"""

from __future__ import annotations

from collections.abc import Sequence

#: Somebody at another computer may only have had a look; they get this long.
WAIT_S = 30.0

#: Take-overs in any window of this length, at most.
WINDOW_S = 3600.0
MOST = 3


def due_in_s(taken_s: Sequence[float], conflict_since_s: float, now_s: float) -> float | None:
    """Seconds until the login is taken back; None if the operator has to decide.

    `taken_s` are the earlier times, all of them monotonic seconds; the operator's own do not count.
    """
    if sum(now_s - at < WINDOW_S for at in taken_s) >= MOST:
        return None
    return max(0.0, conflict_since_s + WAIT_S - now_s)
