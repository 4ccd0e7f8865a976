"""Templates: `{{name}}` placeholders, the variables that are always there, rendering in one pass."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from whatsself_tui.automation.decision import Business, ContactState
from whatsself_tui.automation.folding import BLANK_LETTERS, is_blank

MAX_TEXT = 65_536
"""Characters of one message; WhatsApp takes no more."""

VARIABLES = ("name", "first_name", "phone", "business", "date", "time", "greeting")
"""Placeholders that always have a meaning."""

ALIASES: Mapping[str, str] = {
    "nome": "name",
    "primeiro_nome": "first_name",
    "telefone": "phone",
    "empresa": "business",
    "negocio": "business",
    "data": "date",
    "hora": "time",
    "saudacao": "greeting",
}
"""Portuguese name → variable."""

_PLACEHOLDER = re.compile(r"\{\{([^{}]*)\}\}")
_SENTENCE_ENDS = frozenset(".!?…\n")
_SENTENCE_GOES_ON = frozenset(",;:}-–—")
_UNSEEN = dict.fromkeys(map(ord, BLANK_LETTERS), " ")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text ready to send, or an empty one if nothing was left of it."""

    text: str
    warnings: tuple[str, ...]


def text_problems(text: str, collected: Iterable[str] = ()) -> tuple[str, ...]:
    """Why `text` cannot be used as a template, one sentence each; empty if it can.

    `collected` are the names a flow fills, besides those that are always there.
    """
    if is_blank(text):
        return ("the text is empty; write what is to be sent",)
    problems = []
    if len(text) > MAX_TEXT:
        problems.append(f"the text has {len(text)} characters; WhatsApp takes at most {MAX_TEXT}")
    known = (*VARIABLES, *ALIASES, *collected)
    for name in _written_names(text):
        if name not in known:
            problems.append(f"unknown placeholder {{{{{name[:64]}}}}}; {_suggestion(name, known)}")
    if "{{" in _PLACEHOLDER.sub(" ", text):
        problems.append("a '{{' without a name and '}}' after it; write {{name}}")
    return tuple(problems)


def own_placeholders(text: str) -> tuple[str, ...]:
    """The placeholders of `text` that only a flow can fill, in their order."""
    return tuple(name for name in _written_names(text) if name not in VARIABLES and name not in ALIASES)


def pick(count: int, randomness: int, last: int | None) -> tuple[int, int]:
    """(an index below `count`, the randomness that is left); never `last` if there is another.

    `randomness` is a large random number, read digit by digit: 128 bits serve for more picks than
    one message can cause.
    """
    if count == 1:
        return 0, randomness
    if last is None or not 0 <= last < count:
        return randomness % count, randomness // count
    index = randomness % (count - 1)
    return index + (index >= last), randomness // (count - 1)


def render(text: str, values: Mapping[str, str], label: str) -> Rendered:
    """`text` with its placeholders replaced by `values`, in a single pass.

    What a value contains is never looked at: a contact named `{{phone}}` stays that. A value that
    is missing or empty renders as nothing, with a warning that names `label`, the template. So does
    a text of which nothing is left; a text too long for WhatsApp is cut.
    """
    warnings: list[str] = []

    def value(found: re.Match[str]) -> str:
        written = found[1].strip()
        name = ALIASES.get(written, written)
        filled = values.get(name, "")
        if is_blank(filled):
            warnings.append(f"{label}: no value for {{{{{written[:64]}}}}}")
            return ""
        if name == "greeting" and _starts_sentence(text, found.start()):
            return filled[0].upper() + filled[1:]
        return filled

    rendered = _PLACEHOLDER.sub(value, text)
    if is_blank(rendered):
        return Rendered("", (*dict.fromkeys(warnings), f"{label}: nothing is left to send"))
    if len(rendered) > MAX_TEXT:
        warnings.append(f"{label}: cut to {MAX_TEXT} characters")
    return Rendered(rendered[:MAX_TEXT], tuple(dict.fromkeys(warnings)))


def variables(state: ContactState, business: Business, now: datetime) -> dict[str, str]:
    """The values of `VARIABLES`; `now` is the present moment in the business's time zone."""
    return {
        "name": " ".join(state.name.split()),
        "first_name": first_name(state.name),
        "phone": state.phone,
        "business": business.name,
        "date": f"{now.day:02}/{now.month:02}/{now.year:04}",
        "time": f"{now.hour:02}:{now.minute:02}",
        "greeting": greeting(now.hour),
    }


def greeting(hour: int) -> str:
    """What one says at that hour (0–23) in Brazil."""
    if 5 <= hour < 12:
        return "bom dia"
    return "boa tarde" if 12 <= hour < 18 else "boa noite"


def first_name(display_name: str) -> str:
    """The first word with a letter in it, without what surrounds it; empty if there is none.

    Display names are whatever people like: `~Maria 🌸`, `+55 11 99999-0001`, `💖`.
    """
    for word in display_name.translate(_UNSEEN).split():
        start, end = 0, len(word)
        while start < end and not word[start].isalpha():
            start += 1
        while end > start and not (word[end - 1].isalnum() or unicodedata.category(word[end - 1])[0] == "M"):
            end -= 1
        if start < end:
            return word[start:end]
    return ""


def _written_names(text: str) -> Sequence[str]:
    return tuple(dict.fromkeys(found.strip() for found in _PLACEHOLDER.findall(text)))


def _starts_sentence(text: str, position: int) -> bool:
    for at in range(position - 1, -1, -1):
        if text[at] in _SENTENCE_ENDS:
            return True
        if text[at].isalnum() or text[at] in _SENTENCE_GOES_ON:
            return False
    return True


def _suggestion(name: str, known: tuple[str, ...]) -> str:
    nearest = get_close_matches(name.casefold(), known, n=1)
    return f"did you mean {{{{{nearest[0]}}}}}?" if nearest else f"known are {', '.join(known)}"
