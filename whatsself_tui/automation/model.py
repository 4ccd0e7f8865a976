"""What `automation.toml` holds once it has been read: templates, triggers, flows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

TriggerKind = Literal["equals", "contains", "regex", "number", "media"]
"""`equals`: the whole text is the phrase; `contains`: the phrase's words occur in sequence; `regex`: the
pattern is found; `number`: the text is that number; `media`: the message has that kind, or `any`."""

StepKind = Literal["send", "ask", "handover", "end", "jump"]
"""What a step does. Only `ask` waits for the contact."""

CheckKind = Literal["any", "number", "email", "cpf", "cnpj", "cep", "date", "list", "regex"]
"""How an answer is checked before a flow goes on."""

CONSENT_PRIORITY = 10
"""Queue priority of a consent confirmation."""

TRIGGER_PRIORITY = 5
"""Queue priority of every other answer of the rules."""


@dataclass(frozen=True, slots=True)
class Template:
    """A text with `{{name}}` placeholders, and others that may be sent in its place."""

    name: str
    text: str
    variants: tuple[str, ...] = ()
    """Alternatives to `text`; with any of them, one of all is picked at random for each send."""

    @property
    def texts(self) -> tuple[str, ...]:
        """All that may be sent."""
        return (self.text, *self.variants)


@dataclass(frozen=True, slots=True)
class Trigger:
    """What starts an answer."""

    name: str
    kind: TriggerKind
    phrases: tuple[str, ...]
    """As the operator wrote them (phrases, patterns, numbers, kinds of media); one that matches is enough."""
    template: str = ""
    """Name of the template it sends; may be empty if there is a flow."""
    priority: int = 0
    """0–100, higher is tried first. Not the priority in the queue."""
    cooldown_s: int = 0
    """How long it stays silent for a contact it has answered."""
    active: bool = True
    flow: str = ""
    """Name of the flow it starts, after its template; empty for none."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a flow. Steps and templates are meant by their names."""

    name: str
    kind: StepKind
    template: str = ""
    """What is sent; empty where a hand-over or an end says nothing."""
    next: str = ""
    """After a `send`: the step that follows. After an `ask`: where an answer goes that no transition
    names; empty if only the transitions are right answers. Of a `send`, empty: the flow ends."""
    jump: str = ""
    """The flow that goes on in place of this one."""
    answers: tuple[tuple[str, str], ...] = ()
    """Folded answer and its step, of an `ask`."""
    save: str = ""
    """The name the answer is kept under, a placeholder from then on."""
    check: CheckKind = "any"
    options: tuple[str, ...] = ()
    """Right answers of the check `list`."""
    pattern: str = ""
    """What the whole answer has to match, of the check `regex`."""
    invalid: str = ""
    """Template for a wrong answer; empty repeats the question."""
    tries: int = 3
    """Wrong answers after which the flow gives up."""
    give_up: str = ""
    """The step that follows then; empty for a hand-over to a person."""
    timeout_min: int = 1_440
    """How long it waits for an answer before the flow ends."""


@dataclass(frozen=True)
class Flow:
    """A conversation of several steps; it begins with the first."""

    name: str
    steps: tuple[Step, ...]

    @cached_property
    def by_name(self) -> Mapping[str, Step]:
        """The steps by their names."""
        return {step.name: step for step in self.steps}

    @cached_property
    def version(self) -> str:
        """Changes with anything in the flow."""
        return hashlib.sha256(repr(self.steps).encode("utf-8", "surrogatepass")).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The automation in force. Whatever a trigger or step names is there."""

    templates: Mapping[str, Template] = field(default_factory=dict)
    """By name."""
    triggers: tuple[Trigger, ...] = ()
    """In firing order: priority descending, then as they stand in the file."""
    flows: Mapping[str, Flow] = field(default_factory=dict)
    """By name."""
