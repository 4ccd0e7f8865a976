"""The circuit breaker over restarts, clocks that go back, and policies that change."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsself_tui.delivery.circuit import (
    Action,
    Circuit,
    Mode,
    Policy,
    State,
    claim,
    gate,
    operate,
    outcome,
    recovered,
    settled,
)

NOW = 1_700_000_000_000
POLICY = Policy()
DAY_MS = 86_400_000


def opened(multiplier: int = 1, at_ms: int = NOW) -> Circuit:
    """OPEN since `at_ms` under this multiplier, as a failed round of probes leaves it."""
    circuit = Circuit(
        State.HALF_OPEN, multiplier=multiplier // 2, probes_failed=9, probe_generation=0, last_probe_at_ms=at_ms
    )
    if multiplier == 1:
        circuit = Circuit()
    numbers = {"attempts": 19, "failures": 19}
    return outcome(circuit, POLICY, ok=False, generation=0, now_ms=at_ms, **numbers).circuit


def probing(at_ms: int = NOW) -> Circuit:
    return claim(opened(at_ms=at_ms - 300_000), POLICY, at_ms).circuit


@pytest.mark.parametrize("multiplier", [1, 2, 4, 8])
@given(share=st.floats(0, 1))
def test_a_restart_at_any_moment_leaves_the_rest_of_the_cool_down(multiplier: int, share: float) -> None:
    circuit = opened(multiplier)
    assert circuit.open_until_ms is not None
    restarted_at = NOW + round((circuit.open_until_ms - NOW) * share)
    again = recovered(circuit, POLICY, restarted_at)
    assert again == circuit
    assert gate(again, POLICY, restarted_at) in (circuit.open_until_ms, 0)
    assert (gate(again, POLICY, restarted_at) == 0) is (restarted_at == circuit.open_until_ms)


@pytest.mark.parametrize("multiplier", [1, 2, 4, 8])
@given(back_ms=st.integers(1, 400 * DAY_MS))
def test_a_clock_set_back_cannot_lengthen_the_cool_down(multiplier: int, back_ms: int) -> None:
    now = NOW - back_ms
    circuit = recovered(opened(multiplier), POLICY, now)
    assert circuit.opened_at_ms == now
    assert gate(circuit, POLICY, now) == now + POLICY.cooldown_ms(multiplier)


@given(back_ms=st.integers(1, 400 * DAY_MS))
def test_a_clock_set_back_cannot_hold_a_probe_up(back_ms: int) -> None:
    now = NOW - back_ms
    released_at_start = recovered(probing(), POLICY, now)
    assert gate(released_at_start, POLICY, now) == now + POLICY.probe_interval_ms


def test_a_clock_set_back_under_a_running_robot_leaves_the_probe_in_flight() -> None:
    circuit = settled(probing(), POLICY, NOW - DAY_MS)
    assert circuit.probe_generation == probing().probe_generation
    assert gate(circuit, POLICY, NOW - DAY_MS) == NOW - DAY_MS + POLICY.probe_lost_ms


def test_a_start_after_a_crash_gives_the_permit_of_the_dead_process_back() -> None:
    circuit = recovered(probing(), POLICY, NOW + 1_000)
    assert circuit == replace(probing(), probe_generation=None)
    assert gate(circuit, POLICY, NOW + 1_000) == NOW + POLICY.probe_interval_ms
    late = outcome(circuit, POLICY, ok=False, generation=-1, attempts=0, failures=0, now_ms=NOW + 1_000)
    assert (late.circuit, late.counted) == (circuit, False)


@pytest.mark.parametrize("action", [Action.OPEN, Action.CLOSE, Action.MEASURE])
@given(later_ms=st.integers(-400 * DAY_MS, 400 * DAY_MS))
def test_the_operators_mode_survives_a_restart(action: Action, later_ms: int) -> None:
    before = operate(probing(), action, NOW).circuit
    after = recovered(before, POLICY, NOW + later_ms)
    assert (after.mode, after.state) == (before.mode, before.state)
    assert gate(after, POLICY, NOW + later_ms) == gate(before, POLICY, NOW + later_ms)


@pytest.mark.parametrize("circuit", [Circuit(), opened(8), probing(), operate(probing(), Action.OPEN, NOW).circuit])
def test_a_circuit_can_be_a_row(circuit: Circuit) -> None:
    row = asdict(circuit)
    assert {type(value) for value in row.values()} <= {int, type(None), State, Mode}
    restored = Circuit(**(row | {"state": State(str(row["state"])), "mode": Mode(str(row["mode"]))}))
    assert restored == circuit


def test_a_changed_cool_down_does_not_move_the_one_that_runs() -> None:
    circuit = opened()
    for policy in (Policy(cooldown_initial_ms=1), Policy(cooldown_initial_ms=1_800_000)):
        assert gate(circuit, policy, NOW) == NOW + 300_000


def test_a_restart_shortens_a_cool_down_that_has_become_too_long() -> None:
    shorter = Policy(cooldown_max_ms=60_000)
    assert gate(recovered(opened(8), shorter, NOW + 1), shorter, NOW + 1) == NOW + 60_001
    longer = Policy(cooldown_initial_ms=1_800_000)
    assert recovered(opened(), longer, NOW + 1) == opened()


@pytest.mark.parametrize(
    ("samples", "success", "ok", "expected"),
    [
        (5, 0.9, True, State.CLOSED),
        (5, 0.9, False, State.OPEN),
        (5, 0.85, False, State.CLOSED),
        (7, 0.9, True, State.CLOSED),
        (8, 0.9, True, State.HALF_OPEN),
        (8, 0.9, False, State.OPEN),
    ],
)
def test_probes_are_judged_by_the_policy_of_the_moment(samples: int, success: float, ok: bool, expected: State) -> None:
    circuit = replace(probing(), probes_ok=6)
    policy = Policy(probe_samples=samples, probe_success=success)
    verdict = outcome(circuit, policy, ok=ok, generation=circuit.generation, attempts=0, failures=0, now_ms=NOW)
    assert verdict.circuit.state is expected


def test_a_changed_interval_holds_for_the_next_probe() -> None:
    assert gate(recovered(probing(), POLICY, NOW), Policy(probe_interval_ms=10), NOW + 9) == NOW + 10
