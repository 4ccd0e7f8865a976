"""What the rules speak of: templates, triggers, a contact as the rules see it, and a decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

TriggerKind = Literal["equals", "contains"]
"""`equals`: the whole text is the phrase; `contains`: the phrase's words occur in sequence."""

Rule = Literal["opt_out", "opt_in", "opted_out", "trigger", "unmatched", "empty"]
"""The rule that decided about a text."""

Window = Literal["reply", "exempt"]
"""Which limit of one contact an answer falls under: that of replies, or none."""

CONSENT_PRIORITY = 10
"""Queue priority of a consent confirmation."""

TRIGGER_PRIORITY = 5
"""Queue priority of a trigger's answer."""


@dataclass(frozen=True, slots=True)
class Template:
    """A text with `{{name}}` placeholders."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Trigger:
    """What starts an answer."""

    name: str
    kind: TriggerKind
    phrases: tuple[str, ...]
    """As the operator wrote them; one that matches is enough."""
    template: str
    """Name of a template in the same catalogue."""
    priority: int = 0
    """0–100, higher is tried first. Not the priority in the queue."""
    cooldown_s: int = 0
    """How long it stays silent for a contact it has answered."""
    active: bool = True


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The automation in force. Every trigger's template is among `templates`."""

    templates: Mapping[str, Template] = field(default_factory=dict)
    """By name."""
    triggers: tuple[Trigger, ...] = ()
    """In firing order: priority descending, then as they stand in the file."""


@dataclass(frozen=True, slots=True)
class ContactState:
    """What the rules know of a contact."""

    name: str
    """Display name, foreign text; may be empty."""
    phone: str
    """E.164 digits; empty while only the LID is known."""
    opted_out: bool
    fired_at_ms: Mapping[str, int] = field(default_factory=dict)
    """Trigger name → when it last answered this contact (wall clock)."""


@dataclass(frozen=True, slots=True)
class ConsentRules:
    """Keywords that withdraw and give consent, and the texts that confirm it."""

    opt_out: tuple[str, ...]
    opt_in: tuple[str, ...]
    opt_out_text: str
    """May hold placeholders, as a template's text."""
    opt_in_text: str


@dataclass(frozen=True, slots=True)
class Business:
    """Who answers."""

    name: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A message to queue."""

    text: str
    source: str
    """Where it came from: `trigger:greeting`, `consent:opt_out`."""
    priority: int
    """In the queue, 0–10."""
    window: Window


@dataclass(frozen=True, slots=True)
class Decision:
    """Everything the rules decided about one text, to be written in one transaction."""

    rule: Rule
    answers: tuple[Answer, ...] = ()
    consent: Literal["in", "out"] | None = None
    """The contact's new consent; None leaves it as it is."""
    cancel_queued: bool = False
    """Whether the contact's queued automatic messages are to be cancelled (before `answers` are queued)."""
    fired: str | None = None
    """The trigger that answered and whose cool-down starts now."""
    explanation: str = ""
    """One line for the operator; quotes only the operator's own names and phrases."""
    warnings: tuple[str, ...] = ()
    """What went missing while the answers were made."""
