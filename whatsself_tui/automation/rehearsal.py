"""A conversation played through the rules, and told: nothing is stored and nothing is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from whatsself_tui.automation.decision import Answer, Considered, ContactState, Decision, Incoming
from whatsself_tui.automation.occasions import after, expire
from whatsself_tui.automation.pending import Handled, answer_pending
from whatsself_tui.automation.rulebook import RuleBook

NEWCOMER = ContactState(name="", phone="", opted_out=False)
"""Somebody who never wrote; `dataclasses.replace` gives them a name and a phone."""

ChangeKind = Literal["consent", "cancelled", "hand_over", "flow", "left_flow", "welcomed", "cooldown", "unmatched"]


@dataclass(frozen=True, slots=True)
class Turn:
    """What a contact wrote at one time, and everything that followed."""

    messages: tuple[Incoming, ...]
    at_ms: int
    handled: tuple[Handled, ...]
    """In the order in which they take effect. The end of an overdue flow comes first, with no message."""
    state: ContactState
    """The contact afterwards."""

    @property
    def decision(self) -> Decision:
        """The last one: of several messages, the one about their joined text."""
        return self.handled[-1].decision


@dataclass(frozen=True, slots=True)
class Change:
    """Something that is different about the contact afterwards."""

    kind: ChangeKind
    text: str
    """A few words for a person; quotes only the operator's own names."""
    values: Mapping[str, str] = field(default_factory=dict)
    """Of a `flow`: what the contact answered so far, foreign text."""
    until_ms: int | None = None
    """When it ends by itself: a hand-over, the wait of a flow, a cool-down."""


@dataclass(frozen=True, slots=True)
class Told:
    """One decision of a turn as it is shown, in this order. Texts and answers are foreign text."""

    texts: tuple[str, ...]
    """What the contact wrote, each message by itself; empty where time alone decided."""
    rule: str
    explanation: str
    considered: tuple[Considered, ...]
    """The rules before it, and why they did not decide."""
    answers: tuple[Answer, ...]
    changes: tuple[Change, ...]
    warnings: tuple[str, ...]
    alerts: tuple[str, ...]


def turn(book: RuleBook, state: ContactState, messages: Sequence[Incoming], now_ms: int, randomness: int) -> Turn:
    """What follows when a contact in `state` writes `messages`, all of them pending at `now_ms`.

    The engine decides as it does for a running robot, which has ended a flow whose time was up before.
    `messages` has at least one; `randomness` is what `run_rules` takes.
    """
    handled: list[Handled] = []
    if overdue := expire(state, now_ms):
        handled.append(Handled((), overdue))
        state = after(state, overdue, now_ms)
    decided = answer_pending(book, state, messages, now_ms, randomness)
    for each in decided:
        state = after(state, each.decision, now_ms)
    return Turn(tuple(messages), now_ms, (*handled, *decided), state)


def dice(seed: str, number: int) -> int:
    """The randomness of the turn `number`: 128 bits, the same for the same seed."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{number}".encode("utf-8", "surrogatepass")).digest()[:16], "big")


def told(book: RuleBook, played: Turn) -> tuple[Told, ...]:
    """The turn's decisions as plain data for a terminal, a screen or a document."""
    return tuple(
        Told(
            texts=tuple(played.messages[index].text for index in handled.messages),
            rule=handled.decision.rule,
            explanation=handled.decision.explanation,
            considered=handled.decision.considered,
            answers=handled.decision.answers,
            changes=tuple(_changes(book, handled.decision, played.at_ms)),
            warnings=handled.decision.warnings,
            alerts=tuple(alert.text for alert in handled.decision.alerts),
        )
        for handled in played.handled
    )


def _changes(book: RuleBook, decision: Decision, at_ms: int) -> Iterator[Change]:
    if decision.consent:
        yield Change("consent", "consent is withdrawn" if decision.consent == "out" else "consent is given again")
    if decision.cancel_queued:
        yield Change("cancelled", "automatic messages in the queue are cancelled")
    if decision.welcomed:
        yield Change("welcomed", "the first contact lies behind")
    if decision.fired:
        yield from _cooldown(book, decision.fired, at_ms)
    if position := decision.flow:
        text = f'waits in flow "{position.flow}" at step "{position.step}"'
        yield Change("flow", text, position.values, position.expires_at_ms)
    if decision.flow_cleared:
        yield Change("left_flow", "is in no flow any more")
    if decision.hand_over:
        text = f"is left to a person: {decision.hand_over.reason}"
        yield Change("hand_over", text, until_ms=decision.hand_over.until_ms)
    if decision.unmatched is not None:
        yield Change("unmatched", f"messages in a row that nothing matched: {decision.unmatched}")


def _cooldown(book: RuleBook, name: str, at_ms: int) -> Iterator[Change]:
    cooldown_s = next((trigger.cooldown_s for trigger in book.catalogue.triggers if trigger.name == name), 0)
    if cooldown_s:
        text = f'trigger "{name}" is silent for {cooldown_s} s'
        yield Change("cooldown", text, until_ms=at_ms + cooldown_s * 1000)
