"""Triggers: phrases, firing order, cool-down."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsself_tui.automation.folding import fold, words
from whatsself_tui.automation.model import Catalogue, ContactState, Template, Trigger
from whatsself_tui.automation.triggers import Search, first_match

MARIA = ContactState(name="Maria", phone="5511999990001", opted_out=False)
NOW = 1_800_000_000_000


def catalogue(*triggers: Trigger) -> Catalogue:
    return Catalogue({"t": Template("t", "Olá")}, triggers)


def search(text: str, *triggers: Trigger, state: ContactState = MARIA, now_ms: int = NOW) -> Search:
    return first_match(catalogue(*triggers), text, state, now_ms)


def fires(text: str, *triggers: Trigger, state: ContactState = MARIA, now_ms: int = NOW) -> str | None:
    trigger = search(text, *triggers, state=state, now_ms=now_ms).trigger
    return trigger.name if trigger else None


EQUALS = Trigger("equals", "equals", ("bom dia",), "t")
CONTAINS = Trigger("contains", "contains", ("bom dia", "preço"), "t")


@pytest.mark.parametrize("text", ["bom dia", "Bom Dia!", " BOM  DIA ", "*bom* dia…", "bôm díá"])
def test_equals_takes_the_whole_text(text: str) -> None:
    assert fires(text, EQUALS) == "equals"


@pytest.mark.parametrize("text", ["bom dia pessoal", "um bom dia", "bomdia", "bom", "", "dia bom"])
def test_equals_takes_nothing_else(text: str) -> None:
    assert fires(text, EQUALS) is None


@pytest.mark.parametrize("text", ["Oi, bom dia!", "bom dia", "qual o preço?", "PRECO", "bom, dia"])
def test_contains_finds_words_in_sequence(text: str) -> None:
    assert fires(text, CONTAINS) == "contains"


@pytest.mark.parametrize("text", ["bom e dia", "dia bom", "bombom dia", "bom diamante", "preços", "apreço", ""])
def test_contains_takes_whole_words_only(text: str) -> None:
    assert fires(text, CONTAINS) is None


def test_the_phrase_that_matched_is_told() -> None:
    assert search("qual o PRECO?", CONTAINS).phrase == "preço"


def test_firing_order_is_the_catalogues() -> None:
    first, second = replace(CONTAINS, name="first"), replace(CONTAINS, name="second")
    assert fires("bom dia", first, second) == "first"
    assert fires("bom dia", second, first) == "second"


def test_an_inactive_trigger_is_passed_over() -> None:
    assert fires("bom dia", replace(CONTAINS, active=False), EQUALS) == "equals"


def test_a_phrase_that_folds_to_nothing_never_matches() -> None:
    assert fires("?!", Trigger("odd", "equals", ("!",), "t"), Trigger("odder", "contains", ("…",), "t")) is None


@pytest.mark.parametrize(
    ("since_ms", "expected"),
    [(0, "equals"), (59_999, "equals"), (60_000, "contains"), (60_001, "contains"), (-1, "equals")],
)
def test_a_trigger_in_cool_down_lets_the_next_one_answer(since_ms: int, expected: str) -> None:
    state = replace(MARIA, fired_at_ms={"contains": NOW - since_ms})
    assert fires("bom dia", replace(CONTAINS, cooldown_s=60), EQUALS, state=state) == expected


def test_a_cooling_trigger_is_told() -> None:
    state = replace(MARIA, fired_at_ms={"contains": NOW})
    assert search("bom dia", replace(CONTAINS, cooldown_s=1), state=state) == Search(None, "", ("contains",))


def test_cool_down_is_the_triggers_own() -> None:
    state = replace(MARIA, fired_at_ms={"another": NOW})
    assert fires("bom dia", replace(CONTAINS, cooldown_s=60), state=state) == "contains"


def test_without_cool_down_the_past_does_not_matter() -> None:
    state = replace(MARIA, fired_at_ms={"contains": NOW + 5_000})
    assert fires("bom dia", CONTAINS, state=state) == "contains"


WORDS = st.text(alphabet="abç", min_size=1, max_size=3)


@given(st.lists(WORDS, max_size=8), st.lists(WORDS, min_size=1, max_size=3))
def test_contains_agrees_with_comparing_word_by_word(text: list[str], phrase: list[str]) -> None:
    said, wanted = words(" ".join(text)), words(" ".join(phrase))
    expected = any(said[at : at + len(wanted)] == wanted for at in range(len(said)))
    trigger = Trigger("x", "contains", (" ".join(phrase),), "t")
    assert (fires(" ".join(text), trigger) == "x") is expected


@given(st.text(min_size=1))
def test_a_phrase_matches_itself(phrase: str) -> None:
    expected = "x" if fold(phrase) else None
    assert fires(phrase, Trigger("x", "equals", (phrase,), "t")) == expected
    assert fires(f"a {phrase} b", Trigger("x", "contains", (phrase,), "t")) == expected
