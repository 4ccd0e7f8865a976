"""The judgement after a crash: from the receiving side's log first, then from inside the database."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from support.queue_world import MINUTE_MS, lane_faults, most_in_any_window

from whatsself_tui.delivery.limits import Limits, Quota
from whatsself_tui.store import migrate
from whatsself_tui.store.outbox import State
from whatsself_tui.transport.simulator import received_lines


def lines(path: Path) -> list[dict[str, Any]]:
    """The JSON objects in a file, one a line; none if there is no file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def arrivals(folder: Path) -> Counter[str]:
    """How often each text has arrived."""
    return Counter(entry["text"] for entry in received_lines(folder / "simulator" / "received.jsonl"))


def delivery_faults(folder: Path, expected: Sequence[str]) -> list[str]:
    """What was lost, came twice, or nobody wanted: told by the phone's log and the clients' notes alone."""
    arrived = arrivals(folder)
    faults = [f"lost: {text}" for text in expected if not arrived[text]]
    faults += [f"came {times} times: {text}" for text, times in arrived.items() if times > 1]
    faults += [f"nobody wanted: {text}" for text in arrived if text not in expected]
    told: set[str] = set()
    for note in lines(folder / "acknowledged.jsonl"):
        if note["is_new"] and note["key"] in told:
            faults.append(f"acknowledged, then forgotten: {note['key']}")
        told.add(note["key"])
    return faults


def order_faults(folder: Path) -> list[str]:
    """Where messages of one contact and priority arrived in another order than they were queued in."""
    arrived: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    faults = []
    with closing(sqlite3.connect(folder / "whatsself.db")) as connection:
        rows = connection.execute("SELECT wa_id, contact_id, class, due_at, id FROM outbox")
        queued = {wa_id: ((contact, number), (due_at, id_)) for wa_id, contact, number, due_at, id_ in rows}
    for entry in received_lines(folder / "simulator" / "received.jsonl"):
        if entry["id"] in queued:
            lane, place = queued[entry["id"]]
            arrived[lane].append(place)
        else:
            faults.append(f"sent under an id nobody remembers: {entry['text']}")
    return faults + [f"order in {lane}: {places}" for lane, places in arrived.items() if places != sorted(places)]


@dataclass(frozen=True, slots=True)
class Attempt:
    """A message was claimed to be sent."""

    at_ms: int
    contact: object
    quota: int
    what: str


def handed_over(folder: Path) -> list[Attempt]:
    """What the phone was asked to send, also what it refused: at the very moment of each claim."""
    with closing(sqlite3.connect(folder / "whatsself.db")) as connection:
        quotas = dict(connection.execute("SELECT wa_id, quota FROM outbox").fetchall())
    return [
        Attempt(entry["at_ms"], entry["chat"], quotas.get(entry["id"], Quota.CONTACT), entry["text"])
        for entry in lines(folder / "handed.jsonl")
    ]


def claimed(folder: Path) -> list[Attempt]:
    """The last claim of each message."""
    with closing(sqlite3.connect(folder / "whatsself.db")) as connection:
        rows = connection.execute("SELECT claimed_at, contact_id, quota, body FROM outbox WHERE claimed_at IS NOT NULL")
        return [Attempt(*row) for row in rows]


def limit_faults(attempts: Sequence[Attempt], limits: Limits) -> list[str]:
    """Windows that held too much."""
    fullest = most_in_any_window([attempt.at_ms for attempt in attempts], MINUTE_MS)
    faults = [] if fullest <= limits.per_minute else [f"{fullest} in one minute"]
    admits = {Quota.CONTACT: limits.per_contact, Quota.REPLY: limits.per_contact_reply}
    by_contact: dict[object, list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        by_contact[attempt.contact].append(attempt)
    for attempt in attempts:
        since = attempt.at_ms - limits.contact_window_ms
        in_window = sum(since < other.at_ms <= attempt.at_ms for other in by_contact[attempt.contact])
        if attempt.quota in admits and in_window > admits[Quota(attempt.quota)]:
            faults.append(f"{in_window} to {attempt.contact} in one window, with: {attempt.what}")
    return faults


@dataclass(frozen=True, slots=True)
class Remains:
    """What a death left on the disk."""

    faults: tuple[str, ...]
    """What is wrong inside the database: lanes, windows, flags, counts, SQLite's own check."""
    fingerprint: str
    """The same for two deaths that left the same rows, notes and received messages."""


def remains(folder: Path, limits: Limits, now_ms: int) -> Remains:
    """Look at what is there and leave it as it is: opening the database itself would already recover it."""
    copy = folder.with_name(f"{folder.name}.look")
    copy.mkdir()
    try:
        for name in ("whatsself.db", "whatsself.db-wal"):
            if (folder / name).exists():
                shutil.copyfile(folder / name, copy / name)
        with closing(sqlite3.connect(copy / "whatsself.db")) as connection:
            made = connection.execute("PRAGMA user_version").fetchone()[0] == max(migrate.scripts())
            faults = lane_faults(connection, limits, now_ms) if made else []
            digest = sha256("\n".join(connection.iterdump()).encode())
    finally:
        shutil.rmtree(copy)
    for path in (folder / "simulator" / "received.jsonl", *sorted(folder.glob("*.jsonl"))):
        digest.update(path.read_bytes() if path.exists() else b"")
    return Remains(tuple(faults), digest.hexdigest())


def unfinished(folder: Path) -> list[str]:
    """Messages that are in no final good state."""
    with closing(sqlite3.connect(folder / "whatsself.db")) as connection:
        rows = connection.execute("SELECT body, state FROM outbox WHERE state <> 2").fetchall()
        pending = connection.execute("SELECT body FROM inbox WHERE state <> 1").fetchall()
    return [f"{body} is {State(state).name}" for body, state in rows] + [f"not handled: {body}" for (body,) in pending]
