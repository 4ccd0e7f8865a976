"""TOML text with a memory of its lines: what a file says, and on which line it says it.

`tomllib` gives the values but no positions, so a small scanner walks the same text again and notes
where every key and every array element stands. It trusts `tomllib` to have refused anything malformed.
"""

from __future__ import annotations

import bisect
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from whatsself_tui.errors import ConfigError, Problem

Path = tuple[str | int, ...]
"""Keys and array indices (from 0) from the root of a document to a value."""

#: Files are written by people; a larger one is a mistake, and would hold the robot up while it is read.
MAX_BYTES = 1_000_000

_INTEGER_END = 2**63


@dataclass(frozen=True, slots=True)
class Document:
    """One parsed file."""

    data: dict[str, object]
    lines: Mapping[Path, int]
    """Line (from 1) of every table header, key and array element."""

    def line_of(self, path: Path) -> int | None:
        """The line of `path`, or of its nearest ancestor that is in the file; None for the root."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)


def parse(content: bytes, file: str) -> Document:
    """The document in `content`: UTF-8, with or without a byte order mark, any line ends.

    Raises ConfigError with problems naming the line: no TOML, no UTF-8, larger than MAX_BYTES, or whole
    numbers of more than 64 bits (TOML requires no more, and Python would not even print them).
    """
    if len(content) > MAX_BYTES:
        raise ConfigError([Problem(file, None, "", f"the file is larger than {MAX_BYTES} bytes")])
    text = _decode(content, file)
    try:
        data: dict[str, object] = tomllib.loads(text)
        lines = _Scanner(text).scan()
    except RecursionError:
        raise ConfigError([Problem(file, None, "", "arrays or tables are nested too deeply")]) from None
    except ValueError as error:
        raise ConfigError([_syntax_problem(str(error), text, file)]) from None
    document = Document(data, lines)
    if huge := tuple(_huge_numbers(data, ())):
        message = "the number is too large for any setting"
        raise ConfigError([Problem(file, document.line_of(path), dotted(path), message) for path in huge])
    return document


def dotted(path: Path) -> str:
    """`limits.per_minute`, `consent.opt_out[2]`; indices count from 0, odd keys are quoted."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            name = part if _BARE_KEY.fullmatch(part) else json.dumps(part, ensure_ascii=False)
            text += f".{name}" if text else name
    return text


def _huge_numbers(value: object, path: Path) -> Iterator[Path]:
    if isinstance(value, int) and not -_INTEGER_END <= value < _INTEGER_END:
        yield path
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _huge_numbers(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _huge_numbers(inner, (*path, index))


def _decode(content: bytes, file: str) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        line = error.object.count(b"\n", 0, error.start) + 1
        message = f"byte 0x{byte:02X} is not UTF-8 text; save the file in the encoding UTF-8"
        raise ConfigError([Problem(file, line, "", message)]) from None
    return text.replace("\r\n", "\n")


_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")

#: What tomllib says, and what that means to somebody who edits settings; the first that fits is taken.
_PLAIN_WORDS = (
    ("Invalid value", 'not a TOML value; a text stands in "quotes", yes and no are true and false'),
    ("Cannot overwrite a value", "this key is already set further up"),
    ("Cannot declare", "this table is already there further up"),
    ("Cannot mutate immutable namespace", "this table is already there further up"),
    ("Illegal character '\\n'", "the text is not closed with a quote on its line"),
    ("Expected '=' after a key", "expected a key, an equals sign and a value"),
    ("Unclosed array", "a comma or the closing ] is missing before this"),
    ("Unclosed inline table", "a comma or the closing } is missing before this, and it has to stand on one line"),
    ("Expected newline or end of document", "something follows the value; a text stands in one pair of quotes"),
    ("Exceeds the limit", "a number has too many digits"),
)


def _syntax_problem(said: str, text: str, file: str) -> Problem:
    place = _PLACE.search(said)
    reason = said[: place.start()] if place else said
    message = next((plain for start, plain in _PLAIN_WORDS if reason.startswith(start)), reason)
    if place is None:
        return Problem(file, None, "", message)
    if place[1] is not None:
        return Problem(file, int(place[1]), "", f"{message} (column {place[2]})")
    try:
        _Scanner(text).scan()
    except _Unclosed as unclosed:
        return Problem(file, unclosed.line, "", f"what begins here with {unclosed.opening} is never closed")
    return Problem(file, text.count("\n") + 1, "", message)


class _Unclosed(ValueError):
    """The text ends inside a string, an array or an inline table."""

    def __init__(self, line: int, opening: str) -> None:
        super().__init__(f"{opening} opened on line {line} is not closed")
        self.line = line
        self.opening = opening


_BLANK = re.compile(r"[ \t]*")
_GAP = re.compile(r"(?:[ \t\n]+|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\n]*")
#: Up to two quotes may stand directly before the closing three.
_STRINGS = (
    ('"""', re.compile(r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})', re.DOTALL)),
    ("'''", re.compile(r"'''.*?'''(?:'{0,2})", re.DOTALL)),
    ('"', re.compile(r'"(?:[^"\\\n]|\\.)*"')),
    ("'", re.compile(r"'[^'\n]*'")),
)


class _Scanner:
    """Notes the line of every path in a text that `tomllib` accepts."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line_ends = [match.start() for match in re.finditer("\n", text)]
        self.lines: dict[Path, int] = {}
        self.array_lengths: dict[Path, int] = {}

    def scan(self) -> dict[Path, int]:
        """All paths with their lines; raises _Unclosed."""
        table: Path = ()
        while self._skip(_GAP) < len(self.text):
            if self.text.startswith("[[", self.at):
                table = self._header(2)
            elif self.text[self.at] == "[":
                table = self._header(1)
            else:
                self._pair(table)
        return self.lines

    def _header(self, brackets: int) -> Path:
        line = self._line(self.at)
        self.at += brackets
        keys = list(self._keys())
        self.at += brackets
        path: Path = ()
        for key in keys[:-1]:
            path = self._inside((*path, key), line)
        path = (*path, keys[-1])
        if brackets == 2:
            self.lines.setdefault(path, line)
            index = self.array_lengths.get(path, 0)
            self.array_lengths[path] = index + 1
            path = (*path, index)
        self.lines[path] = line
        return path

    def _inside(self, path: Path, line: int) -> Path:
        """The table a header's leading key means: of an array of tables, its last one."""
        self.lines.setdefault(path, line)
        length = self.array_lengths.get(path)
        return path if length is None else (*path, length - 1)

    def _pair(self, table: Path) -> None:
        line = self._line(self.at)
        path = table
        for key in self._keys():
            path = (*path, key)
            self.lines.setdefault(path, line)
        self.at += 1  # the equals sign
        self._skip(_BLANK)
        self._value(path)

    def _keys(self) -> Iterator[str]:
        """The parts of a dotted key; stops at what follows the key."""
        while True:
            self._skip(_BLANK)
            start = self.at
            if self.text.startswith(('"', "'"), start):
                self._string()
                yield _unquoted(self.text[start : self.at])
            else:
                self._skip(_BARE_KEY)
                yield self.text[start : self.at]
            self._skip(_BLANK)
            if not self.text.startswith(".", self.at):
                return
            self.at += 1

    def _value(self, path: Path) -> None:
        opening = self.text[self.at : self.at + 1]
        if opening in ('"', "'"):
            self._string()
        elif opening == "[":
            for index in self._items("]"):
                self.lines[(*path, index)] = self._line(self.at)
                self._value((*path, index))
        elif opening == "{":
            for _ in self._items("}"):
                self._pair(path)
        else:
            self._skip(_SCALAR)

    def _items(self, closing: str) -> Iterator[int]:
        """Stops at the start of each element up to `closing`; the consumer moves past the element."""
        start, index = self.at, 0
        self.at += 1
        while self._skip(_GAP) < len(self.text) and self.text[self.at] != closing:
            yield index
            index += 1
            if self._skip(_GAP) < len(self.text) and self.text[self.at] == ",":
                self.at += 1
        if self.at >= len(self.text):
            raise _Unclosed(self._line(start), self.text[start])
        self.at += 1

    def _string(self) -> None:
        start = self.at
        for quote, pattern in _STRINGS:
            if self.text.startswith(quote, start):
                if self._skip(pattern) == start:
                    raise _Unclosed(self._line(start), quote)
                return

    def _skip(self, pattern: re.Pattern[str]) -> int:
        """Move past `pattern`, if it is here; the new position."""
        if match := pattern.match(self.text, self.at):
            self.at = match.end()
        return self.at

    def _line(self, position: int) -> int:
        return bisect.bisect_left(self.line_ends, position) + 1


def _unquoted(key: str) -> str:
    """The key a quoted key stands for."""
    if "\\" not in key or key[0] == "'":
        return key[1:-1]
    return str(tomllib.loads(f"key = {key}")["key"])
