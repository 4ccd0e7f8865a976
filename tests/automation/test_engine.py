"""The rules in their order: what each decides, and that the earlier one wins."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from support.automation_room import ANSWERING, CONSENT, NOW, NOW_MS, ZONE, Chat, maria, ms, rules

from whatsself_tui.automation.decision import (
    Answer,
    Considered,
    ContactState,
    Decision,
    FlowPosition,
    HandOver,
    Incoming,
)
from whatsself_tui.automation.engine import consent_of, run_rules
from whatsself_tui.automation.hours import OpeningHours, parse_hours
from whatsself_tui.automation.model import Catalogue
from whatsself_tui.automation.occasions import after, human_typed

TOML = """
[[template]]
name = "oi"
text = "{{greeting}}, {{first_name}}!"
[[template]]
name = "nome"
text = "{{name}}"
[[template]]
name = "pergunta"
text = "Tudo bem?"
[[template]]
name = "dado"
variants = ["um", "dois", "três"]

[[trigger]]
name = "oi"
contains = "oi"
template = "oi"
cooldown_s = 60
priority = 10
[[trigger]]
name = "segundo"
contains = ["oi", "nome"]
template = "nome"
[[trigger]]
name = "dado"
equals = "dado"
template = "dado"
[[trigger]]
name = "parar"
contains = "parar"
template = "oi"
[[trigger]]
name = "foto"
media = "image"
template = "oi"

[[flow]]
name = "conversa"
[[flow.step]]
name = "pergunta"
ask = "pergunta"
[[flow.step]]
name = "fim"
end = true
[[trigger]]
name = "conversa"
equals = "conversa"
flow = "conversa"
"""
WORKDAYS = OpeningHours(ZONE, parse_hours(["mon-fri 09:00-18:00"]))
SATURDAY = datetime(2026, 11, 28, 12, 0, tzinfo=ZONE)
INSIDE = FlowPosition("conversa", "pergunta", expires_at_ms=NOW_MS + 10**12)
LEFT_ALONE = HandOver("the operator took over")


def decided(text: str, state: ContactState | None = None, *, now_ms: int = NOW_MS, **settings: Any) -> Decision:
    return run_rules(rules(TOML, **settings), state or maria(), Incoming(text), now_ms, 0)


def sources(decision: Decision) -> list[str]:
    return [answer.source for answer in decision.answers]


# a. and b.


def test_opt_out_withdraws_consent_cancels_confirms_and_ends_the_flow() -> None:
    decision = decided("Parar!", maria(flow=INSIDE, unmatched=2))
    assert decision.rule == "opt_out"
    assert (decision.consent, decision.cancel_queued, decision.flow_cleared, decision.unmatched) == (
        "out", True, True, 0,
    )  # fmt: skip
    assert decision.answers == (Answer("Certo, Maria, não escrevemos mais.", "consent:opt_out", 10, "exempt"),)
    assert decision.considered == ()


def test_opting_out_twice_is_confirmed_once() -> None:
    decision = decided("PARAR", maria(opted_out=True))
    assert decision.rule == "opt_out"
    assert (decision.answers, decision.consent, decision.cancel_queued) == ((), None, False)


def test_opt_in_gives_consent_back() -> None:
    decision = decided("voltar", maria(opted_out=True))
    assert (decision.rule, decision.consent, decision.cancel_queued) == ("opt_in", "in", False)
    assert decision.answers == (Answer("Que bom ter você de volta!", "consent:opt_in", 10, "exempt"),)
    assert decision.considered == (Considered("opt_out", "the text is no opt-out keyword"),)


def test_opt_in_of_somebody_who_never_left_is_a_text_like_any_other() -> None:
    assert decided("voltar").rule == "unmatched"


# The whole order: a contact about whom every rule would have something to say.


ALL: dict[str, Any] = {"hours": WORKDAYS, "welcome": "Bem-vinda!", "away": "Fechado."}


@pytest.mark.parametrize(
    ("text", "state", "rule", "expected"),
    [
        ("PARAR", {}, "opt_out", ["consent:opt_out"]),
        ("VOLTAR", {"opted_out": True}, "opt_in", ["consent:opt_in"]),
        ("oi", {"opted_out": True}, "opted_out", []),
        ("oi", {}, "handed_over", []),
        ("oi", {"hand_over": None}, "flow", ["away", "welcome"]),
        ("oi", {"hand_over": None, "flow": None}, "trigger", ["away", "welcome", "trigger:oi"]),
        ("?", {"hand_over": None, "flow": None}, "fallback", ["away", "welcome", "fallback"]),
    ],
)
def test_the_first_rule_that_applies_decides(text: str, state: dict[str, Any], rule: str, expected: list[str]) -> None:
    everything = maria(hand_over=LEFT_ALONE, welcomed=False, flow=INSIDE, unmatched=2)
    decision = decided(text, replace(everything, **state), now_ms=ms(SATURDAY), **ALL)
    assert decision.rule == rule
    assert sources(decision) == expected


def test_what_was_considered_is_told_in_order_with_reasons() -> None:
    decision = decided("?")
    assert decision.considered == (
        Considered("opt_out", "the text is no opt-out keyword"),
        Considered("opt_in", "the contact has not opted out"),
        Considered("opted_out", "the contact has not opted out"),
        Considered("handed_over", "no person has taken over"),
        Considered("closed", "the hours do not matter: no away message, and answers go on"),
        Considered("welcome", "it is not the first contact"),
        Considered("flow", "the contact is in no flow"),
        Considered("trigger", "no trigger matches"),
    )
    assert decision.explanation == "Nothing matches, 1 in a row; at 3 a person takes over."


# c. and d.


@pytest.mark.parametrize("text", ["oi", "", "conversa", "nao quero voltar"])
def test_an_opted_out_contact_gets_nothing(text: str) -> None:
    decision = decided(text, maria(opted_out=True, welcomed=False), **ALL)
    assert decision.rule == "opted_out"
    assert decision == Decision("opted_out", explanation=decision.explanation, considered=decision.considered)


def test_a_contact_left_to_a_person_gets_nothing() -> None:
    decision = decided("oi", maria(hand_over=LEFT_ALONE, unmatched=1), **ALL)
    assert decision == Decision(
        "handed_over",
        explanation="The contact is left to a person: the operator took over.",
        considered=decision.considered,
    )


def test_a_hand_over_ends_to_the_millisecond() -> None:
    state = maria(hand_over=HandOver("a person typed on the phone", NOW_MS))
    assert decided("oi", state, now_ms=NOW_MS - 1).rule == "handed_over"
    assert decided("oi", state).rule == "trigger"


def test_somebody_left_to_a_person_may_still_opt_out() -> None:
    assert decided("sair", maria(hand_over=LEFT_ALONE)).consent == "out"


# e.


def test_away_is_told_once_in_a_closed_period_and_answers_go_on() -> None:
    chat = Chat(rules(TOML, hours=WORKDAYS, away="Fechado."), now_ms=ms(SATURDAY))
    assert chat.write("oi") == ["Fechado.", "Boa tarde, Maria!"]
    assert chat.last.away_period_ms == ms(datetime(2026, 11, 27, 18, 0, tzinfo=ZONE))
    chat.wait(minutes=24 * 60)
    assert chat.write("oi") == ["Boa tarde, Maria!"]
    chat.wait(minutes=24 * 60)
    assert chat.write("oi") == ["Boa tarde, Maria!"]
    assert chat.last.considered[4] == Considered("closed", "the business is open")
    chat.wait(minutes=8 * 60)
    assert chat.write("oi") == ["Fechado.", "Boa noite, Maria!"]


def test_silence_outside_of_hours() -> None:
    silent = replace(ANSWERING, outside_hours="silent")
    chat = Chat(
        rules(TOML, hours=WORKDAYS, away="Fechado.", welcome="Bem-vinda!", answering=silent),
        state=maria(welcomed=False, flow=INSIDE),
        now_ms=ms(SATURDAY),
    )
    assert chat.write("oi") == ["Fechado."]
    assert chat.last.rule == "closed"
    assert chat.write("oi") == []
    assert chat.place == "conversa/pergunta"
    assert not chat.state.welcomed
    chat.now_ms = ms(datetime(2026, 11, 30, 9, 0, tzinfo=ZONE))
    assert chat.write("bem") == ["Bem-vinda!"]
    assert [decision.rule for decision in chat.decisions] == ["closed", "closed", "flow"]


def test_silence_without_an_away_message() -> None:
    silent = replace(ANSWERING, outside_hours="silent")
    decision = decided("oi", now_ms=ms(SATURDAY), hours=WORKDAYS, answering=silent)
    assert (decision.rule, decision.answers, decision.away_period_ms) == ("closed", (), None)


# f.


def test_a_first_contact_is_welcomed_once_and_the_rules_go_on() -> None:
    chat = Chat(rules(TOML, welcome="Bem-vinda à {{business}}!"), state=maria(welcomed=False))
    assert chat.write("oi") == ["Bem-vinda à Padaria Pão Quente!", "Boa tarde, Maria!"]
    assert chat.last.welcomed
    chat.wait(minutes=60)
    assert chat.write("oi") == ["Boa tarde, Maria!"]
    assert not chat.last.welcomed


def test_who_wrote_before_the_welcome_was_switched_on_is_no_first_contact() -> None:
    chat = Chat(rules(TOML), state=maria(welcomed=False))
    chat.write("?")
    chat.book = rules(TOML, welcome="Bem-vinda!")
    assert chat.write("?") == []


# h.


def test_a_trigger_answers_and_cools_down() -> None:
    chat = Chat(rules(TOML))
    assert chat.write("oi, tudo bem?") == ["Boa tarde, Maria!"]
    assert chat.last.fired == "oi"
    assert chat.last.explanation == 'Trigger "oi" fires: contains "oi".'
    chat.wait(minutes=0.99)
    assert chat.write("oi") == ["Maria Silva"]
    assert chat.last.explanation == 'Trigger "segundo" fires: contains "oi". Cooling down for this contact: oi.'
    chat.wait(minutes=0.01)
    assert chat.write("oi") == ["Boa tarde, Maria!"]


def test_a_cooling_trigger_is_no_reason_to_call_a_person() -> None:
    book = rules(Catalogue(rules(TOML).catalogue.templates, rules(TOML).catalogue.triggers[:1]))
    chat = Chat(book)
    chat.write("oi")
    for _ in range(5):
        assert chat.write("oi") == []
        assert (chat.last.rule, chat.last.unmatched) == ("cooling", None)


def test_an_answer_of_which_nothing_is_left_is_not_sent_and_starts_no_cool_down() -> None:
    decision = decided("nome", maria(name="", unmatched=1))
    assert (decision.rule, decision.answers, decision.fired, decision.unmatched) == ("trigger", (), None, 0)
    assert decision.warnings == ("template nome: no value for {{name}}", "template nome: nothing is left to send")


def test_a_trigger_for_media() -> None:
    chat = Chat(rules(TOML))
    assert chat.write("", "image") == ["Boa tarde, Maria!"]
    assert chat.write("", "audio") == []


# Variants.


def test_a_variant_never_comes_twice_in_a_row() -> None:
    chat = Chat(rules(TOML))
    heard = []
    dice = Random(1)
    for _ in range(60):
        chat.randomness = dice.getrandbits(128)
        heard += chat.write("dado")
    assert set(heard) == {"um", "dois", "três"}
    assert all(one != next_one for one, next_one in pairwise(heard))
    assert chat.state.last_variants == {"dado": ["um", "dois", "três"].index(heard[-1])}


def test_every_variant_is_as_likely() -> None:
    book, heard = rules(TOML), []
    for randomness in range(600):
        heard.append(run_rules(book, maria(), Incoming("dado"), NOW_MS, randomness).answers[0].text)
    assert [heard.count(text) for text in ("um", "dois", "três")] == [200, 200, 200]
    heard = []
    for randomness in range(600):
        state = maria(last_variants={"dado": 1})
        heard.append(run_rules(book, state, Incoming("dado"), NOW_MS, randomness).answers[0].text)
    assert [heard.count(text) for text in ("um", "dois", "três")] == [300, 0, 300]


def test_a_variant_that_is_no_longer_in_the_file_does_not_matter() -> None:
    for last in (-1, 3, 99):
        assert decided("dado", maria(last_variants={"dado": last})).variants == {"dado": 0}


def test_templates_with_one_text_leave_no_trace() -> None:
    assert decided("oi").variants == {}


# i.


def test_after_three_unmatched_messages_in_a_row_a_person_takes_over() -> None:
    chat = Chat(rules(TOML))
    assert [chat.write("?") for _ in range(3)] == [[], [], ["Vou chamar uma pessoa."]]
    assert chat.last.rule == "fallback"
    assert chat.last.hand_over == HandOver("nothing matched 3 messages in a row")
    assert chat.last.answers == (Answer("Vou chamar uma pessoa.", "fallback", 5, "reply"),)
    assert [alert.kind for alert in chat.last.alerts] == ["waiting_for_human"]
    assert chat.state.unmatched == 0
    assert chat.write("oi") == []


def test_a_match_in_between_counts_anew() -> None:
    chat = Chat(rules(TOML))
    for text in ("?", "?", "nome", "?", "?"):
        chat.write(text)
        assert chat.last.hand_over is None
    assert chat.state.unmatched == 2


def test_a_flow_counts_as_a_match() -> None:
    chat = Chat(rules(TOML), state=maria(unmatched=2))
    chat.write("conversa")
    assert chat.last.unmatched == 0


def test_hand_over_can_be_switched_off() -> None:
    chat = Chat(rules(TOML, answering=replace(ANSWERING, handover_after=0)))
    for _ in range(10):
        assert chat.write("?") == []
        assert (chat.last.rule, chat.last.unmatched) == ("unmatched", None)


def test_media_nothing_matches_count_and_blank_texts_do_not() -> None:
    chat = Chat(rules(TOML))
    for text in ("", " \u200b", "\ufe0f"):
        chat.write(text)
        assert (chat.last.rule, chat.last.unmatched) == ("empty", None)
    for _ in range(3):
        chat.write("", "audio")
    assert chat.last.rule == "fallback"


# On arrival, and without a message.


@pytest.mark.parametrize("text", ["oi", "", "nao quero parar", "voltar"])
def test_on_arrival_only_consent_is_looked_at(text: str) -> None:
    assert consent_of(rules(TOML), maria(), Incoming(text), NOW_MS, 0) is None


def test_on_arrival_consent_is_decided_as_by_the_rules() -> None:
    book = rules(TOML, welcome="Bem-vinda!")
    for text, state in [("parar", maria(welcomed=False)), ("start", maria(opted_out=True))]:
        message = Incoming(text)
        assert consent_of(book, state, message, NOW_MS, 0) == run_rules(book, state, message, NOW_MS, 0)


def test_a_person_who_types_pauses_the_robot_and_ends_the_flow() -> None:
    book, state = rules(TOML), maria(flow=INSIDE, unmatched=1)
    decision = human_typed(book, state, NOW_MS)
    assert decision is not None
    assert decision.hand_over == HandOver("a person typed on the phone", NOW_MS + 60 * 60_000)
    later = after(state, decision, NOW_MS)
    assert (later.flow, later.unmatched) == (None, 0)
    chat = Chat(book, later)
    assert chat.write("oi") == []
    longer = human_typed(book, later, NOW_MS + 1)
    assert longer is not None
    assert longer.hand_over == HandOver("a person typed on the phone", NOW_MS + 1 + 60 * 60_000)
    chat.wait(minutes=60)
    assert chat.write("oi") == ["Boa tarde, Maria!"]


def test_a_pause_never_shortens_a_hand_over_and_may_be_off() -> None:
    assert human_typed(rules(TOML), maria(hand_over=LEFT_ALONE), NOW_MS) is None
    assert human_typed(rules(TOML), maria(hand_over=HandOver("x", NOW_MS + 10**10)), NOW_MS) is None
    off = rules(TOML, answering=replace(ANSWERING, pause_on_human_ms=0))
    assert human_typed(off, maria(), NOW_MS) is None


def test_opting_out_needs_no_confirmation() -> None:
    decision = decided("parar", consent=replace(CONSENT, opt_out_text="{{phone}}"), state=maria(phone=""))
    assert (decision.consent, decision.cancel_queued, decision.answers) == ("out", True, ())
    assert decision.warnings[-1] == "consent.opt_out_text: nothing is left to send"


def test_dates_and_greetings_follow_the_zone_of_the_business() -> None:
    late = NOW + timedelta(hours=8)
    assert decided("oi", now_ms=ms(late)).answers[0].text == "Boa noite, Maria!"


@pytest.mark.parametrize("piece", ["a ", "oi ", "\u0316\u0301", "\ud800", "{{", "1", "\u202e\u05d0", "🙂", "\n", "é"])
def test_a_million_characters_are_decided(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    for state in (maria(), maria(flow=INSIDE), maria(opted_out=True), maria(name=text)):
        assert decided(text, state).rule in ("trigger", "unmatched", "empty", "flow", "opted_out")
