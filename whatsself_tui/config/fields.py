"""What the sections of the settings are made of: their base, kinds of text, and the refusal of a value."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints
from pydantic_core import PydanticCustomError

from whatsself_tui.automation.folding import fold, is_blank
from whatsself_tui.automation.hours import parse_holidays, parse_line
from whatsself_tui.automation.templates import MAX_TEXT, text_problems


def refusal(message: str, **context: object) -> PydanticCustomError:
    """An error of a rule that limits cannot express.

    `message` continues the sentence "key is value; …". The context may name the `key` inside the
    validated value that is at fault, and the `value` to quote.
    """
    return PydanticCustomError("refused", "{message}", {"message": message, **context})


def not_blank(value: str) -> str:
    """A text of which something can be seen."""
    if is_blank(value):
        raise refusal("nothing of it can be seen")
    return value


def comparable(value: str) -> str:
    """A text of which something is left when it is folded."""
    if not fold(value):
        raise refusal("it has no letter, digit or emoji, and punctuation is not compared")
    return value


def sendable(value: str) -> str:
    """A text that can be sent, with known placeholders."""
    if problems := text_problems(value):
        raise refusal("; ".join(problems))
    return value


def opening(value: str) -> str:
    """Days and spans of time."""
    try:
        parse_line(value)
    except ValueError as error:
        raise refusal(str(error)) from None
    return value


def holiday(value: str) -> str:
    """A date, or the name of a calendar."""
    try:
        parse_holidays([value])
    except ValueError as error:
        raise refusal(str(error)) from None
    return value


OpeningLine = Annotated[str, AfterValidator(opening)]
"""Days and spans: `mon-fri 09:00-12:00 13:30-18:00`."""

Holiday = Annotated[str, AfterValidator(holiday)]
"""`2026-12-24`, `BR` or `BR-SP`."""

Keyword = Annotated[str, StringConstraints(min_length=1, max_length=50), AfterValidator(comparable)]
"""A whole message to be recognised, without regard to case, accents and punctuation."""

MessageText = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT), AfterValidator(sendable)]
"""A text that is sent; the placeholders of templates may stand in it."""


class Section(BaseModel):
    """What all sections share: unchangeable, strict types, no unknown keys, defaults checked too."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False, validate_default=True)
