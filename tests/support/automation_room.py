"""Rules made from TOML text, and a contact who writes to them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from whatsself_tui.automation.catalogue import Finding, read_catalogue
from whatsself_tui.automation.decision import Business, ConsentRules, ContactState, Decision, Incoming
from whatsself_tui.automation.engine import run_rules
from whatsself_tui.automation.hours import OpeningHours, parse_hours
from whatsself_tui.automation.model import Catalogue
from whatsself_tui.automation.occasions import after
from whatsself_tui.automation.rulebook import AnswerRules, RuleBook

ZONE = ZoneInfo("America/Sao_Paulo")
ALWAYS_OPEN = OpeningHours(ZONE, parse_hours(("mon-sun 00:00-24:00",)))
NOW = datetime(2026, 11, 23, 14, 30, tzinfo=ZONE)
"""A Monday."""

CONSENT = ConsentRules(
    opt_out=("PARAR", "SAIR"),
    opt_in=("VOLTAR", "START"),
    opt_out_text="Certo, {{first_name}}, não escrevemos mais.",
    opt_in_text="Que bom ter você de volta!",
)
ANSWERING = AnswerRules(handover_after=3, handover_text="Vou chamar uma pessoa.")


def ms(moment: datetime) -> int:
    """Wall-clock milliseconds of a moment with a zone."""
    return round(moment.timestamp() * 1000)


NOW_MS = ms(NOW)


def catalogue(toml: str) -> Catalogue:
    """The catalogue of a text that has no mistakes; warnings do not matter."""
    read, findings = read_catalogue(tomllib.loads(toml))
    assert read is not None, findings
    return read


def findings(toml: str) -> tuple[Finding, ...]:
    """What is wrong with a text that has mistakes."""
    read, found = read_catalogue(tomllib.loads(toml))
    assert read is None
    return found


def rules(
    toml: str | Catalogue = "",
    *,
    hours: OpeningHours | None = None,
    consent: ConsentRules = CONSENT,
    answering: AnswerRules = ANSWERING,
    welcome: str = "",
    away: str = "",
) -> RuleBook:
    """A rule book: always open, nobody welcomed, unless said otherwise."""
    read = toml if isinstance(toml, Catalogue) else catalogue(toml)
    return RuleBook(read, Business("Padaria Pão Quente"), hours or ALWAYS_OPEN, consent, answering, welcome, away)


def maria(**more: Any) -> ContactState:
    """A contact who has written before."""
    known: dict[str, Any] = {"name": "Maria Silva", "phone": "5511999990001", "opted_out": False, "welcomed": True}
    return ContactState(**(known | more))


@dataclass
class Chat:
    """A conversation: each message is decided, and the contact is what the decisions make of them."""

    book: RuleBook
    state: ContactState = field(default_factory=maria)
    now_ms: int = NOW_MS
    randomness: int = 0
    decisions: list[Decision] = field(default_factory=list)

    def write(self, text: str, *kinds: str) -> list[str]:
        """The texts that answer a message."""
        message = Incoming(text, kinds or ("text",), self.now_ms)
        decision = run_rules(self.book, self.state, message, self.now_ms, self.randomness)
        self.decisions.append(decision)
        self.state = after(self.state, decision, self.now_ms)
        return [answer.text for answer in decision.answers]

    def wait(self, *, minutes: float) -> None:
        """Time passes."""
        self.now_ms += round(minutes * 60_000)

    @property
    def last(self) -> Decision:
        """The decision about the last message."""
        return self.decisions[-1]

    @property
    def place(self) -> str:
        """`flow/step` where the contact is, empty outside of flows."""
        position = self.state.flow
        return f"{position.flow}/{position.step}" if position else ""
