"""Decisions: which rule applies and everything that follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsself_tui.automation.decide import decide
from whatsself_tui.automation.model import (
    Answer,
    Business,
    Catalogue,
    ConsentRules,
    ContactState,
    Decision,
    Template,
    Trigger,
)

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=ZoneInfo("America/Sao_Paulo"))
NOW_MS = int(NOW.timestamp() * 1000)
BUSINESS = Business("Padaria Pão Quente")
CONSENT = ConsentRules(
    opt_out=("PARAR", "SAIR"),
    opt_in=("VOLTAR", "START"),
    opt_out_text="Tudo certo, {{first_name}}. Você não receberá mais mensagens.",
    opt_in_text="Que bom ter você de volta!",
)
CATALOGUE = Catalogue(
    templates={
        "oi": Template("oi", "{{greeting}}, {{first_name}}! Aqui é a {{business}}."),
        "eco": Template("eco", "{{name}}"),
    },
    triggers=(
        Trigger("greeting", "contains", ("oi", "boa tarde"), "oi", priority=10, cooldown_s=60),
        Trigger("echo", "equals", ("quem sou eu", "sair da fila"), "eco"),
        Trigger("start", "equals", ("start",), "oi"),
    ),
)


def contact(name: str = "Maria Silva", opted_out: bool = False, fired: Mapping[str, int] | None = None) -> ContactState:
    return ContactState(name, "5511999990001", opted_out, fired or {})


def decided(text: str, state: ContactState | None = None, consent: ConsentRules = CONSENT) -> Decision:
    return decide(text, state or contact(), CATALOGUE, consent, BUSINESS, NOW, NOW_MS)


def test_opt_out_withdraws_consent_cancels_and_confirms() -> None:
    decision = decided("Parar!")
    assert decision.rule == "opt_out"
    assert decision.consent == "out"
    assert decision.cancel_queued
    assert decision.fired is None
    assert decision.answers == (
        Answer("Tudo certo, Maria. Você não receberá mais mensagens.", "consent:opt_out", 10, "exempt"),
    )


def test_opt_out_again_changes_nothing_and_keeps_the_first_confirmation() -> None:
    decision = decided("PARAR", contact(opted_out=True))
    assert decision.rule == "opt_out"
    assert (decision.answers, decision.consent, decision.cancel_queued) == ((), None, False)


def test_opt_in_gives_consent_back_and_confirms() -> None:
    decision = decided("voltar", contact(opted_out=True))
    assert decision.rule == "opt_in"
    assert decision.consent == "in"
    assert not decision.cancel_queued
    assert decision.answers == (Answer("Que bom ter você de volta!", "consent:opt_in", 10, "exempt"),)


def test_opt_in_from_somebody_who_never_left_goes_on_to_the_triggers() -> None:
    assert decided("voltar").rule == "unmatched"
    assert decided("START").fired == "start"
    assert decided("START").consent is None


def test_a_word_that_is_both_opts_out() -> None:
    both = replace(CONSENT, opt_in=("PARAR",))
    assert decided("parar", consent=both).consent == "out"


@pytest.mark.parametrize("text", ["oi", "quem sou eu", "", "nao quero voltar"])
def test_an_opted_out_contact_gets_nothing(text: str) -> None:
    decision = decided(text, contact(opted_out=True))
    assert decision.rule == "opted_out"
    assert (decision.answers, decision.consent, decision.fired, decision.cancel_queued) == ((), None, None, False)


def test_a_trigger_answers_and_starts_its_cool_down() -> None:
    decision = decided("oi, tudo bem?")
    assert decision.rule == "trigger"
    assert decision.fired == "greeting"
    assert decision.answers == (
        Answer("Boa tarde, Maria! Aqui é a Padaria Pão Quente.", "trigger:greeting", 5, "reply"),
    )
    assert decision.explanation == 'Trigger "greeting" fires: contains "oi".'
    assert decision.warnings == ()


def test_a_cooling_trigger_is_unmatched_and_explained() -> None:
    decision = decided("oi", contact(fired={"greeting": NOW_MS - 59_999}))
    assert decision.rule == "unmatched"
    assert decision.fired is None
    assert decision.explanation == "No trigger fires. Cooling down for this contact: greeting."


def test_the_cool_down_ends_to_the_millisecond() -> None:
    assert decided("oi", contact(fired={"greeting": NOW_MS - 60_000})).fired == "greeting"


def test_keywords_in_a_sentence_are_triggers_matter() -> None:
    assert decided("Sair da fila").fired == "echo"


def test_an_answer_of_which_nothing_is_left_is_not_sent_and_starts_no_cool_down() -> None:
    decision = decided("quem sou eu?", contact(name=""))
    assert decision.rule == "trigger"
    assert (decision.answers, decision.fired) == ((), None)
    assert decision.warnings == ("template eco: no value for {{name}}", "template eco: nothing is left to send")


def test_a_missing_value_is_warned_about_and_the_rest_is_sent() -> None:
    decision = decided("oi", contact(name="💖"))
    assert decision.answers[0].text == "Boa tarde, ! Aqui é a Padaria Pão Quente."
    assert decision.warnings == ("template oi: no value for {{first_name}}",)


def test_opting_out_works_without_a_confirmation() -> None:
    decision = decided("parar", consent=replace(CONSENT, opt_out_text=""))
    assert decision.consent == "out"
    assert decision.cancel_queued
    assert decision.answers == ()
    assert decision.warnings == ("consent.opt_out_text: nothing is left to send",)


@pytest.mark.parametrize("text", ["", "  \n", "\u200b", "\ufe0f"])
def test_nothing_to_read(text: str) -> None:
    assert decided(text).rule == "empty"


@pytest.mark.parametrize("text", ["quero um bolo", "!!!", "👍"])
def test_nothing_that_matches(text: str) -> None:
    decision = decided(text)
    assert decision == Decision("unmatched", explanation="No trigger fires.")


@given(st.text(alphabet=st.characters()), st.text(alphabet=st.characters()), st.booleans())
def test_whatever_is_written_the_decision_holds_together(text: str, name: str, opted_out: bool) -> None:
    decision = decided(text, contact(name=name, opted_out=opted_out))
    assert all(answer.text.strip() for answer in decision.answers)
    assert len(decision.answers) <= 1
    if opted_out and decision.rule != "opt_in":
        assert not decision.answers
    if decision.fired:
        assert decision.answers[0].source == f"trigger:{decision.fired}"
    assert decision.cancel_queued == (decision.consent == "out")


@pytest.mark.parametrize("piece", ["\u0316\u0301", "\ud800", "\u202e\u05d0", "oi", "a ", "{{", "\x1b[2J"])
def test_hostile_texts_and_names_are_decided(piece: str) -> None:
    hostile = piece * (100_000 // len(piece))
    assert decided(hostile).rule in ("unmatched", "empty")
    assert decided("oi", contact(name=hostile)).fired == "greeting"
