"""The circuit breaker against a naive model, over random histories.

The model remembers every send and answers each question from the whole list; it knows neither
generations nor permits nor counters. Times and numbers are small, so that little happens by chance only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from whatsself_tui.delivery import circuit as rules
from whatsself_tui.delivery.circuit import Action, Circuit, Policy, Verdict
from whatsself_tui.delivery.limits import NEVER

Result = Literal["ok", "failed", "nothing"]
Change = tuple[str, str] | None

POLICIES = (
    Policy(100, 6, 3, 0.5, 50, 170, 4, 10, 3, 0.6, 40),
    Policy(40, 4, 2, 0.75, 8, 20, 4, 30, 4, 0.75, 30),
    Policy(100, 3, 3, 0.3, 50, 1_000, 4, 0, 1, 1.0, 5),
)
"""In the fields' order; the second's interval is longer than its cool-down, the third has none."""


@dataclass
class Send:
    """One send, from its claim on."""

    at_ms: int
    era: object
    """A token of the circuit's state at the claim."""
    probe: bool
    generation: int
    """What the circuit under test has given out for it."""
    ended: bool = False
    """With a result, lost, or dead with its process."""


@dataclass
class Naive:
    """What an operator would say about the breaker after reading all that happened."""

    policy: Policy
    state: str = "closed"
    mode: str = "auto"
    era: object = field(default_factory=object)
    sends: list[Send] = field(default_factory=list)
    measured: list[tuple[int, bool]] = field(default_factory=list)
    """Outcomes since the window was last forgotten."""
    answers: list[bool] = field(default_factory=list)
    """Of the probes since HALF_OPEN began."""
    cooled_at_ms: int = 0
    reopened: int = 0
    """How often probes have failed since it was last closed."""

    def window(self, now_ms: int) -> list[bool]:
        young = [ok for at_ms, ok in self.measured if now_ms - at_ms < self.policy.window_ms]
        return young[-self.policy.window_attempts :]

    def probes_out(self, at_ms: int) -> int:
        return sum(s.probe and not s.ended and at_ms - s.at_ms < self.policy.probe_lost_ms for s in self.sends)

    def may_send(self, at_ms: int) -> bool:
        if self.mode == "forced_open" or self.state == "closed":
            return self.state == "closed"
        if self.state == "open" and at_ms < self.cooled_at_ms:
            return False
        too_soon = any(s.probe and at_ms - s.at_ms < self.policy.probe_interval_ms for s in self.sends)
        return not too_soon and not self.probes_out(at_ms)

    def claim(self, now_ms: int, generation: int) -> Change:
        before, given_up = self.state, False
        if self.state != "closed":
            for other in self.sends:
                given_up |= other.probe and not other.ended
                other.ended |= other.probe
        if self.state == "open":
            self.enter("half_open")
        elif given_up:
            self.era = object()
        self.sends.append(Send(now_ms, self.era, self.state == "half_open", generation))
        return (before, self.state) if before == "open" or given_up else None

    def end(self, send: Send, result: Result, now_ms: int) -> Change:
        late = send.ended or send.era is not self.era
        send.ended = True
        if late or result == "nothing":
            return None
        self.measured.append((now_ms, result == "ok"))
        return self.judge_probes(result == "ok", now_ms) if send.probe else self.judge_window(now_ms)

    def judge_window(self, now_ms: int) -> Change:
        results = self.window(now_ms)
        if self.mode != "auto" or len(results) < self.policy.min_attempts:
            return None
        if Fraction(results.count(False), len(results)) < Fraction(str(self.policy.fail_rate)):
            return None
        return self.cool_down(now_ms)

    def judge_probes(self, ok: bool, now_ms: int) -> Change:
        self.answers.append(ok)
        to_come = max(0, self.policy.probe_samples - len(self.answers))
        at_best = [*self.answers, *[True] * to_come]
        if Fraction(at_best.count(True), len(at_best)) < Fraction(str(self.policy.probe_success)):
            self.reopened += 1
            return self.cool_down(now_ms)
        return None if to_come else self.enter("closed")

    def cool_down(self, now_ms: int) -> Change:
        times = min(2**self.reopened, self.policy.multiplier_max)
        self.cooled_at_ms = now_ms + min(self.policy.cooldown_initial_ms * times, self.policy.cooldown_max_ms)
        return self.enter("open")

    def enter(self, state: str) -> tuple[str, str]:
        change = (self.state, state)
        self.state, self.era, self.answers = state, object(), []
        if state == "closed":
            self.measured, self.reopened = [], 0
        return change

    def operate(self, action: Action) -> Change:
        names = {"reset": "auto", "open": "forced_open", "close": "forced_closed", "measure": "metrics_only"}
        before, self.mode = self.mode, names.get(action, "auto")
        if before == self.mode and action is not Action.RESET:
            return None
        if action is Action.OPEN:
            return self.enter("open")
        if action is Action.AUTO and before == "forced_open":
            return self.enter("half_open")
        if self.state == "closed" and {before, self.mode} == {"auto", "metrics_only"} and action is not Action.RESET:
            return "closed", "closed"
        return self.enter("closed")

    def restart(self, now_ms: int) -> None:
        for send in self.sends:
            send.ended, send.at_ms = True, min(send.at_ms, now_ms)
        self.measured = [(min(at_ms, now_ms), ok) for at_ms, ok in self.measured]
        times = min(2**self.reopened, self.policy.multiplier_max)
        longest = min(self.policy.cooldown_initial_ms * times, self.policy.cooldown_max_ms)
        self.cooled_at_ms = min(self.cooled_at_ms, now_ms + longest)


class CircuitMachine(RuleBasedStateMachine):
    """Both get the same events; this class is also the store, which keeps the outcomes as rows."""

    @initialize(policy=st.sampled_from(POLICIES))
    def begin(self, policy: Policy) -> None:
        self.now = 1_000_000
        self.circuit = Circuit()
        self.naive = Naive(policy)
        self.rows: list[tuple[int, bool]] = []

    @property
    def in_flight(self) -> list[Send]:
        return [send for send in self.naive.sends if not send.ended]

    def store(self, verdict: Verdict, expected: Change, row: tuple[int, bool] | None = None) -> None:
        seen = verdict.transition
        assert (seen and (seen.from_state, seen.to_state)) == expected
        assert seen is None or (seen.at_ms == self.now and seen.cause)
        self.circuit = verdict.circuit
        if verdict.counted and row:
            self.rows.append(row)
        if verdict.clear_window:
            self.rows.clear()

    @rule(ms=st.integers(1, 60))
    def time_passes(self, ms: int) -> None:
        self.now += ms

    @rule(ms=st.integers(-1, 1))
    def time_passes_to_the_gate(self, ms: int) -> None:
        earliest = rules.gate(self.circuit, self.naive.policy, self.now)
        if earliest < NEVER:
            self.now = max(self.now, earliest + ms)

    @rule()
    def claim(self) -> None:
        if self.naive.may_send(self.now):
            verdict = rules.claim(self.circuit, self.naive.policy, self.now)
            self.store(verdict, self.naive.claim(self.now, verdict.circuit.generation))
        else:
            with pytest.raises(ValueError, match="lets nothing be claimed"):
                rules.claim(self.circuit, self.naive.policy, self.now)

    @rule()
    def claim_as_soon_as_allowed(self) -> None:
        self.time_passes_to_the_gate(0)
        self.claim()

    @precondition(lambda self: self.in_flight)
    @rule(data=st.data(), result=st.sampled_from(["ok", "failed", "failed", "nothing"]))
    def end_one(self, data: st.DataObject, result: Result) -> None:
        self.end(data.draw(st.sampled_from(self.in_flight)), result)

    def end(self, send: Send, result: Result) -> None:
        policy = self.naive.policy
        young = [ok for at_ms, ok in self.rows if at_ms > self.now - policy.window_ms]
        others = young[len(young) - min(len(young), policy.window_attempts - 1) :]
        expected = self.naive.end(send, result, self.now)
        if result == "nothing":
            self.circuit = rules.released(self.circuit, send.generation)
            return
        verdict = rules.outcome(
            self.circuit,
            policy,
            ok=result == "ok",
            generation=send.generation,
            attempts=len(others),
            failures=others.count(False),
            now_ms=self.now,
        )
        self.store(verdict, expected, (self.now, result == "ok"))

    @rule(results=st.lists(st.sampled_from(["ok", "failed", "failed"]), min_size=1, max_size=8))
    def send_in_a_row(self, results: list[Result]) -> None:
        for result in results:
            self.time_passes_to_the_gate(0)
            if not self.naive.may_send(self.now):
                return
            self.claim()
            self.end(self.naive.sends[-1], result)

    @precondition(lambda self: any(send.ended for send in self.naive.sends))
    @rule(data=st.data(), ok=st.booleans())
    def a_given_up_probe_reports(self, data: st.DataObject, ok: bool) -> None:
        ended = [send for send in self.naive.sends if send.ended and (send.probe or send.era is not self.naive.era)]
        for send in ended[-3:]:
            self.end(send, "ok" if ok else "failed")

    @rule(actions=st.lists(st.sampled_from(Action), min_size=1, max_size=3))
    def operate(self, actions: list[Action]) -> None:
        for action in actions:
            self.store(rules.operate(self.circuit, action, self.now), self.naive.operate(action))

    @precondition(lambda self: self.naive.state == "half_open")
    @rule(ms=st.integers(0, 60))
    def force_open_and_let_it_prove_itself(self, ms: int) -> None:
        self.operate([Action.OPEN])
        self.time_passes(ms)
        self.operate([Action.AUTO])

    @rule(back_ms=st.sampled_from([0, 0, 1, 30, 500]))
    def crash_and_start(self, back_ms: int) -> None:
        self.now -= back_ms
        self.naive.restart(self.now)
        self.circuit = rules.recovered(self.circuit, self.naive.policy, self.now)
        self.rows = [(min(at_ms, self.now), ok) for at_ms, ok in self.rows]
        for send in self.naive.sends:
            send.generation = -1

    @rule(policy=st.sampled_from(POLICIES))
    def change_the_policy(self, policy: Policy) -> None:
        self.naive.policy = policy

    @invariant()
    def they_agree(self) -> None:
        policy, naive = self.naive.policy, self.naive
        assert (self.circuit.state, self.circuit.mode) == (naive.state, naive.mode)
        assert [row for row in self.rows if row in naive.measured] == naive.measured
        earliest = rules.gate(self.circuit, policy, self.now)
        assert (earliest == 0) is naive.may_send(self.now)
        if earliest == NEVER:
            assert naive.mode == "forced_open"
        elif earliest:
            assert naive.may_send(earliest)
            assert not naive.may_send(earliest - 1)

    @invariant()
    def never_two_probes_at_once(self) -> None:
        assert self.naive.probes_out(self.now) <= 1


CircuitMachine.TestCase.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)
TestCircuitAgainstTheModel = CircuitMachine.TestCase
