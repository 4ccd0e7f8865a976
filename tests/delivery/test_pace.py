"""Human pace: delay and typing before a send."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsself_tui.delivery.pace import Habit, Pace, plan

U = st.floats(0, 1)
LENGTHS = st.integers(0, 100_000)


@st.composite
def habits(draw: st.DrawFn) -> Habit:
    delay_min, delay_max = sorted(draw(st.tuples(st.integers(0, 60_000), st.integers(0, 60_000))))
    typing_min, typing_max = sorted(draw(st.tuples(st.integers(0, 60_000), st.integers(0, 60_000))))
    return Habit(True, delay_min, delay_max, typing_min, typing_max)


@pytest.mark.parametrize(
    ("length", "u_delay", "u_typing", "expected"),
    [
        (0, 0.0, 0.0, Pace(3_000, 1_500)),
        (0, 1.0, 1.0, Pace(7_000, 3_500)),
        (0, 0.5, 0.5, Pace(5_000, 2_500)),
        (50, 0.0, 0.0, Pace(3_000, 1_875)),
        (100, 0.25, 0.0, Pace(4_000, 2_250)),
        (200, 0.0, 0.0, Pace(3_000, 3_000)),
        (200, 0.0, 1.0, Pace(3_000, 7_000)),
        (201, 0.0, 1.0, Pace(3_000, 7_000)),
        (65_536, 0.0, 1.0, Pace(3_000, 7_000)),
    ],
)
def test_a_customers_text_takes_its_time(length: int, u_delay: float, u_typing: float, expected: Pace) -> None:
    assert plan(Habit(), length, u_delay, u_typing) == expected


@pytest.mark.parametrize(("pace", "total_ms"), [(Pace(3_000, 7_000), 7_000), (Pace(5_000, 2_000), 5_000)])
def test_delay_and_typing_run_together(pace: Pace, total_ms: int) -> None:
    assert pace.total_ms == total_ms


@given(LENGTHS, U, U)
def test_without_the_habit_nothing_waits(length: int, u_delay: float, u_typing: float) -> None:
    pace = plan(Habit(enabled=False), length, u_delay, u_typing)
    assert (pace.delay_ms, pace.typing_ms, pace.total_ms) == (0, 0, 0)


@given(habits(), LENGTHS, U, U)
def test_every_wait_is_within_its_bounds(habit: Habit, length: int, u_delay: float, u_typing: float) -> None:
    pace = plan(habit, length, u_delay, u_typing)
    assert habit.delay_min_ms <= pace.delay_ms <= habit.delay_max_ms
    assert habit.typing_min_ms <= pace.typing_ms <= 2 * habit.typing_max_ms


@given(habits(), st.tuples(LENGTHS, LENGTHS), st.tuples(U, U), st.tuples(U, U))
def test_more_text_and_higher_numbers_never_take_less(
    habit: Habit, lengths: tuple[int, int], delays: tuple[float, float], typings: tuple[float, float]
) -> None:
    less = plan(habit, min(lengths), min(delays), min(typings))
    more = plan(habit, max(lengths), max(delays), max(typings))
    assert less.delay_ms <= more.delay_ms
    assert less.typing_ms <= more.typing_ms


@given(habits(), st.tuples(LENGTHS, LENGTHS), U, st.tuples(U, U))
def test_the_delay_knows_nothing_of_the_text(
    habit: Habit, lengths: tuple[int, int], u_delay: float, typings: tuple[float, float]
) -> None:
    one = plan(habit, lengths[0], u_delay, typings[0])
    other = plan(habit, lengths[1], u_delay, typings[1])
    assert one.delay_ms == other.delay_ms


@pytest.mark.parametrize(
    ("length", "u_delay", "u_typing", "message"),
    [
        (-1, 0.5, 0.5, "no length of -1"),
        (0, -0.1, 0.5, "from 0 to 1, not -0.1 and 0.5"),
        (0, 0.5, 1.1, "from 0 to 1, not 0.5 and 1.1"),
        (0, math.nan, 0.5, "from 0 to 1, not nan"),
        (0, 0.5, math.nan, "from 0 to 1, not 0.5 and nan"),
    ],
)
def test_nonsense_is_refused(length: int, u_delay: float, u_typing: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plan(Habit(), length, u_delay, u_typing)


def test_bounds_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(ValueError, match="delay is from 0 up and its least is not above its most: 7001 to 7000 ms"):
        Habit(delay_min_ms=7_001)
    with pytest.raises(ValueError, match="typing is from 0 up and its least is not above its most: -1 to 3500 ms"):
        Habit(typing_min_ms=-1)
