"""The limits over random histories of a real store: sends, failures, crashes, other limits, clocks that are set."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from support.fake_clock import FakeClock
from support.queue_world import NOON, QueueWorld
from support.windows_model import Ledger

from whatsself_tui.delivery.limits import Limits
from whatsself_tui.store import breaker, claims, clock_changes, lanes
from whatsself_tui.store.claims import DEFAULT_POLICY, Claim
from whatsself_tui.store.database import Store, Tx
from whatsself_tui.store.outbox import Outgoing

T = TypeVar("T")

ZONE = ZoneInfo("America/Sao_Paulo")

PEOPLE = st.integers(0, 3)
PRIORITIES = st.sampled_from([3, 5, 10])

#: Waits that end a millisecond before, at and after the ends of windows and pauses, and some hours.
WAITS_S = st.sampled_from([0.001, 1.0, 4.999, 20.0, 59.999, 60.0, 119.999, 240.0, 299.999, 300.0, 20_000.0])

#: What somebody sets the clock by, forward or back; less than 5 s would pass as drift.
JUMPS_S = st.sampled_from([6, 200, 3_600, 50_000, 86_400, 365 * 86_400, 365 * 86_400])

BACK_OFF_MS = 7_000

OUTCOMES = st.sampled_from(["sent", "sent", "retry", "failed", "unconfirmed", "postponed", "lost"])


@st.composite
def limits_in_force(draw: st.DrawFn) -> Limits:
    per_contact = draw(st.integers(1, 3))
    return Limits(
        per_minute=draw(st.integers(1, 5)),
        per_contact=per_contact,
        per_contact_reply=per_contact + draw(st.integers(0, 3)),
        contact_window_ms=draw(st.sampled_from([30_000, 120_000, 300_000])),
        daily_new_contacts=draw(st.sampled_from([0, 1, 1, 2])),
        zone=ZONE,
    )


class WindowsMachine(RuleBasedStateMachine):
    """One data folder; claims are reported late, more than one may be in flight.

    A clock that was set is noticed before the next claim or outcome is written: what is queued and heard in between
    has times of the new clock.
    """

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp(prefix="windows"))
        self.clock = FakeClock(NOON)
        self.ledger = Ledger()
        self.flying: list[Claim] = []
        self.wake_at_ms: int | None = None
        self.numbers = 0
        self.ahead_ms = NOON
        """How far the wall clock is ahead of `true_ms`."""
        self.unnoticed_ms = 0
        self.faults: list[str] = []
        self.abandoned = False
        """Whether the history has ended in a failure, so that its end says nothing."""
        self.world = QueueWorld(self.run(self.opened()), self.clock, Limits(daily_new_contacts=1, zone=ZONE))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    async def opened(self) -> Store:
        return await Store.open(self.folder / "whatsself.db", self.clock, ZONE)

    @property
    def true_ms(self) -> int:
        """What has passed since the beginning; nobody can set it."""
        return round(self.clock.elapsed_s() * 1000)

    @initialize(limits=limits_in_force())
    def begin(self, limits: Limits) -> None:
        self.change_limits(limits)

    @rule(person=PEOPLE, priority=PRIORITIES, copies=st.integers(1, 3))
    def enqueue(self, person: int, priority: int, copies: int) -> None:
        for _ in range(copies):
            queued = self.run(self.world.enqueue(person, Outgoing("now", priority=priority)))
            self.ledger.queued(queued.id, person, self.true_ms)

    @rule(person=PEOPLE)
    def enqueue_exempt(self, person: int) -> None:
        queued = self.run(self.world.enqueue(person, Outgoing("bye", priority=10, exempt=True)))
        self.ledger.queued(queued.id, person, self.true_ms, exempt=True)

    @rule(person=PEOPLE, seconds=st.integers(1, 100_000))
    def schedule(self, person: int, seconds: int) -> None:
        message = Outgoing("later", not_before_ms=self.clock.now_ms() + seconds * 1000)
        queued = self.run(self.world.enqueue(person, message))
        self.ledger.queued(queued.id, person, self.true_ms, scheduled=True)

    @rule(person=PEOPLE)
    def hear(self, person: int) -> None:
        self.numbers += 1
        self.run(self.world.hear(person, f"in-{self.numbers}"))
        self.ledger.heard_at_ms[person] = self.true_ms

    @rule()
    def claim(self) -> None:
        self.claimed()

    def claimed(self) -> bool:
        """Look at the queue as the dispatcher does; whether something was claimed."""
        limits, by_ms = self.world.limits, self.noticed_ms()

        def step_on(tx: Tx) -> claims.Step:
            if by_ms:
                clock_changes.shift(tx, by_ms, limits, DEFAULT_POLICY)
            return claims.step(tx, limits, True)

        step = self.run(self.world.store.write(step_on))
        self.wake_at_ms = step.wake_at_ms
        if step.claim is None:
            return False
        self.faults = self.ledger.departs(step.claim.id, self.true_ms, limits, self.ahead_ms)
        self.flying.append(step.claim)
        return True

    def noticed_ms(self) -> int:
        """By how much the clock was set since somebody looked."""
        by_ms, self.unnoticed_ms = self.unnoticed_ms, 0
        return by_ms

    @rule(outcome=OUTCOMES)
    def deliver(self, outcome: str) -> None:
        if self.claimed():
            self.conclude(-1, outcome)

    @rule()
    def send_all_due(self) -> None:
        while not self.faults and self.claimed():
            self.conclude(-1, "sent")

    @precondition(lambda self: self.flying)
    @rule(which=st.integers(0, 2), outcome=OUTCOMES)
    def conclude(self, which: int, outcome: str) -> None:
        claim = self.flying.pop(which % len(self.flying))
        if by_ms := self.noticed_ms():
            limits = self.world.limits
            self.run(self.world.store.write(lambda tx: clock_changes.shift(tx, by_ms, limits, DEFAULT_POLICY)))
        if outcome == "retry":
            self.run(self.world.store.write(lambda tx: claims.retry(tx, claim, "refused", BACK_OFF_MS, counts=True)))
            self.ledger.returns(claim.id, self.true_ms + BACK_OFF_MS)
        elif outcome == "postponed":
            limits = self.world.limits
            self.run(self.world.store.write(lambda tx: claims.postpone(tx, claim, limits, "offline", BACK_OFF_MS)))
            self.ledger.returns(claim.id, self.true_ms + BACK_OFF_MS)
            self.ledger.never_left(claim.id)
        elif outcome == "lost":
            self.run(self.world.conclude(claim, "never_left"))
            self.ledger.returns(claim.id, 0)
        else:
            self.run(self.world.conclude(claim, outcome))

    @rule(seconds=WAITS_S)
    def wait(self, seconds: float) -> None:
        self.run(self.clock.advance(seconds))

    @precondition(lambda self: self.wake_at_ms is not None)
    @rule(early_ms=st.integers(0, 1))
    def sleep_until_woken(self, early_ms: int) -> None:
        assert self.wake_at_ms is not None
        self.run(self.clock.advance(max(0, self.wake_at_ms - self.clock.now_ms() - early_ms) / 1000))
        self.wake_at_ms = None
        self.claim()

    @precondition(lambda self: not self.unnoticed_ms)
    @rule(arrived=st.lists(st.booleans(), min_size=3, max_size=3))
    def restart(self, arrived: list[bool]) -> None:
        """The process ends and another begins as the orchestrator does: settle, then look up what was in flight."""
        self.run(self.world.store.close())
        self.world.store = self.run(self.opened())
        limits = self.world.limits

        def settle(tx: Tx) -> None:
            assert not clock_changes.settle(tx, limits)
            lanes.apply_limits(tx, limits)
            breaker.recovered(tx, DEFAULT_POLICY)

        self.run(self.world.store.write(settle))
        left = self.run(self.world.store.read(claims.in_flight))
        assert {claim.id for claim in left} == {claim.id for claim in self.flying}
        self.flying = []
        for number, claim in enumerate(left):
            if arrived[number % 3]:
                self.run(self.world.conclude(claim, "sent"))
            else:
                self.run(self.world.conclude(claim, "never_left"))
                self.ledger.returns(claim.id, 0)

    @rule(limits=limits_in_force())
    def change_limits(self, limits: Limits) -> None:
        self.run(self.world.set_limits(limits))
        self.wake_at_ms = None

    @precondition(lambda self: not self.unnoticed_ms)
    @rule(seconds=JUMPS_S, back=st.booleans())
    def set_clock(self, seconds: int, back: bool) -> None:
        self.unnoticed_ms = seconds * (-1_000 if back else 1_000)
        self.clock.set_wall(self.unnoticed_ms / 1000)
        self.ahead_ms += self.unnoticed_ms
        self.wake_at_ms = None

    @invariant()
    def no_limit_is_ever_exceeded(self) -> None:
        assert self.faults == []

    def teardown(self) -> None:
        try:
            if not self.faults and not self.abandoned:
                self.send_all_that_is_left()
        finally:
            self.run(self.world.store.close())
            self.runner.close()
            shutil.rmtree(self.folder)

    def send_all_that_is_left(self) -> None:
        """With time, everything goes out; what is scheduled at its time of the wall clock, the rest soon."""
        while self.flying:
            self.conclude(0, "sent")
        deadline_ms = self.true_ms + self.ledger.longest_ms(self.world.limits)
        while self.ledger.waiting:
            if self.claimed():
                assert self.faults == []
                self.conclude(0, "sent")
            else:
                assert self.wake_at_ms is not None, f"{self.ledger.waiting} wait for ever"
                assert self.wake_at_ms > self.clock.now_ms(), "woken for nothing"
                wait_ms = self.wake_at_ms - self.clock.now_ms()
                assert self.true_ms + wait_ms <= deadline_ms or not self.ledger.unscheduled(), "late"
                self.wait(wait_ms / 1000)


WindowsMachine.TestCase.settings = settings(
    max_examples=30,
    stateful_step_count=40,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow],
)
TestWindows = WindowsMachine.TestCase


@contextmanager
def history(**numbers: Any) -> Iterator[WindowsMachine]:
    """A history of one's own; what it broke and what is left at its end are judged as ever."""
    machine = WindowsMachine()
    try:
        machine.change_limits(replace(Limits(per_minute=50, per_contact=3, zone=ZONE), **numbers))
        yield machine
        machine.no_limit_is_ever_exceeded()
    except BaseException:
        machine.abandoned = True
        raise
    finally:
        machine.teardown()


def test_a_longer_window_counts_what_was_sent_before_it_was_in_force() -> None:
    with history(per_contact=1, contact_window_ms=30_000) as machine:
        machine.enqueue(0, 5, copies=1)
        machine.deliver("sent")
        machine.wait(70)
        machine.enqueue(1, 5, copies=1)
        machine.deliver("sent")
        machine.change_limits(replace(machine.world.limits, contact_window_ms=300_000))
        machine.enqueue(0, 5, copies=1)
        machine.claim()


def test_a_second_message_that_never_left_gives_no_first_one_back() -> None:
    with history(daily_new_contacts=1) as machine:
        machine.enqueue(0, 5, copies=2)
        machine.deliver("sent")
        machine.deliver("postponed")
        machine.enqueue(1, 5, copies=1)
        machine.claim()


def test_first_messages_count_for_the_day_in_which_the_new_clock_puts_them() -> None:
    with history(daily_new_contacts=1) as machine:
        machine.enqueue(0, 5, copies=1)
        machine.deliver("sent")
        machine.set_clock(86_400, back=False)
        machine.enqueue(1, 5, copies=1)
        machine.claim()


@pytest.mark.parametrize("back", [True, False])
@pytest.mark.parametrize("outcome", ["retry", "postponed", "lost"])
def test_clock_set_during_a_send_keeps_no_message_back(outcome: str, back: bool) -> None:
    with history() as machine:
        machine.enqueue(0, 5, copies=1)
        machine.claim()
        machine.set_clock(365 * 86_400, back=back)
        machine.conclude(0, outcome)


def test_clock_set_back_revives_no_pause_that_is_over() -> None:
    with history() as machine:
        machine.enqueue(0, 5, copies=1)
        machine.deliver("retry")
        machine.wait(20)
        machine.set_clock(365 * 86_400, back=True)


def test_clock_set_day_by_day_lets_out_no_more_strangers() -> None:
    with history(daily_new_contacts=1) as machine:
        for person in range(4):
            machine.enqueue(person, 5, copies=1)
            machine.deliver("sent")
            machine.set_clock(86_400, back=person % 2 == 1)
            machine.claim()


def test_clock_set_back_makes_no_reply_of_what_answers_nothing() -> None:
    with history(per_contact=1, per_contact_reply=5) as machine:
        machine.hear(0)
        machine.wait(20_000)
        machine.set_clock(50_000, back=True)
        machine.claim()
        machine.enqueue(0, 5, copies=2)
        machine.deliver("sent")
        machine.deliver("sent")
