"""Consent keywords: the whole message is one of them, never a part of it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from whatsself_tui.automation.folding import fold


def is_keyword(text: str, keywords: Iterable[str]) -> bool:
    """Whether `text` says one of `keywords` and nothing else.

    "Parar!" does, "nao quero cancelar meu pedido" does not. An emoji beside the keyword changes
    nothing: somebody who writes "PARAR 😡" wants no further message.
    """
    return says(text, folded_keywords(keywords))


def folded_keywords(keywords: Iterable[str]) -> frozenset[str]:
    """The keywords as `says` compares them."""
    return frozenset(fold(keyword) for keyword in keywords) - {""}


def says(text: str, folded: frozenset[str]) -> bool:
    """`is_keyword` for keywords that have been folded before."""
    plain = fold(text)
    return plain in folded or (not plain.isascii() and _without_symbols(plain) in folded)


def _without_symbols(folded: str) -> str:
    return " ".join(word for word in folded.split() if unicodedata.category(word[0]) != "So")
