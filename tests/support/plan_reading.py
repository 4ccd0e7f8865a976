"""What SQLite was asked, and how it would look for the answer: statements traced from outside, plans read."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import aiosqlite

from whatsself_tui.store import worker

#: Tables that grow with what people write, send or do.
GROWING = frozenset(
    {
        "alert",
        "attempt",
        "breaker_transition",
        "chat_cursor",
        "command",
        "config_change",
        "contact",
        "contact_alias",
        "inbox",
        "lane",
        "outbox",
        "outcome",
        "scheduled",
        "send_log",
        "spent_id",
        "stat_day",
        "stat_hour",
        "trigger_fired",
    }
)

_LITERAL = re.compile(r"'(?:[^']|'')*'|\b\d+(?:\.\d+)?\b")
_SOURCE = re.compile(r"\b(?:FROM|JOIN|UPDATE|INTO|,)\s+(\w+)(?:\s+AS\s+(\w+))?", re.IGNORECASE)
_SCAN = re.compile(r"SCAN (?!CONSTANT|\d+ CONSTANT|\()(\w+)")


@dataclass(frozen=True, slots=True)
class Offence:
    """A step of a plan that passes a whole growing table, or sorts what it found."""

    statement: str
    """With `?` for every literal."""
    step: str
    """In the words of `EXPLAIN QUERY PLAN`."""


class Trace:
    """The distinct statements of all connections opened under it, each with values it was run with."""

    def __init__(self) -> None:
        self.statements: dict[str, str] = {}

    def note(self, statement: str) -> None:
        """A statement has begun; called in the connection's thread."""
        if statement.split(None, 1)[0].upper() in ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH"):
            self.statements.setdefault(" ".join(_LITERAL.sub("?", statement).split()), statement)


@contextmanager
def traced() -> Iterator[Trace]:
    """Trace the writer and the reader of every store opened inside."""
    trace = Trace()
    with (
        patch.object(worker, "open_writer", _watched(worker.open_writer, trace)),
        patch.object(worker, "open_reader", _watched(worker.open_reader, trace)),
    ):
        yield trace


def _watched(
    opener: Callable[[Path], Awaitable[aiosqlite.Connection]], trace: Trace
) -> Callable[[Path], Awaitable[aiosqlite.Connection]]:
    async def opened(path: Path) -> aiosqlite.Connection:
        connection = await opener(path)
        await worker.run(connection, lambda raw: raw.set_trace_callback(trace.note))
        return connection

    return opened


def offences(connection: sqlite3.Connection, template: str, statement: str) -> list[Offence]:
    """Every step of the statement's plan that costs more with every row of a growing table."""
    sources = {alias or table: table for table, alias in _SOURCE.findall(statement)}
    found = []
    for *_, step in connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall():
        scan = _SCAN.match(step)
        grows = scan is not None and sources.get(scan[1], scan[1]) in GROWING
        if grows or "TEMP B-TREE" in step:
            found.append(Offence(template, step))
    return found
