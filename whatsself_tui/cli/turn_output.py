"""A turn of a rehearsed conversation as lines and as data: which rule decided, why not others, what would go when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from whatsself_tui.automation.decision import Answer
from whatsself_tui.automation.rehearsal import Change, Told, Turn
from whatsself_tui.cli.output import clock_time, iso, line
from whatsself_tui.config.schema import Settings
from whatsself_tui.delivery.forecast import Departure, Outlook, Waiting
from whatsself_tui.store.terms import habit_of, limits_of
from whatsself_tui.text import visible

#: Rules that decide about a message on arrival, without waiting for more of them.
_AT_ONCE = frozenset({"opt_out", "opt_in", "too_old"})

_BOUNDS = {"contact": ", held by the contact's limit", "minute": ", held by the limit per minute"}

#: Departures of a turn's answers: one group for each decision.
Departures = tuple[tuple[Departure, ...], ...]


class Times:
    """When the answers of one contact's turns would go."""

    def __init__(self, settings: Settings, to_contact: Sequence[int] = (), to_all: Sequence[int] = ()) -> None:
        """`to_contact` and `to_all` are the real sends before, in milliseconds; with none, the windows are empty."""
        self._outlook = Outlook(limits_of(settings), habit_of(settings), to_contact, to_all)
        self._debounce_ms = settings.answers.debounce_ms
        self._number = 0
        self._last_ms = 0

    def of(self, played: Turn) -> Departures:
        """For each decision of the turn when its answers go; turns are given in their order."""
        departures = []
        for handled in played.handled:
            decision = handled.decision
            at_ms = played.at_ms + (0 if decision.rule in _AT_ONCE else self._debounce_ms)
            self._last_ms = max(self._last_ms, at_ms)
            waiting = [self._waiting(answer) for answer in decision.answers]
            departures.append(self._outlook.answer(waiting, self._last_ms, cancel=decision.cancel_queued))
        return tuple(departures)

    def _waiting(self, answer: Answer) -> Waiting:
        self._number += 1
        exempt = answer.window == "exempt"
        return Waiting(self._number, len(answer.text), answer.priority, self._last_ms, exempt)


def print_told(told: Sequence[Told], departures: Departures, zone: ZoneInfo, *, considered: bool = True) -> None:
    """The decisions of one turn, indented; what the contact wrote has been printed before."""
    for each, times in zip(told, departures, strict=True):
        line(f"    {each.rule}: {visible(each.explanation, 1000)}")
        for passed in each.considered if considered else ():
            line(f"      not {passed.rule}: {visible(passed.reason, 500)}")
        for answer, departure in zip(each.answers, times, strict=True):
            first, *more = answer.text[:2000].split("\n")
            line(f"  < {visible(first, 2000)}")
            for row in more:
                line(f"  | {visible(row, 2000)}")
            line(f"      {visible(answer.source, 200)}, {_when(departure, zone)}")
        for text in _notes(each, zone):
            line(f"  {text}")


def told_as_data(told: Sequence[Told], departures: Departures, zone: ZoneInfo) -> list[dict[str, Any]]:
    """The same for a JSON document."""
    return [
        {
            "texts": list(each.texts),
            "rule": each.rule,
            "explanation": each.explanation,
            "considered": [{"rule": passed.rule, "reason": passed.reason} for passed in each.considered],
            "answers": [
                _answer_as_data(answer, departure, zone) for answer, departure in zip(each.answers, times, strict=True)
            ],
            "changes": [_change_as_data(change, zone) for change in each.changes],
            "warnings": list(each.warnings),
            "alerts": list(each.alerts),
        }
        for each, times in zip(told, departures, strict=True)
    ]


def _when(departure: Departure, zone: ZoneInfo) -> str:
    earliest, latest = clock_time(departure.earliest_ms, zone), clock_time(departure.latest_ms, zone)
    until = "" if latest == earliest else f" to {latest if latest[:10] != earliest[:10] else latest[11:]}"
    return f"sent {earliest}{until}{_BOUNDS.get(departure.bound, '')}"


def _notes(told: Told, zone: ZoneInfo) -> Iterator[str]:
    for change in told.changes:
        until = f" (until {clock_time(change.until_ms, zone)})" if change.until_ms is not None else ""
        yield f"= {visible(change.text, 500)}{until}{_values(change.values)}"
    for warning in told.warnings:
        yield f"! {visible(warning, 500)}"
    for alert in told.alerts:
        yield f"! alert: {visible(alert, 500)}"


def _values(values: Mapping[str, str]) -> str:
    if not values:
        return ""
    return "; collected " + ", ".join(f"{visible(name, 64)} = {visible(value, 100)}" for name, value in values.items())


def _answer_as_data(answer: Answer, departure: Departure, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "text": answer.text,
        "source": answer.source,
        "priority": answer.priority,
        "earliest": iso(departure.earliest_ms, zone),
        "latest": iso(departure.latest_ms, zone),
        "held_by": departure.bound or None,
    }


def _change_as_data(change: Change, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "kind": change.kind,
        "text": change.text,
        "values": dict(change.values),
        "until": iso(change.until_ms, zone),
    }
