"""Triggers: what each kind waits for, firing order, cool-down."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsself_tui.automation.decision import ContactState, Incoming
from whatsself_tui.automation.folding import fold, words
from whatsself_tui.automation.model import Trigger, TriggerKind
from whatsself_tui.automation.triggers import Search, TriggerIndex, first_match

MARIA = ContactState(name="Maria", phone="5511999990001", opted_out=False)
NOW = 1_800_000_000_000


def search(
    text: str, *triggers: Trigger, state: ContactState = MARIA, now_ms: int = NOW, kinds: tuple[str, ...] = ("text",)
) -> Search:
    return first_match(TriggerIndex(triggers), Incoming(text, kinds), state, now_ms)


def fires(
    text: str, *triggers: Trigger, state: ContactState = MARIA, now_ms: int = NOW, kinds: tuple[str, ...] = ("text",)
) -> str | None:
    match = search(text, *triggers, state=state, now_ms=now_ms, kinds=kinds).match
    return match.trigger.name if match else None


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
    for text, phrase in [("qual o PRECO?", "preço"), ("preço? bom dia", "bom dia")]:
        match = search(text, CONTAINS).match
        assert match is not None
        assert match.phrase == phrase


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
    assert search("bom dia", replace(CONTAINS, cooldown_s=1), state=state) == Search(None, ("contains",))


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


def of(kind: TriggerKind, *phrases: str, name: str = "x", priority: int = 0) -> Trigger:
    return Trigger(name, kind, phrases, "t", priority=priority)


@pytest.mark.parametrize("text", ["2", " 2. ", "2️⃣", "(2)", "２", "*2*", "2!\n"])
def test_a_number_is_the_whole_message(text: str) -> None:
    assert fires(text, of("number", "2")) == "x"


@pytest.mark.parametrize("text", ["", "12", "2 2", "1 2", "02", "2 pães", "dois", "2,5", "-"])
def test_a_number_is_nothing_else(text: str) -> None:
    assert fires(text, of("number", "2")) is None


def test_leading_zeros_count() -> None:
    assert fires("0800", of("number", "0800")) == "x"
    assert fires("800", of("number", "0800")) is None


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("pedido +[0-9]+", "qual o status do PEDIDO  123?"),
        ("^sim$", "sim"),
        ("^sim$", "Sim!"),
        ("orçamento", "ORÇAMENTO"),
        ("orcamento", "um orçamento, por favor"),
        (r"^\d{5}-?\d{3}$", "01310-100"),
        (r"\p{Lu}{3}", "abc"),
        ("a.*b", "A e B"),
        ("🍕+", "quero 🍕🍕"),
    ],
)
def test_a_pattern_is_found_in_the_text_as_written_or_folded(pattern: str, text: str) -> None:
    assert fires(text, of("regex", pattern)) == "x"


@pytest.mark.parametrize(("pattern", "text"), [("^sim$", "assim"), ("pedido [0-9]+", "pedido"), ("a.*b", "a\nb c")])
def test_a_pattern_is_not_found(pattern: str, text: str) -> None:
    assert (fires(text, of("regex", pattern)) == "x") is (pattern == "a.*b")  # folding makes blanks of line ends


@pytest.mark.parametrize("kinds", [("image",), ("audio",), ("text", "image"), ("novelty",)])
def test_any_media(kinds: tuple[str, ...]) -> None:
    assert fires("", of("media", "any"), kinds=kinds) == "x"
    assert fires("", of("media", "any")) is None


def test_media_of_a_kind_and_its_caption() -> None:
    picture, price = of("media", "image", "video", name="picture"), of("contains", "preço", name="price", priority=1)
    assert fires("", picture, kinds=("video",)) == "picture"
    assert fires("", picture, kinds=("audio",)) is None
    assert fires("qual o preço disso?", price, picture, kinds=("image",)) == "price"
    assert fires("olha que lindo", price, picture, kinds=("image",)) == "picture"


def test_kinds_of_triggers_keep_their_order_among_each_other() -> None:
    triggers = [
        of("regex", "^1$", name="regex"),
        of("number", "1", name="number"),
        of("contains", "1", name="contains"),
        of("equals", "1", name="equals"),
    ]
    for first in range(len(triggers)):
        order = triggers[first:] + triggers[:first]
        index = TriggerIndex(order)
        assert [match.trigger.name for match in index.matches(Incoming("1"))] == [each.name for each in order]


def test_a_trigger_with_many_phrases_matches_once() -> None:
    index = TriggerIndex([of("contains", "a", "b", "a b"), of("regex", "a", "b")])
    assert [match.phrase for match in index.matches(Incoming("b a b"))] == ["a", "a"]


def test_hundreds_of_patterns_are_found_by_the_right_trigger() -> None:
    triggers = [of("regex", rf"pedido{number}(?P<x>\b)", name=str(number)) for number in range(300)]
    for number in (0, 127, 128, 299):
        assert fires(f"cadê o pedido{number}?", *triggers) == str(number)
    assert fires("pedido300", *triggers) is None


def test_patterns_that_are_too_large_together_are_still_found() -> None:
    triggers = [of("regex", rf"x{number}\pL{{1,20}}y", name=str(number)) for number in range(60)]
    assert fires("x59éy", *triggers) == "59"
    assert fires("nada", *triggers) is None


KINDS: st.SearchStrategy[TriggerKind] = st.sampled_from(["equals", "contains", "regex", "number"])


@given(st.lists(st.tuples(KINDS, st.text("ab1 ", min_size=1, max_size=3)), max_size=6), st.text("ab1 !Á", max_size=6))
def test_the_index_agrees_with_asking_one_trigger_after_the_other(
    written: list[tuple[TriggerKind, str]], text: str
) -> None:
    triggers = [of(kind, phrase, name=str(at)) for at, (kind, phrase) in enumerate(written)]
    expected = [trigger.name for trigger in triggers if _fits(trigger, text)]
    assert [match.trigger.name for match in TriggerIndex(triggers).matches(Incoming(text))] == expected


def _fits(trigger: Trigger, text: str) -> bool:
    (phrase,), said = trigger.phrases, words(text)
    wanted = words(phrase)
    match trigger.kind:
        case "equals":
            return bool(wanted) and wanted == said
        case "contains":
            return bool(wanted) and any(said[at : at + len(wanted)] == wanted for at in range(len(said)))
        case "number":
            return fold(text) == phrase
    return bool(text) and (phrase in text.lower().replace("á", "") or phrase in fold(text) or phrase in text.lower())
