"""A store on a real file with a clock in the test's hand, and a naive model of its lanes."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from support.fake_clock import FakeClock

from whatsself_tui.delivery.limits import MINUTE_MS, NEVER, Limits
from whatsself_tui.store import claims, contacts, inbox, lanes, outbox
from whatsself_tui.store.claims import Claim
from whatsself_tui.store.database import Store, Tx

NOON = 1_795_348_800_000
"""22 November 2026, 12:00 UTC."""


def chat(number: int) -> str:
    """Address of a simulated person."""
    return f"55119{number:08d}@c.us"


class QueueWorld:
    """Shorthand for what tests do to a queue."""

    def __init__(self, store: Store, clock: FakeClock, limits: Limits) -> None:
        self.store = store
        self.clock = clock
        self.limits = limits

    async def enqueue(self, person: int, message: outbox.Outgoing) -> outbox.Queued:
        """Queue a message."""
        return await self.store.write(lambda tx: outbox.enqueue(tx, contacts.at_address(tx, chat(person)), message))

    async def say(self, person: int, body: str, priority: int = 5) -> int:
        """Queue a plain message; its row id."""
        return (await self.enqueue(person, outbox.Outgoing(body, priority=priority))).id

    async def step(self) -> claims.Step:
        """One look of a connected dispatcher."""
        return await self.store.write(lambda tx: claims.step(tx, self.limits, True))

    async def send_next(self) -> Claim | None:
        """Claim what may go now and let it succeed."""
        claim = (await self.step()).claim
        if claim:
            await self.store.write(lambda tx: claims.sent(tx, claim))
        return claim

    async def conclude(self, claim: Claim, outcome: str) -> None:
        """Report `sent`, `retry`, `failed`, `not on whatsapp`, `unconfirmed` or `never_left`; else nothing."""

        def job(tx: Tx) -> None:
            if outcome == "sent":
                claims.sent(tx, claim)
            elif outcome == "retry":
                claims.retry(tx, claim, "network", 5_000, counts=True)
            elif outcome == "failed":
                claims.failed(tx, claim, "blocked", counts=True)
            elif outcome == "not on whatsapp":
                claims.failed(tx, claim, "number not on WhatsApp", counts=False)
            elif outcome == "unconfirmed":
                claims.unconfirmed(tx, claim, "nobody knows")
            elif outcome == "never_left":
                claims.never_left(tx, claim)

        await self.store.write(job)

    async def hear(self, person: int, wa_id: str, body: str = "oi") -> int | None:
        """Somebody writes; their contact's row id, None for a known message."""
        return await self.store.write(
            lambda tx: inbox.record(
                tx, wa_id=wa_id, chat=chat(person), name="", body=body, kind="text", written_at_ms=tx.now_ms
            )
        )

    async def set_limits(self, limits: Limits) -> None:
        """Other limits from now on."""
        self.limits = limits
        await self.store.write(lambda tx: lanes.apply_limits(tx, limits))

    async def faults(self) -> list[str]:
        """Where the store contradicts itself now."""
        return await self.store.read(partial(lane_faults, limits=self.limits, now_ms=self.clock.now_ms()))

    async def send_all_due(self) -> list[str]:
        """Bodies of everything that may go now, in order."""
        bodies = []
        while claim := await self.send_next():
            bodies.append(claim.body)
        return bodies

    async def drain(self, most: int = 10_000) -> list[tuple[int, Claim]]:
        """Send everything, letting the time pass that it needs; (time, claim) in order."""
        sent = []
        for _ in range(most):
            step = await self.step()
            if step.claim:
                sent.append((self.clock.now_ms(), step.claim))
                await self.conclude(step.claim, "sent")
            elif step.wake_at_ms is None:
                return sent
            else:
                await self.clock.advance(max(0.001, (step.wake_at_ms - self.clock.now_ms()) / 1000))
        raise AssertionError("the queue does not drain")


@asynccontextmanager
async def queue_world(folder: Path, limits: Limits | None = None, now_ms: int = NOON) -> AsyncIterator[QueueWorld]:
    """A new or existing store in `folder`."""
    clock = FakeClock(now_ms)
    store = await Store.open(folder / "whatsself.db", clock, ZoneInfo("America/Sao_Paulo"))
    try:
        yield QueueWorld(store, clock, limits or Limits())
    finally:
        await store.close()


def lane_faults(con: sqlite3.Connection, limits: Limits, now_ms: int) -> list[str]:
    """Where lanes, windows, counts and flags differ from what the messages and the log imply."""
    faults = [] if con.execute("PRAGMA integrity_check").fetchone()[0] == "ok" else ["integrity"]
    people = {
        row[0]: row
        for row in con.execute(
            "SELECT id, free_at, reply_free_at, hold_until, inflight,"
            " last_inbound_at IS NULL AND approached_at IS NULL FROM contact"
        )
    }
    sends: dict[int, list[int]] = {}
    for contact_id, ts in con.execute("SELECT contact_id, ts FROM send_log ORDER BY ts DESC"):
        sends.setdefault(contact_id, []).append(ts)
    in_flight = {row[0] for row in con.execute("SELECT contact_id FROM outbox WHERE state = 1")}
    for contact_id, free_at, reply_free_at, _, inflight, _ in people.values():
        for cached, limit in ((free_at, limits.per_contact), (reply_free_at, limits.per_contact_reply)):
            log = sends.get(contact_id, [])
            true = log[limit - 1] + limits.contact_window_ms if len(log) >= limit else 0
            if max(cached, now_ms) != max(true, now_ms):
                faults.append(f"window of contact {contact_id}: {cached} instead of {true}")
        if bool(inflight) != (contact_id in in_flight):
            faults.append(f"in-flight flag of contact {contact_id}")
    heads: dict[tuple[int, int], tuple[int, int, int]] = {}
    waiting = con.execute(
        "SELECT contact_id, class, id, due_at, retry_at, quota, in_hours FROM outbox WHERE state = 0"
        " ORDER BY due_at, id"
    ).fetchall()
    for contact_id, number, message_id, due_at, retry_at, quota, in_hours in waiting:
        _, free_at, reply_free_at, hold_until, inflight, gate = people[contact_id]
        window = (free_at, reply_free_at, 0)[quota]
        eligible = NEVER if inflight else max(due_at, retry_at, window, hold_until)
        heads.setdefault((contact_id, number), (eligible, message_id, gate + 2 * in_hours))
    lanes = {
        (row[0], row[1]): (row[2], row[3], row[4])
        for row in con.execute("SELECT contact_id, class, eligible_at, head_id, gate FROM lane")
    }
    if lanes != heads:
        faults.append(f"lanes: {set(lanes.items()) ^ set(heads.items())}")
    return faults + _count_faults(con)


def _count_faults(con: sqlite3.Connection) -> list[str]:
    kept = dict(con.execute("SELECT name, n FROM tally WHERE n <> 0").fetchall())
    counted = dict(
        con.execute("SELECT 'queued:' || class, count(*) FROM outbox WHERE state = 0 GROUP BY class").fetchall()
    )
    for name, state in (("sending", 1), ("dead", 3), ("unconfirmed", 5)):
        (number,) = con.execute(f"SELECT count(*) FROM outbox WHERE state = {state}").fetchone()
        if number:
            counted[name] = number
    (later,) = con.execute("SELECT count(*) FROM outbox WHERE state = 0 AND not_before IS NOT NULL").fetchone()
    if later:
        counted["scheduled"] = later
    faults = [] if kept == counted else [f"counts: kept {kept}, true {counted}"]
    minutes = con.execute(
        "SELECT not_before / 60000, count(*) FROM outbox WHERE state = 0 AND not_before IS NOT NULL GROUP BY 1"
    ).fetchall()
    if dict(minutes) != dict(con.execute("SELECT minute, n FROM scheduled").fetchall()):
        faults.append("scheduled counts")
    return faults


def most_in_any_window(times_ms: list[int], window_ms: int) -> int:
    """The fullest half-open window of this length."""
    times = sorted(times_ms)
    return max((sum(start <= ts < start + window_ms for ts in times) for start in times), default=0)


__all__ = ["MINUTE_MS", "NOON", "QueueWorld", "chat", "lane_faults", "most_in_any_window", "queue_world"]
