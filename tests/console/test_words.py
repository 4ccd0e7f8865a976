"""Times, bars and foreign text in a given room."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from support.fake_link import NOW_MS

from whatsself_tui.console.words import (
    countdown,
    day_of,
    day_words,
    elapsed,
    fit,
    gauge,
    moment,
    plural,
    span,
    time_of_day,
)

SAO_PAULO = ZoneInfo("America/Sao_Paulo")


@pytest.mark.parametrize(
    ("left_ms", "words"),
    [
        (-5_000, "00:00"),
        (0, "00:00"),
        (1, "00:01"),
        (1_000, "00:01"),
        (59_001, "01:00"),
        (192_000, "03:12"),
        (3_600_000, "1h 00m"),
        (47 * 3_600_000 + 61_000, "47h 01m"),
        (50 * 3_600_000, "2d 02h"),
    ],
)
def test_countdown(left_ms: int, words: str) -> None:
    assert countdown(left_ms) == words


@pytest.mark.parametrize(
    ("passed_ms", "words"),
    [
        (-1, "0 s"),
        (999, "0 s"),
        (59_999, "59 s"),
        (60_000, "1 min"),
        (3_599_999, "59 min"),
        (3_600_000, "1 h"),
        (47 * 3_600_000, "47 h"),
        (49 * 3_600_000, "2 d"),
    ],
)
def test_elapsed(passed_ms: int, words: str) -> None:
    assert elapsed(passed_ms) == words


def test_times_are_the_business_s() -> None:
    assert time_of_day(NOW_MS, SAO_PAULO) == "14:03:22"
    assert time_of_day(NOW_MS, ZoneInfo("Asia/Tokyo")) == "02:03:22"
    assert day_words(day_of(NOW_MS, SAO_PAULO)) == "Friday 21 Nov"
    assert moment(NOW_MS, NOW_MS, SAO_PAULO) == "14:03"
    assert moment(NOW_MS - 86_400_000, NOW_MS, SAO_PAULO) == "20 Nov"


@given(st.text(), st.integers(min_value=0, max_value=60))
def test_foreign_text_fills_exactly_its_room(text: str, width: int) -> None:
    shown = fit(text, width)
    assert cell_len(shown) == width
    assert not re.search("[\x00-\x1f\x7f-\x9f\ud800-\udfff]", shown)


def test_what_is_cut_shows_it() -> None:
    assert fit("Bruno Carvalho", 14) == "Bruno Carvalho"
    assert fit("Bruno Carvalho", 8) == "Bruno C…"
    assert fit("Ana", 6) == "Ana   "


@given(st.floats(min_value=0, max_value=2), st.integers(min_value=1, max_value=40), st.floats(min_value=0, max_value=1))
def test_a_gauge_fills_its_room_and_is_empty_only_at_zero(share: float, width: int, mark: float) -> None:
    assert cell_len(gauge(share, width, mark)) == width
    assert ("█" in gauge(share, width)) == (share > 0)


def test_a_gauge_marks_its_limit() -> None:
    assert gauge(0.5, 8) == "████────"
    assert gauge(0.25, 8, mark=0.5) == "██──│───"
    assert gauge(2.0, 4) == "████"


def test_plural() -> None:
    assert plural(1, "message") == "1 message"
    assert plural(0, "message") == "0 messages"
    assert plural(2, "reply", "replies") == "2 replies"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0s"),
        (45, "45s"),
        (90, "1m 30s"),
        (3_600, "1h"),
        (86_400, "24h"),
        (172_800, "2d"),
        (266_400, "3d 2h"),
        (31_536_000, "365d"),
    ],
)
def test_span(seconds: int, words: str) -> None:
    assert span(seconds) == words
