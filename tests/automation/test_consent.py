"""Consent keywords: the whole message or nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsself_tui.automation.consent import is_keyword

OPT_OUT = ("PARAR", "SAIR", "CANCELAR", "STOP", "UNSUBSCRIBE", "DESCADASTRAR", "REMOVER", "EXCLUIR", "não quero mais")


@pytest.mark.parametrize(
    "text",
    ["PARAR", "Parar!", " parar. ", "pàrar", "*PARAR*", "\u200ePARAR", "p\u200barar", "ＰＡＲＡＲ", "SAIR\n",
     "PARAR 😡", "🛑 parar 🛑", "Nao quero mais!!", "stop"],
)  # fmt: skip
def test_keywords(text: str) -> None:
    assert is_keyword(text, OPT_OUT)


@pytest.mark.parametrize(
    "text",
    ["nao quero cancelar meu pedido", "parar com isso", "quero sair hoje", "cancelar pedido", "paraar", "", "!", "🛑",
     "não", "stop stop", "PARARSAIR", "que horas posso parar aí?"],
)  # fmt: skip
def test_no_keywords(text: str) -> None:
    assert not is_keyword(text, OPT_OUT)


def test_a_keyword_may_be_an_emoji() -> None:
    assert is_keyword("🛑", ("🛑",))
    assert not is_keyword("🛑 parar", ("🛑",))


@pytest.mark.parametrize("text", ["", "!", "🛑", "oi"])
def test_a_keyword_that_folds_to_nothing_matches_nothing(text: str) -> None:
    assert not is_keyword(text, ("", "!!"))


@given(st.sampled_from(OPT_OUT), st.text(alphabet="abcdefghij áé", min_size=1).filter(str.strip))
def test_a_keyword_in_a_sentence_is_no_keyword(keyword: str, more: str) -> None:
    assert not is_keyword(f"{keyword} {more}", OPT_OUT)
    assert not is_keyword(f"{more} {keyword}", OPT_OUT)
