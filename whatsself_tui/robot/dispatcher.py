"""The dispatcher: sends what may go, sleeps until exactly the next moment something may.

With nothing eligible there is one timer; with nothing queued there is none. Before each send passes the
time a person would take; then the contact sees somebody typing. What a crash, or a lost connection, left
without an outcome is looked up before anything new is sent.
"""

from __future__ import annotations

import asyncio
import math
import random
import sqlite3
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

from whatsself_tui.clock import Clock, Moment, jumped_ms
from whatsself_tui.config.schema import Settings
from whatsself_tui.delivery import pace
from whatsself_tui.delivery.retry import backoff_ms, exhausted
from whatsself_tui.host.logs import logger
from whatsself_tui.phones import mask
from whatsself_tui.robot.media import AttachmentGone
from whatsself_tui.robot.typist import Typist
from whatsself_tui.store import claims, clock_changes
from whatsself_tui.store.claims import Claim
from whatsself_tui.store.database import Store, Tx
from whatsself_tui.store.outbox import AttachmentRow
from whatsself_tui.store.pace import Planner
from whatsself_tui.store.terms import habit_of, limits_of, policy_of
from whatsself_tui.transport.base import Attachment, LookUp, Outcome, Outlet, SendResult

T = TypeVar("T")

log = logger("dispatcher")

#: A send that takes longer has an unknown outcome.
SEND_TIMEOUT_S = 60.0

#: The same for a message with a file.
ATTACHMENT_TIMEOUT_S = 180.0

#: Pause after the database or the transport's connection refused.
TROUBLE_PAUSE_S = 5.0

#: Longest sleep without looking again: monotonic timers stand still while a machine is suspended.
LONGEST_SLEEP_S = 60.0


class Dispatcher:
    """Brings queued messages to the transport, one at a time."""

    def __init__(
        self,
        store: Store,
        transport: Outlet,
        clock: Clock,
        settings: Callable[[], Settings],
        rng: random.Random | None = None,
        send_timeout_s: float = SEND_TIMEOUT_S,
        attach: Callable[[AttachmentRow], Attachment] | None = None,
    ) -> None:
        """`attach` finds the file of a message, or raises AttachmentGone; it may block."""
        self._attach = attach
        self._store = store
        self._transport = transport
        self._clock = clock
        self._settings = settings
        self._rng = rng or random.Random()
        self._typist = Typist(transport, clock)
        self._moment = Moment.of(clock)
        self._send_timeout_s = send_timeout_s
        self._kick = asyncio.Event()
        self._connected = False
        self._must_settle = True
        self._rests_until_s = -math.inf
        self._stopping = False

    def kick(self) -> None:
        """Something changed that may let a message go: look again."""
        self._kick.set()

    def set_connected(self, connected: bool) -> None:
        """Whether the transport can send; without a connection nothing is claimed."""
        self._must_settle |= connected and not self._connected
        self._connected = connected
        self._rests_until_s = -math.inf
        self.kick()

    def stop(self) -> None:
        """Let `run` return after the message in flight."""
        self._stopping = True
        self.kick()

    async def recover(self) -> int:
        """Decide about claims that were left without an outcome; returns how many there were.

        One that certainly never left goes again under the same id, without counting as an attempt. One that nobody
        could be asked about stays in flight until there is a connection again.
        """
        left = await self._store.read(claims.in_flight)
        for claim in left:
            if not await self._decided_by_look_up(claim):
                await self._finish(partial(_never_left, claim))
        return len(left)

    async def run(self) -> None:
        """Send until stopped. A database error is told and tried again, nothing is lost meanwhile."""
        self._must_settle = True
        try:
            while not self._stopping:
                self._kick.clear()
                try:
                    sleep_s = await self._once()
                except sqlite3.Error as error:
                    log.error("database refused", error=str(error))
                    sleep_s = TROUBLE_PAUSE_S
                if not self._stopping and sleep_s != 0:
                    await self._clock.wait(self._kick, sleep_s)
        finally:
            await self._typist.stop()

    async def _once(self) -> float | None:
        """Send one message, or say how long to sleep in seconds (None: until kicked)."""
        if self._must_settle and self._connected and self._rest_s() <= 0:
            self._must_settle = False
            log.info("recovered", claims=await self.recover())
        limits, policy = limits_of(self._settings()), policy_of(self._settings())
        rest_s = self._rest_s()
        connected, plan = self._connected and rest_s <= 0 and not self._must_settle, self._planner()
        step = await self._write(lambda tx: claims.step(tx, limits, connected, policy, plan))
        wake_at_ms = self._typist.follow(step)
        if step.claim:
            await self._deliver(step.claim)
            return 0
        waits_s = [] if wake_at_ms is None else [(wake_at_ms - self._clock.now_ms()) / 1000]
        if rest_s > 0:
            waits_s.append(rest_s)
        return min(LONGEST_SLEEP_S, max(0.001, min(waits_s))) if waits_s else None

    def _rest_s(self) -> float:
        """How long nothing is tried after a trouble with the connection; 0 or less: it may be tried."""
        return self._rests_until_s - self._clock.monotonic_s()

    def _planner(self) -> Planner | None:
        """How long to take before a send; drawn here, so that the database's thread uses no random numbers."""
        habit = habit_of(self._settings())
        if not habit.enabled:
            return None
        return partial(_plan, habit, self._rng.random(), self._rng.random())

    async def _write(self, job: Callable[[Tx], T]) -> T:
        """One transaction; if the clock was set since the last one, first what is stored moves with it.

        Compared in the transaction itself: between a look at the clock and a claim nobody may set it.
        """
        settings = self._settings()

        def in_time(tx: Tx) -> tuple[T, Moment]:
            now = Moment(tx.now_ms, self._clock.elapsed_s())
            by_ms = jumped_ms(self._moment, now)
            if by_ms:
                log.warning("the clock was set", by_s=round(by_ms / 1000))
                clock_changes.shift(tx, by_ms, limits_of(settings), policy_of(settings))
            return job(tx), now

        result, self._moment = await self._store.write(in_time)
        return result

    async def _deliver(self, claim: Claim) -> None:
        if claim.doubtful and await self._is_there_already(claim):
            return
        result = await self._send(claim)
        log.info(
            "send",
            message=claim.id,
            to=mask(claim.chat),
            wa_id=claim.wa_id,
            attempt=claim.attempt,
            outcome=result.outcome,
        )
        if result.outcome is Outcome.UNKNOWN and await self._decided_by_look_up(claim):
            return
        if result.outcome is Outcome.SENT:
            await self._sent(claim)
        elif result.outcome is Outcome.NOT_CONNECTED:
            self._rests_until_s = self._clock.monotonic_s() + TROUBLE_PAUSE_S
            await self._postpone(claim, result.reason)
        else:
            await self._failed(claim, result)

    async def _is_there_already(self, claim: Claim) -> bool:
        """An attempt without an answer may have arrived since: nothing is repeated that is not certainly absent."""
        limits, delay_ms = limits_of(self._settings()), round(TROUBLE_PAUSE_S * 1000)
        return await self._settled(claim, lambda tx: claims.still_in_doubt(tx, claim, limits, delay_ms))

    async def _decided_by_look_up(self, claim: Claim) -> bool:
        """Nobody told whether it was sent: record what a look-up by id shows; False if it is absent."""
        reason = "nobody can tell whether it was sent"
        return await self._settled(claim, lambda tx: claims.unconfirmed(tx, claim, reason))

    async def _settled(self, claim: Claim, if_unknown: Callable[[Tx], bool]) -> bool:
        """Record what a look-up shows, with `if_unknown` that it cannot tell; False if the message is absent."""
        found = await self._look_up(claim)
        if found is LookUp.PRESENT:
            await self._sent(claim)
        elif found is LookUp.NOT_CONNECTED:
            await self._finish(lambda tx: claims.left_open(tx, claim))
            self._rests_until_s, self._must_settle = self._clock.monotonic_s() + TROUBLE_PAUSE_S, True
        elif found is LookUp.FAILED:
            await self._failed(claim, SendResult(Outcome.RETRYABLE, "WhatsApp could not send it", id_is_spent=True))
        elif found is LookUp.PENDING:
            await self._wait_for(claim)
        elif found is LookUp.UNKNOWN:
            await self._finish(if_unknown)
        return found is not LookUp.ABSENT

    async def _wait_for(self, claim: Claim) -> None:
        """WhatsApp's own page still has it to send: it is looked up again until it has left, or for too long."""
        limits, delay_ms = limits_of(self._settings()), round(TROUBLE_PAUSE_S * 1000)

        def job(tx: Tx) -> bool:
            if not claim.doubtful:
                claims.doubt(tx, claim)
            return claims.still_in_doubt(tx, claim, limits, delay_ms)

        await self._finish(job)

    async def _look_up(self, claim: Claim) -> LookUp:
        found, _ = await self._ask(self._transport.look_up(claim.chat, claim.wa_id), self._send_timeout_s)
        log.info("look-up", message=claim.id, wa_id=claim.wa_id, found=found)
        return found or LookUp.UNKNOWN

    async def _ask(self, asking: Coroutine[Any, Any, T], timeout_s: float) -> tuple[T | None, str]:
        """What the transport answers, or why there is no answer: it took too long, or has failed."""
        task = asyncio.ensure_future(asking)
        try:
            await asyncio.wait({task}, timeout=timeout_s)
        finally:
            task.cancel()
        if not task.done():
            return None, "it took too long"
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is None:
            return task.result(), ""
        log.error("transport failed", error=repr(error))
        return None, f"the transport failed: {type(error).__name__}"

    async def _sent(self, claim: Claim) -> None:
        policy = policy_of(self._settings())
        await self._finish(lambda tx: claims.sent(tx, claim, policy))

    async def _postpone(self, claim: Claim, reason: str) -> None:
        limits = limits_of(self._settings())
        delay_ms = round(TROUBLE_PAUSE_S * 1000)
        await self._finish(lambda tx: claims.postpone(tx, claim, limits, reason, delay_ms))

    async def _send(self, claim: Claim) -> SendResult:
        attachment, timeout_s = None, self._send_timeout_s
        if claim.attachment is not None and self._attach is not None:
            timeout_s = ATTACHMENT_TIMEOUT_S
            try:
                attachment = await asyncio.to_thread(self._attach, claim.attachment)
            except AttachmentGone as error:
                return SendResult(Outcome.PERMANENT, str(error), counts=False)
        sending = self._transport.send(claim.chat, claim.body, claim.wa_id, attachment)
        result, reason = await self._ask(sending, timeout_s)
        return result or SendResult(Outcome.UNKNOWN, reason)

    async def _failed(self, claim: Claim, result: SendResult) -> None:
        queue, policy = self._settings().queue, policy_of(self._settings())
        reason, counts = result.reason, result.counts
        if result.outcome is Outcome.PERMANENT or exhausted(claim.attempt, queue.max_attempts):
            await self._finish(lambda tx: claims.failed(tx, claim, reason, counts=counts, policy=policy))
            return
        delay_ms = backoff_ms(claim.attempt, queue.retry_base_s, self._rng.random())

        def again(tx: Tx) -> bool:
            if result.outcome is Outcome.UNKNOWN:
                claims.doubt(tx, claim)
            if result.id_is_spent:
                claims.spend_id(tx, claim)
            return claims.retry(tx, claim, reason, delay_ms, counts=counts, policy=policy)

        await self._finish(again)

    async def _finish(self, job: Callable[[Tx], bool]) -> None:
        """Record an outcome, again and again until the database takes it or the robot stops.

        Stopped without it, the claim stays in flight and the next start looks it up.
        """
        while True:
            try:
                await self._write(job)
                return
            except sqlite3.Error as error:
                log.error("outcome not stored yet", error=str(error))
            if self._stopping:
                return
            await self._clock.sleep(TROUBLE_PAUSE_S)


def _never_left(claim: Claim, tx: Tx) -> bool:
    return claims.never_left(tx, claim)


def _plan(habit: pace.Habit, u_delay: float, u_typing: float, text_length: int) -> pace.Pace:
    return pace.plan(habit, text_length, u_delay, u_typing)
