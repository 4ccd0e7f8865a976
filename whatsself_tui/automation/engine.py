"""The rules in their order: one message of one contact in, one decision out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from whatsself_tui.automation import flows
from whatsself_tui.automation.composer import Composer
from whatsself_tui.automation.consent import says
from whatsself_tui.automation.decision import Alert, Considered, ContactState, Decision, HandOver, Incoming, Rule
from whatsself_tui.automation.folding import is_blank
from whatsself_tui.automation.hours import closed_period_start_ms
from whatsself_tui.automation.model import CONSENT_PRIORITY
from whatsself_tui.automation.rulebook import RuleBook
from whatsself_tui.automation.triggers import Match, first_match


def run_rules(book: RuleBook, state: ContactState, message: Incoming, now_ms: int, randomness: int) -> Decision:
    """What happens after `message` from a contact in `state`; the first rule that applies decides.

    a. an opt-out keyword withdraws consent, b. an opt-in keyword gives it back to somebody who had
    withdrawn it, c. an opted-out contact and d. one handed over to a person get nothing, e. outside
    business hours the away message is given, and may be all, f. a first contact is welcomed, g. inside
    a flow the text is its input, h. the first trigger that matches and does not cool down answers,
    i. after too many messages nothing matched a person takes over.

    `now_ms` is the wall clock; `randomness` a random number of 128 bits, for the variants of templates.
    """
    run = _Run(book, state, message, now_ms, randomness)
    rules = (run.opt_out, run.opt_in, run.opted_out, run.handed_over, run.hours, run.welcome, run.flow, run.trigger)
    return _first(rules) or run.fallback()


def consent_of(book: RuleBook, state: ContactState, message: Incoming, now_ms: int, randomness: int) -> Decision | None:
    """Rules a and b alone, for each message on arrival: None if it changes no consent.

    A message this decides about is handled; it is no part of the text the others are joined to.
    """
    run = _Run(book, state, message, now_ms, randomness)
    return _first((run.opt_out, run.opt_in))


def _first(rules: Iterable[Callable[[], Decision | None]]) -> Decision | None:
    return next((decision for rule in rules if (decision := rule()) is not None), None)


class _Run:
    """One message on its way through the rules; each method is a rule and None means: the next one."""

    def __init__(self, book: RuleBook, state: ContactState, message: Incoming, now_ms: int, randomness: int) -> None:
        self._book = book
        self._state = state
        self._message = message
        self._now_ms = now_ms
        self._composer = Composer(book, state, now_ms, randomness)
        self._considered: list[Considered] = []
        self._alerts: list[Alert] = []
        self._welcomed = False
        self._away_period_ms: int | None = None
        self._leaves_flow = False

    def opt_out(self) -> Decision | None:
        """a. A keyword withdraws consent."""
        if not says(self._message.text, self._book.opt_out):
            return self._pass("opt_out", "the text is no opt-out keyword")
        if self._state.opted_out:
            return self._decide("opt_out", "An opt-out keyword from a contact who has already opted out.")
        self._confirm("opt_out", self._book.consent.opt_out_text)
        self._leaves_flow = True
        text = "The text is an opt-out keyword."
        return self._decide("opt_out", text, consent="out", cancel_queued=True, unmatched=self._reset())

    def opt_in(self) -> Decision | None:
        """b. A keyword of somebody who had opted out gives it back."""
        if not self._state.opted_out:
            return self._pass("opt_in", "the contact has not opted out")
        if not says(self._message.text, self._book.opt_in):
            return self._pass("opt_in", "the text is no opt-in keyword")
        self._confirm("opt_in", self._book.consent.opt_in_text)
        return self._decide("opt_in", "The text is an opt-in keyword.", consent="in")

    def opted_out(self) -> Decision | None:
        """c. Somebody opted out gets nothing."""
        if self._state.opted_out:
            return self._decide("opted_out", "The contact has opted out; nothing is answered.")
        return self._pass("opted_out", "the contact has not opted out")

    def handed_over(self) -> Decision | None:
        """d. Somebody left to a person gets nothing."""
        hand_over = self._state.hand_over
        if hand_over is None:
            return self._pass("handed_over", "no person has taken over")
        if hand_over.until_ms is not None and self._now_ms >= hand_over.until_ms:
            return self._pass("handed_over", "the time of the person who had taken over is up")
        return self._decide("handed_over", f"The contact is left to a person: {hand_over.reason}.")

    def hours(self) -> Decision | None:
        """e. While it is closed: the away message once, and silence if the settings say so."""
        silent = self._book.answering.outside_hours == "silent"
        if not silent and not self._book.away_text:
            return self._pass("closed", "the hours do not matter: no away message, and answers go on")
        period_ms = closed_period_start_ms(self._book.hours, self._now_ms)
        if period_ms is None:
            return self._pass("closed", "the business is open")
        told = "no away message"
        if self._book.away_text:
            told = "the away message was given before"
            if self._state.away_period_ms != period_ms:
                self._composer.say(self._book.away_text, "away", "away.text")
                self._away_period_ms = period_ms
                told = "the away message is given"
        if silent:
            return self._decide("closed", f"The business is closed: {told}, and nothing else is answered.")
        return self._pass("closed", f"the business is closed: {told}, and answers go on")

    def welcome(self) -> Decision | None:
        """f. The welcome message, once in a life; never the last rule."""
        if self._state.welcomed:
            return self._pass("welcome", "it is not the first contact")
        self._welcomed = True
        if not self._book.welcome_text:
            return self._pass("welcome", "the first contact; the welcome message is off")
        self._composer.say(self._book.welcome_text, "welcome", "welcome.text")
        return self._pass("welcome", "the first contact is welcomed, and the rules go on")

    def flow(self) -> Decision | None:
        """g. The answer to a question of a flow."""
        position = self._state.flow
        if position is None:
            return self._pass("flow", "the contact is in no flow")
        if self._now_ms >= position.expires_at_ms:
            self._leaves_flow = True
            return self._pass("flow", f'the question of flow "{position.flow}" was answered too late; the flow ended')
        if reason := flows.lost(self._book, position):
            self._leaves_flow = True
            self._alerts.append(Alert("flow_ended", f"A contact was taken out of a flow: {reason}."))
            return self._pass("flow", f"{reason}; the flow ended")
        outcome = flows.answer(self._book, self._composer, position, self._message, self._now_ms)
        return self._walked("flow", "", outcome)

    def trigger(self) -> Decision | None:
        """h. The first trigger that fits and does not cool down."""
        search = first_match(self._book.triggers, self._message, self._state, self._now_ms)
        cooling = f" Cooling down for this contact: {', '.join(search.cooling)}." if search.cooling else ""
        if search.match is None:
            if cooling:
                return self._decide("cooling", f"No trigger fires.{cooling}")
            return self._pass("trigger", "no trigger matches")
        return self._fire(search.match, cooling)

    def fallback(self) -> Decision:
        """i. Nothing matched; too often in a row, a person takes over."""
        if is_blank(self._message.text) and set(self._message.kinds) == {"text"}:
            return self._decide("empty", "There is no text to match.")
        limit = self._book.answering.handover_after
        if not limit:
            return self._decide("unmatched", "Nothing matches; hand-over after unmatched messages is off.")
        count = self._state.unmatched + 1
        if count < limit:
            text = f"Nothing matches, {count} in a row; at {limit} a person takes over."
            return self._decide("unmatched", text, unmatched=count)
        if text := self._book.answering.handover_text:
            self._composer.say(text, "fallback", "answers.handover_text")
        reason = f"nothing matched {count} messages in a row"
        self._alerts.append(Alert("waiting_for_human", f"A contact waits for a person: {reason}."))
        return self._decide("fallback", f"A person takes over: {reason}.", hand_over=HandOver(reason), unmatched=0)

    def _fire(self, match: Match, cooling: str) -> Decision:
        trigger = match.trigger
        explanation = f'Trigger "{trigger.name}" fires: {trigger.kind} "{match.phrase}".{cooling}'
        said = bool(trigger.template) and self._composer.say_template(trigger.template, f"trigger:{trigger.name}")
        if not trigger.flow:
            fired = trigger.name if said else None
            return self._decide("trigger", explanation, fired=fired, unmatched=self._reset())
        outcome = flows.start(self._book, self._composer, trigger.flow, self._now_ms)
        return self._walked("trigger", f"{explanation} ", outcome, fired=trigger.name)

    def _walked(self, rule: Rule, before: str, outcome: flows.Outcome, fired: str | None = None) -> Decision:
        self._alerts.extend(outcome.alerts)
        self._leaves_flow = True
        return self._decide(
            rule,
            f"{before}{outcome.explanation[0].upper()}{outcome.explanation[1:].removesuffix('.')}.",
            fired=fired,
            flow=outcome.position,
            hand_over=outcome.hand_over,
            unmatched=self._reset(),
        )

    def _confirm(self, rule: str, text: str) -> None:
        label = f"consent.{rule}_text"
        self._composer.say(text, f"consent:{rule}", label, priority=CONSENT_PRIORITY, window="exempt")

    def _reset(self) -> int | None:
        """The count of unmatched messages, where something matched."""
        return 0 if self._state.unmatched else None

    def _pass(self, rule: str, reason: str) -> Decision | None:
        """On to the next rule, with the reason for it."""
        self._considered.append(Considered(rule, reason))
        return None

    def _decide(self, rule: Rule, explanation: str, **more: Any) -> Decision:
        return Decision(
            rule,
            answers=tuple(self._composer.answers),
            explanation=explanation,
            warnings=tuple(self._composer.warnings),
            welcomed=self._welcomed,
            away_period_ms=self._away_period_ms,
            flow_cleared=self._leaves_flow and self._state.flow is not None and more.get("flow") is None,
            variants=self._composer.variants,
            alerts=tuple(self._alerts),
            considered=tuple(self._considered),
            **more,
        )
