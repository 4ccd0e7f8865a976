"""A conversation the operator has with the rules, as a customer: nothing of it is stored or sent."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from whatsself_tui.automation.decision import ContactState, Incoming
from whatsself_tui.automation.keys import MEDIA
from whatsself_tui.automation.rehearsal import NEWCOMER, Told, told, turn

if TYPE_CHECKING:
    from whatsself_tui.config.service import Configuration

#: Who writes, to the rules.
CUSTOMER = replace(NEWCOMER, name="Ana", phone="5511999990000")

#: What is kept of a long conversation.
_LINES = 200

#: `[image]` stands for a picture, `[image] look` for one with a caption.
_MEDIA = re.compile(rf"\[({'|'.join(kind for kind in MEDIA if kind != 'any')})\]\s*(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Line:
    """Something said, or a remark between what is said."""

    who: Literal["customer", "robot", "nobody"]
    text: str
    at_ms: int


@dataclass
class Trial:
    """The conversation so far, and who the customer has become by it."""

    state: ContactState = CUSTOMER
    lines: deque[Line] = field(default_factory=lambda: deque(maxlen=_LINES))
    told: tuple[Told, ...] = ()
    """What was decided in the last turn; empty before the first."""
    at_ms: int = 0
    """When that was."""
    configuration: Configuration | None = None
    """By which rules."""

    def write(self, text: str, configuration: Configuration, now_ms: int, randomness: int) -> None:
        """The customer writes; `randomness` is what the rules take for the variants of templates."""
        self.follow(configuration, now_ms)
        book = configuration.rule_book
        played = turn(book, self.state, [message_of(text, now_ms)], now_ms, randomness)
        self.state, self.told, self.at_ms = played.state, told(book, played), now_ms
        self.configuration = configuration
        self.lines.append(Line("customer", text, now_ms))
        answers = [answer for decided in self.told for answer in decided.answers]
        self.lines.extend(Line("robot", answer.text, now_ms) for answer in answers)
        if not answers:
            self.lines.append(Line("nobody", "no answer", now_ms))

    def follow(self, configuration: Configuration, now_ms: int) -> bool:
        """Remark upon other rules than those of the last turn; whether they are others."""
        before = self.configuration
        if before is None or (
            before.settings == configuration.settings and before.catalogue == configuration.catalogue
        ):
            return False
        self.configuration = configuration
        self.lines.append(Line("nobody", "the rules have changed", now_ms))
        return True

    def begin_anew(self) -> None:
        """Be somebody who never wrote."""
        self.state, self.told, self.at_ms, self.configuration = CUSTOMER, (), 0, None
        self.lines.clear()


def message_of(text: str, now_ms: int) -> Incoming:
    """What the customer typed, as the robot would get it."""
    media = _MEDIA.fullmatch(text)
    if media is None:
        return Incoming(text, written_at_ms=now_ms)
    return Incoming(media[2], (media[1],), now_ms)
