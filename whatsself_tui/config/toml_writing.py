"""Values and tables of the automation as TOML text, in the order and the shape a person would write."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from whatsself_tui.automation.keys import FLOW, STEP, TABLES

Entry = Mapping[str, object]

_MAX_LINE = 110
"""Characters; longer lists are written one element to a line."""

_ESCAPES = {"\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}

_ORDER = {name: tuple(key.name for key in keys) for name, keys in {**TABLES, "step": STEP}.items()}


def table_lines(kind: str, entry: Entry) -> list[str]:
    """The lines of a `template`, `trigger`, `flow` (with its steps) or `step`, header first."""
    lines = [f"[[{'flow.step' if kind == 'step' else kind}]]"]
    steps = entry.get(FLOW[1].name) if kind == "flow" else None
    for key in sorted(entry, key=lambda name: _place(kind, name)):
        if key != FLOW[1].name or steps is None:
            lines += pair_lines(key, entry[key])
    for step in steps if isinstance(steps, list) else ():
        lines += ["", *table_lines("step", step)]
    return lines


def pair_lines(key: str, value: object) -> list[str]:
    """`key = value`."""
    return f"{_key(key)} = {_value(value, _MAX_LINE - len(key))}".split("\n")


def _place(kind: str, key: str) -> int:
    order = _ORDER[kind]
    return order.index(key) if key in order else len(order)


def _key(key: str) -> str:
    plain = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if plain else _quoted(key)


def _value(value: object, room: int) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _block(value) if "\n" in value.strip("\n") else _quoted(value)
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{_quoted(str(key))} = {_inline(each)}' for key, each in value.items())} }}"
    if isinstance(value, list):
        line = _inline(value)
        return line if len(line) <= room else "[\n" + "".join(f"    {_inline(each)},\n" for each in value) + "]"
    return str(value)


def _inline(value: object) -> str:
    """A value on one line."""
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, list):
        return f"[{', '.join(_inline(each) for each in value)}]"
    return _value(value, _MAX_LINE)


def _quoted(text: str) -> str:
    return '"' + "".join('\\"' if char == '"' else _escaped(char) for char in text) + '"'


def _block(text: str) -> str:
    """A text of several lines between three quotes."""
    body = "\n".join("".join(map(_escaped, row)) for row in text.split("\n")).replace('"""', '""\\"')
    if body.endswith('"'):
        body = body[:-1] + '\\"'
    return f'"""\n{body}"""'


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if unicodedata.category(char) == "Cc" or unicodedata.bidirectional(char) in _TURNING:
        return f"\\u{ord(char):04X}"
    return char


#: Classes of the characters that turn the direction of a line around, so that an editor shows something else.
_TURNING = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
