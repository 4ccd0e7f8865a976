"""From an arrived message to committed answers: stored first, then decided in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from whatsself_tui.automation.decide import decide
from whatsself_tui.automation.model import Answer, Business, ConsentRules, ContactState, Decision
from whatsself_tui.config.service import Configuration
from whatsself_tui.host.logs import logger
from whatsself_tui.phones import is_personal, mask
from whatsself_tui.store import alerts, contacts, inbox, outbox
from whatsself_tui.store.database import Store, Tx
from whatsself_tui.transport.base import Received

log = logger("inbound")


class Inbound:
    """Takes what arrives, one contact's messages one after another."""

    def __init__(self, store: Store, configuration: Callable[[], Configuration]) -> None:
        self._store = store
        self._configuration = configuration

    async def receive(self, message: Received) -> bool:
        """Store a message and answer it; False if it is no person's or was seen before.

        When this returns, the message and everything the rules decided are on disk.
        """
        if not is_personal(message.chat):
            log.debug("ignored", chat=mask(message.chat))
            return False
        contact_id = await self._store.write(lambda tx: _record(tx, message))
        if contact_id is None:
            log.info("seen before", wa_id=message.wa_id)
            return False
        await self.handle(contact_id)
        return True

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
        configuration = self._configuration()
        try:
            await self._store.write(lambda tx: _handle(tx, contact_id, configuration))
        except (ValueError, TypeError, LookupError, ArithmeticError) as error:
            log.exception("rules failed", contact=contact_id)
            text = f"A message could not be handled ({type(error).__name__}). It is kept; the next start tries again."
            await self._store.write(lambda tx: alerts.raise_alert(tx, "inbound_failed", "error", text))


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


def _handle(tx: Tx, contact_id: int, configuration: Configuration) -> None:
    for message in inbox.pending_of(tx, contact_id):
        contact = contacts.get(tx, contact_id)
        decision = _decide(tx, contact, message.body, configuration)
        _carry_out(tx, contact, message.id, decision)


def _decide(tx: Tx, contact: contacts.Contact, body: str, configuration: Configuration) -> Decision:
    settings = configuration.settings
    return decide(
        body,
        ContactState(contact.name, contact.phone or "", contact.consent == "out", contacts.fired(tx, contact.id)),
        configuration.catalogue,
        ConsentRules(
            settings.consent.opt_out,
            settings.consent.opt_in,
            settings.consent.opt_out_text,
            settings.consent.opt_in_text,
        ),
        Business(settings.business.name),
        datetime.fromtimestamp(tx.now_ms / 1000, settings.business.zone),
        tx.now_ms,
    )


def _carry_out(tx: Tx, contact: contacts.Contact, inbox_id: int, decision: Decision) -> None:
    if decision.consent:
        contacts.set_consent(tx, contact.id, decision.consent)
    if decision.cancel_queued:
        outbox.cancel_automatic(tx, contact.id, "the contact has opted out")
    for number, answer in enumerate(decision.answers):
        outbox.enqueue(tx, contact, _outgoing(answer, f"in:{inbox_id}:{number}"))
    if decision.fired:
        contacts.note_fired(tx, contact.id, decision.fired)
    for warning in decision.warnings:
        log.warning("rules", message=inbox_id, warning=warning)
    inbox.mark_handled(tx, inbox_id, decision.rule, decision.explanation)
    log.info("handled", message=inbox_id, contact=mask(contact.phone or contact.lid or ""), rule=decision.rule)


def _outgoing(answer: Answer, dedup: str) -> outbox.Outgoing:
    return outbox.Outgoing(
        body=answer.text,
        source=answer.source,
        priority=answer.priority,
        exempt=answer.window == "exempt",
        dedup=dedup,
    )
