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
from whatsself_tui.store.outbox import State
from whatsself_tui.transport.simulator import received_lines


def lines(path: Path) -> list[dict[str, Any]]:
    """The JSON objects in a file, one a line; none if there is no file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def delivery_faults(folder: Path, expected: Sequence[str]) -> list[str]:
    """What was lost, came twice, or nobody wanted: told by the phone's log and the clients' notes alone."""
    arrived = Counter(entry["text"] for entry in received_lines(folder / "simulator" / "received.jsonl"))
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
    by_lane: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    with closing(sqlite3.connect(folder / "whatsself.db")) as connection:
        rows = connection.execute("SELECT wa_id, contact_id, class, due_at, id FROM outbox")
        queued = {wa_id: ((contact, number), (due_at, id_)) for wa_id, contact, number, due_at, id_ in rows}
    for entry in received_lines(folder / "simulator" / "received.jsonl"):
        lane, place = queued[entry["id"]]
        by_lane[lane].append(place)
    return [f"order in lane {lane}: {places}" for lane, places in by_lane.items() if places != sorted(places)]


def limit_faults(folder: Path, limits: Limits) -> list[str]:
    """Windows that held too much, by the times at which messages were handed to the phone.

    A message is handed over at the moment of its claim; each attempt counts, also a refused one.
    """
    handed = lines(folder / "handed.jsonl")
    fullest = most_in_any_window([entry["at_ms"] for entry in handed], MINUTE_MS)
    faults = [] if fullest <= limits.per_minute else [f"{fullest} in one minute"]
    with closing(sqlite3.connect(folder / "whatsself.db")) as connection:
        quotas = dict(connection.execute("SELECT wa_id, quota FROM outbox").fetchall())
    admits = {Quota.CONTACT: limits.per_contact, Quota.REPLY: limits.per_contact_reply}
    for entry in handed:
        quota = quotas[entry["id"]]
        in_window = sum(
            other["chat"] == entry["chat"] and 0 <= entry["at_ms"] - other["at_ms"] < limits.contact_window_ms
            for other in handed
        )
        if quota in admits and in_window > admits[quota]:
            faults.append(f"{in_window} to {entry['chat']} in one window at {entry['text']}")
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
            made = connection.execute("PRAGMA user_version").fetchone()[0] > 0
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
