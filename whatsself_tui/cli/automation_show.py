"""`automation show`: all there is at a glance, or one flow as a tree, one trigger, one template."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from dataclasses import asdict
from difflib import get_close_matches
from typing import Any

from whatsself_tui.automation.model import Catalogue, Flow, Step, Template, Trigger
from whatsself_tui.cli.files_now import read_rules_now, tell_problems
from whatsself_tui.cli.output import document, line
from whatsself_tui.errors import UsageError
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.text import visible

_ROOM = 60
"""Characters of a text in a list."""


def show(folder: DataFolder, args: Namespace) -> int:
    """Print an overview, or whatever has the name."""
    loaded = read_rules_now(folder.config)
    if loaded.value is None:
        return tell_problems(loaded.problems, args.json)
    catalogue = loaded.value.catalogue
    if args.name is None:
        content, lines = _overview_data(catalogue), _overview(catalogue)
    else:
        content, lines = _named(catalogue, args.name)
    if args.json:
        document(content)
    else:
        for each in lines:
            line(each)
    return 0


def _named(catalogue: Catalogue, name: str) -> tuple[dict[str, Any], Iterator[str]]:
    """All things of that name: a flow, a trigger and a template may share it. Raises UsageError for none."""
    flow, template = catalogue.flows.get(name), catalogue.templates.get(name)
    trigger = next((trigger for trigger in catalogue.triggers if trigger.name == name), None)
    if not (flow or trigger or template):
        raise _unknown(catalogue, name)
    content = {
        "flow": _flow_data(flow) if flow else None,
        "trigger": asdict(trigger) if trigger else None,
        "template": asdict(template) if template else None,
    }

    def lines() -> Iterator[str]:
        if flow:
            yield from _flow(catalogue, flow)
        if trigger:
            yield from _trigger(catalogue, trigger)
        if template:
            yield from _template(catalogue, template)

    return content, lines()


def _unknown(catalogue: Catalogue, name: str) -> UsageError:
    known = [*catalogue.flows, *(trigger.name for trigger in catalogue.triggers), *catalogue.templates]
    plain = {each.casefold(): each for each in known}
    close = [plain[each] for each in get_close_matches(name.casefold(), plain, n=5, cutoff=0.5)]
    advice = (
        f"Nearest are {', '.join(visible(each, 64) for each in close)}." if close else "`automation show` lists all."
    )
    return UsageError(f'No flow, trigger or template is named "{visible(name, 64)}".', advice)


def _overview_data(catalogue: Catalogue) -> dict[str, Any]:
    return {
        "triggers": [asdict(trigger) for trigger in catalogue.triggers],
        "templates": [asdict(template) for template in catalogue.templates.values()],
        "flows": [_flow_data(flow) for flow in catalogue.flows.values()],
    }


def _flow_data(flow: Flow) -> dict[str, Any]:
    return {"name": flow.name, "steps": [asdict(step) | {"answers": dict(step.answers)} for step in flow.steps]}


def _overview(catalogue: Catalogue) -> Iterator[str]:
    yield "Triggers, the first that matches answers:"
    for trigger in catalogue.triggers:
        off = "" if trigger.active else "  (off)"
        waits = f"{trigger.kind} {', '.join(visible(phrase, 40) for phrase in trigger.phrases[:3])}"
        more = f" and {len(trigger.phrases) - 3} more" if len(trigger.phrases) > 3 else ""
        yield f"  {trigger.priority:>3}  {visible(trigger.name, 30):<20}  {waits}{more} → {_starts(trigger)}{off}"
    yield "Templates:"
    for template in catalogue.templates.values():
        variants = f"  ({len(template.texts)} variants)" if template.variants else ""
        yield f"  {visible(template.name, 30):<20}  {visible(template.text, _ROOM)}{variants}"
    yield "Flows:"
    for flow in catalogue.flows.values():
        started = ", ".join(visible(name, 30) for name in _starters(catalogue, flow)) or "nothing"
        yield f"  {visible(flow.name, 30):<20}  {len(flow.steps)} steps, started by {started}"


def _starts(trigger: Trigger) -> str:
    parts = [f"template {visible(trigger.template, 64)}"] if trigger.template else []
    parts += [f"flow {visible(trigger.flow, 64)}"] if trigger.flow else []
    return " and ".join(parts)


def _starters(catalogue: Catalogue, flow: Flow) -> list[str]:
    by_trigger = [f"trigger {trigger.name}" for trigger in catalogue.triggers if trigger.flow == flow.name]
    jumps = [other.name for other in catalogue.flows.values() if any(step.jump == flow.name for step in other.steps)]
    return [*by_trigger, *(f"flow {name}" for name in jumps)]


def _trigger(catalogue: Catalogue, trigger: Trigger) -> Iterator[str]:
    off = "" if trigger.active else ", switched off"
    place = catalogue.triggers.index(trigger) + 1
    yield f"Trigger {visible(trigger.name, 64)}: priority {trigger.priority}, number {place} in order{off}"
    for phrase in trigger.phrases:
        yield f"  {trigger.kind} {visible(phrase, 200)}"
    yield f"  → {_starts(trigger)}"
    if trigger.cooldown_s:
        yield f"  silent for {trigger.cooldown_s} s for a contact it has answered"


def _template(catalogue: Catalogue, template: Template) -> Iterator[str]:
    yield f"Template {visible(template.name, 64)}"
    for number, text in enumerate(template.texts, 1):
        first, *more = text[:4000].split("\n")
        yield f"  {f'{number}: ' if template.variants else ''}{visible(first, 2000)}"
        for row in more:
            yield f"  | {visible(row, 2000)}"
    users = [f"trigger {trigger.name}" for trigger in catalogue.triggers if trigger.template == template.name]
    for flow in catalogue.flows.values():
        steps = [step for step in flow.steps if template.name in (step.template, step.invalid)]
        users += [f"flow {flow.name}, step {step.name}" for step in steps]
    yield f"  used by {'; '.join(visible(user, 150) for user in users) or 'nothing'}"


def _flow(catalogue: Catalogue, flow: Flow) -> Iterator[str]:
    """The steps as a tree from the first; a step met again is only named."""
    started = ", ".join(visible(name, 80) for name in _starters(catalogue, flow)) or "nothing"
    yield f"Flow {visible(flow.name, 64)}, started by {started}"
    met: set[str] = set()
    todo = [("", "", "", flow.steps[0].name)]  # (rule before the branch, rule before what is below it, answer, step)
    while todo:
        branch, below, answer, name = todo.pop()
        step = flow.by_name[name]
        yield f"{branch}{answer}{_said(catalogue, step, again=name in met)}"
        if name in met:
            continue
        met.add(name)
        ways = list(_ways(step))
        for number, (label, target) in reversed(list(enumerate(ways, 1))):
            last = number == len(ways)
            lines = f"{below}{'└─ ' if last else '├─ '}", f"{below}{'   ' if last else '│  '}"
            if len(ways) == 1:
                lines = below, below
            todo.append((*lines, f"{label} → " if label else "", target))


def _said(catalogue: Catalogue, step: Step, *, again: bool) -> str:
    name = visible(step.name, 64)
    if again:
        return f"{name} (see above)"
    if step.kind == "jump":
        return f"{name}: goes on with flow {visible(step.jump, 64)}"
    template = catalogue.templates.get(step.template)
    text = f' "{visible(template.text, _ROOM)}"' if template else ""
    notes = []
    if step.kind == "ask":
        notes = [f"check {step.check}"] if step.check != "any" else []
        notes += [f"saved as {visible(step.save, 64)}"] if step.save else []
        notes += [f"{step.tries} tries", f"{step.timeout_min} min"]
    told = f" ({', '.join(notes)})" if notes else ""
    return f"{name}: {step.kind}{text}{told}"


def _ways(step: Step) -> Iterator[tuple[str, str]]:
    """(answer, step it leads to); the answer is empty where none is awaited."""
    for answer, target in step.answers:
        yield visible(answer, 40), target
    if step.next:
        yield ("any other" if step.answers else "answer") if step.kind == "ask" else "", step.next
    if step.give_up:
        yield "gives up", step.give_up
