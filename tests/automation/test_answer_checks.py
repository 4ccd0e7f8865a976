"""Answers to a flow's questions: what each check takes, and how it is kept."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsself_tui.automation.answer_checks import MAX_ANSWER, checked
from whatsself_tui.automation.decision import Incoming
from whatsself_tui.automation.documents import cep, cnpj, cpf
from whatsself_tui.automation.keys import CHECKS
from whatsself_tui.automation.model import CheckKind, Step

OPTIONS = ("Pequeno", "Médio", "Grande 🎂")


def kept(check: CheckKind, text: str, *kinds: str) -> str | None:
    step = Step("s", "ask", "t", next="n", check=check, options=OPTIONS, pattern="[a-z]{3}[0-9]{4}")
    return checked(step, Incoming(text, kinds or ("text",)))


@pytest.mark.parametrize(
    ("check", "text", "expected"),
    [
        ("any", " Rua das Flores, 1 \n", "Rua das Flores, 1"),
        ("any", "👍", "👍"),
        ("number", "12", "12"),
        ("number", " -3,5 ", "-3,5"),
        ("number", "1.234.567,89", "1.234.567,89"),
        ("number", "+7", "+7"),
        ("number", "0.5", "0.5"),
        ("email", " Maria.Silva+x@example.com.br ", "Maria.Silva+x@example.com.br"),
        ("email", "a@b.co", "a@b.co"),
        ("cpf", "529.982.247-25", "529.982.247-25"),
        ("cpf", "52998224725", "529.982.247-25"),
        ("cpf", " 529 982 247 25 ", "529.982.247-25"),
        ("cpf", "111.444.777-35", "111.444.777-35"),
        ("cnpj", "11.222.333/0001-81", "11.222.333/0001-81"),
        ("cnpj", "00000000000191", "00.000.000/0001-91"),
        ("cnpj", "12.ABC.345/01DE-35", "12.ABC.345/01DE-35"),
        ("cnpj", "12abc34501de35", "12.ABC.345/01DE-35"),
        ("cep", "01310-100", "01310-100"),
        ("cep", "01310100", "01310-100"),
        ("cep", "01.310-100", "01310-100"),
        ("date", "1/2/2026", "01/02/2026"),
        ("date", "29/02/2028", "29/02/2028"),
        ("date", "31-12-2026", "31/12/2026"),
        ("date", "05.06.2026", "05/06/2026"),
        ("date", "2026-06-05", "05/06/2026"),
        ("list", "medio!", "Médio"),
        ("list", "GRANDE 🎂", "Grande 🎂"),
        ("regex", " ABC1234 ", "ABC1234"),
    ],
)
def test_right_answers_and_how_they_are_kept(check: CheckKind, text: str, expected: str) -> None:
    assert kept(check, text) == expected


@pytest.mark.parametrize(
    ("check", "text"),
    [
        ("any", ""),
        ("any", " \u200b "),
        ("any", "x" * (MAX_ANSWER + 1)),
        ("number", "doze"),
        ("number", "1.23.4"),
        ("number", "1,2,3"),
        ("number", "12 reais"),
        ("number", "١٢"),
        ("number", "1e5"),
        ("number", "--1"),
        ("email", "maria"),
        ("email", "maria@"),
        ("email", "maria@localhost"),
        ("email", "maria@ex_ample.com"),
        ("email", "a b@example.com"),
        ("email", "maria@example..com"),
        ("email", "maria@-example.com"),
        ("email", "maria@éxample.com"),
        ("email", "x" * 65 + "@example.com"),
        ("email", "a@" + "b" * 60 + ".com" * 60),
        ("cpf", "529.982.247-24"),
        ("cpf", "529.982.247-15"),
        ("cpf", "111.111.111-11"),
        ("cpf", "52998224"),
        ("cpf", "5299822472A"),
        ("cpf", "٥٢٩٩٨٢٢٤٧٢٥"),
        ("cnpj", "11.222.333/0001-82"),
        ("cnpj", "11.222.333/0001-71"),
        ("cnpj", "00.000.000/0000-00"),
        ("cnpj", "12.ABC.345/01DE-34"),
        ("cnpj", "12.ABC.345/01DE-3A"),
        ("cnpj", "ÁBC12345000100"),
        ("cep", "0131-100"),
        ("cep", "01310-1000"),
        ("cep", "abcde-fgh"),
        ("date", "29/02/2026"),
        ("date", "31/04/2026"),
        ("date", "00/01/2026"),
        ("date", "1/2/26"),
        ("date", "amanhã"),
        ("date", "2026-6-5"),
        ("date", "01/01/0000"),
        ("list", "p"),
        ("list", ""),
        ("list", "Pequeno ou médio"),
        ("regex", "ABC123"),
        ("regex", "xABC1234"),
        ("regex", ""),
    ],
)
def test_wrong_answers(check: CheckKind, text: str) -> None:
    assert kept(check, text) is None


def test_a_photo_answers_a_question_for_anything() -> None:
    assert kept("any", "", "image") == "[image]"
    assert kept("any", "comprovante", "image") == "comprovante"
    assert kept("number", "", "image") is None


@given(st.integers(0, 10**9 - 1))
def test_every_body_has_one_pair_of_check_digits_of_a_cpf(number: int) -> None:
    body = f"{number:09}"
    right = [f"{body}{digits:02}" for digits in range(100) if cpf(f"{body}{digits:02}")]
    assert len(right) == (0 if len(set(body)) == 1 else 1)


@given(st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=12, max_size=12), st.integers(0, 11), st.data())
def test_a_cnpj_with_one_other_character_is_wrong_or_has_its_weighted_twin(body: str, at: int, data: Any) -> None:
    right = [f"{body}{digits:02}" for digits in range(100) if cnpj(f"{body}{digits:02}")]
    assert len(right) == (0 if set(body) == {"0"} else 1)
    other = data.draw(st.sampled_from("0123456789"))
    for number in right:
        changed = number[:at] + other + number[at + 1 :]
        difference = abs(ord(other) - ord(number[at]))
        # Modulo 11 notices every change that is no multiple of 11, unless the rests 0 and 1 hide it.
        if changed != number and difference % 11 and cnpj(changed) is not None:
            assert "0" in number[12:]


@given(st.sampled_from(CHECKS), st.text(alphabet=st.characters(), max_size=300))
def test_whatever_is_answered_it_is_right_or_wrong(check: CheckKind, text: str) -> None:
    answer = kept(check, text)
    if answer is not None:
        assert kept(check, answer) == answer  # what is kept would be a right answer again


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("piece", ["a", "1", "1.", "a@", "a.", "-", " ", "\u0301", "\ud800", "1/"])
def test_a_million_characters_are_no_answer(check: CheckKind, piece: str) -> None:
    assert kept(check, piece * (1_000_000 // len(piece))) is None


def test_documents_take_no_long_text() -> None:
    assert cpf(" " * 1_000_000 + "52998224725") is None
    assert cep("0" * 1_000_000) is None
