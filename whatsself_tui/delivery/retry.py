"""When a failed send is tried again."""

from __future__ import annotations

MAX_BACKOFF_S = 3600.0
"""Nobody waits longer than an hour for the next try, however the settings combine."""

_MAX_DOUBLINGS = 62
"""Beyond these any base is above any ceiling; it keeps the power within a float."""


def backoff_ms(attempt: int, base_s: float, jitter: float, max_s: float = MAX_BACKOFF_S) -> int:
    """Milliseconds to wait after failed attempt `attempt` (the first is 1).

    The full wait is `base_s` × 2^(attempt − 1), at most `max_s`. Half of it always passes, the other
    half is multiplied by `jitter`, a random number from 0 to 1 that the caller draws: "equal jitter"
    of the AWS Architecture Blog, "Exponential Backoff And Jitter" (M. Brooker, 2015). So retries of
    messages that failed together spread out, and none comes at once.

    Raises ValueError for an attempt below 1, a negative time or a jitter outside 0 to 1.
    """
    if attempt < 1:
        raise ValueError(f"attempts count from 1, not {attempt}")
    if not 0 <= jitter <= 1:
        raise ValueError(f"jitter is from 0 to 1, not {jitter}")
    if not (base_s >= 0 and max_s >= 0):
        raise ValueError(f"times are not negative: base {base_s}, at most {max_s}")
    full_s = min(base_s * 2.0 ** min(attempt - 1, _MAX_DOUBLINGS), max_s)
    return round(full_s * 1000 * (1 + jitter) / 2)


def exhausted(attempt: int, max_attempts: int) -> bool:
    """Whether attempt `attempt` (the first is 1) was the last one allowed."""
    return attempt >= max_attempts
