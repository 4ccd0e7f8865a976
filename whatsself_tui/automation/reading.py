"""Tables of parsed TOML, read key by key; everything wrong with them is collected."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypeVar, cast

from whatsself_tui.automation.keys import MAX_NAME, Key

Path = tuple[str | int, ...]
T = TypeVar("T", str, int, bool)

_SUGGESTIONS = 50
"""Problems that come with a suggestion; a file with more is something else entirely, and each one costs."""

_TYPE_NAMES = {str: "a text in quotes", int: "a whole number", bool: "true or false"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong or doubtful, and where."""

    path: Path
    """Keys and indices (from 0) from the top of the file: `("trigger", 2, "template")`. What is
    missing is reported at the table that lacks it."""
    message: str
    """What is wrong and what is allowed, without the place."""
    warning: bool = False
    """Whether the file can be used nevertheless."""


class Table:
    """One table of the file, with the keys it may have."""

    def __init__(self, findings: list[Finding], path: Path, data: Mapping[str, object], keys: tuple[Key, ...]) -> None:
        self._findings = findings
        self._data = data
        self._keys = {key.name: key for key in keys}
        self.path = path
        for name in data:
            if name not in self._keys:
                self.find(f"unknown key; {self._nearest(name, self._keys)}", name)
        for key in keys:
            if key.required and key.name not in data:
                self.find(f"{key.name} is missing")

    def __contains__(self, name: str) -> bool:
        return name in self._data

    def find(self, message: str, *where: str | int, warning: bool = False) -> None:
        """Note what is wrong with the table, or with what stands at `where` in it."""
        self._findings.append(Finding((*self.path, *where), message, warning))

    def name(self, taken: Mapping[str, object], what: str) -> str:
        """The table's own name, which no other may have; an empty text after a finding."""
        name = self.text("name")
        if not isinstance(self._data.get("name"), str):
            return ""
        if not name.strip():
            self.find("the name is empty", "name")
        elif name != name.strip():
            self.find("the name begins or ends with a blank", "name")
        elif len(name) > MAX_NAME:
            self.find(f"the name has {len(name)} characters; at most {MAX_NAME} are allowed", "name")
        elif any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in name):
            self.find("the name has control or invisible characters", "name")
        elif name in taken:
            self.find(f'another {what} above is named "{name}"', "name")
        else:
            return name
        return ""

    def text(self, name: str) -> str:
        """A text, empty if it is not given."""
        return self._value(name, str, "")

    def flag(self, name: str) -> bool:
        """true or false."""
        return self._value(name, bool, bool(self._keys[name].default))

    def whole(self, name: str) -> int:
        """A whole number in the range of the key."""
        key = self._keys[name]
        number = self._value(name, int, cast("int", key.default))
        if not key.minimum <= number <= key.maximum:
            self.find(f"{number} is out of range; {key.minimum} to {key.maximum} is allowed", name)
        return number

    def choice(self, name: str) -> str:
        """One of the key's choices."""
        key = self._keys[name]
        value = self._value(name, str, cast("str", key.default))
        if value not in key.choices:
            self.find(f"must be one of {', '.join(key.choices)}, not {shown(value)}", name)
        return value

    def texts(self, name: str) -> list[tuple[Path, str]]:
        """The texts of a key that takes one or a list, each with its place in the table."""
        value = self._data.get(name, [])
        if isinstance(value, str):
            return [((name,), value)]
        if not isinstance(value, list):
            self.find(f"must be a text or a list of texts, not {shown(value)}", name)
            return []
        if not value and name in self._data:
            self.find("the list is empty; give at least one", name)
        for index, item in enumerate(value):
            if not isinstance(item, str):
                self.find(f"must be {_TYPE_NAMES[str]}, not {shown(item)}", name, index)
        return [((name, index), item) for index, item in enumerate(value) if isinstance(item, str)]

    def reference(self, name: str, known: Collection[str], what: str) -> str:
        """The name of something in the file, or an empty text."""
        value = self.text(name)
        if isinstance(self._data.get(name), str):
            self.check_reference(value, known, what, name)
        return value

    def check_reference(self, value: str, known: Collection[str], what: str, *where: str | int) -> None:
        """Note if nothing in the file is named `value`."""
        if value not in known:
            self.find(f"no {what} has that name; {self._nearest(value, known)}", *where)

    def raw(self, name: str) -> object:
        """The value as it was parsed; None if it is not given."""
        return self._data.get(name)

    def _nearest(self, name: str, known: Collection[str]) -> str:
        return nearest(name, known) if len(self._findings) < _SUGGESTIONS else f"there are {len(known)} others"

    def _value(self, name: str, kind: type[T], default: T) -> T:
        value = self._data.get(name, default)
        if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
            return value
        self.find(f"must be {_TYPE_NAMES[kind]}, not {shown(value)}", name)
        return default


def tables(findings: list[Finding], above: Path, header: str, value: object, keys: tuple[Key, ...]) -> Iterator[Table]:
    """The tables of an array that is written `[[header]]`, at the path `above`."""
    if not isinstance(value, list):
        findings.append(Finding(above, f"must be a list of tables; begin each one with [[{header}]]"))
        return
    for index, item in enumerate(value):
        if isinstance(item, Mapping):
            yield Table(findings, (*above, index), cast("Mapping[str, object]", item), keys)
        else:
            findings.append(Finding((*above, index), f"must be a table; begin it with [[{header}]]"))


def shown(value: object) -> str:
    """A value in a message, in TOML's words."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list):
        return "a list"
    return repr(value)[:60]


def nearest(name: str, known: Collection[str]) -> str:
    """What may have been meant by `name`, or what there is."""
    candidates = list(known)
    close = get_close_matches(name[:MAX_NAME], candidates, n=1)
    if close:
        return f'did you mean "{close[0]}"?'
    if not candidates:
        return "the file has none"
    more = ", …" if len(candidates) > 12 else ""
    return f"known are {', '.join(candidates[:12])}{more}"
