"""The circuit breaker against `interlock-cb`, a breaker library, where both mean the same.

They agree on: opening at a number and a rate of outcomes, in a sliding window of the last n or of the last
seconds; a cool-down that doubles with each failed round up to a ceiling and is 1 × again after closing;
probes that are taken at the claim, one at a time, the first one with the claim that ends the cool-down; a
permit that comes back when a probe ends without an outcome; results of earlier states ignored; a window
forgotten on closing and on reset; a mode that only measures.

They differ, and the tests keep clear of it: the library has no interval between probes, no lost ones and no
largest multiplier; its probes are judged by the failure rate that opens it, and only when the round is
complete, so an early verdict is checked by answering the rest with success; it has no forced closed; its
operator leaves a mode by a reset alone; and what is in flight when measuring begins counts no more.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextvars import Context, copy_context
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interlock import CircuitBreaker, CircuitOpenError, Config
from interlock import State as TheirState
from interlock.window import WindowType

from whatsself_tui.delivery import circuit as rules
from whatsself_tui.delivery.circuit import Action, Circuit, Policy, State, Verdict

START_S = 1_000
SAMPLES = 10

POLICY = Policy(
    window_ms=60_000,
    window_attempts=12,
    min_attempts=6,
    fail_rate=0.25,
    cooldown_initial_ms=30_000,
    cooldown_max_ms=150_000,
    probe_interval_ms=5_000,
    probe_samples=SAMPLES,
    # Closing below their failure rate is closing from this rate of success on.
    probe_success=1 - (math.ceil(Fraction(0.25) * SAMPLES) - 1) / SAMPLES,
)

#: Their window counts either the last outcomes or the last seconds; ours is made to do the same.
POLICIES = {
    WindowType.COUNT_BASED: replace(POLICY, window_ms=10**12),
    WindowType.TIME_BASED: replace(POLICY, window_attempts=10**6),
}


@dataclass
class Clock:
    """Their clock, in seconds; ours is read from it."""

    at_s: int = START_S

    def monotonic(self) -> float:
        return float(self.at_s)


@dataclass
class Send:
    """One that both have let through and that has not ended."""

    generation: int
    context: Context
    """Where their breaker remembers it."""


class SendFailed(Exception):
    """What their breaker counts."""


class Cancelled(BaseException):
    """What their breaker takes for no outcome."""


class Both:
    """The same events for both breakers, and a comparison after each."""

    def __init__(self, window: WindowType) -> None:
        self.policy = POLICIES[window]
        self.clock = Clock()
        self.theirs = CircuitBreaker(
            name="oracle",
            clock=self.clock,
            config=Config(
                failure_rate_threshold=POLICY.fail_rate,
                minimum_number_of_calls=POLICY.min_attempts,
                permitted_calls_in_half_open=POLICY.probe_samples,
                wait_duration_in_open=POLICY.cooldown_initial_ms / 1000,
                wait_duration_backoff_multiplier=2.0,
                wait_duration_in_open_max=POLICY.cooldown_max_ms / 1000,
                window_type=window,
                window_size=POLICY.window_attempts if window is WindowType.COUNT_BASED else POLICY.window_ms // 1000,
                slow_call_duration_threshold=1e9,
            ),
        )
        self.ours = Circuit()
        self.rows: list[tuple[int, bool]] = []
        self.in_flight: list[Send] = []

    @property
    def now_ms(self) -> int:
        return self.clock.at_s * 1000

    def newest(self, most: int) -> list[bool]:
        """At most that many of the outcomes inside the window."""
        young = [ok for at_ms, ok in self.rows if at_ms > self.now_ms - self.policy.window_ms]
        return young[-most:]

    def cool(self, beyond_s: int) -> None:
        """Wait until that long after the end of the cool-down, if there is one."""
        if self.ours.open_until_ms:
            self.clock.at_s = max(self.clock.at_s, self.ours.open_until_ms // 1000 + beyond_s)

    def claim(self) -> None:
        """Neither lets through what the other does not; ours alone waits for the interval."""
        earliest = rules.gate(self.ours, self.policy, self.now_ms)
        if earliest and self.ours.state is State.HALF_OPEN and self.ours.probe_generation is None:
            self.clock.at_s = earliest // 1000
            earliest = 0
        context = copy_context()
        if earliest:
            with pytest.raises(CircuitOpenError) as refusal:
                context.run(self.theirs.__enter__)
            if self.ours.open_until_ms:
                assert refusal.value.retry_after == (earliest - self.now_ms) / 1000
            return
        context.run(self.theirs.__enter__)
        self.store(rules.claim(self.ours, self.policy, self.now_ms))
        self.in_flight.append(Send(self.ours.generation, context))
        self.compare()

    def store(self, verdict: Verdict) -> None:
        self.ours = verdict.circuit
        if verdict.clear_window:
            self.rows.clear()

    def end(self, index: int, ok: bool | None) -> None:
        """The `index`-th send in flight succeeds, fails, or ends without an outcome (None)."""
        send = self.in_flight.pop(index)
        error = None if ok else Cancelled() if ok is None else SendFailed()
        send.context.run(self.theirs.__exit__, type(error) if error else None, error, None)
        if ok is None:
            self.ours = rules.released(self.ours, send.generation)
        else:
            self.tell(send, ok)
        self.compare()

    def tell(self, send: Send, ok: bool) -> None:
        others = self.newest(self.policy.window_attempts - 1)
        in_window = self.ours.state is State.CLOSED
        was_testing = self.ours.state is State.HALF_OPEN
        verdict = rules.outcome(
            self.ours,
            self.policy,
            ok=ok,
            generation=send.generation,
            attempts=len(others),
            failures=others.count(False),
            now_ms=self.now_ms,
        )
        if verdict.counted and in_window:
            self.rows.append((self.now_ms, ok))
        answered = verdict.circuit.state is State.OPEN and was_testing
        self.store(verdict)
        while answered and self.theirs.state is TheirState.HALF_OPEN:
            with self.theirs:
                pass

    def operate(self, action: Action, theirs: Callable[[], None]) -> None:
        """Without a probe in flight: ours alone would wait for it before it tests again."""
        while self.ours.probe_generation is not None:
            self.end(0, None)
        theirs()
        self.store(rules.operate(self.ours, action, self.now_ms))
        self.compare()

    def compare(self) -> None:
        """The state, and what is measured while it is closed."""
        expected = self.ours.mode if self.ours.mode != "auto" else self.ours.state
        assert self.theirs.state.value == expected.value
        if self.ours.state is State.CLOSED:
            results = self.newest(self.policy.window_attempts)
            seen = self.theirs.snapshot()
            assert (len(results), results.count(False)) == (seen.total_calls, seen.failed_calls)


MOSTLY_BAD = st.sampled_from([True, False, False])
MOSTLY_GOOD = st.sampled_from([True] * 5 + [False])
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.lists(MOSTLY_BAD, min_size=1, max_size=12)),
        st.tuples(st.just("send"), st.lists(MOSTLY_GOOD, min_size=SAMPLES, max_size=SAMPLES)),
        st.tuples(st.just("round"), st.lists(MOSTLY_GOOD, min_size=SAMPLES, max_size=SAMPLES)),
        st.tuples(st.just("round"), st.lists(MOSTLY_BAD, min_size=SAMPLES, max_size=SAMPLES)),
        st.tuples(st.just("claim"), st.none()),
        st.tuples(st.just("end"), st.tuples(st.integers(0, 5), st.one_of(st.none(), MOSTLY_BAD))),
        st.tuples(st.just("wait"), st.integers(1, 70)),
        st.tuples(st.just("cool"), st.integers(-1, 1)),
        st.tuples(st.sampled_from(["reset", "measure", "force"]), st.none()),
    ),
    min_size=10,
    max_size=40,
)


def play(both: Both, kind: str, what: Any) -> None:
    match kind:
        case "send":
            for ok in what:
                send_now(both, ok)
        case "claim":
            both.claim()
        case "end" if both.in_flight:
            both.end(what[0] % len(both.in_flight), what[1])
        case "wait":
            both.clock.at_s += what
        case "cool":
            both.cool(what)
        case "round":
            both.cool(0)
            for ok in what:
                send_now(both, ok)
        case "reset" | "measure" | "force":
            operate(both, kind)


def send_now(both: Both, ok: bool) -> None:
    before = len(both.in_flight)
    both.claim()
    if len(both.in_flight) > before:
        both.end(before, ok)


def operate(both: Both, kind: str) -> None:
    if kind == "force":
        both.operate(Action.OPEN, both.theirs.force_open)
    elif kind == "reset" or both.in_flight or both.ours.state is not State.CLOSED:
        both.operate(Action.RESET, both.theirs.reset)
    if kind == "measure":
        both.operate(Action.MEASURE, both.theirs.metrics_only)


@pytest.mark.parametrize("window", WindowType)
@settings(max_examples=200, deadline=None)
@given(events=EVENTS)
def test_both_breakers_decide_alike(window: WindowType, events: list[tuple[str, Any]]) -> None:
    both = Both(window)
    for kind, what in events:
        play(both, kind, what)
