"""Opening hours: whether the business is open at a moment, since when not, and when again.

Everything is worked out in the business's time zone and compared as instants, so that days of 23 and
25 hours come out right. A time the clock shows twice means its first showing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from whatsself_tui.automation.folding import fold
from whatsself_tui.automation.holiday_calendar import is_national_holiday, known_calendar

Interval = tuple[int, int]
"""Minutes from midnight; an end above 1440 lies on the next day. Half-open: closed at the end itself."""

SEARCH_DAYS = 400
"""How far openings are looked for: more than a year of holidays means never."""

_DAY_MINUTES = 1_440
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_NAMES = {name: number for number, name in enumerate(_DAYS)} | {
    name: number for number, name in enumerate(("seg", "ter", "qua", "qui", "sex", "sab", "dom"))
}
_INTERVAL = re.compile(r"([0-9]{1,2}):([0-9]{2})-([0-9]{1,2}):([0-9]{2})")
_EXAMPLE = 'write days and times such as "mon-fri 09:00-12:00 13:30-18:00"'


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """When the business is open."""

    zone: ZoneInfo
    week: tuple[tuple[Interval, ...], ...]
    """Seven entries, Monday first; an interval belongs to the day it begins on."""
    holidays: frozenset[date] = frozenset()
    """Days nothing begins on. What began the evening before goes on."""
    calendars: tuple[str, ...] = ()
    """Public holidays besides: `BR`, `BR-SP`."""


def parse_hours(lines: Iterable[str]) -> tuple[tuple[Interval, ...], ...]:
    """The week that lines such as `mon-fri 09:00-12:00 13:30-18:00` and `sat 22:00-02:00` describe.

    Raises ValueError as `parse_line` does.
    """
    week: list[list[Interval]] = [[] for _ in _DAYS]
    for line in lines:
        days, intervals = parse_line(line)
        for day in days:
            week[day].extend(intervals)
    return tuple(tuple(sorted(set(intervals))) for intervals in week)


def parse_line(line: str) -> tuple[tuple[int, ...], tuple[Interval, ...]]:
    """(days from 0 = Monday, intervals) of one line; raises ValueError saying what is wrong with it.

    Days are `mon` to `sun` or `seg` to `dom`, alone or as a range; an end not after its beginning is
    on the next day.
    """
    days, *times = line.split() or [""]
    if not times:
        raise ValueError(_EXAMPLE)
    return _parse_days(days), tuple(_parse_interval(text) for text in times)


def parse_holidays(entries: Iterable[str]) -> tuple[frozenset[date], tuple[str, ...]]:
    """(days, calendars) of entries such as `2026-12-24`, `BR` and `BR-SP`; raises ValueError."""
    days: set[date] = set()
    calendars: list[str] = []
    for entry in entries:
        if known_calendar(entry):
            calendars.append(entry)
        elif re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", entry):
            try:
                days.add(date.fromisoformat(entry))
            except ValueError:
                raise ValueError("the calendar has no such day") from None
        else:
            raise ValueError('write a day such as "2026-12-24", "BR" for Brazil\'s holidays, or "BR-SP" for a state\'s')
    return frozenset(days), tuple(dict.fromkeys(calendars))


def is_open(hours: OpeningHours, now_ms: int) -> bool:
    """Whether the business is open at that moment."""
    return any(start_ms <= now_ms < end_ms for start_ms, end_ms in _around(hours, now_ms, -1, 0))


def opens_at_ms(hours: OpeningHours, now_ms: int) -> int | None:
    """The next moment it is open: now if it is; None if that is more than SEARCH_DAYS away."""
    if is_open(hours, now_ms):
        return now_ms
    for start_ms, _ in _around(hours, now_ms, -1, SEARCH_DAYS):
        if start_ms > now_ms:
            return start_ms
    return None


def closed_period_start_ms(hours: OpeningHours, now_ms: int) -> int | None:
    """When it closed, the same for every moment until it opens again; None while it is open.

    0 if it was not open for SEARCH_DAYS.
    """
    if is_open(hours, now_ms):
        return None
    for back in range(SEARCH_DAYS if any(hours.week) else 0):
        if any(end_ms <= now_ms for _, end_ms in _around(hours, now_ms, -back, -back)):
            # What began the day before may have ended later.
            return max(end_ms for _, end_ms in _around(hours, now_ms, -back - 1, -back) if end_ms <= now_ms)
    return 0


def _around(hours: OpeningHours, now_ms: int, first: int, last: int) -> Iterator[tuple[int, int]]:
    """The intervals that begin from `first` to `last` days after today, as instants in milliseconds."""
    today = datetime.fromtimestamp(now_ms / 1000, hours.zone).date()
    for offset in range(first, last + 1):
        day = today + timedelta(days=offset)
        intervals = hours.week[day.weekday()]
        if intervals and not _is_holiday(hours, day):
            yield from _instants(hours.zone, day, intervals)


def _is_holiday(hours: OpeningHours, day: date) -> bool:
    return day in hours.holidays or any(is_national_holiday(calendar, day) for calendar in hours.calendars)


@lru_cache(maxsize=64)
def _instants(zone: ZoneInfo, day: date, intervals: tuple[Interval, ...]) -> tuple[tuple[int, int], ...]:
    """The intervals of a day as instants in milliseconds; every message asks for the same few days."""
    spans = ((_instant_ms(zone, day, start), _instant_ms(zone, day, end)) for start, end in intervals)
    return tuple((start_ms, end_ms) for start_ms, end_ms in spans if start_ms < end_ms)  # spring may swallow one


def _instant_ms(zone: ZoneInfo, day: date, minutes: int) -> int:
    moment = datetime(day.year, day.month, day.day) + timedelta(minutes=minutes)
    return round(moment.replace(tzinfo=zone).timestamp()) * 1000


def _parse_days(text: str) -> tuple[int, ...]:
    first, dash, last = text.partition("-")
    start = _DAY_NAMES.get(fold(first))
    end = _DAY_NAMES.get(fold(last)) if dash else start
    if start is None or end is None:
        raise ValueError(f'"{text[:20]}" is no day or range of days; {_EXAMPLE}; days are {", ".join(_DAYS)}')
    return tuple((start + offset) % 7 for offset in range((end - start) % 7 + 1))


def _parse_interval(text: str) -> Interval:
    found = _INTERVAL.fullmatch(text)
    if found is None:
        raise ValueError(f'"{text[:20]}" is no span of time; {_EXAMPLE}')
    start_hour, start_minute, end_hour, end_minute = map(int, found.groups())
    start, end = start_hour * 60 + start_minute, end_hour * 60 + end_minute
    if start >= _DAY_MINUTES or end > _DAY_MINUTES or start_minute > 59 or end_minute > 59:
        raise ValueError(f'"{text}" is no span of time; times go from 00:00 to 24:00')
    return start, end if end > start else end + _DAY_MINUTES
