"""How often a pane may paint, and when the console wakes by itself."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from whatsself_tui.console.allowance import BURST, RATE_PER_S, Allowance
from whatsself_tui.console.heartbeat import Heartbeat


def test_a_few_paints_go_at_once_then_one_each_half_second() -> None:
    allowance, now_s, waits = Allowance(100.0), 100.0, []
    for _ in range(BURST + 3):
        waits.append(allowance.wait_s(now_s))
        now_s += waits[-1]
        allowance.spend(now_s)
    assert waits == [0.0] * BURST + [1 / RATE_PER_S] * 3


@given(st.lists(st.floats(min_value=0, max_value=3), min_size=1, max_size=60))
def test_never_more_than_the_burst_and_the_rate(pauses_s: list[float]) -> None:
    allowance, now_s, paints = Allowance(0.0), 0.0, 0
    for pause_s in pauses_s:
        now_s += pause_s
        if allowance.wait_s(now_s) == 0.0:
            allowance.spend(now_s)
            paints += 1
        assert paints <= BURST + RATE_PER_S * now_s + 1e-6


async def test_nothing_to_come_no_timer() -> None:
    beats: list[int] = []
    heart = Heartbeat(lambda: 0, lambda: None, lambda: beats.append(1))
    heart.set()
    assert not heart.is_running


async def test_it_wakes_for_what_is_due_and_sleeps_again() -> None:
    due: list[int | None] = [0]
    woken = asyncio.Event()

    def beat() -> None:
        due[0] = None
        woken.set()

    heart = Heartbeat(lambda: 0, lambda: due[0], beat)
    heart.set()
    assert heart.is_running
    await woken.wait()
    assert not heart.is_running


async def test_stopped_it_does_not_wake() -> None:
    heart = Heartbeat(lambda: 0, lambda: 0, lambda: None)
    heart.set()
    heart.stop()
    assert not heart.is_running
