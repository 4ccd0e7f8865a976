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
from whatsself_tui.store import alerts, contacts, conversation, identities, inbox, outbox
from whatsself_tui.store.database import Store, Tx
from whatsself_tui.store.inbox import MediaRow, PendingMessage
from whatsself_tui.transport.base import Edited, Received, Revoked, SamePerson, TypedByHand

log = logger("inbound")

#: Somebody who goes on writing is answered after this many times the debounce at the latest.
MOST_DEBOUNCES = 5


@dataclass(frozen=True, slots=True)
class _Person:
    """Whom an event is about."""

    contact_id: int
    merged: set[int]
    """Contacts that became part of this one just now."""


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
        recorded = await self._store.write(lambda tx: _record(tx, message))
        if recorded is None:
            log.info("seen before", wa_id=message.wa_id)
            return False
        if recorded.merged:
            self._follow(recorded)
        await self._settle(recorded.contact_id)
        return True

    async def typed(self, message: TypedByHand) -> None:
        """A message of our own account: if the robot did not send it, a person answers this contact now."""
        if is_personal(message.chat):
            book = self._configuration().rule_book
            await self._heard_of(await self._store.write(lambda tx: _typed(tx, message, book)))

    async def edited(self, event: Edited) -> None:
        """A contact has changed a message; one that nobody has decided about waits anew until nothing more comes."""
        contact_id = await self._store.write(lambda tx: inbox.edit(tx, event.wa_id, event.body, event.at_ms))
        if contact_id is not None:
            log.info("edited", wa_id=event.wa_id)
            await self._settle(contact_id)

    async def revoked(self, event: Revoked) -> None:
        """A contact has taken a message back: if it was not answered yet, it never is."""
        if await self._store.write(lambda tx: inbox.revoke(tx, event.wa_id, event.at_ms)) is not None:
            log.info("revoked", wa_id=event.wa_id)

    async def same_person(self, event: SamePerson) -> None:
        """Two addresses are one person's; what both wrote is answered as one contact's."""
        if is_personal(event.chat) and is_personal(event.other):
            await self._heard_of(await self._store.write(lambda tx: _same_person(tx, event)))

    async def _heard_of(self, person: _Person) -> None:
        if person.merged:
            self._follow(person)
            await self._settle(person.contact_id)

    def _follow(self, person: _Person) -> None:
        """Contacts have become part of another: it waits no longer than the first of them would have."""
        log.info("merged", contacts=sorted(person.merged), into=person.contact_id)
        each = (*person.merged, person.contact_id)
        known = [quiet for contact_id in each if (quiet := self._quiet.pop(contact_id, None))]
        if known:
            self._quiet[person.contact_id] = min(known, key=lambda quiet: quiet.latest_s)

    async def _settle(self, contact_id: int) -> None:
        """Decide about what a contact wrote: at once what does not wait, the rest when nothing more comes."""
        debounce_s = self._configuration().settings.answers.debounce_ms / 1000
        if not (self._running and debounce_s):
            await self.handle(contact_id)
        elif await self._decide(contact_id, on_arrival=True):
            now_s = self._clock.monotonic_s()
            known = self._quiet.get(contact_id)
            latest_s = known.latest_s if known else now_s + MOST_DEBOUNCES * debounce_s
            self._quiet[contact_id] = _Quiet(min(now_s + debounce_s, latest_s), latest_s)
            self._kick.set()

    async def run(self) -> None:
        """Answer each contact when its messages have come to rest, until stopped."""
        self._running = True
        try:
            while self._running:
                self._kick.clear()
                now_s = self._clock.monotonic_s()
                for contact_id in [contact for contact, quiet in self._quiet.items() if quiet.at_s <= now_s]:
                    if self._quiet.pop(contact_id, None) is None:
                        continue  # part of another contact meanwhile
                    self._answering = True
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


def _record(tx: Tx, message: Received) -> _Person | None:
    before, media = identities.find_each(tx.connection, message.chat, message.other), message.media
    contact_id = inbox.record(
        tx,
        wa_id=message.wa_id,
        chat=message.chat,
        name=message.name,
        body=message.body,
        kind=message.kind,
        written_at_ms=message.written_at_ms,
        other=message.other,
        key=message.key,
        media=None if media is None else MediaRow(media.mimetype, media.file_name, media.size_bytes),
    )
    return None if contact_id is None else _Person(contact_id, identities.merged_away(tx.connection, before))


def _same_person(tx: Tx, event: SamePerson) -> _Person:
    before = identities.find_each(tx.connection, event.chat, event.other)
    contact = contacts.same_person(tx, event.chat, event.other)
    return _Person(contact.id, identities.merged_away(tx.connection, before))


def _answer(tx: Tx, contact_id: int, configuration: Configuration, randomness: int, *, on_arrival: bool) -> bool:
    """Decide about what is pending; on arrival only about what does not wait. True if anything is left."""
    decide = decided_on_arrival if on_arrival else answer_pending
    if not identities.exists(tx.connection, contact_id):
        return False  # part of another contact meanwhile, which is looked after
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


def _typed(tx: Tx, message: TypedByHand, book: RuleBook) -> _Person:
    before = identities.find_each(tx.connection, message.chat, message.other)
    contact = contacts.at_address(tx, message.chat, other=message.other)
    person = _Person(contact.id, identities.merged_away(tx.connection, before))
    if outbox.record_typed(tx, contact, message.wa_id, message.body, message.written_at_ms):
        log.info("typed by a person", contact=mask(contact.phone or contact.lid or ""))
        state, typed_at_ms = conversation.state_of(tx.connection, contact.id), min(message.written_at_ms, tx.now_ms)
        decision = human_typed(book, state, typed_at_ms, tx.now_ms)
        if decision is not None:
            conversation.write(tx, contact, decision, f"typed:{message.wa_id}")
    return person
