"""All there is to know about one entry of the list of rules, in lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual.content import Content

from whatsself_tui.automation.model import Catalogue, Flow, Step, Template, Trigger
from whatsself_tui.console.prose import hanging, indented, paragraphs, section
from whatsself_tui.console.queries import RulesReading
from whatsself_tui.console.rule_rows import Entry, leads
from whatsself_tui.console.words import plural, span
from whatsself_tui.errors import Problem
from whatsself_tui.text import visible

#: How each kind of trigger takes its phrases.
_WAITS_FOR = {
    "equals": "a message that is one of these and nothing else",
    "contains": "a message with the words of one of these, one after the other",
    "regex": "a message that one of these patterns is found in",
    "number": "a message that is one of these numbers and nothing else",
    "media": "a message of one of these kinds",
}

#: What the check of a question asks for.
_CHECKS = {
    "number": "a number",
    "email": "an e-mail address",
    "cpf": "a CPF with right check digits",
    "cnpj": "a CNPJ with right check digits",
    "cep": "a CEP of eight digits",
    "date": "a day of the calendar",
}

_LABEL = 11


def title(entry: Entry | None) -> str:
    """What the frame says: `Trigger pedido`, `Step pedido › nome`; harmless."""
    if entry is None:
        return "Nothing selected"
    name = f"{entry.flow} › {entry.name}" if entry.flow else entry.name
    return visible(f"{entry.kind.capitalize()} {name}".strip(), limit=150)


def details(reading: RulesReading, entry: Entry | None, width: int) -> Sequence[Content]:
    """The page about `entry`; one that is no longer there says so."""
    catalogue = reading.configuration.catalogue
    if entry is None:
        return paragraphs("There are no rules yet. Write them into automation.toml.", width, "$text-muted")
    if entry.problem is not None:
        return _problem(entry.problem, is_warning=entry.kind == "warning", width=width)
    if entry.kind == "trigger":
        trigger = next((trigger for trigger in catalogue.triggers if trigger.name == entry.name), None)
        return list(_trigger(reading, trigger, width)) if trigger else _gone(width)
    if entry.kind == "template":
        template = catalogue.templates.get(entry.name)
        return list(_template(catalogue, template, width)) if template else _gone(width)
    flow = catalogue.flows.get(entry.flow or entry.name)
    if flow is None:
        return _gone(width)
    if entry.kind == "flow":
        return list(_flow(reading, flow, width))
    step = flow.by_name.get(entry.name)
    return list(_step(catalogue, step, width)) if step else _gone(width)


def _gone(width: int) -> list[Content]:
    return paragraphs("It is no longer in the file.", width, "$text-muted")


def _problem(problem: Problem, *, is_warning: bool, width: int) -> list[Content]:
    place = f"{problem.file}:{problem.line}" if problem.line else problem.file
    lines = paragraphs(place, width, "bold")
    if problem.field:
        lines += paragraphs(problem.field, width, "$text-muted")
    force = "The file is in force as it is." if is_warning else "Until it is right, the last good rules stay in force."
    return [*lines, *paragraphs(problem.message, width), Content(""), *paragraphs(force, width, "$text-muted")]


def _trigger(reading: RulesReading, trigger: Trigger, width: int) -> Iterator[Content]:
    catalogue = reading.configuration.catalogue
    count = reading.fired.get(f"trigger:{trigger.name}", 0)
    yield from _fact("priority", f"{trigger.priority}; higher is tried first", width)
    if not trigger.active:
        yield from _fact("off", "it never answers: active = false", width, "bold $text-warning")
    cooling = f"{span(trigger.cooldown_s)} for a contact it has answered" if trigger.cooldown_s else "none"
    yield from _fact("cool-down", cooling, width)
    yield from _fact("today", _answered(count), width)
    yield from _fact("waits for", _WAITS_FOR[trigger.kind], width)
    for phrase in trigger.phrases:
        yield from indented(paragraphs(phrase, width - _LABEL, "bold"), _LABEL)
    if trigger.template:
        yield from _sends(catalogue, "sends", trigger.template, width)
    if trigger.flow:
        yield from _fact("begins", f"flow {trigger.flow}", width)


def _template(catalogue: Catalogue, template: Template, width: int) -> Iterator[Content]:
    uses = [f"trigger {trigger.name}" for trigger in catalogue.triggers if trigger.template == template.name]
    for flow in catalogue.flows.values():
        uses += [f"{flow.name} › {step.name}" for step in flow.steps if template.name in (step.template, step.invalid)]
    for number, text in enumerate(template.texts, start=1):
        if len(template.texts) > 1:
            yield Content.styled(f"Text {number} of {len(template.texts)}", "bold $text-accent")
        yield from paragraphs(text, width)
    used = section("Used by", paragraphs(", ".join(uses), width) if uses else [])
    yield from used or section("Used by", [Content.styled("nothing", "$text-warning")])


def _flow(reading: RulesReading, flow: Flow, width: int) -> Iterator[Content]:
    catalogue = reading.configuration.catalogue
    starts = [f"trigger {trigger.name}" for trigger in catalogue.triggers if trigger.flow == flow.name]
    for other in catalogue.flows.values():
        starts += [f"{other.name} › {step.name}" for step in other.steps if step.jump == flow.name]
    count = reading.fired.get(f"flow:{flow.name}", 0)
    yield from _fact("begun by", ", ".join(starts) or "nothing", width)
    yield from _fact("today", _answered(count), width)
    asked = ", ".join(dict.fromkeys(step.save for step in flow.steps if step.save))
    if asked:
        yield from _fact("asks for", asked, width)
    for number, step in enumerate(flow.steps, start=1):
        head = Content.assemble((f"{number:>2} ", "$text-muted"), (visible(step.name, limit=64), "bold"), " ")
        yield from hanging(head, f"{step.kind} {leads(step)}", width, "$text-muted")


def _step(catalogue: Catalogue, step: Step, width: int) -> Iterator[Content]:
    if step.template:
        yield from _sends(catalogue, "asks" if step.kind == "ask" else "sends", step.template, width)
    if step.kind != "ask":
        yield from _fact("then", leads(step).removeprefix("→ "), width)
        return
    for answer, target in step.answers:
        yield from _fact("answer", f'"{answer}" → {target}', width)
    if step.next:
        yield from _fact("else" if step.answers else "answer", f"{_right(step)} → {step.next}", width)
    if step.save:
        yield from _fact("kept as", f"{{{{{step.save}}}}}", width)
    after = step.give_up or "a person takes over"
    yield from _fact("wrong", f"at {plural(step.tries, 'wrong answer')} → {after}", width)
    if step.invalid:
        yield from _sends(catalogue, "says then", step.invalid, width)
    yield from _fact("time-out", f"{span(step.timeout_min * 60)}, then the flow ends", width)


def _answered(count: int) -> str:
    return f"answered {plural(count, 'time')}" if count else "no answer yet"


def _right(step: Step) -> str:
    """What an answer has to be that no transition names."""
    if step.check == "list":
        return f"one of {', '.join(step.options)}"
    if step.check == "regex":
        return f"what matches {step.pattern}"
    return _CHECKS.get(step.check, "anything")


def _sends(catalogue: Catalogue, label: str, name: str, width: int) -> Iterator[Content]:
    """A template's name, and its text below it."""
    yield from _fact(label, f"template {name}", width)
    template = catalogue.templates[name]
    yield from indented(paragraphs(template.text, width - _LABEL), _LABEL)
    if len(template.texts) > 1:
        yield Content.styled(f"or one of {plural(len(template.texts) - 1, 'other text')}", "$text-muted").pad_left(
            _LABEL
        )


def _fact(label: str, words: str, width: int, style: str = "") -> list[Content]:
    return hanging(Content.styled(f"{label:<{_LABEL}}", style or "$text-muted"), words, width, style)
