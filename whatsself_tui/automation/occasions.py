"""What follows when no message is answered: a person typed, a question timed out, a decision was written."""

from __future__ import annotations

from dataclasses import replace

from whatsself_tui.automation.decision import ContactState, Decision, HandOver
from whatsself_tui.automation.rulebook import RuleBook


def human_typed(book: RuleBook, state: ContactState, typed_at_ms: int, now_ms: int | None = None) -> Decision | None:
    """What follows when a person answered the contact on the phone: the robot pauses and leaves the flow.

    `now_ms` is later than `typed_at_ms` where it became known later. None if the pause is over by then or
    `pause_on_human_ms` is 0, or the contact is left to a person for longer anyway.
    """
    until_ms = typed_at_ms + book.answering.pause_on_human_ms
    if until_ms <= (typed_at_ms if now_ms is None else now_ms):
        return None
    standing = state.hand_over
    if standing is not None and (standing.until_ms is None or standing.until_ms > until_ms):
        return None
    return Decision(
        "human",
        explanation="A person typed on the phone; the robot leaves the contact to them for now.",
        hand_over=HandOver("a person typed on the phone", until_ms),
        flow_cleared=state.flow is not None,
        unmatched=0 if state.unmatched else None,
    )


def expire(state: ContactState, now_ms: int) -> Decision | None:
    """The end of a flow whose question was not answered in time; None if there is nothing to end."""
    if state.flow is None or now_ms < state.flow.expires_at_ms:
        return None
    text = f'Nobody answered flow "{state.flow.flow}", step "{state.flow.step}" in time; the flow ended.'
    return Decision("expired", explanation=text, flow_cleared=True)


def after(state: ContactState, decision: Decision, now_ms: int) -> ContactState:
    """The contact once `decision`, made at `now_ms`, has been written."""
    return replace(
        state,
        opted_out=decision.consent == "out" if decision.consent else state.opted_out,
        fired_at_ms={**state.fired_at_ms, decision.fired: now_ms} if decision.fired else state.fired_at_ms,
        hand_over=decision.hand_over or state.hand_over,
        welcomed=state.welcomed or decision.welcomed,
        away_period_ms=state.away_period_ms if decision.away_period_ms is None else decision.away_period_ms,
        flow=decision.flow or (None if decision.flow_cleared else state.flow),
        unmatched=state.unmatched if decision.unmatched is None else decision.unmatched,
        last_variants={**state.last_variants, **decision.variants} if decision.variants else state.last_variants,
    )
