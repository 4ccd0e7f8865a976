"""The catalogue read from `automation.toml`: everything wrong with it told at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from whatsself_tui.automation.flow_graph import check_ways, known_values
from whatsself_tui.automation.flow_reading import ReadFlow, read_flows
from whatsself_tui.automation.folding import fold
from whatsself_tui.automation.keys import MEDIA, TABLES, TEMPLATE, TRIGGER, TRIGGER_KINDS
from whatsself_tui.automation.model import Catalogue, Template, Trigger, TriggerKind
from whatsself_tui.automation.overlaps import check_overlaps
from whatsself_tui.automation.patterns import Pattern
from whatsself_tui.automation.reading import Finding, Path, Table, nearest, shown, tables
from whatsself_tui.automation.templates import own_placeholders, text_problems

__all__ = ["Finding", "read_catalogue"]

MAX_NUMBER = 15
"""Digits of the number a trigger waits for."""


@dataclass(frozen=True, slots=True)
class _Use:
    """A place that sends a template."""

    path: Path
    template: str
    flow: str = ""
    """The flow it happens in; empty outside of flows."""


def read_catalogue(data: Mapping[str, object]) -> tuple[Catalogue | None, tuple[Finding, ...]]:
    """The catalogue in parsed TOML, or None, and everything wrong with it or doubtful.

    Nothing is converted: `priority = "5"` is an error. A file without templates, triggers and flows is
    an empty catalogue. With a catalogue, all findings are warnings.
    """
    findings: list[Finding] = []
    for key in data:
        if key not in TABLES:
            findings.append(Finding((key,), f"unknown key; {nearest(key, TABLES)}"))
    templates, texts = _read_templates(findings, data.get("template", []))
    flows = read_flows(findings, data.get("flow", []), templates)
    triggers, paths = _read_triggers(findings, data.get("trigger", []), templates, _names(data, "flow"))
    findings.extend(check_ways(flows))
    uses = [*_trigger_uses(triggers, paths), *_flow_uses(flows)]
    findings.extend(_check_placeholders(templates, texts, flows, uses))
    if findings:
        return None, tuple(findings)
    triggers.sort(key=lambda trigger: -trigger.priority)  # stable: equals keep the file's order
    warnings = (*check_overlaps(triggers, paths), *_check_started(flows, triggers))
    return Catalogue(templates, tuple(triggers), {name: read.flow for name, read in flows.items()}), warnings


def _names(data: Mapping[str, object], kind: str) -> dict[str, None]:
    """The names of tables, also of those that could not be read: who refers to one is not to blame."""
    value = data.get(kind, [])
    tables_of = value if isinstance(value, list) else [value]
    named = [table.get("name") for table in tables_of if isinstance(table, Mapping)]
    return dict.fromkeys(name for name in named if isinstance(name, str))


def _read_templates(findings: list[Finding], value: object) -> tuple[dict[str, Template], list[tuple[Path, str]]]:
    """(templates by name, every text with its place)."""
    templates: dict[str, Template] = {}
    texts: list[tuple[Path, str]] = []
    for table in tables(findings, ("template",), "template", value, TEMPLATE):
        name = table.name(templates, "template")
        if "text" not in table and "variants" not in table:
            table.find("text is missing")
        text = table.text("text")
        own: list[tuple[Path, str]] = [(("text",), text)] if isinstance(table.raw("text"), str) else []
        own += table.texts("variants")
        texts += [((*table.path, *where), each) for where, each in own]
        if name:
            first, *others = [each for _, each in own] or [""]
            templates[name] = Template(name, first, tuple(others))
    return templates, texts


def _read_triggers(
    findings: list[Finding], value: object, templates: Collection[str], flows: Collection[str]
) -> tuple[list[Trigger], dict[str, Path]]:
    """(triggers in the order of the file, where each stands)."""
    triggers: dict[str, Trigger] = {}
    paths: dict[str, Path] = {}
    for table in tables(findings, ("trigger",), "trigger", value, TRIGGER):
        name = table.name(triggers, "trigger")
        if "template" not in table and "flow" not in table:
            table.find("template is missing; give template, flow, or both")
        kind, phrases = _condition(table)
        trigger = Trigger(
            name=name,
            kind=kind,
            phrases=phrases,
            template=table.reference("template", templates, "template"),
            flow=table.reference("flow", flows, "flow"),
            priority=table.whole("priority"),
            cooldown_s=table.whole("cooldown_s"),
            active=table.flag("active"),
        )
        if name:
            triggers[name] = trigger
            paths[name] = table.path
    return list(triggers.values()), paths


def _condition(table: Table) -> tuple[TriggerKind, tuple[str, ...]]:
    given = [kind for kind in TRIGGER_KINDS if kind in table]
    if len(given) != 1:
        problem = f"has {' and '.join(given)}" if given else f"has none of {', '.join(TRIGGER_KINDS)}"
        table.find(f"{problem}; give exactly one of them")
    phrases: tuple[str, ...] = ()
    for kind in given:
        phrases = tuple(_numbers(table)) if kind == "number" else tuple(_phrases(table, kind))
    return (given[0], phrases) if given else ("equals", ())


def _phrases(table: Table, kind: TriggerKind) -> Iterator[str]:
    for where, phrase in table.texts(kind):
        if problem := _phrase_problem(kind, phrase):
            table.find(problem, *where)
        yield phrase


def _phrase_problem(kind: TriggerKind, phrase: str) -> str:
    """Why a trigger of that kind cannot wait for `phrase`; empty if it can."""
    if kind == "media":
        return "" if phrase in MEDIA else f"no such kind of message; {nearest(phrase, MEDIA)}"
    if kind == "regex":
        try:
            Pattern(phrase)
        except ValueError as error:
            return str(error)
        return ""
    if not phrase.strip():
        return "the phrase is empty"
    return "" if fold(phrase) else "the phrase has no letter, digit or emoji; punctuation is not compared"


def _numbers(table: Table) -> Iterator[str]:
    """Digits, as a message has to write them; the file may leave the quotes out."""
    value = table.raw("number")
    items = value if isinstance(value, list) else [value]
    if not items:
        table.find("the list is empty; give at least one", "number")
    for index, item in enumerate(items):
        where = ("number", index) if isinstance(value, list) else ("number",)
        written = str(item) if isinstance(item, int) and not isinstance(item, bool) else item
        if isinstance(written, str) and written.isascii() and written.isdigit() and len(written) <= MAX_NUMBER:
            yield written
        else:
            table.find(f"must be a number of 1 to {MAX_NUMBER} digits, not {shown(item)}", *where)


def _trigger_uses(triggers: list[Trigger], paths: Mapping[str, Path]) -> Iterator[_Use]:
    for trigger in triggers:
        yield _Use((*paths[trigger.name], "template"), trigger.template)


def _flow_uses(flows: Mapping[str, ReadFlow]) -> Iterator[_Use]:
    for name, read in flows.items():
        for step in read.flow.steps:
            path = read.step_paths[step.name]
            yield _Use((*path, step.kind), step.template, name)
            yield _Use((*path, "invalid"), step.invalid, name)


def _check_placeholders(
    templates: Mapping[str, Template],
    texts: list[tuple[Path, str]],
    flows: Mapping[str, ReadFlow],
    uses: list[_Use],
) -> Iterator[Finding]:
    """Placeholders nobody fills at the text; those that are not filled where it is used, at the use."""
    known = known_values(flows)
    collected = sorted(frozenset().union(*known.values()))
    for path, text in texts:
        for problem in text_problems(text, collected):
            yield Finding(path, problem)
    for use in uses:
        template = templates.get(use.template)
        names = [name for text in template.texts for name in own_placeholders(text)] if template else []
        for name in dict.fromkeys(names):
            if name in collected and name not in known.get(use.flow, ()):
                who = f'flow "{use.flow}" does not ask for' if use.flow else "only a flow asks for"
                yield Finding(use.path, f'template "{use.template}" has {{{{{name}}}}}, which {who}')


def _check_started(flows: Mapping[str, ReadFlow], triggers: list[Trigger]) -> Iterator[Finding]:
    """A warning for each flow that nothing starts."""
    started = {trigger.flow for trigger in triggers}
    started |= {step.jump for read in flows.values() for step in read.flow.steps}
    for name, read in flows.items():
        if name not in started:
            yield Finding(read.path, "no trigger and no other flow starts this flow", warning=True)
