"""Validation errors as a person needs them: file, line, field, what is allowed, what was meant."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from whatsself_tui.config.schema import Settings
from whatsself_tui.config.toml_text import Document, Path, dotted
from whatsself_tui.errors import Problem

_NUMBER = re.compile(r"\s*[+-]?[0-9][0-9_]*(\.[0-9]+)?\s*")
_OUT_OF_RANGE = ("greater_than_equal", "less_than_equal")
_SHOWN_CHARS = 60

Node = Mapping[str, Any]
"""A part of the JSON schema of `Settings`."""


def settings_problems(error: ValidationError, document: Document, file: str) -> Iterator[Problem]:
    """One problem for each thing `Settings` found wrong with `document`, in the order of their lines."""
    found = error.errors(include_url=False)
    for details in sorted(found, key=lambda details: document.line_of(_place(details)) or 0):
        yield _problem(details, document, file)


def allowed(node: Node) -> str:
    """What a field takes, from its part of the JSON schema: `a whole number, 1 to 100`."""
    if "const" in node:
        return _shown(node["const"])
    if "enum" in node:
        *others, last = (_shown(value) for value in node["enum"])
        return f"{', '.join(others)} or {last}"
    match node["type"]:
        case "boolean":
            return "true or false"
        case "integer":
            return f"a whole number, {_range(node)}"
        case "number":
            return f"a number, {_range(node)}"
        case "array":
            return f"a list of {node.get('minItems', 0)} to {node['maxItems']} texts"
    length = f", {node.get('minLength', 0)} to {node['maxLength']} characters" if "maxLength" in node else ""
    return f'a text in "quotes"{length}'


def _range(node: Node) -> str:
    return f"{node['minimum']} to {node['maximum']}"


def _place(details: ErrorDetails) -> Path:
    """The path of what is wrong; a rule may name a key inside what it looked at."""
    context = details.get("ctx", {})
    return (*details["loc"], context["key"]) if "key" in context else details["loc"]


def _problem(details: ErrorDetails, document: Document, file: str) -> Problem:
    context = details.get("ctx", {})
    path = _place(details)
    value = context.get("value", details["input"])
    if details["type"] == "extra_forbidden":
        message = _unknown(path, value)
    elif details["type"] in ("model_type", "model_attributes_type"):
        message = f"{_shown(value)} is no section; allowed: one [{path[-1]}] and its keys below it"
    else:
        reason = context.get("message") or _reason(details["type"], path, value)
        default = "" if path in document.lines else " (its default, it is not in the file)"
        message = f"{_name(path)} is {_shown(value)}{default}; {reason}"
    return Problem(file, document.line_of(path), dotted(path), message)


def _reason(kind: str, path: Path, value: object) -> str:
    node = _node(path)
    if kind in _OUT_OF_RANGE:
        return f"allowed: {_range(node)}"
    quoted_number = isinstance(value, str) and node.get("type") in ("integer", "number") and _NUMBER.fullmatch(value)
    return f"allowed: {allowed(node)}{', without the quotes' if quoted_number else ''}"


def _unknown(path: Path, value: object) -> str:
    """What is wrong with a key that no section has, and where it belongs."""
    *section, name = (str(part) for part in path)
    sections = _keys_by_section()
    if not section and isinstance(value, (dict, list)):
        nearest = _nearest(name, sections)
        hint = f"did you mean [{nearest}]?" if nearest else f"known are {_listed(f'[{key}]' for key in sections)}"
        return f"unknown section [{name[:_SHOWN_CHARS]}]; {hint}"
    for home, keys in sections.items():
        if name in keys:
            return f"{name} does not belong here; it belongs under [{home}]"
    known = sections[section[0]] if section else [key for keys in sections.values() for key in keys]
    if nearest := _nearest(name, known):
        hint = f'did you mean "{nearest}"?'
    elif section:
        hint = f"known in [{section[0]}] are {_listed(known)}"
    else:
        hint = f"every key stands in a section: {_listed(f'[{key}]' for key in sections)}"
    return f"unknown key {_shown(name)}; {hint}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _nearest(name: str, known: Iterable[str]) -> str | None:
    found = get_close_matches(name.casefold(), known, n=1)
    return found[0] if found else None


def _name(path: Path) -> str:
    """The field without its section: `per_minute`, `opt_out[2]`."""
    return dotted(path[1:])


def _shown(value: object) -> str:
    """A value as TOML writes it, on one line and not too long."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            text = value if len(value) <= _SHOWN_CHARS else value[:_SHOWN_CHARS] + "…"
            return json.dumps(text, ensure_ascii=False)
        case int() | float():
            return repr(value)
        case []:
            return "an empty list"
        case list():
            return "a list"
        case dict():
            return "a table"
    return "a date or time"


@cache
def _schema() -> Node:
    return Settings.model_json_schema()


def _node(path: Path) -> Node:
    """The part of the schema that `path` leads to."""
    node = _schema()
    for part in path:
        node = node["items"] if isinstance(part, int) else _resolved(node)["properties"][part]
    return node


def _resolved(node: Node) -> Node:
    reference = node.get("$ref")
    return cast("Node", _schema()["$defs"][reference.rpartition("/")[2]]) if reference else node


def _keys_by_section() -> dict[str, list[str]]:
    return {name: list(_resolved(node)["properties"]) for name, node in _schema()["properties"].items()}
