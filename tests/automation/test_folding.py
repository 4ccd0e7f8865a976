"""Folding: what no longer matters when texts are compared."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from whatsself_tui.automation.folding import fold, is_blank, words

ANY_TEXT = st.text(alphabet=st.characters())  # lone surrogates included


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Olá, tudo bem?", "ola tudo bem"),
        ("oi,tudo bem", "oi tudo bem"),
        ("  QUAL   o\tPREÇO\n?? ", "qual o preco"),
        ("Promoção!!!", "promocao"),
        ("guarda-chuva", "guarda chuva"),
        ("*Oi*, _moça_ ~linda~", "oi moca linda"),
        ("Straße", "strasse"),
        ("ＯＩ", "oi"),
        ("𝓞𝓲", "oi"),
        ("İstanbul ısı", "istanbul isi"),
        ("R$ 50,00", "r 50 00"),
        ("1️⃣", "1"),
        ("oi😊", "oi 😊"),
        ("👍🏽", "👍"),
        ("❤️", "❤"),
        ("so\u200bli\u00adda\u2060do", "solidado"),
        ("\u202epreço\u202c", "preco"),
        ("o\u0301\u0302\u0303i", "oi"),
        ("\ud83d", ""),
        ("\u3164 \u2800", ""),
        ("?!…", ""),
        ("", ""),
        ("שלום", "שלום"),
    ],
)
def test_folds(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_words_are_parted_by_blanks_and_punctuation() -> None:
    assert words("Bom dia!Quanto custa?") == ["bom", "dia", "quanto", "custa"]


@given(ANY_TEXT)
def test_folding_again_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(ANY_TEXT)
def test_case_does_not_matter(text: str) -> None:
    assert fold(text.upper()) == fold(text.lower()) == fold(text)


@given(ANY_TEXT, st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
@example("ação", "NFD")
def test_the_way_accents_are_encoded_does_not_matter(text: str, form: str) -> None:
    assert fold(unicodedata.normalize(form, text)) == fold(text)  # type: ignore[arg-type]


# U+0345 (the Greek iota subscript) is left out: Unicode's case folding makes a letter of it.
@given(
    st.lists(st.sampled_from("abcçãéíõúxyz019")), st.lists(st.integers(0x300, 0x36F).filter(lambda mark: mark != 0x345))
)
def test_accents_do_not_matter(letters: list[str], marks: list[int]) -> None:
    plain = "".join(letters)
    accented = "".join(letter + "".join(map(chr, marks)) for letter in letters)
    assert fold(accented) == fold(plain)


@given(ANY_TEXT, st.text(alphabet="!?.,;:…-–\"'()[]{}*_~/\\|@#%&$+=<>^`´ \n\t\u200b\ufe0f"))
def test_what_surrounds_the_text_does_not_matter(text: str, around: str) -> None:
    assert fold(around + text + around) == fold(text)


@given(ANY_TEXT)
def test_the_result_is_words_with_one_blank_between(text: str) -> None:
    folded = fold(text)
    assert folded == " ".join(folded.split())
    folded.encode("utf-8")


@pytest.mark.parametrize(
    "piece",
    [
        "\u0316\u0301",  # marks whose canonical order differs from the given one
        "\u302e\U0001d165",
        "e\u0301",
        "\ufdfa",  # one character that decomposes into eighteen
        "\U0001f469\u200d",
        "\ud800",
        "\u202e\u05d0",
        "a!",
    ],
)
def test_hostile_text_folds_piece_by_piece(piece: str) -> None:
    pieces = 100_000 // len(piece)
    whole = fold(piece * pieces)
    assert whole.replace(" ", "") == fold(piece).replace(" ", "") * pieces


@pytest.mark.parametrize("text", ["", " \n\t", "\u200b\u200d\ufeff", "\u3164", "\ufe0f", "\x00\x1b", "\ud800"])
def test_blank(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", ["a", "!", "👍", " . "])
def test_not_blank(text: str) -> None:
    assert not is_blank(text)
