"""A contact as the rules see it, a message, and everything that is decided about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Rule = Literal[
    "opt_out",
    "opt_in",
    "opted_out",
    "handed_over",
    "closed",
    "flow",
    "trigger",
    "cooling",
    "fallback",
    "unmatched",
    "too_old",
    "human",
    "expired",
    "empty",
    "revoked",
]
"""The rule that decided. `cooling`: a trigger matched but stays silent for now; `too_old`: the message had
waited too long; `human`: a person typed on the phone; `expired`: nobody answered a flow in time;
`revoked`: the contact took the message back."""

Window = Literal["reply", "exempt"]
"""Which limit of one contact an answer falls under: that of replies, or none."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """What a contact wrote: one message, or several that are answered as one."""

    text: str
    """Texts and captions, one on each line; empty for media without a caption."""
    kinds: tuple[str, ...] = ("text",)
    """What the messages are: `text`, `image`, `audio`, …"""
    written_at_ms: int = 0
    """When the first of them was written."""


@dataclass(frozen=True, slots=True)
class FlowPosition:
    """Where a contact is in a flow: always at an `ask`."""

    flow: str
    step: str
    values: Mapping[str, str] = field(default_factory=dict)
    """What the contact answered so far, by the names of the flow."""
    tries: int = 0
    """Wrong answers to this question so far."""
    since_ms: int = 0
    """When the question was put, the last time."""
    expires_at_ms: int = 0
    """From then on the flow has ended."""
    version: str = ""
    """`Flow.version` at that time."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """A contact left to a person."""

    reason: str
    """For the operator; quotes only names of the automation."""
    until_ms: int | None = None
    """When the robot takes up again; None: when the operator releases the contact."""


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
    hand_over: HandOver | None = None
    """The hand-over in force, or one that is over."""
    welcomed: bool = False
    """Whether the first contact lies behind: `Decision.welcomed` once said so."""
    away_period_ms: int | None = None
    """The closed period whose away message they got last."""
    flow: FlowPosition | None = None
    unmatched: int = 0
    """Messages in a row that nothing matched."""
    last_variants: Mapping[str, int] = field(default_factory=dict)
    """Template name → index among its texts of the one they got last."""


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
    """Where it came from: `consent:opt_out`, `trigger:NAME`, `flow:NAME/STEP`, `welcome`, `away`, `fallback`."""
    priority: int
    """In the queue, 0–10."""
    window: Window


@dataclass(frozen=True, slots=True)
class Alert:
    """Something the operator has to know. It never quotes what the contact wrote."""

    kind: Literal["waiting_for_human", "flow_ended"]
    text: str


@dataclass(frozen=True, slots=True)
class Considered:
    """A rule that was looked at before the one that decided, and why it did not."""

    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Everything the rules decided about one text, to be written in one transaction."""

    rule: Rule
    answers: tuple[Answer, ...] = ()
    """To be queued in this order."""
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
    welcomed: bool = False
    """Whether this was the first contact, which is behind now (welcome message or not)."""
    away_period_ms: int | None = None
    """The closed period whose away message is among `answers`; None leaves the stored one."""
    flow: FlowPosition | None = None
    """The contact's new place in a flow."""
    flow_cleared: bool = False
    """Whether the stored place is to be deleted. Never together with `flow`."""
    unmatched: int | None = None
    """The new count of messages in a row that nothing matched; None leaves it."""
    hand_over: HandOver | None = None
    """A new hand-over, in place of the one before."""
    variants: Mapping[str, int] = field(default_factory=dict)
    """Template name → index of the text that was picked; to be kept as `ContactState.last_variants`."""
    alerts: tuple[Alert, ...] = ()
    considered: tuple[Considered, ...] = ()
    """Every rule before the one that decided, in their order."""
