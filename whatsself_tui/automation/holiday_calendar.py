"""Public holidays of Brazil and its states, by the `holidays` library."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Protocol

STATES = (
    "AC", "AL", "AM", "AP", "BA", "CE", "DF", "ES", "GO", "MA", "MG", "MS", "MT", "PA",
    "PB", "PE", "PI", "PR", "RJ", "RN", "RO", "RR", "RS", "SC", "SE", "SP", "TO",
)  # fmt: skip
"""Brazil's states (ISO 3166-2:BR)."""


class _Calendar(Protocol):
    def __contains__(self, day: object, /) -> bool: ...


def known_calendar(name: str) -> bool:
    """Whether there is a calendar of that name: `BR`, or `BR-SP` for a state's own holidays besides."""
    return name == "BR" or (name.startswith("BR-") and name[3:] in STATES)


def is_national_holiday(calendar: str, day: date) -> bool:
    """Whether `day` is a public holiday; optional ones such as carnival are not."""
    return day in _calendar(calendar)


def load(calendar: str) -> None:
    """Read a calendar now: the library takes about a second to import, which no message should wait for."""
    _calendar(calendar)


@lru_cache
def _calendar(name: str) -> _Calendar:
    from holidays.countries.brazil import Brazil

    return Brazil(subdiv=name[3:] or None)
