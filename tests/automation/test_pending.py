"""Everything a contact wrote and nobody has decided about yet."""

from __future__ import annotations

from support.automation_room import NOW_MS, maria, rules

from whatsself_tui.automation.decision import ContactState, Incoming
from whatsself_tui.automation.pending import Handled, answer_pending, joined, too_old

TOML = """
[[template]]
name = "t"
text = "Oi, {{name}}"
[[trigger]]
name = "bom dia"
contains = "bom dia"
template = "t"
[[trigger]]
name = "foto"
media = "image"
template = "t"
"""
HOUR_MS = 3_600_000


def message(text: str, *kinds: str, age_ms: int = 0) -> Incoming:
    return Incoming(text, kinds or ("text",), NOW_MS - age_ms)


def pending(*messages: Incoming, state: ContactState | None = None) -> list[tuple[tuple[int, ...], str, list[str]]]:
    """(messages, rule, sources of answers) of every decision."""
    handled = answer_pending(rules(TOML), state or maria(), messages, NOW_MS, 0)
    return [(each.messages, each.decision.rule, _sources(each)) for each in handled]


def _sources(handled: Handled) -> list[str]:
    return [answer.source for answer in handled.decision.answers]


def test_nothing_pending_is_nothing_decided() -> None:
    assert pending() == []


def test_several_messages_are_answered_as_one_text() -> None:
    assert pending(message("bom"), message("dia")) == [((0, 1), "trigger", ["trigger:bom dia"])]


def test_kinds_of_several_messages_count_together() -> None:
    assert pending(message("olha"), message("", "image")) == [((0, 1), "trigger", ["trigger:foto"])]
    assert joined([message("a", age_ms=5), message(" "), message("b", "image", age_ms=9)]) == Incoming(
        "a\nb", ("text", "image"), NOW_MS - 9
    )


def test_a_keyword_is_seen_in_its_own_message_and_is_no_part_of_the_text() -> None:
    assert pending(message("bom dia"), message("Parar!"), message("tchau")) == [
        ((1,), "opt_out", ["consent:opt_out"]),
        ((0, 2), "opted_out", []),
    ]


def test_keywords_take_effect_in_their_order() -> None:
    assert pending(message("parar"), message("parar"), message("voltar"), message("bom dia")) == [
        ((0,), "opt_out", ["consent:opt_out"]),
        ((1,), "opt_out", []),
        ((2,), "opt_in", ["consent:opt_in"]),
        ((3,), "trigger", ["trigger:bom dia"]),
    ]


def test_what_is_too_old_is_recorded_and_not_answered() -> None:
    old = 12 * HOUR_MS + 1
    assert pending(message("bom dia", age_ms=old), message("bom dia", age_ms=old - 1)) == [
        ((0,), "too_old", []),
        ((1,), "trigger", ["trigger:bom dia"]),
    ]
    decision = too_old(rules(TOML), maria(), message("bom dia", age_ms=30 * HOUR_MS), NOW_MS)
    assert decision is not None
    assert decision.explanation == "It was written 30 h ago; what is older than 12 h is not answered."


def test_a_message_from_the_future_is_fresh() -> None:
    assert too_old(rules(TOML), maria(), message("oi", age_ms=-HOUR_MS), NOW_MS) is None


def test_an_old_keyword_still_withdraws_consent_without_a_confirmation() -> None:
    ((_, out), (_, rest)) = [
        (each.messages, each.decision)
        for each in answer_pending(
            rules(TOML), maria(), [message("sair", age_ms=99 * HOUR_MS), message("bom dia")], NOW_MS, 0
        )
    ]
    assert (out.rule, out.consent, out.cancel_queued, out.answers) == ("opt_out", "out", True, ())
    assert out.explanation.startswith("The text is an opt-out keyword. It was written 99 h ago")
    assert (rest.rule, rest.answers) == ("opted_out", ())


def test_an_old_opt_in_counts_too() -> None:
    assert pending(message("voltar", age_ms=99 * HOUR_MS), message("bom dia"), state=maria(opted_out=True)) == [
        ((0,), "opt_in", []),
        ((1,), "trigger", ["trigger:bom dia"]),
    ]
