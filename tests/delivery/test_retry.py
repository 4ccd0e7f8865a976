"""Backoff between attempts."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsself_tui.delivery.retry import MAX_BACKOFF_S, backoff_ms, exhausted

ATTEMPTS = st.integers(1, 10_000)
JITTER = st.floats(0, 1)


@pytest.mark.parametrize(("attempt", "full_ms"), [(1, 5_000), (2, 10_000), (3, 20_000), (4, 40_000), (5, 80_000)])
def test_the_wait_doubles_and_half_of_it_is_jitter(attempt: int, full_ms: int) -> None:
    assert backoff_ms(attempt, 5, jitter=1) == full_ms
    assert backoff_ms(attempt, 5, jitter=0.5) == full_ms * 3 // 4
    assert backoff_ms(attempt, 5, jitter=0) == full_ms // 2


@pytest.mark.parametrize("attempt", [11, 64, 5_000, 10**9])
def test_the_wait_has_a_ceiling(attempt: int) -> None:
    assert backoff_ms(attempt, 5, jitter=1) == MAX_BACKOFF_S * 1000
    assert backoff_ms(attempt, 5, jitter=1, max_s=60) == 60_000


@given(ATTEMPTS, st.floats(0, 3600), JITTER)
def test_the_wait_is_between_half_and_all_of_the_full_one(attempt: int, base_s: float, jitter: float) -> None:
    full_ms = backoff_ms(attempt, base_s, 1)
    assert full_ms / 2 - 1 <= backoff_ms(attempt, base_s, jitter) <= full_ms <= MAX_BACKOFF_S * 1000


@given(ATTEMPTS, st.floats(0, 3600), JITTER, JITTER)
def test_later_attempts_and_more_jitter_never_wait_less(
    attempt: int, base_s: float, one: float, another: float
) -> None:
    less, more = sorted((one, another))
    assert backoff_ms(attempt, base_s, less) <= backoff_ms(attempt, base_s, more)
    assert backoff_ms(attempt, base_s, more) <= backoff_ms(attempt + 1, base_s, more)


@pytest.mark.parametrize(
    ("attempt", "base_s", "jitter", "message"),
    [
        (0, 5, 0.5, "attempts count from 1, not 0"),
        (1, 5, -0.1, "jitter is from 0 to 1, not -0.1"),
        (1, 5, 1.1, "jitter is from 0 to 1, not 1.1"),
        (1, 5, math.nan, "jitter is from 0 to 1, not nan"),
        (1, -5, 0.5, "times are not negative: base -5"),
        (1, math.nan, 0.5, "times are not negative: base nan"),
    ],
)
def test_nonsense_is_refused(attempt: int, base_s: float, jitter: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        backoff_ms(attempt, base_s, jitter)


@pytest.mark.parametrize(("attempt", "last"), [(1, False), (4, False), (5, True), (6, True)])
def test_five_attempts_are_five(attempt: int, last: bool) -> None:
    assert exhausted(attempt, max_attempts=5) is last
