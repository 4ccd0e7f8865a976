"""All that a contact wrote and nobody has decided about yet, as the store finds it in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from whatsself_tui.automation.decision import ContactState, Decision, Incoming
from whatsself_tui.automation.engine import consent_of, run_rules
from whatsself_tui.automation.folding import is_blank
from whatsself_tui.automation.occasions import after
from whatsself_tui.automation.rulebook import RuleBook


@dataclass(frozen=True, slots=True)
class Handled:
    """A decision and the messages it is about."""

    messages: tuple[int, ...]
    """Indices into the messages that were given; every message is in exactly one `Handled`."""
    decision: Decision


def answer_pending(
    book: RuleBook, state: ContactState, messages: Sequence[Incoming], now_ms: int, randomness: int
) -> tuple[Handled, ...]:
    """What follows from a contact's pending messages, in the order in which it is to be written.

    Messages that are too old and consent keywords are decided one by one, in their order; all others
    are answered as one text.
    """
    handled = decided_on_arrival(book, state, messages, now_ms, randomness)
    done = {index for each in handled for index in each.messages}
    rest = tuple(index for index in range(len(messages)) if index not in done)
    if not rest:
        return handled
    for each in handled:
        state = after(state, each.decision, now_ms)
    text = joined([messages[index] for index in rest])
    return (*handled, Handled(rest, run_rules(book, state, text, now_ms, randomness)))


def decided_on_arrival(
    book: RuleBook, state: ContactState, messages: Sequence[Incoming], now_ms: int, randomness: int
) -> tuple[Handled, ...]:
    """Of these messages those that wait for no others: consent keywords, and what is too old to be answered."""
    handled: list[Handled] = []
    for index, message in enumerate(messages):
        decision = too_old(book, state, message, now_ms) or consent_of(book, state, message, now_ms, randomness)
        if decision is not None:
            handled.append(Handled((index,), decision))
            state = after(state, decision, now_ms)
    return tuple(handled)


def joined(messages: Sequence[Incoming]) -> Incoming:
    """Several messages as one: their texts on a line each."""
    if len(messages) == 1:
        return messages[0]
    return Incoming(
        "\n".join(message.text for message in messages if not is_blank(message.text)),
        tuple(dict.fromkeys(kind for message in messages for kind in message.kinds)),
        min(message.written_at_ms for message in messages),
    )


def too_old(book: RuleBook, state: ContactState, message: Incoming, now_ms: int) -> Decision | None:
    """The decision about a message that waited too long to be answered; None for all others.

    It is only recorded, but a keyword in it still withdraws or gives consent, without a confirmation.
    """
    age_ms, limit_ms = now_ms - message.written_at_ms, book.answering.max_age_ms
    if age_ms <= limit_ms:
        return None
    old = f"It was written {age_ms // 3_600_000} h ago; what is older than {limit_ms // 3_600_000} h is not answered."
    decision = consent_of(book, state, message, now_ms, randomness=0)
    if decision is None:
        return Decision("too_old", explanation=old)
    return replace(decision, answers=(), warnings=(), explanation=f"{decision.explanation} {old}")
