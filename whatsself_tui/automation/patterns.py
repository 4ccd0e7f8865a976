"""Regular expressions in linear time: whatever a contact writes, a pattern cannot hang the robot.

The engine is RE2, which has no backtracking. `\\d`, `\\w` and `\\b` know ASCII only; `\\p{L}` is any letter.
"""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache
from typing import Protocol, cast

import re2

from whatsself_tui.text import storable

MAX_PATTERN = 1_000
"""Characters of one pattern."""

_MEMORY_BYTES = 1 << 20
"""What one pattern may take; more than that is compiled from nested repetitions only."""

_UNION_MEMORY_BYTES = 8 << 20

_QUOTE = r"\Q"
"""Begins a quotation that may run to the end of the pattern, and would run on into the next one."""

_LOOKS = ("(?=", "(?!", "(?<=", "(?<!")
_NEEDS_BACKTRACKING = "that needs an engine which tries again and again, and one message could hang the robot with it"


class _Engine(Protocol):
    def search(self, text: bytes) -> object | None: ...

    def fullmatch(self, text: bytes) -> object | None: ...


class Pattern:
    """A compiled pattern; letters match in either case."""

    def __init__(self, source: str) -> None:
        """Raises ValueError with the reason if `source` is no pattern."""
        if not source:
            raise ValueError("the pattern is empty")
        if len(source) > MAX_PATTERN:
            raise ValueError(f"the pattern has {len(source)} characters; at most {MAX_PATTERN} are allowed")
        self.source = source
        self._engine = _compiled(source, _MEMORY_BYTES)

    def found_in(self, encoded: bytes) -> bool:
        """Whether it matches somewhere in the text `encoded`, as `encode` gives it."""
        return self._engine.search(encoded) is not None

    def is_all_of(self, text: str) -> bool:
        """Whether it matches the whole `text`."""
        return self._engine.fullmatch(encode(text)) is not None


class Union:
    """Whether any of many patterns is found, at the price of one."""

    def __init__(self, patterns: list[Pattern]) -> None:
        self._engine: _Engine | None = None
        if not any(_QUOTE in pattern.source for pattern in patterns):
            # Together they may be too large, even though each by itself is not.
            with suppress(ValueError):
                source = "|".join(f"(?:{pattern.source})" for pattern in patterns)
                self._engine = _compiled(source, _UNION_MEMORY_BYTES)

    def may_be_in(self, encoded: bytes) -> bool:
        """False only if none of the patterns is found in `encoded`."""
        return self._engine is None or self._engine.search(encoded) is not None


def encode(text: str) -> bytes:
    """`text` as the engine reads it; lone surrogates have no UTF-8 and become U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return storable(text).encode()


@lru_cache(maxsize=512)
def pattern(source: str) -> Pattern:
    """The compiled pattern of a text from the operator's file; raises ValueError as `Pattern` does."""
    return Pattern(source)


def _compiled(source: str, memory_bytes: int) -> _Engine:
    options = re2.Options()
    options.case_sensitive = False
    options.never_capture = True
    options.log_errors = False
    options.max_mem = memory_bytes
    try:
        return cast("_Engine", re2.compile(encode(source), options))
    except re2.error as error:
        said = error.args[0]
        raise ValueError(_reason(source, said.decode() if isinstance(said, bytes) else str(said))) from None


def _reason(source: str, said: str) -> str:
    """Why the engine refuses `source`, for somebody who knows patterns from elsewhere."""
    what, _, part = said.partition(": ")
    if part in _LOOKS:
        return f"looking ahead or behind, {part}…), is not possible: {_NEEDS_BACKTRACKING}"
    if (what == "invalid escape sequence" and re.fullmatch(r"\\[1-9k]", part)) or "(?P=" in source:
        return f"a back-reference is not possible: {_NEEDS_BACKTRACKING}"
    if part.startswith("(?>") or re.fullmatch(r"[*+?}]\+", part):
        return f"atomic groups and possessive repetitions are not possible: {_NEEDS_BACKTRACKING}"
    if what == "invalid repetition size":
        return f"the repetition {part} is not possible; at most {{1000}}, the smaller number first"
    if what.startswith("pattern too large"):
        return "the pattern is too large; its repetitions multiply"
    return f"it is no pattern: {said}"
