"""Reads a conversation as WhatsApp exports it ("export chat"), from Android and iOS, in Portuguese and English.

    22/11/2026 09:15 - Maria: Oi                Android
    [22/11/2026, 09:15:03] Maria: Oi            iOS
    22/11/16 09:15:03: Maria: Oi                iOS before 2017
    11/22/26, 9:15 AM - Maria: Hi               month first

The export has no escaping: a line that looks like the beginning of a message is taken for one.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from whatsself_tui.errors import UsageError
from whatsself_tui.phones import parse_phone
from whatsself_tui.transport.chat_phrases import MARKS, is_group_notice, recognise

_MB = 1024 * 1024

MAX_BYTES = 100 * _MB
"""The largest file read; WhatsApp exports at most 40 000 messages, some megabytes."""

MAX_TOLD = 1000
"""How many unreadable lines are told one by one."""

_BLANK = "[ \u00a0\u202f\u2009]"
_HEADER = re.compile(
    r"(?P<bracket>\[)?"
    r"(?:(?P<year>[0-9]{4})(?P<sep1>[./-])(?P<month>[0-9]{1,2})(?P=sep1)(?P<day>[0-9]{1,2})"
    r"|(?P<first>[0-9]{1,2})(?P<sep2>[./-])(?P<second>[0-9]{1,2})(?P=sep2)(?P<last>[0-9]{4}|[0-9]{2}))"
    rf",?{_BLANK}"
    r"(?P<hour>[0-9]{1,2})[:.](?P<minute>[0-9]{2})(?:[:.](?P<seconds>[0-9]{2}))?"
    rf"(?:{_BLANK}?(?P<half>[AaPp])\.?{_BLANK}?[Mm]\.?)?"
    rf"(?(bracket)\]|(?:{_BLANK}[-–]|(?(seconds):|(?!))))(?:{_BLANK}|$)"
)

_NO_MARKS = dict.fromkeys(map(ord, MARKS))

Kind = Literal["text", "media", "deleted"]


@dataclass(frozen=True, slots=True)
class ExportedMessage:
    """A message somebody wrote."""

    line: int
    """Where it begins in the file, counted from 1."""
    at: datetime
    """As the exporting phone showed it: local time, no zone; full minutes on Android."""
    sender: str
    """As the exporting phone named them: a contact's name, or a phone number."""
    text: str
    """Several lines are parted by a line feed. The caption of a medium, empty without one and if deleted."""
    kind: Kind
    nth: int = 0
    """How many messages before it in the file have the same sender, moment and text."""


@dataclass(frozen=True, slots=True)
class UnreadableLine:
    """A line that is in no message."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Export:
    """A conversation read from a file."""

    messages: tuple[ExportedMessage, ...]
    """In the order of the file."""
    unreadable: tuple[UnreadableLine, ...]
    """The first `MAX_TOLD` of them."""
    unreadable_total: int
    participants: tuple[str, ...]
    """Senders in the order of their first message."""
    system_lines: int
    """Notices of WhatsApp: encryption, missed calls, who joined or left."""
    month_first: bool
    """How dates such as 02/03/2026 were read."""


@dataclass(slots=True)
class _Entry:
    """A header with all that follows it up to the next one."""

    line: int
    date: tuple[int, int, int]
    """As written: first, second, year; or month, day, year if `iso`."""
    iso: bool
    us_style: bool
    """12-hour clock, slashes and a short year, as phones set to the United States write."""
    clock: tuple[int, int, int]
    body: list[str]
    damaged: bool
    """Whether the header's line is not UTF-8."""


def read_export(data: bytes) -> Export:
    """Read the exported conversation in `data`; what cannot be read is told, line by line.

    Raises UsageError for what is no such text at all: too large, a zip archive, UTF-16.
    """
    _check(data)
    return _Reader().read(data)


def message_id(sender: str, at: datetime, text: str, nth: int) -> str:
    """An id of WhatsApp's form, always the same for the same message of the same file.

    `nth` tells equal messages of one sender and moment apart.
    """
    identity = json.dumps([sender, at.isoformat(), text, nth])
    return "3EB0" + hashlib.sha256(identity.encode("ascii")).hexdigest()[:18].upper()


def contact_address(sender: str) -> str:
    """`5511999990001@c.us` for a name that is a phone number, else a made-up LID, always the same for a name.

    WhatsApp shows a number that is not in the address book with its `+` and country code.
    """
    name = unicodedata.normalize("NFC", sender.strip())
    if name.startswith("+"):
        try:
            return f"{parse_phone(name)}@c.us"
        except UsageError:
            pass  # "+ amor" is a name
    digest = int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()[:16], "big")
    return f"{10**14 + digest % (9 * 10**14)}@lid"


def _check(data: bytes) -> None:
    if len(data) > MAX_BYTES:
        raise UsageError(f"The exported conversation has {len(data) // _MB} MB; {MAX_BYTES // _MB} MB are allowed.")
    if data.startswith(b"PK\x03\x04"):
        raise UsageError("This is a zip archive.", "Unpack it and give the text file in it, such as _chat.txt.")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UsageError("This text is UTF-16.", "WhatsApp exports UTF-8; save it as that.")


class _Reader:
    """Collects messages and what is wrong on one way through the file."""

    def __init__(self) -> None:
        self.messages: list[ExportedMessage] = []
        self.unreadable: list[UnreadableLine] = []
        self.unreadable_total = 0
        self.system_lines = 0
        self.seen: dict[tuple[str, datetime, str], int] = {}

    def read(self, data: bytes) -> Export:
        entries = list(self._entries(data))
        month_first = _month_first(entries)
        for entry in entries:
            self._take(entry, month_first)
            entry.body.clear()
        self.unreadable.sort(key=lambda unreadable: unreadable.line)
        return Export(
            messages=tuple(self.messages),
            unreadable=tuple(self.unreadable),
            unreadable_total=self.unreadable_total,
            participants=tuple(dict.fromkeys(message.sender for message in self.messages)),
            system_lines=self.system_lines,
            month_first=month_first,
        )

    def _entries(self, data: bytes) -> Iterator[_Entry]:
        entry: _Entry | None = None
        for number, raw in enumerate(io.BytesIO(data), 1):
            line, damaged = _decoded(raw)
            header = _HEADER.match(line.lstrip(MARKS))
            if header is not None:
                if entry is not None:
                    yield entry
                entry = _entry(number, header, damaged)
                continue
            if damaged:
                self._tell(number, "it is not UTF-8")
                line = ""
            if entry is not None:
                entry.body.append(line)
            elif line.strip(MARKS + " \t"):
                self._tell(number, "it stands before the first message")
        if entry is not None:
            yield entry

    def _take(self, entry: _Entry, month_first: bool) -> None:
        if entry.damaged:
            self._tell_entry(entry, "it is not UTF-8")
            return
        try:
            at = _moment(entry, month_first)
        except ValueError:
            self._tell_entry(entry, "it has a date or time that does not exist")
            return
        sender, colon, text = entry.body[0].partition(": ")
        if not colon or is_group_notice(sender):
            self.system_lines += 1
            return
        content, words = recognise("\n".join([text, *entry.body[1:]]))
        if content == "system":
            self.system_lines += 1
            return
        self._add(entry.line, at, _sender(sender), words, content)

    def _add(self, line: int, at: datetime, sender: str, text: str, kind: Kind) -> None:
        if not sender:
            self._tell(line, "it names no sender")
            return
        nth = self.seen.get((sender, at, text), 0)
        self.seen[sender, at, text] = nth + 1
        self.messages.append(ExportedMessage(line, at, sender, text, kind, nth))

    def _tell_entry(self, entry: _Entry, reason: str) -> None:
        self._tell(entry.line, reason)
        for number, line in enumerate(entry.body[1:], entry.line + 1):
            if line.strip():
                self._tell(number, f"it belongs to line {entry.line}, which cannot be read")

    def _tell(self, line: int, reason: str) -> None:
        self.unreadable_total += 1
        if len(self.unreadable) < MAX_TOLD:
            self.unreadable.append(UnreadableLine(line, reason))


def _decoded(raw: bytes) -> tuple[str, bool]:
    raw = raw.removesuffix(b"\n").removesuffix(b"\r")
    try:
        return raw.decode("utf-8"), False
    except UnicodeDecodeError:
        return raw.decode("utf-8", "replace"), True


def _entry(number: int, header: re.Match[str], damaged: bool) -> _Entry:
    iso = header["year"] is not None
    if iso:
        date = (int(header["month"]), int(header["day"]), int(header["year"]))
    else:
        year = int(header["last"])
        date = (int(header["first"]), int(header["second"]), year if len(header["last"]) == 4 else 2000 + year)
    half = (header["half"] or "").lower()
    hour = int(header["hour"])
    if half and hour <= 12:
        hour = hour % 12 + (12 if half == "p" else 0)
    return _Entry(
        line=number,
        date=date,
        iso=iso,
        us_style=bool(half) and header["sep2"] == "/" and len(header["last"]) == 2,
        clock=(hour, int(header["minute"]), int(header["seconds"] or 0)),
        body=[header.string[header.end() :]],
        damaged=damaged,
    )


def _month_first(entries: Iterable[_Entry]) -> bool:
    """Whether the file's dates begin with the month.

    The order that leaves fewer impossible dates; of equals, the one in which the conversation goes
    back in time less often; of equals, day first unless the dates are in the style of the United States.
    """
    dates = [entry for entry in entries if not entry.iso]
    impossible = sum((entry.date[0] > 12) - (entry.date[1] > 12) for entry in dates)
    if impossible:
        return impossible < 0
    back = 0
    for before, after in itertools.pairwise(dates):
        back += _sortable(before, True) > _sortable(after, True)
        back -= _sortable(before, False) > _sortable(after, False)
    if back:
        return back < 0
    return bool(dates) and dates[0].us_style


def _sortable(entry: _Entry, month_first: bool) -> tuple[int, int, int]:
    first, second, year = entry.date
    return (year, first, second) if month_first else (year, second, first)


def _moment(entry: _Entry, month_first: bool) -> datetime:
    """Raises ValueError for a date or time that does not exist."""
    year, month, day = _sortable(entry, month_first or entry.iso)
    return datetime(year, month, day, *entry.clock)


def _sender(name: str) -> str:
    """Without direction marks and the `~` before names people gave themselves."""
    plain = name.translate(_NO_MARKS).strip()
    return plain.removeprefix("~").strip() or plain
