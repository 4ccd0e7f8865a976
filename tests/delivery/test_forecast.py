"""When answers would go: pace, windows, order, and what an opt-out takes back."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsself_tui.delivery.forecast import Departure, Outlook, Waiting
from whatsself_tui.delivery.limits import MINUTE_MS, Limits
from whatsself_tui.delivery.pace import Habit

NOW = 1_800_000_000_000
WINDOW = 300_000
HABIT = Habit(True, 3_000, 7_000, 1_500, 3_500)
AT_ONCE = Habit(enabled=False)


def waiting(number: int, at_ms: int = NOW, *, length: int = 10, priority: int = 5, exempt: bool = False) -> Waiting:
    return Waiting(number, length, priority, at_ms, exempt)


def replies(count: int, at_ms: int = NOW) -> list[Waiting]:
    return [waiting(number, at_ms) for number in range(count)]


def earliest(departures: tuple[Departure, ...]) -> list[int]:
    return [departure.earliest_ms - NOW for departure in departures]


def latest(departures: tuple[Departure, ...]) -> list[int]:
    return [departure.latest_ms - NOW for departure in departures]


def test_an_answer_goes_after_the_pace_of_a_person() -> None:
    (departure,) = Outlook(Limits(), HABIT).answer([waiting(1)], NOW)
    assert departure == Departure(1, NOW + 3_000, NOW + 7_000, "")


def test_a_long_text_is_typed_longer_than_the_chat_is_looked_at() -> None:
    (departure,) = Outlook(Limits(), Habit(True, 0, 1_000, 1_500, 3_500)).answer([waiting(1, length=200)], NOW)
    assert (departure.earliest_ms - NOW, departure.latest_ms - NOW) == (3_000, 7_000)


def test_one_message_is_prepared_after_the_other() -> None:
    departures = Outlook(Limits(), HABIT).answer(replies(3), NOW)
    assert earliest(departures) == [3_000, 6_000, 9_000]
    assert latest(departures) == [7_000, 14_000, 21_000]


def test_the_window_of_the_contact_holds_the_seventh_reply() -> None:
    departures = Outlook(Limits(per_contact_reply=6), AT_ONCE).answer(replies(7), NOW)
    assert earliest(departures) == [0, 0, 0, 0, 0, 0, WINDOW]
    assert [departure.bound for departure in departures] == [""] * 6 + ["contact"]


def test_what_was_sent_before_counts() -> None:
    sent = [NOW - 10_000 * number for number in range(1, 7)]
    (departure,) = Outlook(Limits(per_contact_reply=6), AT_ONCE, sent, sent).answer([waiting(1)], NOW)
    assert (departure.earliest_ms - NOW, departure.bound) == (WINDOW - 60_000, "contact")


def test_others_fill_the_minute() -> None:
    outlook = Outlook(Limits(per_minute=3), AT_ONCE, to_all=[NOW - 50_000, NOW - 20_000, NOW - 1_000])
    (departure,) = outlook.answer([waiting(1)], NOW)
    assert (departure.earliest_ms - NOW, departure.bound) == (10_000, "minute")


def test_a_confirmation_passes_replies_that_the_window_holds() -> None:
    outlook = Outlook(Limits(per_contact_reply=1), AT_ONCE)
    assert latest(outlook.answer(replies(2), NOW)) == [0, WINDOW]
    (confirmation,) = outlook.answer([waiting(9, NOW + 1_000, priority=10, exempt=True)], NOW + 1_000)
    assert confirmation == Departure(9, NOW + 1_000, NOW + 1_000, "")


def test_an_opt_out_takes_back_what_still_waits_and_only_that() -> None:
    outlook = Outlook(Limits(per_contact_reply=2, per_minute=3), AT_ONCE)
    outlook.answer(replies(4), NOW)
    outlook.answer([], NOW + 1_000, cancel=True)
    held = outlook.answer([waiting(9, NOW + 2_000)], NOW + 2_000)
    assert latest(held) == [WINDOW], "the two that were sent count, the two that were cancelled do not"


def test_what_waits_from_an_earlier_turn_goes_first() -> None:
    outlook = Outlook(Limits(), HABIT)
    outlook.answer(replies(2), NOW)
    (departure,) = outlook.answer([waiting(9, NOW + 4_000)], NOW + 4_000)
    assert (departure.earliest_ms - NOW, departure.latest_ms - NOW) == (9_000, 21_000)


@given(
    st.lists(st.tuples(st.integers(0, 400_000), st.integers(1, 3)), min_size=1, max_size=8),
    st.integers(1, 4),
    st.integers(1, 4),
)
def test_no_window_ever_holds_more_than_its_limit(
    turns: list[tuple[int, int]], per_minute: int, per_contact: int
) -> None:
    limits = Limits(per_minute=per_minute, per_contact_reply=per_contact)
    outlook = Outlook(limits, HABIT)
    sent: list[Departure] = []
    at_ms, number = NOW, 0
    for pause_ms, count in turns:
        at_ms += pause_ms
        answers = [waiting(number + index, at_ms) for index in range(count)]
        number += count
        sent += outlook.answer(answers, at_ms)
    for times in ([each.earliest_ms for each in sent], [each.latest_ms for each in sent]):
        assert times == sorted(times)
        assert all(later - before >= 3_000 for before, later in pairwise(times))
        for count, window_ms in ((per_minute, MINUTE_MS), (per_contact, limits.contact_window_ms)):
            assert all(later - before >= window_ms for before, later in zip(times, times[count:], strict=False))
    assert all(each.earliest_ms <= each.latest_ms for each in sent)


@pytest.mark.parametrize("luck", [0, 1])
def test_nothing_goes_before_it_was_decided(luck: int) -> None:
    outlook = Outlook(Limits(), AT_ONCE)
    outlook.answer(replies(1), NOW)
    (departure,) = outlook.answer([waiting(9, NOW + 90_000)], NOW + 90_000)
    assert (departure.earliest_ms, departure.latest_ms)[luck] == NOW + 90_000
