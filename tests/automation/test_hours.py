"""Opening hours: intervals, midnight, holidays, and days of 23 and 25 hours."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whatsself_tui.automation.hours import (
    OpeningHours,
    closed_period_start_ms,
    is_open,
    opens_at_ms,
    parse_holidays,
    parse_hours,
    parse_line,
)

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
LISBON = ZoneInfo("Europe/Lisbon")


def hours(*lines: str, zone: ZoneInfo = SAO_PAULO, holidays: tuple[str, ...] = ()) -> OpeningHours:
    days, calendars = parse_holidays(holidays)
    return OpeningHours(zone, parse_hours(lines), days, calendars)


def ms(text: str, zone: ZoneInfo = SAO_PAULO, fold: int = 0) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp() * 1000)


def at(moment_ms: int | None, zone: ZoneInfo = SAO_PAULO) -> str | None:
    return None if moment_ms is None else datetime.fromtimestamp(moment_ms / 1000, zone).isoformat(" ", "minutes")[:16]


SHOP = hours("mon-fri 09:00-12:00 13:30-18:00", "sat 09:00-13:00")
BAR = hours("fri-sat 18:00-02:00")


# 2026-11-23 is a Monday.
@pytest.mark.parametrize(
    ("moment", "open_now", "opens", "closed_since"),
    [
        ("2026-11-23 08:59:59", False, "2026-11-23 09:00", "2026-11-21 13:00"),
        ("2026-11-23 09:00", True, "2026-11-23 09:00", None),
        ("2026-11-23 11:59:59.999", True, "2026-11-23 11:59", None),
        ("2026-11-23 12:00", False, "2026-11-23 13:30", "2026-11-23 12:00"),
        ("2026-11-23 13:29", False, "2026-11-23 13:30", "2026-11-23 12:00"),
        ("2026-11-23 18:00", False, "2026-11-24 09:00", "2026-11-23 18:00"),
        ("2026-11-28 12:00", True, "2026-11-28 12:00", None),
        ("2026-11-28 13:00", False, "2026-11-30 09:00", "2026-11-28 13:00"),
        ("2026-11-29 12:00", False, "2026-11-30 09:00", "2026-11-28 13:00"),
    ],
)
def test_a_shop(moment: str, open_now: bool, opens: str, closed_since: str | None) -> None:
    now_ms = ms(moment)
    assert is_open(SHOP, now_ms) is open_now
    assert at(opens_at_ms(SHOP, now_ms)) == opens
    assert at(closed_period_start_ms(SHOP, now_ms)) == closed_since


@pytest.mark.parametrize(
    ("moment", "open_now", "opens", "closed_since"),
    [
        ("2026-11-27 17:59", False, "2026-11-27 18:00", "2026-11-22 02:00"),
        ("2026-11-27 23:59", True, "2026-11-27 23:59", None),
        ("2026-11-28 01:59", True, "2026-11-28 01:59", None),
        ("2026-11-28 02:00", False, "2026-11-28 18:00", "2026-11-28 02:00"),
        ("2026-11-29 01:00", True, "2026-11-29 01:00", None),
        ("2026-11-30 01:00", False, "2026-12-04 18:00", "2026-11-29 02:00"),
    ],
)
def test_past_midnight(moment: str, open_now: bool, opens: str, closed_since: str | None) -> None:
    now_ms = ms(moment)
    assert is_open(BAR, now_ms) is open_now
    assert at(opens_at_ms(BAR, now_ms)) == opens
    assert at(closed_period_start_ms(BAR, now_ms)) == closed_since


def test_an_evening_before_a_holiday_goes_on_and_the_holiday_stays_closed() -> None:
    bar = hours("mon-sun 18:00-02:00", holidays=("2026-12-25",))
    assert is_open(bar, ms("2026-12-25 01:00"))
    assert not is_open(bar, ms("2026-12-25 19:00"))
    assert not is_open(bar, ms("2026-12-26 01:00"))
    assert at(opens_at_ms(bar, ms("2026-12-25 03:00"))) == "2026-12-26 18:00"
    assert at(closed_period_start_ms(bar, ms("2026-12-26 12:00"))) == "2026-12-25 02:00"


def test_spans_that_touch_are_one() -> None:
    shop = hours("mon-sun 00:00-24:00")
    assert is_open(shop, ms("2026-11-24 00:00"))
    assert closed_period_start_ms(shop, ms("2026-11-24 00:00")) is None
    split = hours("mon 09:00-12:00 12:00-18:00", "mon 11:00-13:00")
    assert is_open(split, ms("2026-11-23 12:00"))
    assert at(closed_period_start_ms(split, ms("2026-11-24 12:00"))) == "2026-11-23 18:00"


def test_never_and_always_open() -> None:
    never = hours()
    now_ms = ms("2026-11-23 12:00")
    assert not is_open(never, now_ms)
    assert opens_at_ms(never, now_ms) is None
    assert closed_period_start_ms(never, now_ms) == 0
    assert is_open(hours("mon-sun 00:00-24:00"), now_ms)


def test_more_than_a_year_of_holidays_is_never() -> None:
    days = tuple((date(2026, 1, 1) + timedelta(days=day)).isoformat() for day in range(1_200))
    shut = hours("mon-sun 09:00-18:00", holidays=days)
    assert opens_at_ms(shut, ms("2027-06-01 12:00")) is None
    assert closed_period_start_ms(shut, ms("2027-06-01 12:00")) == 0


def test_spring_forward_leaves_an_hour_out() -> None:
    """Lisbon, 29 March 2026: from 01:00 to 02:00 there is no time."""
    night = hours("sat 22:00-06:00", zone=LISBON)
    start, end = ms("2026-03-28 22:00", LISBON), ms("2026-03-29 06:00", LISBON)
    assert end - start == 7 * 3_600_000
    assert is_open(night, end - 1)
    assert not is_open(night, end)
    gone = hours("sun 01:10-01:50", zone=LISBON)
    assert at(opens_at_ms(gone, ms("2026-03-29 00:30", LISBON)), LISBON) == "2026-03-29 02:10"


def test_fall_back_shows_an_hour_twice() -> None:
    """Lisbon, 25 October 2026: the hour from 01:00 comes twice; a time means its first showing."""
    night = hours("sat 22:00-06:00", zone=LISBON)
    assert ms("2026-10-25 06:00", LISBON) - ms("2026-10-24 22:00", LISBON) == 9 * 3_600_000
    assert is_open(night, ms("2026-10-25 01:30", LISBON, fold=1))
    early = hours("sat 22:00-01:30", zone=LISBON)
    assert is_open(early, ms("2026-10-25 01:29", LISBON))
    assert not is_open(early, ms("2026-10-25 01:30", LISBON))
    assert not is_open(early, ms("2026-10-25 01:10", LISBON, fold=1))
    assert closed_period_start_ms(early, ms("2026-10-25 01:10", LISBON, fold=1)) == ms("2026-10-25 01:30", LISBON)


def test_brazil_without_midnight() -> None:
    """On 4 November 2018 the day began at 01:00 in São Paulo."""
    allday = hours("sun 00:00-24:00")
    assert at(opens_at_ms(allday, ms("2018-11-03 23:59"))) == "2018-11-04 01:00"


def test_public_holidays_of_brazil_and_a_state() -> None:
    brazil, state = (hours("mon-sun 09:00-18:00", holidays=(name,)) for name in ("BR", "BR-SP"))
    for day, in_brazil, in_state in [
        ("2026-09-07", True, True),
        ("2026-04-03", True, True),
        ("2026-11-20", True, True),
        ("2027-12-25", True, True),
        ("2026-07-09", False, True),
        ("2026-02-17", False, False),
        ("2026-11-23", False, False),
    ]:
        assert is_open(brazil, ms(f"{day} 12:00")) is not in_brazil, day
        assert is_open(state, ms(f"{day} 12:00")) is not in_state, day


def test_the_calendars_are_not_loaded_without_need() -> None:
    code = (
        "import sys; from whatsself_tui.config.rules import rule_book;"
        "from whatsself_tui.config.schema import Settings;"
        "from whatsself_tui.automation.model import Catalogue; rule_book(Settings(), Catalogue());"
        "sys.exit('holidays' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[2]).returncode == 0


@pytest.mark.parametrize(
    ("line", "days", "intervals"),
    [
        ("mon 09:00-18:00", (0,), ((540, 1080),)),
        ("mon-fri 9:00-12:00  13:00-18:00", (0, 1, 2, 3, 4), ((540, 720), (780, 1080))),
        ("Sáb-dom 10:00-24:00", (5, 6), ((600, 1440),)),
        ("fri-mon 22:00-02:00", (4, 5, 6, 0), ((1320, 1560),)),
        ("seg 00:00-00:00", (0,), ((0, 1440),)),
        ("SUN 23:00-23:00", (6,), ((1380, 2820),)),
    ],
)
def test_lines(line: str, days: tuple[int, ...], intervals: tuple[tuple[int, int], ...]) -> None:
    assert parse_line(line) == (days, intervals)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "write days and times"),
        ("mon", "write days and times"),
        ("09:00-18:00", "write days and times"),
        ("monday 09:00-18:00", '"monday" is no day'),
        ("mon-xyz 09:00-18:00", '"mon-xyz" is no day or range of days'),
        ("mon 9h-18h", '"9h-18h" is no span of time'),
        ("mon 09:00 - 18:00", '"09:00" is no span of time'),
        ("mon 09:60-18:00", "times go from 00:00 to 24:00"),
        ("mon 24:00-25:00", "times go from 00:00 to 24:00"),
        ("mon 09:00-24:01", "times go from 00:00 to 24:00"),
        ("mon ٠٩:٠٠-١٨:٠٠", "no span of time"),
    ],
)
def test_lines_that_are_refused(line: str, says: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011
        parse_line(line)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    "entry", ["", "25/12/2026", "2026-13-01", "2026-02-30", "20261225", "br", "BR-XX", "US", "BR-"]
)
def test_holidays_that_are_refused(entry: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        parse_holidays([entry])


MINUTES = st.integers(0, 1_439)
SPANS = st.lists(st.tuples(st.integers(0, 6), MINUTES, MINUTES), max_size=6)
ZONES = st.sampled_from([SAO_PAULO, LISBON, ZoneInfo("UTC"), ZoneInfo("Asia/Kolkata"), ZoneInfo("Australia/Lord_Howe")])
MOMENTS = st.datetimes(datetime(2015, 1, 5), datetime(2030, 1, 1)).map(
    lambda moment: round(moment.replace(tzinfo=UTC).timestamp() * 1000)
)


@settings(max_examples=150, deadline=None)
@given(SPANS, ZONES, MOMENTS)
def test_the_three_questions_agree(spans: list[tuple[int, int, int]], zone: ZoneInfo, now_ms: int) -> None:
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    lines = [f"{names[day]} {a // 60:02}:{a % 60:02}-{b // 60:02}:{b % 60:02}" for day, a, b in spans]
    shop = hours(*lines, zone=zone)
    opens, since = opens_at_ms(shop, now_ms), closed_period_start_ms(shop, now_ms)
    if is_open(shop, now_ms):
        assert (opens, since) == (now_ms, None)
        return
    assert since is not None
    if opens is None:
        assert not spans
        return
    assert opens > now_ms
    assert is_open(shop, opens)
    assert not is_open(shop, opens - 1)
    assert closed_period_start_ms(shop, opens - 1) == since  # one period, one identity
    assert since <= now_ms
    assert is_open(shop, since - 1)
    assert not is_open(shop, since)


@settings(max_examples=100, deadline=None)
@given(SPANS, MOMENTS)
def test_without_changes_of_the_clock_the_wall_clock_decides(spans: list[tuple[int, int, int]], now_ms: int) -> None:
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    lines = [f"{names[day]} {a // 60:02}:{a % 60:02}-{b // 60:02}:{b % 60:02}" for day, a, b in spans]
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    minute = now.weekday() * 1_440 + now.hour * 60 + now.minute
    open_minutes = {
        (day * 1_440 + start + offset) % 10_080
        for day, start, end in spans
        for offset in range((end - start) % 1_440 or 1_440)
    }
    assert is_open(hours(*lines, zone=ZoneInfo("UTC")), now_ms) is (minute in open_minutes)
