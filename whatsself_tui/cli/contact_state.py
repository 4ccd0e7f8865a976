"""A contact's state as a JSON document: what `simulate --json` prints and `--contact-state FILE` takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, cast
from zoneinfo import ZoneInfo

from whatsself_tui.automation.decision import ContactState, FlowPosition, HandOver
from whatsself_tui.cli.output import iso
from whatsself_tui.cli.when import parse_when
from whatsself_tui.errors import UsageError
from whatsself_tui.text import storable, visible

T = TypeVar("T", str, int, bool)

KEYS = {
    "name": "display name",
    "opted_out": "true or false",
    "welcomed": "whether the first contact lies behind",
    "unmatched": "messages in a row that nothing matched",
    "hand_over": '{"reason": TEXT, "until": TIME}; without until: until released',
    "flow": '{"flow": NAME, "step": NAME, "values": {NAME: TEXT}, "tries": N, "expires_at": TIME}',
    "fired_at": "{TRIGGER: TIME}, when each last answered",
    "away_period": "TIME, the beginning of the closed period whose away message they got",
    "last_variants": "{TEMPLATE: N}, which of its texts they got last, from 0",
}
"""Every key of the document and what it takes; all may be left out."""

MAX_BYTES = 1_000_000
_NAMES = {str: "a text", int: "a whole number", bool: "true or false"}
YEAR_2200_MS = 7_258_118_400_000
"""Not every machine reckons with dates far beyond."""

_DAY_MS = 86_400_000


def to_data(state: ContactState, zone: ZoneInfo) -> dict[str, Any]:
    """The document of a state, without the phone."""
    hand_over, flow = state.hand_over, state.flow
    data: dict[str, Any] = {
        "name": state.name,
        "opted_out": state.opted_out,
        "welcomed": state.welcomed,
        "unmatched": state.unmatched,
        "hand_over": hand_over and {"reason": hand_over.reason, "until": iso(hand_over.until_ms, zone)},
        "flow": flow
        and {
            "flow": flow.flow,
            "step": flow.step,
            "values": dict(flow.values),
            "tries": flow.tries,
            "expires_at": iso(flow.expires_at_ms, zone),
        },
        "fired_at": {name: iso(at_ms, zone) for name, at_ms in state.fired_at_ms.items()},
        "away_period": iso(state.away_period_ms, zone),
        "last_variants": dict(state.last_variants),
    }
    return data


def read_file(path: Path, phone: str, now_ms: int, zone: ZoneInfo) -> ContactState:
    """The state in a file. Raises UsageError naming the file and the key."""
    shown = visible(path.name, 80)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{shown} cannot be read: {error.strerror or error}.") from error
    if len(content) > MAX_BYTES:
        raise UsageError(f"{shown} is larger than {MAX_BYTES} bytes; it is no contact's state.")
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{shown} is no JSON document: {visible(str(error), 200)}.") from error
    if not isinstance(data, dict):
        raise UsageError(f"{shown} is no JSON object; allowed keys are {', '.join(KEYS)}.")
    return _Reader(shown, now_ms, zone).state(data, phone)


class _Reader:
    def __init__(self, file: str, now_ms: int, zone: ZoneInfo) -> None:
        self._file = file
        self._now_ms = now_ms
        self._zone = zone

    def state(self, data: Mapping[str, object], phone: str) -> ContactState:
        self._known(data, KEYS, "")
        away = data.get("away_period")
        return ContactState(
            name=self._value(data, "name", str, ""),
            phone=phone,
            opted_out=self._value(data, "opted_out", bool, False),
            fired_at_ms={
                name: self._time(at, f"fired_at.{name}") for name, at in self._table(data, "fired_at").items()
            },
            hand_over=self._hand_over(self._table(data, "hand_over")),
            welcomed=self._value(data, "welcomed", bool, False),
            away_period_ms=None if away is None else self._time(away, "away_period"),
            flow=self._flow(self._table(data, "flow")),
            unmatched=self._value(data, "unmatched", int, 0),
            last_variants={
                name: self._checked(each, int, f"last_variants.{name}")
                for name, each in self._table(data, "last_variants").items()
            },
        )

    def _hand_over(self, data: Mapping[str, object]) -> HandOver | None:
        if not data:
            return None
        self._known(data, ("reason", "until"), "hand_over.")
        until = data.get("until")
        reason = self._value(data, "reason", str, "a person has taken over")
        return HandOver(reason, None if until is None else self._time(until, "hand_over.until"))

    def _flow(self, data: Mapping[str, object]) -> FlowPosition | None:
        if not data:
            return None
        self._known(data, ("flow", "step", "values", "tries", "expires_at"), "flow.")
        for key in ("flow", "step"):
            if key not in data:
                raise self._wrong(f"flow.{key}", "is missing")
        expires = data.get("expires_at")
        return FlowPosition(
            flow=self._checked(data["flow"], str, "flow.flow"),
            step=self._checked(data["step"], str, "flow.step"),
            values={
                name: self._checked(each, str, f"flow.values.{name}")
                for name, each in self._table(data, "values").items()
            },
            tries=self._value(data, "tries", int, 0),
            since_ms=self._now_ms,
            expires_at_ms=self._now_ms + _DAY_MS if expires is None else self._time(expires, "flow.expires_at"),
        )

    def _known(self, data: Mapping[str, object], keys: Mapping[str, str] | tuple[str, ...], above: str) -> None:
        for name in data:
            if name not in keys:
                close = get_close_matches(name, list(keys), n=1)
                meant = f'did you mean "{close[0]}"? ' if close else ""
                raise self._wrong(f"{above}{name}", f"unknown key; {meant}Allowed are {', '.join(keys)}")

    def _table(self, data: Mapping[str, object], key: str) -> Mapping[str, object]:
        value = data.get(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self._wrong(key, f"must be an object such as {KEYS.get(key, '{NAME: TEXT}')}")
        return cast("Mapping[str, object]", value)

    def _value(self, data: Mapping[str, object], key: str, kind: type[T], default: T) -> T:
        return default if key not in data else self._checked(data[key], kind, key)

    def _checked(self, value: object, kind: type[T], key: str) -> T:
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self._wrong(key, f"must be {_NAMES[kind]}")
        if isinstance(value, int) and not 0 <= value < 1 << 53:
            raise self._wrong(key, "must not be below 0 or that large")
        return storable(value) if isinstance(value, str) else value

    def _time(self, value: object, key: str) -> int:
        if not isinstance(value, str):
            raise self._wrong(key, "must be a time such as 2026-11-23T09:00")
        try:
            at_ms = parse_when(value, self._now_ms, self._zone)
        except UsageError as error:
            raise self._wrong(key, str(error)) from error
        if not 0 <= at_ms < YEAR_2200_MS:
            raise self._wrong(key, "must be between the years 1970 and 2199")
        return at_ms

    def _wrong(self, key: str, reason: str) -> UsageError:
        return UsageError(f"{self._file}: {visible(key, 80)}: {reason.rstrip('.')}.")
