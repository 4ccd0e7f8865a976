"""Templates, triggers and flows as one JSON document, to be carried from one robot to another.

    {"format": "whatsself-automation", "version": 1, "template": […], "trigger": […], "flow": […]}

The tables and their keys are those of `automation.toml`; a flow has its steps under `step`. Packages of
WhatsSelf, this program's predecessor, are read as well.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn, cast

from whatsself_tui.automation.keys import TABLES
from whatsself_tui.automation.predecessor import KINDS as PREDECESSOR_KINDS
from whatsself_tui.automation.predecessor import map_package
from whatsself_tui.automation.reading import nearest, shown
from whatsself_tui.text import storable, visible

FORMAT = "whatsself-automation"
VERSION = 1

MAX_BYTES = 6_000_000
"""Of a package: the largest `automation.toml` with every character escaped."""

MAX_ENTRIES = 10_000
"""Of one kind."""

Entry = dict[str, object]


@dataclass(frozen=True, slots=True)
class Package:
    """What a document holds; nothing in the entries has been checked but their names."""

    entries: Mapping[str, tuple[Entry, ...]]
    """`template`, `trigger`, `flow` → tables as `automation.toml` writes them, each with a name of its own."""
    notes: tuple[str, ...] = ()
    """What could not be taken over as it was, one sentence each."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What an import does to one entry."""

    kind: str
    name: str
    what: str
    """`added`, `changed`, `unchanged`, `removed`, or `kept`: the package does not have it."""
    keys: tuple[str, ...] = ()
    """Of a changed entry: which of its keys are different."""


@dataclass(frozen=True, slots=True)
class Merged:
    """The automation as it is after an import."""

    data: Mapping[str, list[Entry]]
    """As parsed TOML; kinds without entries are left out."""
    differences: tuple[Difference, ...]
    reordered: tuple[str, ...]
    """Kinds whose entries stay but come in another order, which decides between triggers of one priority."""


class PackageError(ValueError):
    """A document that is no package; says where and what is allowed."""


def write_package(data: Mapping[str, object]) -> bytes:
    """The JSON document of what a valid `automation.toml` holds, as it was parsed."""
    content = {"format": FORMAT, "version": VERSION, **{kind: data.get(kind, []) for kind in TABLES}}
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def read_package(content: bytes) -> Package:
    """The entries of a JSON document. Raises PackageError for anything that is no package."""
    if len(content) > MAX_BYTES:
        raise PackageError(f"it is larger than {MAX_BYTES:,} bytes")
    try:
        data = json.loads(content.decode("utf-8-sig"), object_pairs_hook=_object, parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise PackageError(f"it is no UTF-8 text (byte {error.start})") from error
    except RecursionError as error:
        raise PackageError("it is nested too deeply") from error
    except json.JSONDecodeError as error:
        raise PackageError(f"it is no JSON: {error.msg} (line {error.lineno}, column {error.colno})") from error
    except PackageError:
        raise
    except ValueError as error:  # a number with more digits than Python reads
        raise PackageError(f"it is no JSON: {error}") from error
    if not isinstance(data, dict):
        raise PackageError(f"it must be a JSON object, not {shown(data)}")
    if any(kind in data for kind in PREDECESSOR_KINDS):
        mapped, notes = map_package({kind: _list_of(data, kind) for kind in PREDECESSOR_KINDS})
        return Package({kind: tuple(mapped[kind]) for kind in TABLES}, notes)
    return _own(data)


def merge(current: Mapping[str, object], package: Package, *, replace: bool) -> Merged:
    """What is in a valid file, with a package's entries in place of those of the same name.

    With `replace`, what the package does not have is removed and its order holds; otherwise what it adds
    comes last.
    """
    data: dict[str, list[Entry]] = {}
    differences: list[Difference] = []
    reordered: list[str] = []
    for kind in TABLES:
        before = {str(entry["name"]): entry for entry in cast("Sequence[Entry]", current.get(kind, []))}
        given = {str(entry["name"]): entry for entry in package.entries.get(kind, ())}
        after = given if replace else {**before, **given}
        differences += [_difference(kind, name, before.get(name), entry) for name, entry in given.items()]
        differences += [Difference(kind, name, "kept") for name in before if name in after and name not in given]
        differences += [Difference(kind, name, "removed") for name in before if name not in after]
        if [name for name in before if name in after] != [name for name in after if name in before]:
            reordered.append(kind)
        if after:
            data[kind] = list(after.values())
    return Merged(data, tuple(differences), tuple(reordered))


def _difference(kind: str, name: str, before: Entry | None, after: Entry) -> Difference:
    if before is None:
        return Difference(kind, name, "added")
    keys = tuple(
        key for key in {**before, **after} if key not in before or key not in after or before[key] != after[key]
    )
    return Difference(kind, name, "changed" if keys else "unchanged", keys)


def _own(data: Entry) -> Package:
    if data.get("format") != FORMAT:
        raise PackageError(
            f'it is neither an export (with "format": "{FORMAT}") nor a package of WhatsSelf (with templates, flows,'
            " triggers)"
        )
    if data.get("version") != VERSION or isinstance(data["version"], bool):
        raise PackageError(f"its version is {_told(data.get('version'))}; this program reads {VERSION}")
    for key in data:
        if key not in ("format", "version", *TABLES):
            raise PackageError(f"{_told(key)} is an unknown key; {nearest(key, TABLES)}")
    return Package({kind: tuple(_named(kind, _list_of(data, kind))) for kind in TABLES})


def _list_of(data: Entry, kind: str) -> list[Entry]:
    value = data.get(kind, [])
    if not isinstance(value, list):
        raise PackageError(f"{kind} must be a list, not {shown(value)}")
    if len(value) > MAX_ENTRIES:
        raise PackageError(f"{kind} has {len(value)} entries; at most {MAX_ENTRIES} are allowed")
    for index, entry in enumerate(value):
        if not isinstance(entry, dict):
            raise PackageError(f"{kind}[{index}] must be an object, not {shown(entry)}")
    return cast("list[Entry]", value)


def _named(kind: str, entries: list[Entry]) -> list[Entry]:
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        name = entry.get("name")
        if not isinstance(name, str) or not name:
            raise PackageError(f"{kind}[{index}] has no name; every {kind} needs one, a text")
        if name in seen:
            raise PackageError(f"{kind}[{index}] has the name of another one: {_told(name)}")
        seen.add(name)
    return entries


def _object(pairs: list[tuple[str, object]]) -> Entry:
    """An object of the document: no key twice, and no text that cannot be written into a file."""
    made: Entry = {}
    for key, value in pairs:
        if key in made:
            raise PackageError(f"an object has the key {_told(key)} twice")
        made[storable(key)] = _storable(value)
    return made


def _storable(value: object) -> object:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [_storable(item) for item in value]
    return value  # objects have been through `_object`


def _no_number(text: str) -> NoReturn:
    raise PackageError(f"{text} is no number of JSON")


def _told(value: object) -> str:
    return visible(repr(value), 80)
