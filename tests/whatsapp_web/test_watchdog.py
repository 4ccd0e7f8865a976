"""What is done about failures, and how long is waited."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from whatsself_tui.transport.whatsapp_web import takeover, watchdog
from whatsself_tui.transport.whatsapp_web.watchdog import Ladder, Remedy


def climb(times: int) -> list[tuple[Remedy, float]]:
    ladder, steps = Ladder(), []
    for _ in range(times):
        ladder, remedy, pause_s = watchdog.failed(ladder)
        steps.append((remedy, pause_s))
    return steps


def test_the_remedies_get_stronger_and_the_pauses_longer_up_to_an_hour() -> None:
    assert climb(6) == [
        (Remedy.RELOAD, 0),
        (Remedy.NEW_PAGE, 0),
        (Remedy.NEW_BROWSER, 0),
        (Remedy.NEW_BROWSER, 30),
        (Remedy.NEW_BROWSER, 60),
        (Remedy.NEW_BROWSER, 120),
    ]
    assert climb(200)[-1] == (Remedy.NEW_BROWSER, 3600)


def test_a_browser_that_is_gone_is_not_reloaded() -> None:
    ladder, remedy, pause_s = watchdog.failed(Ladder(), Remedy.NEW_BROWSER)
    assert (remedy, pause_s) == (Remedy.NEW_BROWSER, 0)
    assert watchdog.failed(ladder, Remedy.RELOAD)[1:] == (Remedy.NEW_BROWSER, 30)


def test_five_stable_minutes_begin_at_the_beginning() -> None:
    ladder, _, _ = watchdog.failed(Ladder(failures=7))
    for now_s in (0.0, 100.0, 299.0):
        ladder = watchdog.well(ladder, now_s)
        assert ladder.failures == 8
    assert watchdog.well(ladder, 300.0).failures == 0


def test_minutes_with_a_gap_are_not_stable() -> None:
    ladder = watchdog.well(Ladder(failures=4), 0.0)
    ladder = watchdog.well(watchdog.unwell(ladder), 299.0)
    assert watchdog.well(ladder, 301.0).failures == 4
    assert watchdog.well(ladder, 599.0).failures == 0


@given(st.lists(st.tuples(st.sampled_from(Remedy), st.booleans(), st.floats(0, 1000)), max_size=60))
def test_the_remedy_is_never_milder_than_what_can_help(events: list[tuple[Remedy, bool, float]]) -> None:
    ladder, now_s = Ladder(), 0.0
    for least, is_failure, passed_s in events:
        now_s += passed_s
        if is_failure:
            ladder, remedy, pause_s = watchdog.failed(ladder, least)
            assert remedy >= least
            assert 0 <= pause_s <= watchdog.LONGEST_PAUSE_S
        else:
            ladder = watchdog.well(ladder, now_s)


def test_a_login_is_taken_back_after_a_wait_and_three_times_an_hour_at_most() -> None:
    assert takeover.due_in_s([], 100.0, 100.0) == 30.0
    assert takeover.due_in_s([], 100.0, 140.0) == 0.0
    assert takeover.due_in_s([10.0, 500.0], 1000.0, 1040.0) == 0.0
    assert takeover.due_in_s([10.0, 500.0, 900.0], 1000.0, 1040.0) is None
    assert takeover.due_in_s([10.0, 500.0, 900.0], 1000.0, 3610.0) == 0.0
