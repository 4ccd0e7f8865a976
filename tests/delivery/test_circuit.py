"""The circuit breaker, state by state and event by event."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsself_tui.delivery.circuit import (
    Action,
    Circuit,
    Mode,
    Policy,
    State,
    Transition,
    Verdict,
    claim,
    gate,
    operate,
    outcome,
    recovered,
    released,
)
from whatsself_tui.delivery.limits import NEVER

NOW = 1_700_000_000_000
POLICY = Policy()
INTERVAL_MS = 45_000


def told(circuit: Circuit, *, ok: bool, attempts: int = 0, failures: int = 0, at_ms: int = NOW) -> Verdict:
    """A result of this very generation, with `attempts` outcomes in the window before it."""
    return outcome(
        circuit,
        POLICY,
        ok=ok,
        generation=circuit.generation,
        attempts=attempts,
        failures=failures,
        now_ms=at_ms,
    )


def opened(at_ms: int = NOW) -> Circuit:
    return told(Circuit(generation=7), ok=False, attempts=19, failures=4, at_ms=at_ms).circuit


def probing(at_ms: int = NOW) -> Circuit:
    """HALF_OPEN since `at_ms`, the first probe in flight."""
    return claim(opened(at_ms - 300_000), POLICY, at_ms).circuit


def probed(circuit: Circuit, answers: str) -> Verdict:
    """Claim probes as soon as they may go, and let them succeed (`+`) or fail (`-`)."""
    verdict = Verdict(circuit)
    for answer in answers:
        at_ms = max(NOW, gate(verdict.circuit, POLICY, NOW))
        verdict = told(claim(verdict.circuit, POLICY, at_ms).circuit, ok=answer == "+", at_ms=at_ms)
    return verdict


def forced(action: Action) -> Circuit:
    return operate(Circuit(generation=7), action, NOW).circuit


SITUATIONS: dict[str, Circuit] = {
    "closed": Circuit(generation=7),
    "cooling": opened(NOW - 299_999),
    "cooled": opened(NOW - 300_000),
    "testing": released(probing(NOW - INTERVAL_MS), 9),
    "probing": probing(NOW - INTERVAL_MS),
    "f_open": forced(Action.OPEN),
    "f_closed": forced(Action.CLOSE),
    "metrics": forced(Action.MEASURE),
}


def late(circuit: Circuit, *, ok: bool) -> Verdict:
    """A result of the generation before."""
    generation = circuit.generation - 1
    return outcome(circuit, POLICY, ok=ok, generation=generation, attempts=19, failures=19, now_ms=NOW)


def switched(action: Action) -> Callable[[Circuit], Verdict]:
    return lambda circuit: operate(circuit, action, NOW)


EVENTS: dict[str, Callable[[Circuit], Verdict]] = {
    "claim": lambda circuit: claim(circuit, POLICY, NOW),
    "ok": lambda circuit: told(circuit, ok=True, attempts=10, failures=9),
    "failed": lambda circuit: told(circuit, ok=False),
    "too-bad": lambda circuit: told(circuit, ok=False, attempts=19, failures=19),
    "late-ok": lambda circuit: late(circuit, ok=True),
    "late-bad": lambda circuit: late(circuit, ok=False),
    "released": lambda circuit: Verdict(released(circuit, circuit.generation)),
    "recover": lambda circuit: Verdict(recovered(circuit, POLICY, NOW)),
    **{action.value: switched(action) for action in Action},
}

#: State and mode: C closed, O open, H half-open; f forced, m only measuring. `+` a new generation, `!` a
#: transition is recorded, `x` the window is forgotten, `#` the outcome counts, `p` a probe is in flight.
TABLE = """
           closed  cooling  cooled  testing  probing  f_open  f_closed  metrics
claim      C       refused  H+!p    H+p      refused  refused Cf        Cm
ok         C#      O        O       H        H#       Of      Cf#       Cm#
failed     C#      O        O       H        H#       Of      Cf#       Cm#
too-bad    O+!#    O        O       H        H#       Of      Cf#       Cm#
late-ok    C       O        O       H        Hp       Of      Cf        Cm
late-bad   C       O        O       H        Hp       Of      Cf        Cm
released   C       O        O       H        H        Of      Cf        Cm
recover    C       O        O       H        H        Of      Cf        Cm
reset      C+!x    C+!x     C+!x    C+!x     C+!xp    C+!x    C+!x      C+!x
open       Of+!    Of+!     Of+!    Of+!     Of+!p    Of      Of+!      Of+!
close      Cf+!x   Cf+!x    Cf+!x   Cf+!x    Cf+!xp   Cf+!x   Cf        Cf+!x
measure    Cm!     Cm+!x    Cm+!x   Cm+!x    Cm+!xp   Cm+!x   Cm+!x     Cm
auto       C       O        O       H        Hp       H+!     C+!x      C!
"""

MODES = {Mode.AUTO: "", Mode.FORCED_OPEN: "f", Mode.FORCED_CLOSED: "f", Mode.METRICS_ONLY: "m"}


def cells() -> list[tuple[str, str, str]]:
    header, *rows = (line.split() for line in TABLE.strip().splitlines())
    return [(event, name, cell) for event, *row in rows for name, cell in zip(header, row, strict=True)]


def shorthand(before: Circuit, verdict: Verdict) -> str:
    after = verdict.circuit
    assert after.generation - before.generation in (0, 1)
    if verdict.transition:
        assert verdict.transition.at_ms == NOW
        assert (verdict.transition.from_state, verdict.transition.to_state) == (before.state, after.state)
        assert verdict.transition.cause
    marks = {
        "+": after.generation > before.generation,
        "!": verdict.transition is not None,
        "x": verdict.clear_window,
        "#": verdict.counted,
        "p": after.probe_generation is not None,
    }
    return after.state[0].upper() + MODES[after.mode] + "".join(mark for mark, on in marks.items() if on)


@pytest.mark.parametrize(("event", "situation", "expected"), cells())
def test_every_event_in_every_situation(event: str, situation: str, expected: str) -> None:
    before = SITUATIONS[situation]
    if expected == "refused":
        with pytest.raises(ValueError, match="lets nothing be claimed"):
            EVENTS[event](before)
    else:
        assert shorthand(before, EVENTS[event](before)) == expected


@pytest.mark.parametrize(
    ("situation", "earliest"),
    [
        ("closed", 0),
        ("cooling", NOW + 1),
        ("cooled", 0),
        ("testing", 0),
        ("probing", NOW - INTERVAL_MS + 1_800_000),
        ("f_open", NEVER),
        ("f_closed", 0),
        ("metrics", 0),
    ],
)
def test_when_the_next_send_may_be_claimed(situation: str, earliest: int) -> None:
    assert gate(SITUATIONS[situation], POLICY, NOW) == earliest


@pytest.mark.parametrize(
    ("attempts", "failures", "opens"),
    [(19, 18, False), (20, 4, False), (20, 5, True), (21, 5, False), (49, 12, False), (50, 12, False), (50, 13, True)],
)
@pytest.mark.parametrize("ok", [True, False])
def test_it_opens_at_twenty_attempts_and_a_quarter_failed(attempts: int, failures: int, opens: bool, ok: bool) -> None:
    verdict = told(Circuit(), ok=ok, attempts=attempts - 1, failures=failures - (not ok))
    assert (verdict.circuit.state is State.OPEN) is opens
    if opens:
        assert (verdict.circuit.opened_at_ms, verdict.circuit.open_until_ms) == (NOW, NOW + 300_000)
        cause = f"{failures} of {attempts} sends failed in 5 min (25 % or more)"
        assert verdict.transition == Transition(NOW, State.CLOSED, State.OPEN, cause)


@pytest.mark.parametrize("percent", range(1, 101))
def test_a_rate_of_failures_is_the_fraction_it_is_written_as(percent: int) -> None:
    policy = Policy(min_attempts=1, fail_rate=percent / 100)
    for attempts in range(1, 51):
        least = math.ceil(Fraction(percent, 100) * attempts)
        for failures in {max(1, least - 1), least}:
            numbers = {"attempts": attempts - 1, "failures": failures - 1}
            verdict = outcome(Circuit(), policy, ok=False, generation=0, now_ms=NOW, **numbers)
            assert (verdict.circuit.state is State.OPEN) is (failures == least)


@pytest.mark.parametrize("percent", range(1, 101))
def test_a_rate_of_success_is_the_fraction_it_is_written_as(percent: int) -> None:
    for samples in range(1, 51):
        policy = Policy(probe_samples=samples, probe_success=percent / 100)
        most = samples - math.ceil(Fraction(percent, 100) * samples)
        for failed in range(most + 1):
            circuit = replace(probing(), probes_failed=failed, probes_ok=samples - failed - 1)
            verdict = outcome(circuit, policy, ok=True, generation=9, attempts=0, failures=0, now_ms=NOW)
            assert verdict.circuit.state is State.CLOSED
        circuit = replace(probing(), probes_failed=most)
        verdict = outcome(circuit, policy, ok=False, generation=9, attempts=0, failures=0, now_ms=NOW)
        assert verdict.circuit.state is State.OPEN


@pytest.mark.parametrize("answers", ["+" * 10, "-" + "+" * 9, "++++-+++++", "+" * 9 + "-"])
def test_it_closes_after_ten_probes_of_which_nine_succeed(answers: str) -> None:
    assert probed(opened(NOW - 300_000), answers[:-1]).circuit.state is State.HALF_OPEN
    verdict = probed(opened(NOW - 300_000), answers)
    assert verdict.transition is not None
    assert (verdict.circuit.state, verdict.circuit.multiplier) == (State.CLOSED, 1)
    assert (verdict.counted, verdict.clear_window) == (True, True)
    assert verdict.transition.cause == f"{answers.count('+')} of 10 test sends succeeded (90 % or more)"


@pytest.mark.parametrize("answers", ["--", "-+-", "++++++++--", "-++++++++-"])
def test_it_opens_again_as_soon_as_nine_cannot_succeed(answers: str) -> None:
    assert probed(opened(NOW - 300_000), answers[:-1]).circuit.state is State.HALF_OPEN
    verdict = probed(opened(NOW - 300_000), answers)
    assert verdict.transition is not None
    assert (verdict.circuit.state, verdict.circuit.multiplier, verdict.clear_window) == (State.OPEN, 2, False)
    cause = f"2 of {len(answers)} test sends failed (90 % of 10 have to succeed)"
    assert verdict.transition == Transition(verdict.transition.at_ms, State.HALF_OPEN, State.OPEN, cause)


def test_the_cool_down_doubles_up_to_its_limit_and_begins_anew_after_closing() -> None:
    circuit, minutes, multipliers = opened(), [], []
    for _ in range(6):
        assert circuit.opened_at_ms is not None
        minutes.append((gate(circuit, POLICY, circuit.opened_at_ms) - circuit.opened_at_ms) / 60_000)
        multipliers.append(circuit.multiplier)
        circuit = probed(circuit, "--").circuit
    assert minutes == [5, 10, 20, 30, 30, 30]
    assert multipliers == [1, 2, 4, 8, 8, 8]
    closed = probed(circuit, "+" * 10)
    assert closed.transition is not None
    at_ms = closed.transition.at_ms
    again = told(closed.circuit, ok=False, attempts=19, failures=4, at_ms=at_ms).circuit
    assert gate(again, POLICY, at_ms) == at_ms + 300_000


def test_the_first_send_after_the_cool_down_is_the_first_probe() -> None:
    verdict = claim(opened(NOW - 300_000), POLICY, NOW + 5)
    cause = "the cool-down of 5 min is over"
    assert verdict.transition == Transition(NOW + 5, State.OPEN, State.HALF_OPEN, cause)
    assert verdict.circuit.probe_generation == verdict.circuit.generation


def test_a_short_cool_down_does_not_shorten_the_interval() -> None:
    policy = Policy(cooldown_initial_ms=1_000, probe_samples=1)
    circuit = outcome(probing(), policy, ok=False, generation=9, attempts=0, failures=0, now_ms=NOW + 5).circuit
    assert circuit.open_until_ms == NOW + 2_005
    assert gate(circuit, policy, NOW + 5) == NOW + INTERVAL_MS


@pytest.mark.parametrize("end", ["ok", "failed", "released"])
def test_probes_are_an_interval_apart_however_they_end(end: str) -> None:
    circuit = EVENTS[end](probing()).circuit
    assert gate(circuit, POLICY, NOW) == NOW + INTERVAL_MS
    assert gate(circuit, POLICY, NOW + INTERVAL_MS - 1) == NOW + INTERVAL_MS
    assert gate(circuit, POLICY, NOW + INTERVAL_MS) == 0


def test_a_released_probe_is_no_answer() -> None:
    circuit = released(probing(), 9)
    assert (circuit.probes_ok, circuit.probes_failed) == (0, 0)
    assert probed(circuit, "+" * 9).circuit.state is State.HALF_OPEN
    assert probed(circuit, "+" * 10).circuit.state is State.CLOSED


def test_a_repeated_result_of_a_probe_counts_once() -> None:
    once = told(probing(), ok=False).circuit
    assert told(once, ok=False) == Verdict(once)
    next_probe = claim(once, POLICY, NOW + INTERVAL_MS).circuit
    assert outcome(
        next_probe, POLICY, ok=False, generation=once.generation, attempts=0, failures=0, now_ms=NOW
    ) == Verdict(next_probe)


def test_a_lost_probe_does_not_hang_the_circuit() -> None:
    waiting = probed(opened(NOW - 300_000), "+").circuit
    claimed_at = NOW + INTERVAL_MS
    lost = claim(waiting, POLICY, claimed_at).circuit
    assert gate(lost, POLICY, claimed_at) == claimed_at + POLICY.probe_lost_ms
    verdict = claim(lost, POLICY, claimed_at + POLICY.probe_lost_ms)
    assert verdict.transition is not None
    assert verdict.transition.cause == "a test send has had no result for 30 min and is given up"
    assert verdict.circuit.probes_ok == 1
    late_result = told(lost, ok=False).circuit.generation
    assert outcome(
        verdict.circuit, POLICY, ok=False, generation=late_result, attempts=0, failures=0, now_ms=NOW
    ) == Verdict(verdict.circuit)


@given(st.lists(st.sampled_from(["ok", "failed", "released", "lost"]), min_size=10, max_size=40))
def test_probes_that_end_or_not_never_hang_the_circuit(ends: list[str]) -> None:
    circuit, now, answers = opened(NOW - 300_000), NOW, 0
    for end in ends:
        waits = max(0, gate(circuit, POLICY, now) - now)
        assert waits <= POLICY.probe_lost_ms
        now += waits
        circuit = claim(circuit, POLICY, now).circuit
        if end in ("ok", "failed"):
            circuit, answers = told(circuit, ok=end == "ok", at_ms=now).circuit, answers + 1
        elif end == "released":
            circuit = released(circuit, circuit.generation)
        if circuit.state is not State.HALF_OPEN:
            return
        assert answers < POLICY.probe_samples


def test_an_interval_longer_than_the_time_of_loss_holds_for_lost_probes_too() -> None:
    assert gate(probing(), Policy(probe_interval_ms=3_600_000), NOW) == NOW + 3_600_000


def test_forced_open_and_back_does_not_let_a_second_probe_out() -> None:
    first = probing()
    back = operate(operate(first, Action.OPEN, NOW + 1).circuit, Action.AUTO, NOW + 2).circuit
    assert gate(back, POLICY, NOW + 2) == NOW + POLICY.probe_lost_ms
    ended = outcome(back, POLICY, ok=False, generation=9, attempts=0, failures=0, now_ms=NOW + 3)
    assert not ended.counted
    assert gate(ended.circuit, POLICY, NOW + 3) == NOW + INTERVAL_MS
    assert (ended.circuit.probes_ok, ended.circuit.probes_failed) == (0, 0)


def test_a_circuit_forced_open_keeps_its_multiplier_until_it_has_proved_itself() -> None:
    doubled = probed(opened(NOW - 300_000), "--").circuit
    half_open = operate(operate(doubled, Action.OPEN, NOW).circuit, Action.AUTO, NOW).circuit
    assert probed(half_open, "--").circuit.multiplier == 4
    assert probed(half_open, "+" * 10).circuit.multiplier == 1


@given(st.lists(st.booleans(), max_size=60), st.sampled_from([Action.OPEN, Action.CLOSE, Action.MEASURE]))
def test_a_mode_stays_whatever_the_sends_do(results: list[bool], action: Action) -> None:
    circuit = forced(action)
    mode, state = circuit.mode, circuit.state
    for ok in results:
        if gate(circuit, POLICY, NOW) == 0:
            circuit = claim(circuit, POLICY, NOW).circuit
        circuit = recovered(told(circuit, ok=ok, attempts=49, failures=49).circuit, POLICY, NOW)
    assert (circuit.mode, circuit.state) == (mode, state)


def test_what_was_only_measured_is_judged_once_it_is_automatic_again() -> None:
    verdict = operate(forced(Action.MEASURE), Action.AUTO, NOW)
    assert not verdict.clear_window
    assert told(verdict.circuit, ok=True, attempts=49, failures=49).circuit.state is State.OPEN


@pytest.mark.parametrize(("attempts", "failures"), [(50, 0), (3, 4), (0, -1)])
def test_numbers_that_are_no_window_are_refused(attempts: int, failures: int) -> None:
    with pytest.raises(ValueError, match="not a window of fewer than 50"):
        told(Circuit(), ok=True, attempts=attempts, failures=failures)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"window_attempts": 19}, "window_attempts is at least 20, not 19"),
        ({"min_attempts": 0}, "min_attempts is at least 1, not 0"),
        ({"probe_samples": 0}, "probe_samples is at least 1, not 0"),
        ({"multiplier_max": 0}, "multiplier_max is at least 1, not 0"),
        ({"fail_rate": 0}, "fail_rate is above 0 and at most 1, not 0"),
        ({"probe_success": 1.1}, "probe_success is above 0 and at most 1, not 1.1"),
        ({"fail_rate": math.nan}, "fail_rate is above 0 and at most 1, not nan"),
    ],
)
def test_a_policy_that_could_not_work_is_refused(numbers: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Policy(**numbers)
