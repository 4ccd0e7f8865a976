"""From an arrived message to committed answers: stored first, then decided in one transaction.

Quick messages of one contact are answered as one text: each waits until nothing more has come for
`answers.debounce_ms`. Consent keywords do not wait.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from whatsself_tui.automation.decision import Incoming
from whatsself_tui.automation.occasions import human_typed
from whatsself_tui.automation.pending import Handled, answer_pending, decided_on_arrival
from whatsself_tui.automation.rulebook import RuleBook
from whatsself_tui.clock import Clock
from whatsself_tui.config.service import Configuration
from whatsself_tui.host.logs import logger
from whatsself_tui.phones import is_personal, mask
from whatsself_tui.store import alerts, contacts, conversation, inbox, outbox
from whatsself_tui.store.database import Store, Tx
from whatsself_tui.store.inbox import PendingMessage
from whatsself_tui.transport.base import Received, TypedByHand

log = logger("inbound")

#: Somebody who goes on writing is answered after this many times the debounce at the latest.
MOST_DEBOUNCES = 5


@dataclass(slots=True)
class _Quiet:
    """When a contact's messages are answered, in seconds of the monotonic clock."""

    at_s: float
    latest_s: float


class Inbound:
    """Takes what arrives, one contact's messages one after another."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        configuration: Callable[[], Configuration],
        rng: random.Random | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._configuration = configuration
        self._rng = rng or random.Random()
        self._quiet: dict[int, _Quiet] = {}
        self._kick = asyncio.Event()
        self._running = False
        self._answering = False

    @property
    def waits(self) -> bool:
        """Whether somebody's messages are stored and not answered yet."""
        return bool(self._quiet) or self._answering

    async def receive(self, message: Received) -> bool:
        """Store a message, to be answered; False if it is no person's or was seen before.

        When this returns the message is on disk; without a debounce (or a robot that runs) also
        everything the rules decided.
        """
        if not is_personal(message.chat):
            log.debug("ignored", chat=mask(message.chat))
            return False
        contact_id = await self._store.write(lambda tx: _record(tx, message))
        if contact_id is None:
            log.info("seen before", wa_id=message.wa_id)
            return False
        debounce_s = self._configuration().settings.answers.debounce_ms / 1000
        if not (self._running and debounce_s):
            await self.handle(contact_id)
        elif await self._decide(contact_id, on_arrival=True):
            now_s = self._clock.monotonic_s()
            known = self._quiet.get(contact_id)
            latest_s = known.latest_s if known else now_s + MOST_DEBOUNCES * debounce_s
            self._quiet[contact_id] = _Quiet(min(now_s + debounce_s, latest_s), latest_s)
            self._kick.set()
        return True

    async def typed(self, message: TypedByHand) -> None:
        """A message of our own account: if the robot did not send it, a person answers this contact now."""
        if is_personal(message.chat):
            book = self._configuration().rule_book
            await self._store.write(lambda tx: _typed(tx, message, book))

    async def run(self) -> None:
        """Answer each contact when its messages have come to rest, until stopped."""
        self._running = True
        try:
            while self._running:
                self._kick.clear()
                now_s = self._clock.monotonic_s()
                for contact_id in [contact for contact, quiet in self._quiet.items() if quiet.at_s <= now_s]:
                    self._answering = True
                    del self._quiet[contact_id]
                    await self.handle(contact_id)
                    self._answering = False
                first_s = min((quiet.at_s for quiet in self._quiet.values()), default=None)
                wait_s = None if first_s is None else max(0.001, first_s - self._clock.monotonic_s())
                if self._running:
                    await self._clock.wait(self._kick, wait_s)
        finally:
            self._running = self._answering = False

    def stop(self) -> None:
        """Let `run` return; what waits is answered by the next start."""
        self._running = False
        self._kick.set()

    async def handle_pending(self) -> int:
        """Handle what a crash left undecided; returns for how many contacts."""
        waiting = await self._store.read(inbox.contacts_with_pending)
        await self._store.write(lambda tx: alerts.clear_alert(tx, "inbound_failed"))
        for contact_id in waiting:
            await self.handle(contact_id)
        return len(waiting)

    async def handle(self, contact_id: int) -> None:
        """Run the rules over a contact's pending messages.

        If that fails the messages stay pending, with an alert, and the next start tries again.
        """
        await self._decide(contact_id, on_arrival=False)

    async def _decide(self, contact_id: int, *, on_arrival: bool) -> bool:
        """Whether anything is left to decide when the debounce is over."""
        configuration, randomness = self._configuration(), self._rng.getrandbits(128)
        try:
            return await self._store.write(
                lambda tx: _answer(tx, contact_id, configuration, randomness, on_arrival=on_arrival)
            )
        except (ValueError, TypeError, LookupError, ArithmeticError) as error:
            log.exception("rules failed", contact=contact_id)
            text = f"A message could not be handled ({type(error).__name__}). It is kept; the next start tries again."
            await self._store.write(lambda tx: alerts.raise_alert(tx, "inbound_failed", "error", text))
            return False


def _record(tx: Tx, message: Received) -> int | None:
    return inbox.record(
        tx,
        wa_id=message.wa_id,
        chat=message.chat,
        name=message.name,
        body=message.body,
        kind=message.kind,
        written_at_ms=message.written_at_ms,
    )


def _answer(tx: Tx, contact_id: int, configuration: Configuration, randomness: int, *, on_arrival: bool) -> bool:
    """Decide about what is pending; on arrival only about what does not wait. True if anything is left."""
    decide = decided_on_arrival if on_arrival else answer_pending
    debounce_ms = configuration.settings.answers.debounce_ms
    contact, left = contacts.get(tx, contact_id), 0
    for messages in _at_once(inbox.pending_of(tx, contact_id), debounce_ms):
        state = conversation.state_of(tx.connection, contact_id)
        texts = [Incoming(message.body, (message.kind,), message.written_at_ms) for message in messages]
        left += len(messages)
        for handled in decide(configuration.rule_book, state, texts, tx.now_ms, randomness):
            left -= len(handled.messages)
            _carry_out(tx, contact, [messages[index] for index in handled.messages], handled)
    return left > 0


def _at_once(pending: Sequence[PendingMessage], debounce_ms: int) -> Iterator[list[PendingMessage]]:
    """The messages by what is answered as one text: after a crash those of different times may be pending."""
    group: list[PendingMessage] = []
    for message in pending:
        if group and message.received_at_ms - group[-1].received_at_ms >= debounce_ms:
            yield group
            group = []
        group.append(message)
    if group:
        yield group


def _carry_out(tx: Tx, contact: contacts.Contact, messages: list[PendingMessage], handled: Handled) -> None:
    decision = handled.decision
    conversation.write(tx, contact, decision, f"in:{messages[0].id}")
    for warning in decision.warnings:
        log.warning("rules", message=messages[0].id, warning=warning)
    for message in messages:
        inbox.mark_handled(tx, message.id, decision.rule, decision.explanation)
    log.info(
        "handled",
        messages=[message.id for message in messages],
        contact=mask(contact.phone or contact.lid or ""),
        rule=decision.rule,
    )


def _typed(tx: Tx, message: TypedByHand, book: RuleBook) -> None:
    contact = contacts.at_address(tx, message.chat)
    if not outbox.record_typed(tx, contact, message.wa_id, message.body, message.written_at_ms):
        return
    decision = human_typed(book, conversation.state_of(tx.connection, contact.id), tx.now_ms)
    log.info("typed by a person", contact=mask(contact.phone or contact.lid or ""))
    if decision is not None:
        conversation.write(tx, contact, decision, f"typed:{message.wa_id}")
