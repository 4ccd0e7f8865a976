"""The tables of `automation.toml` and their keys: one description for the reader, editors and people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from whatsself_tui.automation.model import CheckKind, StepKind, TriggerKind

MAX_NAME = 64
"""Characters of a template's, trigger's, flow's or step's name."""

MAX_PRIORITY = 100
"""The highest priority of a trigger."""

MAX_COOLDOWN_S = 31_536_000
"""A year."""

MAX_TRIES = 10

MAX_TIMEOUT_MIN = 43_200
"""Thirty days."""

KeyKind = Literal[
    "name", "text", "texts", "whole", "flag", "choice", "media", "numbers", "speech", "targets", "reference", "tables"
]
"""What a key takes. `texts`: one text or a list; `numbers`: whole numbers or texts of digits, one or a
list; `speech`: true, or a template's name; `targets`: a table of answers and steps; `tables`: `[[…]]`."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a table."""

    name: str
    kind: KeyKind
    description: str
    required: bool = False
    default: int | bool | str | None = None
    minimum: int = 0
    maximum: int = 0
    choices: tuple[str, ...] = ()


TRIGGER_KINDS: tuple[TriggerKind, ...] = get_args(TriggerKind)
STEP_KINDS: tuple[StepKind, ...] = get_args(StepKind)
CHECKS: tuple[CheckKind, ...] = get_args(CheckKind)
MEDIA = ("any", "image", "video", "audio", "document", "sticker", "location", "contact")

TEMPLATE: tuple[Key, ...] = (
    Key("name", "name", "Name of the template.", required=True),
    Key("text", "text", "The text to send; {{placeholders}} are filled in."),
    Key("variants", "texts", "Alternatives to the text; one of all is picked at random for each send."),
)

TRIGGER: tuple[Key, ...] = (
    Key("name", "name", "Name of the trigger.", required=True),
    Key("equals", "texts", "The whole message is this phrase; case, accents and punctuation do not matter."),
    Key("contains", "texts", "The words of this phrase occur in the message, one after the other."),
    Key("regex", "texts", "This regular expression (RE2) is found in the message; case does not matter."),
    Key("number", "numbers", "The message is this number and nothing else."),
    Key("media", "media", "The message is of this kind; its caption does not matter.", choices=MEDIA),
    Key("template", "reference", "Name of the template that is sent."),
    Key("flow", "reference", "Name of the flow that begins, after the template."),
    Key("priority", "whole", "Higher is tried first; the first that matches answers.", default=0, maximum=MAX_PRIORITY),
    Key(
        "cooldown_s",
        "whole",
        "Seconds it stays silent for a contact it has answered.",
        default=0,
        maximum=MAX_COOLDOWN_S,
    ),
    Key("active", "flag", "false switches it off.", default=True),
)

STEP: tuple[Key, ...] = (
    Key("name", "name", "Name of the step.", required=True),
    Key("send", "reference", "Sends this template and goes on."),
    Key("ask", "reference", "Sends this template and waits for the answer."),
    Key("handover", "speech", "Leaves the contact to a person: true, or the name of a template to send first."),
    Key("end", "speech", "Ends the flow: true, or the name of a template to send first."),
    Key("jump", "reference", "Goes on with the first step of this flow, and keeps what was answered so far."),
    Key("next", "reference", "The step that follows; the one below if it is not given."),
    Key("answers", "targets", 'Of an ask: answer = step; "*" stands for every other answer that is right.'),
    Key("save", "text", "Of an ask: the name the answer is kept under, a placeholder from then on."),
    Key("check", "choice", "Of an ask: what a right answer is.", default="any", choices=CHECKS),
    Key("options", "texts", 'Of check = "list": the right answers.'),
    Key("pattern", "text", 'Of check = "regex": what the whole answer matches (RE2).'),
    Key("invalid", "reference", "Of an ask: the template for a wrong answer; the question again if it is not given."),
    Key("tries", "whole", "Of an ask: wrong answers until it gives up.", default=3, minimum=1, maximum=MAX_TRIES),
    Key("give_up", "reference", "Of an ask: the step after the last wrong answer; a person if it is not given."),
    Key(
        "timeout_min",
        "whole",
        "Of an ask: minutes it waits for an answer; then the flow ends.",
        default=1_440,
        minimum=1,
        maximum=MAX_TIMEOUT_MIN,
    ),
)

FLOW: tuple[Key, ...] = (
    Key("name", "name", "Name of the flow.", required=True),
    Key("step", "tables", "The steps; the flow begins with the first.", required=True),
)

TABLES: Mapping[str, tuple[Key, ...]] = {"template": TEMPLATE, "trigger": TRIGGER, "flow": FLOW}
"""The tables of the file, each written `[[name]]`."""

ASK_ONLY = ("answers", "save", "check", "options", "pattern", "invalid", "tries", "give_up", "timeout_min")
"""Keys of a step that mean something only with `ask`."""
