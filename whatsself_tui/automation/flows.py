"""Walks a contact through a flow: what is said on the way, and where it waits next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from whatsself_tui.automation.answer_checks import MAX_ANSWER, checked
from whatsself_tui.automation.composer import Composer
from whatsself_tui.automation.decision import Alert, FlowPosition, HandOver, Incoming
from whatsself_tui.automation.folding import fold
from whatsself_tui.automation.model import Flow, Step
from whatsself_tui.automation.rulebook import RuleBook

MAX_AUTOMATIC_STEPS = 20
"""Steps that may follow each other without an answer of the contact."""

_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a walk ended."""

    explanation: str
    position: FlowPosition | None = None
    """The question it waits at; None if the flow is over."""
    hand_over: HandOver | None = None
    alerts: tuple[Alert, ...] = ()


def lost(book: RuleBook, position: FlowPosition) -> str:
    """Why a contact cannot stay at `position` with the flows in force; empty if it can."""
    flow = book.catalogue.flows.get(position.flow)
    if flow is None:
        return f'the flow "{position.flow}" is no longer in the file'
    step = flow.by_name.get(position.step)
    if step is None:
        return f'the step "{position.step}" of the flow "{position.flow}" is no longer in the file'
    return "" if step.kind == "ask" else f'the step "{position.step}" of the flow "{position.flow}" asks no longer'


def start(book: RuleBook, composer: Composer, flow: str, now_ms: int) -> Outcome:
    """Begin a flow at its first step."""
    begun = book.catalogue.flows[flow]
    return _Walk(book, composer, begun, {}, now_ms).go(begun.steps[0].name)


def answer(book: RuleBook, composer: Composer, position: FlowPosition, message: Incoming, now_ms: int) -> Outcome:
    """Go on from the question at `position`, which is not `lost`, with what the contact answered."""
    flow = book.catalogue.flows[position.flow]
    walk = _Walk(book, composer, flow, position.values, now_ms)
    return walk.answered(flow.by_name[position.step], message, position.tries)


class _Walk:
    """One way from an answer to the next question."""

    def __init__(self, book: RuleBook, composer: Composer, flow: Flow, values: Mapping[str, str], now_ms: int) -> None:
        self._book = book
        self._composer = composer
        self._flow = flow
        self._values = values
        self._now_ms = now_ms

    def answered(self, step: Step, message: Incoming, tries: int) -> Outcome:
        """Store a right answer and go where it leads, or ask again."""
        said = fold(message.text)
        target = next((step for answer, step in step.answers if answer == said), "")
        kept = _as_written(message.text, said) if target else None
        if not target and step.next:
            kept = checked(step, message)
            target = step.next if kept is not None else ""
        if kept is None:
            return self._refuse(step, tries + 1)
        if step.save:
            self._values = {**self._values, step.save: kept}
        return self.go(target)

    def go(self, name: str) -> Outcome:
        """Take automatic steps, from the one named, up to a question or the end."""
        for _ in range(MAX_AUTOMATIC_STEPS + 1):
            step = self._flow.by_name[name]
            if step.kind == "jump":
                self._flow = self._book.catalogue.flows[step.jump]
                name = self._flow.steps[0].name
                continue
            if step.template:
                self._say(step, step.template)
            if step.kind == "ask":
                return self._wait(step, tries=0)
            if step.kind == "handover":
                return self._hand_over(f"{self._place(step)} hands over to a person")
            if step.kind == "end" or not step.next:
                return Outcome(f"{self._place(step)} ends the flow")
            name = step.next
        text = f'The flow "{self._flow.name}" was ended: {MAX_AUTOMATIC_STEPS} steps without a question.'
        return Outcome(text, alerts=(Alert("flow_ended", text),))

    def _refuse(self, step: Step, tries: int) -> Outcome:
        """A wrong answer: ask again, or give up after the last try."""
        if tries < step.tries:
            self._say(step, step.invalid or step.template)
            return self._wait(step, tries)
        if step.give_up:
            return self.go(step.give_up)
        text = self._book.answering.handover_text
        if text:
            self._composer.say(text, self._source(step), "answers.handover_text")
        return self._hand_over(f"{self._place(step)} got no right answer in {tries} tries")

    def _wait(self, step: Step, tries: int) -> Outcome:
        position = FlowPosition(
            flow=self._flow.name,
            step=step.name,
            values=self._values,
            tries=tries,
            since_ms=self._now_ms,
            expires_at_ms=self._now_ms + step.timeout_min * _MINUTE_MS,
            version=self._flow.version,
        )
        again = f", wrong answer {tries} of {step.tries}" if tries else ""
        return Outcome(f"{self._place(step)} waits for an answer{again}", position)

    def _hand_over(self, reason: str) -> Outcome:
        alert = Alert("waiting_for_human", f"A contact waits for a person: {reason}.")
        return Outcome(reason, hand_over=HandOver(reason), alerts=(alert,))

    def _say(self, step: Step, template: str) -> None:
        self._composer.say_template(template, self._source(step), self._values)

    def _source(self, step: Step) -> str:
        return f"flow:{self._flow.name}/{step.name}"

    def _place(self, step: Step) -> str:
        return f'flow "{self._flow.name}", step "{step.name}"'


def _as_written(text: str, folded: str) -> str:
    """A recognised answer as it is kept; what surrounds it may be of any length."""
    written = text.strip()
    return written if len(written) <= MAX_ANSWER else folded
