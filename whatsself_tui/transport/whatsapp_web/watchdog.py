"""What to do when the page or the browser fails, and how long to wait before: pure rules.

First the page is loaded anew, then another page opened, then another browser, then again and again with
pauses that double up to an hour. Five minutes without a failure, and it begins at the beginning.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

#: A connection that was well this long has recovered.
STABLE_S = 300.0

#: The first pause between two browsers, and the longest.
FIRST_PAUSE_S = 30.0
LONGEST_PAUSE_S = 3600.0


class Remedy(IntEnum):
    """From the mildest to the strongest."""

    RELOAD = 1
    NEW_PAGE = 2
    NEW_BROWSER = 3


@dataclass(frozen=True, slots=True)
class Ladder:
    """How often it has failed since it was well."""

    failures: int = 0
    well_since_s: float | None = None
    """Monotonic seconds; None while it is not well."""


def failed(ladder: Ladder, least: Remedy = Remedy.RELOAD) -> tuple[Ladder, Remedy, float]:
    """It failed again: (ladder, what to do, seconds to wait before). `least`: nothing milder can help."""
    failures = max(ladder.failures + 1, least)
    remedy = Remedy(min(failures, Remedy.NEW_BROWSER))
    again = failures - Remedy.NEW_BROWSER
    pause_s = 0.0 if again <= 0 else min(FIRST_PAUSE_S * 2 ** min(again - 1, 20), LONGEST_PAUSE_S)
    return Ladder(failures), remedy, pause_s


def well(ladder: Ladder, now_s: float) -> Ladder:
    """It is well now, at monotonic `now_s`."""
    if ladder.well_since_s is None:
        return replace(ladder, well_since_s=now_s)
    if ladder.failures and now_s - ladder.well_since_s >= STABLE_S:
        return Ladder(well_since_s=ladder.well_since_s)
    return ladder


def unwell(ladder: Ladder) -> Ladder:
    """It is neither well nor has it failed: the stable time begins anew."""
    return ladder if ladder.well_since_s is None else replace(ladder, well_since_s=None)
