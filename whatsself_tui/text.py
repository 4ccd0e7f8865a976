"""Foreign text made safe: what came from WhatsApp, a file or a clipboard.

`storable` is applied where text enters, `visible` where it is shown to a person. Neither ever
interprets the text: no markup, no escape sequence, no direction override survives `visible`.
"""

from __future__ import annotations

import re
import unicodedata

_SURROGATE = re.compile("[\ud800-\udfff]")

#: Names of the invisible characters that can deceive a reader, shown in place of them.
_NAMED = {
    "\u061c": "ALM", "\u200e": "LRM", "\u200f": "RLM", "\u202a": "LRE", "\u202b": "RLE",
    "\u202c": "PDF", "\u202d": "LRO", "\u202e": "RLO", "\u2066": "LRI", "\u2067": "RLI",
    "\u2068": "FSI", "\u2069": "PDI", "\ufeff": "BOM",
}  # fmt: skip

#: Joiners and selectors: terminals disagree on their width, and nothing is lost without them.
_DROPPED = {"\u200d", "\ufe0e", "\ufe0f", "\u20e3"}

#: More marks than this on one letter are decoration meant to break the layout.
_MAX_COMBINING = 3


def storable(text: str) -> str:
    """`text` with lone surrogates replaced by U+FFFD, so that it can be encoded as UTF-8."""
    return _SURROGATE.sub("\ufffd", text)


def visible(text: str, limit: int = 500) -> str:
    """One harmless line for a terminal.

    Control characters become their pictures (ESC is shown as U+241B), line ends become U+21B5,
    direction overrides and other invisible characters become their name in angle brackets,
    anything without a glyph becomes its code point. At most `limit` characters of `text` are
    looked at; an ellipsis tells that more was there.
    """
    cut = text[:limit]
    shown: list[str] = []
    combining = 0
    for char in cut.replace("\r\n", "\n"):
        if char.isascii() and char.isprintable():
            combining = 0
            shown.append(char)
            continue
        category = unicodedata.category(char)
        if category in ("Mn", "Me", "Mc") and char not in _DROPPED:
            combining += 1
            if combining <= _MAX_COMBINING:
                shown.append(char)
            continue
        shown.append(_picture(char, category))
        combining = 0
    if len(text) > limit:
        shown.append("…")
    return "".join(shown)


def _picture(char: str, category: str) -> str:
    code = ord(char)
    if char in _DROPPED or 0x1F3FB <= code <= 0x1F3FF:
        return ""
    if char in "\n\r\u2028\u2029\u0085":
        return "↵"
    if char == "\t":
        return " "
    if char in _NAMED:
        return f"⟨{_NAMED[char]}⟩"
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if category == "Zs":
        return " "
    if category == "Cs":
        return "\ufffd"
    if category[0] == "C":
        return f"⟨U+{code:04X}⟩"
    return char


def short(text: str, width: int) -> str:
    """`text` cut to at most `width` characters, with an ellipsis where something was cut."""
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"
