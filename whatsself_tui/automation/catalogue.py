"""The catalogue read from `automation.toml`: everything wrong with it told at once."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypeVar, cast

from whatsself_tui.automation.folding import fold
from whatsself_tui.automation.model import Catalogue, Template, Trigger, TriggerKind
from whatsself_tui.automation.templates import text_problems

MAX_NAME = 64
"""Characters of a template's or trigger's name."""

MAX_PRIORITY = 100
"""The highest priority of a trigger."""

_KINDS: tuple[TriggerKind, ...] = ("equals", "contains")
_ARRAYS = ("template", "trigger")
_TEMPLATE_KEYS = ("name", "text")
_TRIGGER_KEYS = ("name", *_KINDS, "template", "priority", "cooldown_s", "active")
_TYPE_NAMES = {str: "a text in quotes", int: "a whole number", bool: "true or false"}

Path = tuple[str | int, ...]
T = TypeVar("T", str, int, bool)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong, and where."""

    path: Path
    """Keys and indices (from 0) from the top of the file: `("trigger", 2, "template")`. What is
    missing is reported at the table that lacks it."""
    message: str
    """What is wrong and what is allowed, without the place."""


def read_catalogue(data: Mapping[str, object]) -> tuple[Catalogue | None, tuple[Finding, ...]]:
    """The catalogue in parsed TOML, or None and everything wrong with it.

    Nothing is converted: `priority = "5"` is an error. A file without templates and triggers is an
    empty catalogue.
    """
    return _Reader().read(data)


class _Reader:
    """Collects findings while it builds what can be built."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def read(self, data: Mapping[str, object]) -> tuple[Catalogue | None, tuple[Finding, ...]]:
        self._check_keys((), data, _ARRAYS, required=())
        templates = self._templates(data)
        triggers = self._triggers(data, set(templates))
        if self.findings:
            return None, tuple(self.findings)
        triggers.sort(key=lambda trigger: -trigger.priority)  # stable: equals keep the file's order
        return Catalogue(templates, tuple(triggers)), ()

    def _templates(self, data: Mapping[str, object]) -> dict[str, Template]:
        templates: dict[str, Template] = {}
        for path, table in self._tables(data, "template"):
            self._check_keys(path, table, _TEMPLATE_KEYS, required=_TEMPLATE_KEYS)
            name = self._name(path, table, templates, "template")
            text = self._value(path, table, "text", str, "")
            if "text" in table and isinstance(table["text"], str):
                for problem in text_problems(text):
                    self._find((*path, "text"), problem)
            if name:
                templates[name] = Template(name, text)
        return templates

    def _triggers(self, data: Mapping[str, object], templates: set[str]) -> list[Trigger]:
        triggers: dict[str, Trigger] = {}
        for path, table in self._tables(data, "trigger"):
            self._check_keys(path, table, _TRIGGER_KEYS, required=("name", "template"))
            name = self._name(path, table, triggers, "trigger")
            kind, phrases = self._condition(path, table)
            trigger = Trigger(
                name=name,
                kind=kind,
                phrases=phrases,
                template=self._reference(path, table, templates),
                priority=self._number(path, table, "priority", MAX_PRIORITY),
                cooldown_s=self._number(path, table, "cooldown_s", None),
                active=self._value(path, table, "active", bool, True),
            )
            if name:
                triggers[name] = trigger
        return list(triggers.values())

    def _tables(self, data: Mapping[str, object], key: str) -> Iterator[tuple[Path, Mapping[str, object]]]:
        array = data.get(key, [])
        if not isinstance(array, list):
            self._find((key,), f"must be a list of tables; begin each one with [[{key}]]")
            return
        for index, table in enumerate(array):
            if isinstance(table, Mapping):
                yield (key, index), cast("Mapping[str, object]", table)
            else:
                self._find((key, index), f"must be a table; begin it with [[{key}]]")

    def _check_keys(
        self, path: Path, table: Mapping[str, object], known: tuple[str, ...], required: tuple[str, ...]
    ) -> None:
        for key in table:
            if key not in known:
                self._find((*path, key), f"unknown key; {_nearest(key, known)}")
        for key in required:
            if key not in table:
                self._find(path, f"{key} is missing")

    def _name(self, path: Path, table: Mapping[str, object], taken: Mapping[str, object], what: str) -> str:
        """The table's name, or an empty text after a finding."""
        name = self._value(path, table, "name", str, "")
        if not isinstance(table.get("name"), str):
            return ""
        where = (*path, "name")
        if not name.strip():
            self._find(where, "the name is empty")
        elif name != name.strip():
            self._find(where, "the name begins or ends with a blank")
        elif len(name) > MAX_NAME:
            self._find(where, f"the name has {len(name)} characters; at most {MAX_NAME} are allowed")
        elif any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in name):
            self._find(where, "the name has control or invisible characters")
        elif name in taken:
            self._find(where, f'another {what} above is named "{name}"')
        else:
            return name
        return ""

    def _reference(self, path: Path, table: Mapping[str, object], templates: set[str]) -> str:
        name = self._value(path, table, "template", str, "")
        if isinstance(table.get("template"), str) and name not in templates:
            self._find((*path, "template"), f"no template has that name; {_nearest(name, sorted(templates))}")
        return name

    def _condition(self, path: Path, table: Mapping[str, object]) -> tuple[TriggerKind, tuple[str, ...]]:
        given = [kind for kind in _KINDS if kind in table]
        if len(given) != 1:
            problem = "has both equals and contains" if given else "has neither equals nor contains"
            self._find(path, f"{problem}; give exactly one of them")
        for kind in given:
            phrases = self._phrases((*path, kind), table[kind])
        return (given[0], phrases) if given else ("equals", ())

    def _phrases(self, path: Path, value: object) -> tuple[str, ...]:
        if isinstance(value, str):
            self._check_phrase(path, value)
            return (value,)
        if not isinstance(value, list):
            self._find(path, f"must be a text or a list of texts, not {_shown(value)}")
            return ()
        if not value:
            self._find(path, "the list is empty; give at least one phrase")
        for index, phrase in enumerate(value):
            if isinstance(phrase, str):
                self._check_phrase((*path, index), phrase)
            else:
                self._find((*path, index), f"must be {_TYPE_NAMES[str]}, not {_shown(phrase)}")
        return tuple(phrase for phrase in value if isinstance(phrase, str))

    def _check_phrase(self, path: Path, phrase: str) -> None:
        if not phrase.strip():
            self._find(path, "the phrase is empty")
        elif not fold(phrase):
            self._find(path, "the phrase has no letter, digit or emoji; punctuation is not compared")

    def _number(self, path: Path, table: Mapping[str, object], key: str, maximum: int | None) -> int:
        """A whole number from 0, 0 if it is not given."""
        number = self._value(path, table, key, int, 0)
        if number < 0 or (maximum is not None and number > maximum):
            allowed = "0 or more" if maximum is None else f"0 to {maximum}"
            self._find((*path, key), f"{number} is out of range; {allowed} is allowed")
        return number

    def _value(self, path: Path, table: Mapping[str, object], key: str, kind: type[T], default: T) -> T:
        value = table.get(key, default)
        if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
            return value
        self._find((*path, key), f"must be {_TYPE_NAMES[kind]}, not {_shown(value)}")
        return default

    def _find(self, path: Path, message: str) -> None:
        self.findings.append(Finding(path, message))


def _shown(value: object) -> str:
    """A value in a message, in TOML's words."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list):
        return "a list"
    return repr(value)[:60]


def _nearest(name: str, known: Iterable[str]) -> str:
    candidates = list(known)
    nearest = get_close_matches(name, candidates, n=1)
    if nearest:
        return f'did you mean "{nearest[0]}"?'
    if not candidates:
        return "the file has none"
    more = ", …" if len(candidates) > 12 else ""
    return f"known are {', '.join(candidates[:12])}{more}"
