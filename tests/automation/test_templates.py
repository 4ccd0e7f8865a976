"""Templates: placeholders, variables, what is missing or too long."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsself_tui.automation.decision import Business, ContactState
from whatsself_tui.automation.templates import (
    ALIASES,
    MAX_TEXT,
    VARIABLES,
    first_name,
    greeting,
    render,
    text_problems,
    variables,
)

NOW = datetime(2026, 11, 22, 9, 5, tzinfo=ZoneInfo("America/Sao_Paulo"))
MARIA = ContactState(name="Maria da Silva", phone="5511999990001", opted_out=False)
VALUES = variables(MARIA, Business("Padaria Pão Quente"), NOW)


def filled(text: str, values: dict[str, str] = VALUES) -> str:
    return render(text, values, "template t").text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{name}}", "Maria da Silva"),
        ("{{ first_name }}", "Maria"),
        ("{{\tphone\n}}", "5511999990001"),
        ("{{business}}", "Padaria Pão Quente"),
        ("{{date}} {{time}}", "22/11/2026 09:05"),
        ("Oi {{primeiro_nome}}, {{saudacao}}!", "Oi Maria, bom dia!"),
        ("{{nome}} {{telefone}} {{data}} {{hora}}", "Maria da Silva 5511999990001 22/11/2026 09:05"),
        ("{{empresa}} = {{negocio}}", "Padaria Pão Quente = Padaria Pão Quente"),
        ("{name} {{ }", "{name} {{ }"),
        ("{{{name}}}", "{Maria da Silva}"),
        ("sem nada", "sem nada"),
    ],
)
def test_placeholders(text: str, expected: str) -> None:
    assert filled(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{greeting}}!", "Bom dia!"),
        ("*{{greeting}}*", "*Bom dia*"),
        ("Oi! {{greeting}}", "Oi! Bom dia"),
        ("👋 {{greeting}}", "👋 Bom dia"),
        ("Oi\n{{greeting}}", "Oi\nBom dia"),
        ("Oi, {{greeting}}", "Oi, bom dia"),
        ("{{first_name}} {{greeting}}", "Maria bom dia"),
        ("desejamos {{greeting}}", "desejamos bom dia"),
    ],
)
def test_a_greeting_that_begins_a_sentence_is_capitalised(text: str, expected: str) -> None:
    assert filled(text) == expected


@pytest.mark.parametrize(
    ("hour", "expected"),
    [(0, "boa noite"), (4, "boa noite"), (5, "bom dia"), (11, "bom dia"), (12, "boa tarde"), (17, "boa tarde"),
     (18, "boa noite"), (23, "boa noite")],
)  # fmt: skip
def test_greeting_by_hour(hour: int, expected: str) -> None:
    assert greeting(hour) == expected


@pytest.mark.parametrize(
    ("display_name", "expected"),
    [
        ("Maria da Silva", "Maria"),
        ("~Maria", "Maria"),
        ("🌸 Maria 🌸", "Maria"),
        ("🌸Maria🌸", "Maria"),
        ("(João) Pedro", "João"),
        ("Jose\u0301", "Jose\u0301"),
        ("D'Ávila", "D'Ávila"),
        ("Ana-Clara Souza", "Ana-Clara"),
        ("💖", ""),
        ("+55 11 99999-0001", ""),
        ("5511999990001", ""),
        ("", ""),
        ("   ", ""),
        ("\u3164", ""),
        (".", ""),
        ("李小龙", "李小龙"),
        ("\u202eMaria", "Maria"),
        ("\ud83d Maria", "Maria"),
    ],
)
def test_first_name(display_name: str, expected: str) -> None:
    assert first_name(display_name) == expected


@given(st.text(alphabet=st.characters()))
def test_first_name_is_a_part_of_the_name_with_a_letter_first(display_name: str) -> None:
    name = first_name(display_name)
    assert name in display_name
    assert name == "" or name[0].isalpha()


def test_a_missing_value_is_empty_and_told_once() -> None:
    nobody = variables(ContactState("", "", False), Business("Padaria"), NOW)
    rendered = render("Oi {{nome}}{{nome}}, aqui é {{empresa}} {{phone}}", nobody, "template oi")
    assert rendered.text == "Oi , aqui é Padaria "
    assert rendered.warnings == (
        "template oi: no value for {{nome}}",
        "template oi: no value for {{phone}}",
    )


def test_a_text_of_which_nothing_is_left_is_not_sent() -> None:
    rendered = render(" {{name}} ", {"name": " \u200b"}, "template oi")
    assert rendered.text == ""
    assert rendered.warnings == (
        "template oi: no value for {{name}}",
        "template oi: nothing is left to send",
    )


def test_values_are_never_interpreted() -> None:
    hostile = ContactState("{{phone}} [b]\\1 <i> %s {0}", "5511999990001", False)
    values = variables(hostile, Business("Padaria"), NOW)
    assert filled("Oi {{name}}", values) == "Oi {{phone}} [b]\\1 <i> %s {0}"


@given(st.text(alphabet=st.characters(), min_size=1).map(lambda name: f"x{name}"))
def test_a_value_stands_in_the_text_as_it_is(value: str) -> None:
    assert filled("<{{business}}>", {"business": value}) == f"<{value}>"


def test_line_ends_in_a_name_do_not_break_the_text() -> None:
    values = variables(ContactState(" Maria\n\n Silva ", "", False), Business("P"), NOW)
    assert filled("Oi {{name}}!", values) == "Oi Maria Silva!"


def test_a_text_that_values_make_too_long_is_cut() -> None:
    rendered = render("{{name}}" * 10, {"name": "x" * 10_000}, "template t")
    assert len(rendered.text) == MAX_TEXT
    assert rendered.warnings == (f"template t: cut to {MAX_TEXT} characters",)


@given(st.text(alphabet=st.sampled_from("{}na m\n")))
def test_rendering_never_fails_and_a_text_without_problems_loses_its_placeholders(text: str) -> None:
    rendered = render(text, VALUES, "t").text
    if not text_problems(text):
        assert "{{" not in rendered


def test_every_variable_and_alias_is_known() -> None:
    names = (*VARIABLES, *ALIASES)
    assert text_problems(" ".join(f"{{{{{name}}}}}" for name in names)) == ()
    assert set(VALUES) == set(VARIABLES)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Oi {{fist_name}}", "unknown placeholder {{fist_name}}; did you mean {{first_name}}?"),
        ("{{saudação}}", "unknown placeholder {{saudação}}; did you mean {{saudacao}}?"),
        ("{{Nome}}", "unknown placeholder {{Nome}}; did you mean {{nome}}?"),
        ("Oi {{}}", "unknown placeholder {{}}; known are name, first_name"),
        ("Oi {{name}", "a '{{' without a name and '}}' after it"),
        ("Oi {{{{name}}}}", "a '{{' without a name and '}}' after it"),
        ("", "the text is empty"),
        (" \n\u200b", "the text is empty"),
        ("x" * (MAX_TEXT + 1), "the text has 65537 characters; WhatsApp takes at most 65536"),
    ],
)
def test_problems(text: str, problem: str) -> None:
    (told,) = text_problems(text)
    assert told.startswith(problem)


def test_all_problems_are_told_at_once() -> None:
    assert len(text_problems("{{a}} {{b}} {{a}} {{" + "x" * MAX_TEXT)) == 4


@pytest.mark.parametrize("piece", ["{", "{{", "{{a", "}}{{", "{{a}} ", "{{greeting}} "])
def test_hostile_texts_are_read_to_the_end(piece: str) -> None:
    text = piece * (60_000 // len(piece))
    text_problems(text)
    assert len(render(text, VALUES, "t").text) <= MAX_TEXT
