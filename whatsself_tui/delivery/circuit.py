"""The circuit breaker: stop sending while WhatsApp refuses too much, then feel the way back.

    CLOSED ── too many sends of the window failed ──▶ OPEN ── a send after the cool-down ──▶ HALF_OPEN
       ▲                                                ▲                                    │     │
       │                                                └─ too many probes failed, longer ───┘     │
       └───────────────────────── enough probes, and enough of them succeeded ─────────────────────┘

Pure functions over one `Circuit`, the row that is stored with each send; the outcomes inside the window
are rows too, so their numbers are passed in. OPEN is a time that `gate` compares: nothing has to happen
for it to pass. Every function but `gate` answers what is to be stored.

**Generations.** A claim carries the circuit's generation to its outcome. The number changes with every
change of state, whenever the window is forgotten, and with every probe, so that a result of earlier times
and a probe's second one are recognised.

**Probes.** In HALF_OPEN every send is a probe: one in flight, `probe_interval_ms` from claim to claim,
also over rounds, the operator's switching and restarts. One that ends without an outcome gives its permit
back; one that never ends is lost after `probe_lost_ms`, so HALF_OPEN cannot hang. Answers do not age: with
little to send the tests take as long as the messages take to come, each of them at most one interval late.

**The operator's modes** stay until `AUTO` or `RESET`. After FORCED_OPEN, `AUTO` goes to HALF_OPEN at once:
the circuit proves itself instead of being believed. After FORCED_CLOSED it is CLOSED with an empty window,
for what was sent against advice is no measure. Between AUTO and METRICS_ONLY the window is kept, so what
was measured is judged at the next outcome. Every other way into CLOSED begins with an empty window.

**A changed policy** holds from the next event on. The end of a running cool-down is not computed again (a
restart only shortens one that is longer than the policy now allows); probes are judged by the new numbers
at the next answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from whatsself_tui.delivery.limits import NEVER


class State(StrEnum):
    """Whether messages may go out."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Mode(StrEnum):
    """Who decides about the state: the rules, or the operator until further notice."""

    AUTO = "auto"
    FORCED_OPEN = "forced_open"
    FORCED_CLOSED = "forced_closed"
    METRICS_ONLY = "metrics_only"
    """Closed; outcomes are measured, but it never opens by itself."""


class Action(StrEnum):
    """What an operator may do."""

    RESET = "reset"
    OPEN = "open"
    CLOSE = "close"
    AUTO = "auto"
    MEASURE = "measure"


@dataclass(frozen=True, slots=True)
class Policy:
    """The numbers. Raises ValueError for some with which the circuit could not work."""

    window_ms: int = 300_000
    """Outcomes stop counting at exactly this age."""
    window_attempts: int = 50
    """At most this many of the last outcomes count."""
    min_attempts: int = 20
    """With fewer outcomes the rate means nothing."""
    fail_rate: float = 0.25
    """Share of failed sends that opens."""
    cooldown_initial_ms: int = 300_000
    cooldown_max_ms: int = 1_800_000
    multiplier_max: int = 8
    probe_interval_ms: int = 45_000
    probe_samples: int = 10
    """Answers of probes needed before it closes."""
    probe_success: float = 0.9
    """Share of successful probes that closes."""
    probe_lost_ms: int = 1_800_000
    """A probe without an outcome for this long is lost: a full round of probes four times over, and far more
    than a send with its time limit and look-up can take."""

    def __post_init__(self) -> None:
        for name in ("window_ms", "min_attempts", "multiplier_max", "probe_samples"):
            _at_least(name, getattr(self, name), 1)
        _at_least("window_attempts", self.window_attempts, self.min_attempts)
        for name in ("fail_rate", "probe_success"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} is above 0 and at most 1, not {getattr(self, name)}")

    def cooldown_ms(self, multiplier: int) -> int:
        """How long OPEN lasts."""
        return min(self.cooldown_initial_ms * multiplier, self.cooldown_max_ms)


@dataclass(frozen=True, slots=True)
class Circuit:
    """All that is known of the breaker besides the window's outcomes."""

    state: State = State.CLOSED
    mode: Mode = Mode.AUTO
    generation: int = 0
    """What a claim carries to its outcome."""
    multiplier: int = 1
    """Of the cool-down; 1 while CLOSED."""
    opened_at_ms: int | None = None
    """None unless OPEN."""
    open_until_ms: int | None = None
    """End of the cool-down; None unless OPEN, and while FORCED_OPEN."""
    probes_ok: int = 0
    probes_failed: int = 0
    probe_generation: int | None = None
    """Generation of the probe in flight, which may be an earlier one; None if none is."""
    last_probe_at_ms: int | None = None
    """When the last probe was claimed, whatever has happened since."""


@dataclass(frozen=True, slots=True)
class Transition:
    """A change for the record; `from_state` equals `to_state` where only the mode or the window changed."""

    at_ms: int
    from_state: State
    to_state: State
    cause: str
    """For the operator, such as `6 of 20 sends failed in 5 min (25 % or more)`."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an event does, to be stored in its transaction."""

    circuit: Circuit
    transition: Transition | None = None
    clear_window: bool = False
    """All stored outcomes are forgotten, also the one just counted."""
    counted: bool = False
    """The outcome was no late one: store it as one of the window's."""


def gate(circuit: Circuit, policy: Policy, now_ms: int) -> int:
    """The earliest time a send may be claimed; 0 if at once, NEVER if only the operator can change it.

    Anything up to `now_ms` is now. An outcome may bring the time forward.
    """
    earliest = 0
    if circuit.mode is Mode.FORCED_OPEN:
        earliest = NEVER
    elif circuit.state is not State.CLOSED:
        earliest = max(circuit.open_until_ms or 0, _permit_at(circuit, policy))
    return 0 if earliest <= now_ms else earliest


def claim(circuit: Circuit, policy: Policy, now_ms: int) -> Verdict:
    """A send is claimed, under the generation of the circuit this returns.

    Raises ValueError before the time `gate` tells.
    """
    if gate(circuit, policy, now_ms):
        raise ValueError("the circuit breaker lets nothing be claimed now")
    if circuit.state is State.CLOSED:
        return Verdict(circuit)
    cause = ""
    probing = circuit
    if circuit.state is State.OPEN:
        assert circuit.opened_at_ms is not None
        assert circuit.open_until_ms is not None
        cause = f"the cool-down of {_span(circuit.open_until_ms - circuit.opened_at_ms)} is over"
        probing = _entered(circuit, State.HALF_OPEN, multiplier=circuit.multiplier)
    elif circuit.probe_generation is not None:
        cause = f"a test send has had no result for {_span(policy.probe_lost_ms)} and is given up"
    number = circuit.generation + 1
    probing = replace(probing, generation=number, probe_generation=number, last_probe_at_ms=now_ms)
    return Verdict(probing, Transition(now_ms, circuit.state, probing.state, cause) if cause else None)


def outcome(
    circuit: Circuit, policy: Policy, *, ok: bool, generation: int, attempts: int, failures: int, now_ms: int
) -> Verdict:
    """A send claimed under `generation` has succeeded or failed; that of another generation is ignored.

    `attempts` and `failures` are the window's without this outcome: of those younger than `window_ms`,
    the newest `window_attempts - 1`. Raises ValueError for numbers that cannot be such.
    """
    if not 0 <= failures <= attempts < policy.window_attempts:
        raise ValueError(f"not a window of fewer than {policy.window_attempts}: {failures} of {attempts} failed")
    rest = released(circuit, generation)
    if generation != circuit.generation:
        return Verdict(rest)
    if circuit.state is State.CLOSED:
        return _measured(rest, policy, attempts + 1, failures + (not ok), now_ms)
    if circuit.probe_generation is None:
        return Verdict(rest)
    answered = replace(rest, probes_ok=rest.probes_ok + ok, probes_failed=rest.probes_failed + (not ok))
    return _probed(answered, policy, now_ms)


def released(circuit: Circuit, generation: int) -> Circuit:
    """A claim has ended with nothing to count: a probe gives its permit back.

    Not connected, number not on WhatsApp, opted out, unconfirmed, certainly never left. The interval to
    the next probe remains. For a claim that was no probe nothing changes.
    """
    return replace(circuit, probe_generation=None) if circuit.probe_generation == generation else circuit


def operate(circuit: Circuit, action: Action, now_ms: int) -> Verdict:
    """The operator has decided; without a transition things were that way already."""
    if action is Action.RESET:
        return _closed(circuit, Mode.AUTO, now_ms, "reset by the operator")
    mode, cause = _SWITCHES[action]
    if mode is circuit.mode:
        return Verdict(circuit)
    if mode is Mode.FORCED_OPEN:
        switched = _entered(circuit, State.OPEN, mode=mode, multiplier=circuit.multiplier, opened_at_ms=now_ms)
    elif circuit.mode is Mode.FORCED_OPEN and mode is Mode.AUTO:
        switched = _entered(circuit, State.HALF_OPEN, multiplier=circuit.multiplier)
    elif circuit.state is State.CLOSED and Mode.FORCED_CLOSED not in (mode, circuit.mode):
        switched = replace(circuit, mode=mode)
    else:
        return _closed(circuit, mode, now_ms, cause)
    return Verdict(switched, Transition(now_ms, circuit.state, switched.state, cause))


def settled(circuit: Circuit, policy: Policy, now_ms: int) -> Circuit:
    """After the clock was set back: no time lies in the future, no cool-down is longer than allowed.

    A circuit whose times are possible is left exactly as it is.
    """
    longest = now_ms + policy.cooldown_ms(circuit.multiplier)
    return replace(
        circuit,
        opened_at_ms=_not_after(circuit.opened_at_ms, now_ms),
        open_until_ms=_not_after(circuit.open_until_ms, longest),
        last_probe_at_ms=_not_after(circuit.last_probe_at_ms, now_ms),
    )


def recovered(circuit: Circuit, policy: Policy, now_ms: int) -> Circuit:
    """At start: the last process has no probe in flight any more, and the clock may have been set back."""
    return settled(replace(circuit, probe_generation=None), policy, now_ms)


def shifted(circuit: Circuit, policy: Policy, by_ms: int, now_ms: int) -> Circuit:
    """After the clock was set `by_ms` forward (back if negative), to `now_ms`: all times move with it."""
    moved = replace(
        circuit,
        opened_at_ms=_moved(circuit.opened_at_ms, by_ms),
        open_until_ms=_moved(circuit.open_until_ms, by_ms),
        last_probe_at_ms=_moved(circuit.last_probe_at_ms, by_ms),
    )
    return settled(moved, policy, now_ms)


_SWITCHES = {
    Action.OPEN: (Mode.FORCED_OPEN, "forced open by the operator"),
    Action.CLOSE: (Mode.FORCED_CLOSED, "forced closed by the operator"),
    Action.MEASURE: (Mode.METRICS_ONLY, "set to only measure by the operator"),
    Action.AUTO: (Mode.AUTO, "returned to automatic by the operator"),
}


# Rates are compared as quotients: both `a / b` and a rate written in decimals are the double nearest to
# their value, so 9 of 10 is 0.9. Products are not (0.07 * 100 is above 7).
def _measured(circuit: Circuit, policy: Policy, attempts: int, failures: int, now_ms: int) -> Verdict:
    too_bad = attempts >= policy.min_attempts and failures / attempts >= policy.fail_rate
    if not (too_bad and circuit.mode is Mode.AUTO):
        return Verdict(circuit, counted=True)
    cause = f"{failures} of {attempts} sends failed in {_span(policy.window_ms)} ({_percent(policy.fail_rate)} or more)"
    return _opened(circuit, policy, 1, now_ms, cause)


def _probed(circuit: Circuit, policy: Policy, now_ms: int) -> Verdict:
    answers = circuit.probes_ok + circuit.probes_failed
    samples = max(answers, policy.probe_samples)
    if (samples - circuit.probes_failed) / samples < policy.probe_success:
        needed = f"{_percent(policy.probe_success)} of {samples} have to succeed"
        cause = f"{circuit.probes_failed} of {answers} test sends failed ({needed})"
        return _opened(circuit, policy, min(circuit.multiplier * 2, policy.multiplier_max), now_ms, cause)
    if answers < policy.probe_samples:
        return Verdict(circuit, counted=True)
    cause = f"{circuit.probes_ok} of {answers} test sends succeeded ({_percent(policy.probe_success)} or more)"
    return replace(_closed(circuit, Mode.AUTO, now_ms, cause), counted=True)


def _closed(circuit: Circuit, mode: Mode, now_ms: int, cause: str) -> Verdict:
    closed = _entered(circuit, State.CLOSED, mode=mode)
    return Verdict(closed, Transition(now_ms, circuit.state, State.CLOSED, cause), clear_window=True)


def _opened(circuit: Circuit, policy: Policy, multiplier: int, now_ms: int, cause: str) -> Verdict:
    until_ms = now_ms + policy.cooldown_ms(multiplier)
    opened = _entered(circuit, State.OPEN, multiplier=multiplier, opened_at_ms=now_ms, open_until_ms=until_ms)
    return Verdict(opened, Transition(now_ms, circuit.state, State.OPEN, cause), counted=True)


def _entered(
    circuit: Circuit,
    state: State,
    *,
    mode: Mode = Mode.AUTO,
    multiplier: int = 1,
    opened_at_ms: int | None = None,
    open_until_ms: int | None = None,
) -> Circuit:
    """A state begun afresh; only what is known of the last probe goes on."""
    return Circuit(
        state=state,
        mode=mode,
        generation=circuit.generation + 1,
        multiplier=multiplier,
        opened_at_ms=opened_at_ms,
        open_until_ms=open_until_ms,
        probe_generation=circuit.probe_generation,
        last_probe_at_ms=circuit.last_probe_at_ms,
    )


def _permit_at(circuit: Circuit, policy: Policy) -> int:
    """When the next probe may be claimed as far as the last one is concerned."""
    if circuit.last_probe_at_ms is None:
        return 0
    wait_ms = policy.probe_interval_ms
    if circuit.probe_generation is not None:
        wait_ms = max(wait_ms, policy.probe_lost_ms)
    return circuit.last_probe_at_ms + wait_ms


def _moved(at_ms: int | None, by_ms: int) -> int | None:
    return None if at_ms is None else at_ms + by_ms


def _not_after(at_ms: int | None, latest_ms: int) -> int | None:
    return None if at_ms is None else min(at_ms, latest_ms)


def _at_least(name: str, value: int, least: int) -> None:
    if value < least:
        raise ValueError(f"{name} is at least {least}, not {value}")


def _percent(rate: float) -> str:
    return f"{rate * 100:g} %"


def _span(ms: int) -> str:
    return f"{ms // 60_000} min" if ms >= 60_000 and ms % 60_000 == 0 else f"{ms / 1000:g} s"
