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
    folded = fold(text)
    said = {folded, _without_symbols(folded)} - {""}
    return bool(said) and any(fold(keyword) in said for keyword in keywords)


def _without_symbols(folded: str) -> str:
    return " ".join(word for word in folded.split() if unicodedata.category(word[0]) != "So")
