"""The alert keeper: looks at conditions when something changed, or at the moment one will come true."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable

from whatsself_tui.clock import Clock
from whatsself_tui.config.schema import Settings
from whatsself_tui.delivery.circuit import State
from whatsself_tui.host.logs import logger
from whatsself_tui.store import alerts, breaker, conversation, tally
from whatsself_tui.store.contact_views import WAITING
from whatsself_tui.store.database import Store, Tx
from whatsself_tui.store.topics import Topic

log = logger("alerts")

#: Conditions are looked at no more often than this, however busy the queue is.
LEAST_INTERVAL_S = 0.25

#: Pause after the database refused.
TROUBLE_PAUSE_S = 5.0


class AlertKeeper:
    """Raises and clears the alerts of the queue."""

    def __init__(self, store: Store, clock: Clock, settings: Callable[[], Settings]) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._look = asyncio.Event()
        self._stopping = False

    def changed(self, topics: frozenset[Topic]) -> None:
        """Something was committed: look again if it concerns the queue or the limits of alerts."""
        if topics & {Topic.QUEUE, Topic.CONFIG, Topic.BREAKER, Topic.CONTACTS}:
            self._look.set()

    def refused(self, error: sqlite3.Error | None) -> None:
        """The database refused: look again and again until it takes something, even if nobody else writes."""
        if error is not None:
            self._look.set()

    def stop(self) -> None:
        """Let `run` return."""
        self._stopping = True
        self._look.set()

    async def run(self) -> None:
        """Keep the alerts true until stopped."""
        while not self._stopping:
            self._look.clear()
            try:
                next_ms = await self.look()
            except sqlite3.Error as error:
                log.error("database refused", error=str(error))
                self._look.clear()  # this very refusal has set it
                next_ms = self._clock.now_ms() + round(TROUBLE_PAUSE_S * 1000)
            wait_s = None if next_ms is None else max(0.001, (next_ms - self._clock.now_ms()) / 1000)
            if await self._clock.wait(self._look, wait_s) and not self._stopping:
                await self._clock.sleep(LEAST_INTERVAL_S)

    async def look(self) -> int | None:
        """Raise and clear; returns when a condition can come true by itself (ms), None if never."""
        settings = self._settings()
        return await self._store.write(lambda tx: _look(tx, settings))


def _look(tx: Tx, settings: Settings) -> int | None:
    tallies: dict[str, int] = dict(tx.execute("SELECT name, n FROM tally WHERE n > 0").fetchall())
    waiting = sum(n for name, n in tallies.items() if name.startswith("queued:")) - tally.later(
        tx.connection, tx.now_ms
    )
    _hold(
        tx,
        "backlog_high",
        waiting > settings.queue.backlog_alert,
        f"More than {settings.queue.backlog_alert} messages wait: is it a limit, a pause or the connection?",
    )
    _look_at_breaker(tx)
    dead, unconfirmed = tallies.get("dead", 0), tallies.get("unconfirmed", 0)
    _hold(
        tx,
        "dead_letters",
        dead > 0,
        f"{dead} could not be sent and will not be tried again. `queue list --state dead` tells why;"
        " `queue retry` sends them again.",
    )
    _hold(
        tx,
        "unconfirmed",
        unconfirmed > 0,
        f"Of {unconfirmed} nobody knows whether they arrived, so they are not sent again."
        " `queue list --state unconfirmed` lists them; `queue confirm` or `queue retry` decides.",
    )
    ends = _look_at_people(tx), _look_at_oldest(tx, settings.queue.oldest_alert_s)
    return min((at for at in ends if at is not None), default=None)


def _look_at_breaker(tx: Tx) -> None:
    circuit = breaker.load(tx.connection)
    cause = tx.execute("SELECT cause FROM breaker_transition ORDER BY id DESC LIMIT 1").fetchone()
    _hold(
        tx,
        "breaker_open",
        circuit.state is not State.CLOSED,
        f"The breaker is {circuit.state.replace('_', ' ')}: {cause[0] if cause else ''}. Messages wait, none is lost.",
    )


def _look_at_people(tx: Tx) -> int | None:
    """Contacts left to a person who wrote and were not answered; returns when the first is the robot's again."""
    conversation.end_hand_overs(tx)
    waiting, until = tx.execute(f"SELECT count(*), min(handover_until) FROM contact WHERE {WAITING}").fetchone()
    them = "1 contact waits" if waiting == 1 else f"{waiting} contacts wait"
    text = f"{them} for a person. `contacts list --waiting` names them; `contacts release` gives one back to the robot."
    _hold(tx, "waiting_for_human", waiting > 0, text)
    return None if until is None else int(until)


def _look_at_oldest(tx: Tx, limit_s: int) -> int | None:
    row = tx.execute("SELECT due_at FROM outbox WHERE state = 0 ORDER BY due_at, id LIMIT 1").fetchone()
    too_old_at = None if row is None else row[0] + limit_s * 1000
    too_old = too_old_at is not None and too_old_at <= tx.now_ms
    text = f"A message waits for more than {_span(limit_s)}. Is the robot paused or offline, or a limit too tight?"
    _hold(tx, "oldest_too_old", too_old, text)
    return None if too_old else too_old_at


def _hold(tx: Tx, kind: str, holds: bool, text: str) -> None:
    if holds:
        alerts.raise_alert(tx, kind, "error" if kind in ("unconfirmed", "breaker_open") else "warning", text)
    else:
        alerts.clear_alert(tx, kind)


def _span(seconds: int) -> str:
    return f"{seconds // 60} min" if seconds % 60 == 0 else f"{seconds} s"
