"""The rules: one text of one contact in, one decision out."""

from __future__ import annotations

from datetime import datetime

from whatsself_tui.automation.consent import is_keyword
from whatsself_tui.automation.decision import Incoming
from whatsself_tui.automation.folding import is_blank
from whatsself_tui.automation.model import (
    CONSENT_PRIORITY,
    TRIGGER_PRIORITY,
    Answer,
    Business,
    Catalogue,
    ConsentRules,
    ContactState,
    Decision,
)
from whatsself_tui.automation.templates import render, variables
from whatsself_tui.automation.triggers import TriggerIndex, first_match


def decide(
    text: str,
    state: ContactState,
    catalogue: Catalogue,
    consent: ConsentRules,
    business: Business,
    now: datetime,
    now_ms: int,
) -> Decision:
    """What happens after `text` from a contact in `state`; the first rule that applies wins.

    1. an opt-out keyword withdraws consent, 2. an opt-in keyword gives it back to somebody who had
    withdrawn it, 3. an opted-out contact gets nothing, 4. the first trigger that matches answers.

    `now` is the present moment in the business's time zone, for the texts; `now_ms` is the same
    moment in wall-clock milliseconds, for the cool-downs. Media without a caption have an empty text.
    """
    values = variables(state, business, now)
    if is_keyword(text, consent.opt_out):
        return _opt_out(state, consent, values)
    if state.opted_out:
        if is_keyword(text, consent.opt_in):
            return _opt_in(consent, values)
        return Decision("opted_out", explanation="The contact has opted out; nothing is answered.")
    if is_blank(text):
        return Decision("empty", explanation="There is no text to match.")
    return _trigger(text, state, catalogue, values, now_ms)


def _opt_out(state: ContactState, consent: ConsentRules, values: dict[str, str]) -> Decision:
    if state.opted_out:
        return Decision("opt_out", explanation="An opt-out keyword from a contact who has already opted out.")
    answers, warnings = _confirmation(consent.opt_out_text, "opt_out", values)
    return Decision(
        rule="opt_out",
        answers=answers,
        consent="out",
        cancel_queued=True,
        explanation="The text is an opt-out keyword.",
        warnings=warnings,
    )


def _opt_in(consent: ConsentRules, values: dict[str, str]) -> Decision:
    answers, warnings = _confirmation(consent.opt_in_text, "opt_in", values)
    return Decision(
        rule="opt_in",
        answers=answers,
        consent="in",
        explanation="The text is an opt-in keyword.",
        warnings=warnings,
    )


def _confirmation(text: str, rule: str, values: dict[str, str]) -> tuple[tuple[Answer, ...], tuple[str, ...]]:
    rendered = render(text, values, label=f"consent.{rule}_text")
    if not rendered.text:
        return (), rendered.warnings
    return (Answer(rendered.text, f"consent:{rule}", CONSENT_PRIORITY, "exempt"),), rendered.warnings


def _trigger(text: str, state: ContactState, catalogue: Catalogue, values: dict[str, str], now_ms: int) -> Decision:
    answering = TriggerIndex(trigger for trigger in catalogue.triggers if trigger.template)
    search = first_match(answering, Incoming(text), state, now_ms)
    cooling = f" Cooling down for this contact: {', '.join(search.cooling)}." if search.cooling else ""
    if search.match is None:
        return Decision("unmatched", explanation=f"No trigger fires.{cooling}")
    trigger, phrase = search.match.trigger, search.match.phrase
    rendered = render(catalogue.templates[trigger.template].text, values, label=f"template {trigger.template}")
    explanation = f'Trigger "{trigger.name}" fires: {trigger.kind} "{phrase}".{cooling}'
    if not rendered.text:
        return Decision("trigger", explanation=explanation, warnings=rendered.warnings)
    answer = Answer(rendered.text, f"trigger:{trigger.name}", TRIGGER_PRIORITY, "reply")
    return Decision(
        rule="trigger",
        answers=(answer,),
        fired=trigger.name,
        explanation=explanation,
        warnings=rendered.warnings,
    )
