"""Checks of what a contact answers to a question of a flow."""

from __future__ import annotations

import re
from datetime import date

from whatsself_tui.automation import documents
from whatsself_tui.automation.decision import Incoming
from whatsself_tui.automation.folding import fold, is_blank
from whatsself_tui.automation.model import Step
from whatsself_tui.automation.patterns import pattern

MAX_ANSWER = 4_096
"""Characters of an answer that is kept; longer ones are no answers to a question."""

_SHORT = 254
"""Longest e-mail address (RFC 5321, 4.5.3.1.3: 256 with its angle brackets); no number or date is longer."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]+)?|[0-9]+(?:[.,][0-9]+)?)")
_EMAIL = re.compile(
    r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
    r"(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+",
    re.IGNORECASE | re.ASCII,
)
_DAY_FIRST = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")
_ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")


def checked(step: Step, message: Incoming) -> str | None:
    """The answer as it is kept, or None if it is no right one for `step`.

    CPF, CNPJ and CEP are kept with their punctuation, dates as dd/mm/yyyy, one of a list as the file
    writes it; everything else as the contact wrote it, without blanks around.
    """
    text = message.text.strip()
    if len(text) > MAX_ANSWER:
        return None
    match step.check:
        case "any":
            return _anything(text, message)
        case "list":
            said = fold(text)
            return next((option for option in step.options if fold(option) == said), None)
        case "regex":
            return text if text and pattern(step.pattern).is_all_of(text) else None
    if len(text) > _SHORT:
        return None
    match step.check:
        case "number":
            return text if _NUMBER.fullmatch(text) else None
        case "email":
            return text if _EMAIL.fullmatch(text) else None
        case "cpf":
            return documents.cpf(text)
        case "cnpj":
            return documents.cnpj(text)
        case "cep":
            return documents.cep(text)
        case "date":
            return _date(text)


def _anything(text: str, message: Incoming) -> str | None:
    """Any text; of media without a caption their kind, for a photo may be the answer."""
    if not is_blank(text):
        return text
    media = [kind for kind in message.kinds if kind != "text"]
    return f"[{media[0]}]" if media else None


def _date(text: str) -> str | None:
    """A day of the calendar, day first as in Brazil or in ISO 8601."""
    if found := _DAY_FIRST.fullmatch(text):
        day, month, year = found.groups()
    elif found := _ISO.fullmatch(text):
        year, month, day = found.groups()
    else:
        return None
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return None
    return f"{int(day):02}/{int(month):02}/{year}"
