"""Changes in the text of `automation.toml`: what stays the same keeps its lines and its comments."""

from __future__ import annotations

import re
import tomllib
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from whatsself_tui.automation.keys import TABLES
from whatsself_tui.config.files import AUTOMATION_FILE
from whatsself_tui.config.toml_text import parse
from whatsself_tui.config.toml_writing import pair_lines, table_lines

Entry = Mapping[str, object]

_BOM = "\ufeff"
_TRIVIA = re.compile(r"[ \t]*(#.*)?")
_HEADER = re.compile(rf"[ \t]*\[\[[ \t]*(?P<kind>{'|'.join(TABLES)}|flow[ \t]*\.[ \t]*step)[ \t]*\]\][ \t]*(#.*)?")
_MAY_END = ('"""', "'''", "]", "}")
"""What is on the last line of every value that runs over several."""


class _OtherShape(ValueError):
    """The file is written in a way that is not edited piece by piece."""


@dataclass(slots=True)
class _Piece:
    """Lines that belong together: `key = value`, or one comment or blank line."""

    lines: list[str]
    key: str = ""


@dataclass(slots=True)
class _Part:
    """A `[[table]]` of the file."""

    kind: str
    lead: list[str]
    """Comments and blank lines above it."""
    header: str
    pieces: list[_Piece] = field(default_factory=list)
    steps: list[_Part] = field(default_factory=list)
    """Of a flow."""


def edit(content: bytes, after: Mapping[str, Sequence[Entry]]) -> tuple[bytes, bool]:
    """(the content of a valid file that says `after`, whether its comments inside of tables were kept).

    `after` is valid, too; entries and steps are recognised by their names. Comments within a table or a
    value that goes are gone; those above it stay. Raises ConfigError if the result is too large.
    """
    text = content.decode("utf-8-sig")
    ends = "\r\n" if "\r\n" in text else "\n"
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    before = cast("Mapping[str, Sequence[Entry]]", parse(content, AUTOMATION_FILE).data)
    mark = _BOM if content.startswith(_BOM.encode()) else ""
    try:
        edited = _encoded([*_edited(lines, before, after)], mark, ends)
        if _entries(parse(edited, AUTOMATION_FILE).data) == _entries(after):
            return edited, True
    except _OtherShape:
        pass  # for example all templates in one inline array
    return _encoded([*_rewritten(lines, after)], mark, ends), False


def _entries(data: Mapping[str, object]) -> dict[str, object]:
    return {kind: list(cast("Sequence[Entry]", data[kind])) for kind in TABLES if data.get(kind)}


def _encoded(lines: list[str], mark: str, ends: str) -> bytes:
    while lines and not lines[0]:
        del lines[0]
    return (mark + ends.join("\n".join([*lines, ""]).split("\n"))).encode()


def _rewritten(lines: list[str], after: Mapping[str, Sequence[Entry]]) -> Iterator[str]:
    """The file anew, below the comments it begins with."""
    for line in lines:
        if not _TRIVIA.fullmatch(line):
            break
        yield line
    for kind in TABLES:
        for entry in after.get(kind, ()):
            yield from ["", *table_lines(kind, entry)]


def _edited(
    lines: list[str], before: Mapping[str, Sequence[Entry]], after: Mapping[str, Sequence[Entry]]
) -> Iterator[str]:
    """Each kind's entries in their new order, in the places where entries of that kind stand."""
    parts, tail = _parts(lines)
    known = _by_name(parts, before)
    wanted = {kind: deque(after.get(kind, ())) for kind in TABLES}
    staying = {kind: {str(entry["name"]) for entry in after.get(kind, ())} for kind in TABLES}
    names = {id(part): name for (_, name), (part, _) in known.items()}
    parts, tail = _kept(parts, [names[id(part)] in staying[part.kind] for part in parts], tail)
    if parts:
        head = max((at for at, line in enumerate(parts[0].lead) if not line.strip()), default=0)
        yield from parts[0].lead[:head]  # about the file, not about its first table
        parts[0].lead = parts[0].lead[head:]
    last = {part.kind: part for part in parts}
    for slot in parts:
        queue, stays = wanted[slot.kind], False
        while queue and (not stays or slot is last[slot.kind]):
            entry = queue.popleft()
            stays = (slot.kind, str(entry["name"])) in known
            yield from _entry(slot.kind, entry, known)
    for kind, queue in wanted.items():
        for entry in queue:
            yield from _entry(kind, entry, known)
    yield from tail


def _by_name(parts: list[_Part], before: Mapping[str, Sequence[Entry]]) -> dict[tuple[str, str], tuple[_Part, Entry]]:
    """(kind, name) → where it stands in the text, and what it says there."""
    found: dict[tuple[str, str], tuple[_Part, Entry]] = {}
    for kind in {part.kind for part in parts} | {kind for kind in TABLES if before.get(kind)}:
        of_kind = [part for part in parts if part.kind == kind]
        if len(of_kind) != len(before.get(kind, ())):
            raise _OtherShape
        for part, entry in zip(of_kind, before[kind], strict=True):
            found[kind, str(entry["name"])] = part, entry
    return found


def _entry(kind: str, entry: Entry, known: Mapping[tuple[str, str], tuple[_Part, Entry]]) -> Iterator[str]:
    standing = known.get((kind, str(entry["name"])))
    if standing is None:
        yield from ["", *table_lines(kind, entry)]
    else:
        yield from _updated(*standing, entry)


def _updated(part: _Part, before: Entry, after: Entry) -> Iterator[str]:
    """The lines of a table that says `before` and is to say `after`."""
    yield from part.lead
    yield part.header
    for piece in part.pieces:
        if not piece.key or (piece.key in after and before[piece.key] == after[piece.key]):
            yield from piece.lines
        elif piece.key in after:
            yield from pair_lines(piece.key, after[piece.key])
    apart = {"step"} if part.steps else set()
    for key in after:
        if key not in before and key not in apart:
            yield from pair_lines(key, after[key])
    if part.steps:
        yield from _steps(part, cast("Sequence[Entry]", before["step"]), cast("Sequence[Entry]", after["step"]))


def _steps(part: _Part, before: Sequence[Entry], after: Sequence[Entry]) -> Iterator[str]:
    staying = {str(step["name"]) for step in after}
    names = [str(step["name"]) for step in before]
    _, rest = _kept(part.steps, [name in staying for name in names], [])
    known = {("step", name): each for name, each in zip(names, zip(part.steps, before, strict=True), strict=True)}
    for step in after:
        yield from _entry("step", step, known)
    yield from rest


def _kept(parts: list[_Part], stays: list[bool], tail: list[str]) -> tuple[list[_Part], list[str]]:
    """The parts that stay, and the tail; comments above one that goes are above the next one then."""
    kept: list[_Part] = []
    carried: list[str] = []
    for part, staying in zip(parts, stays, strict=True):
        part.lead = [*carried, *part.lead]
        carried = [] if staying else part.lead
        if staying:
            kept.append(part)
    while carried and not carried[-1].strip():
        carried.pop()
    return kept, [*carried, *tail]


def _parts(lines: list[str]) -> tuple[list[_Part], list[str]]:
    """The tables of the file, steps inside of their flows, and the comments below the last one."""
    parts: list[_Part] = []
    loose: list[str] = []
    part: _Part | None = None
    for piece in _pieces(lines):
        header = _HEADER.fullmatch(piece.lines[0])
        if header:
            step = "step" in header["kind"]
            part = _Part("step" if step else header["kind"], loose, piece.lines[0])
            loose = []
            if not step:
                parts.append(part)
            elif parts and parts[-1].kind == "flow":
                parts[-1].steps.append(part)
            else:
                raise _OtherShape
        elif not piece.key:
            loose += piece.lines
        elif part is None or any(piece.key == other.key for other in part.pieces):
            raise _OtherShape
        else:
            part.pieces += [_Piece([line]) for line in loose]
            part.pieces.append(piece)
            loose = []
    return parts, loose


def _pieces(lines: list[str]) -> Iterator[_Piece]:
    at = 0
    while at < len(lines):
        if _TRIVIA.fullmatch(lines[at]) or _HEADER.fullmatch(lines[at]):
            yield _Piece([lines[at]])
            at += 1
        else:
            piece = _pair(lines, at)
            yield piece
            at += len(piece.lines)


def _pair(lines: list[str], start: int) -> _Piece:
    """The `key = value` that begins on a line."""
    for end in range(start, len(lines)):
        if end > start and not any(mark in lines[end] for mark in _MAY_END):
            continue
        try:
            data = tomllib.loads("\n".join(lines[start : end + 1]))
        except tomllib.TOMLDecodeError:
            continue
        if len(data) != 1 or lines[start].lstrip().startswith("["):
            break  # another header than those above
        return _Piece(lines[start : end + 1], next(iter(data)))
    raise _OtherShape
