"""One folding of text for everything that is compared: keywords, trigger phrases, answers."""

from __future__ import annotations

import unicodedata

_CACHED_CHARACTERS = 20_000
"""Enough for every living script; bounds the memory a sender of rare characters can claim."""

BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
"""Hangul fillers and the empty Braille cell: letters and a symbol to Unicode, nothing to the eye."""

_INVISIBLE = ("Cc", "Cf", "Cs", "Mn", "Me", "Zs", "Zl", "Zp")
"""Categories that show nothing without a letter to stand on."""

_EMOJI_MODIFIERS = frozenset(map(chr, range(0x1F3FB, 0x1F400)))


def fold(text: str) -> str:
    """`text` as it is compared: case, accents, punctuation and spacing no longer matter.

    Every character is folded by itself (Unicode case folding and compatibility decomposition,
    UAX #15 and #44), so the cost is linear whatever the text. Combining marks, emoji modifiers,
    variation selectors and other invisible characters vanish. Punctuation, control characters and
    signs such as `$` separate words, for people write "oi,tudo bem". An emoji is a word of its own.
    """
    return " ".join(text.translate(_TABLE).split())


def words(text: str) -> list[str]:
    """The words of the folded text."""
    return fold(text).split()


def is_blank(text: str) -> bool:
    """Whether a reader would see nothing of `text`."""
    return all(char in BLANK_LETTERS or unicodedata.category(char) in _INVISIBLE for char in text)


class _FoldingTable(dict[int, str]):
    """Code point → what it folds to, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        folded = "".join(map(_kept, _plain(chr(code))))
        if len(self) < _CACHED_CHARACTERS:
            self[code] = folded
        return folded


_TABLE = _FoldingTable()


def _plain(char: str) -> str:
    """Case folding and decomposition until nothing changes: each can make work for the other."""
    before, text = "", char
    while text != before:
        # The dotless ı shares its capital with i, so without this case would matter.
        before, text = text, unicodedata.normalize("NFKD", text.casefold()).replace("ı", "i")
    return text


def _kept(char: str) -> str:
    category = unicodedata.category(char)
    if category in ("Mn", "Me", "Cf", "Cs") or unicodedata.combining(char) or char in _EMOJI_MODIFIERS:
        return ""
    if category[0] in "PZ" or category in ("Cc", "Sc", "Sk", "Sm") or char in BLANK_LETTERS:
        return " "
    return f" {char} " if category == "So" else char
