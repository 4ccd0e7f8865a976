"""What the rules do for a text grows no faster than the text: counted in calls, not in time."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from support.automation_room import NOW_MS, maria, rules

from whatsself_tui.automation.decision import ContactState, FlowPosition, Incoming
from whatsself_tui.automation.engine import run_rules

BOOK = rules(
    """
    [[template]]
    name = "t"
    text = "Oi {{name}} {{first_name}}"
    [[trigger]]
    name = "a"
    contains = ["bom dia", "oi", "a a a", "1"]
    template = "t"
    [[trigger]]
    name = "b"
    regex = ['^(a+)+$', '(x|xx)*y', '\\d+-\\d+']
    template = "t"
    [[trigger]]
    name = "c"
    equals = ["menu", "a"]
    template = "t"
    [[flow]]
    name = "f"
    [[flow.step]]
    name = "s"
    ask = "t"
    save = "x"
    answers = { "1" = "s", "*" = "e" }
    [[flow.step]]
    name = "e"
    end = true
    [[trigger]]
    name = "f"
    number = 7
    flow = "f"
    """
)
INSIDE = FlowPosition("f", "s", expires_at_ms=NOW_MS + 1)


def calls(text: str, state: ContactState) -> int:
    """Functions entered, Python's own included, to decide about `text`."""
    count = 0

    def enter(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(enter)
    try:
        run_rules(BOOK, state, Incoming(text), NOW_MS, 0)
    finally:
        sys.setprofile(None)
    return count


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet=st.characters(), min_size=1, max_size=4), st.sampled_from(["state", "flow", "out", "name"]))
def test_ten_times_the_text_is_at_most_ten_times_the_work(piece: str, case: str) -> None:
    works = []
    for times in (200, 200, 2_000):  # the first fills the caches
        text = piece * times
        state = {
            "state": maria(),
            "flow": maria(flow=INSIDE),
            "out": maria(opted_out=True),
            "name": maria(name=text),
        }[case]
        works.append(calls("oi" if case == "name" else text, state))
    assert works[2] <= 10 * works[1]
