"""The circuit breaker's rows: its circuit, the outcomes of its window, its history.

The rules are `delivery/circuit.py`; what they answer is stored in the transaction of the claim or the
outcome that asked, so that a restart finds the breaker exactly where it was.
"""

from __future__ import annotations

import sqlite3
from dataclasses import astuple

from whatsself_tui.delivery import circuit as rules
from whatsself_tui.delivery.circuit import Action, Circuit, Mode, Policy, State, Transition, Verdict
from whatsself_tui.store.database import Tx
from whatsself_tui.store.topics import Topic

_COLUMNS = (
    "state, mode, generation, multiplier, opened_at, open_until, probes_ok, probes_failed, probe_generation,"
    " last_probe_at"
)

_SAVE = f"UPDATE breaker SET ({_COLUMNS}) = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


def load(connection: sqlite3.Connection) -> Circuit:
    """The circuit as it was stored last."""
    state, mode, *rest = connection.execute(f"SELECT {_COLUMNS} FROM breaker").fetchone()
    return Circuit(State(state), Mode(mode), *rest)


def gate(connection: sqlite3.Connection, policy: Policy, now_ms: int) -> int:
    """The earliest time a send may be claimed: 0 if at once, NEVER if only the operator can change it."""
    return rules.gate(load(connection), policy, now_ms)


def claim(tx: Tx, policy: Policy) -> int:
    """A send is claimed; returns the generation its outcome has to carry. The gate has to be open."""
    verdict = rules.claim(load(tx.connection), policy, tx.now_ms)
    _store(tx, verdict)
    return verdict.circuit.generation


def outcome(tx: Tx, policy: Policy, ok: bool, generation: int) -> None:
    """A send claimed under `generation` has ended in a way that says something about WhatsApp."""
    since, most = tx.now_ms - policy.window_ms, policy.window_attempts - 1
    attempts, failures = tx.execute(
        "SELECT count(*), coalesce(sum(1 - ok), 0) FROM (SELECT ok FROM outcome WHERE ts > ? ORDER BY id DESC LIMIT ?)",
        (since, most),
    ).fetchone()
    verdict = rules.outcome(
        load(tx.connection),
        policy,
        ok=ok,
        generation=generation,
        attempts=attempts,
        failures=failures,
        now_ms=tx.now_ms,
    )
    if verdict.counted:
        tx.execute("INSERT INTO outcome (ts, ok) VALUES (?, ?)", (tx.now_ms, int(ok)))
        tx.execute(
            "DELETE FROM outcome WHERE ts <= ? OR id <= (SELECT max(id) FROM outcome) - ?",
            (since, policy.window_attempts),
        )
    _store(tx, verdict)


def released(tx: Tx, generation: int) -> None:
    """A claim has ended with nothing to count: a test send gives its permit back."""
    before = load(tx.connection)
    after = rules.released(before, generation)
    if after != before:
        _store(tx, Verdict(after))


def operate(tx: Tx, action: Action) -> Transition | None:
    """The operator decides; None if things were that way already."""
    verdict = rules.operate(load(tx.connection), action, tx.now_ms)
    _store(tx, verdict)
    return verdict.transition


def recovered(tx: Tx, policy: Policy) -> None:
    """At start: no test send of an earlier process is in flight, no time lies in the future."""
    _store(tx, Verdict(rules.recovered(load(tx.connection), policy, tx.now_ms)))


def shift(tx: Tx, policy: Policy, by_ms: int) -> None:
    """The clock was set: what was left of a cool-down is still left."""
    _store(tx, Verdict(rules.shifted(load(tx.connection), policy, by_ms, tx.now_ms)))


def _store(tx: Tx, verdict: Verdict) -> None:
    if verdict.clear_window:
        tx.execute("DELETE FROM outcome")
    tx.execute(_SAVE, astuple(verdict.circuit))
    if verdict.transition is not None:
        change = verdict.transition
        tx.execute(
            "INSERT INTO breaker_transition (at, from_state, to_state, cause) VALUES (?, ?, ?, ?)",
            (change.at_ms, change.from_state, change.to_state, change.cause),
        )
        tx.touch(Topic.QUEUE)
    tx.touch(Topic.BREAKER)
