"""The list of rules as rows: what is wrong with the files, triggers, templates, and flows as trees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from rich.cells import cell_len
from textual.content import Content

from whatsself_tui.automation.model import Flow, Step, Template, Trigger
from whatsself_tui.console.prose import indented, paragraphs
from whatsself_tui.console.queries import RulesReading
from whatsself_tui.console.words import fit, plural, span
from whatsself_tui.errors import Problem
from whatsself_tui.text import visible

EntryKind = Literal["problem", "warning", "trigger", "template", "flow", "step"]

#: Cells of the pointer that marks the selection.
POINTER = 2

#: Cells of the columns at the right: how long a rule cools down or waits, and how often it answered today.
_TIME, _TODAY = 10, 7

#: Cells of a name and of a kind.
_NAME, _NAME_NARROW, _KIND = 20, 14, 9

#: Narrower than this, names get less room.
_ROOM_FOR_NAMES = 70

#: Rows that are kept: a count that changes must not make those of a large file anew.
_KEPT = 4_096

#: Characters of a text that are looked at for a row.
_GLANCE = 300


@dataclass(frozen=True, slots=True)
class Entry:
    """What can be selected; equal before and after the file changed if it is still the same thing."""

    kind: EntryKind
    name: str = ""
    flow: str = ""
    """Of a step: the flow it is in."""
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A heading, or an entry, of one line or more."""

    lines: tuple[Content, ...]
    entry: Entry | None = None


def rows(reading: RulesReading, width: int) -> list[Row]:
    """The whole list in `width` cells; each line leaves POINTER cells free at its left."""
    catalogue = reading.configuration.catalogue
    found = [
        *_problems("problem", reading.problems, width),
        *_problems("warning", reading.configuration.warnings, width),
        _heading(f"Triggers {len(catalogue.triggers)}", width, _columns("cool-down", "today")),
    ]
    fired = reading.fired
    found += [_trigger(trigger, fired.get(f"trigger:{trigger.name}", 0), width) for trigger in catalogue.triggers]
    found.append(_heading(f"Templates {len(catalogue.templates)}", width, _columns("", "texts")))
    found += [_template(template, width) for template in catalogue.templates.values()]
    found.append(_heading(f"Flows {len(catalogue.flows)}", width, _columns("time-out", "today")))
    for flow in catalogue.flows.values():
        found.append(_flow(flow, fired.get(f"flow:{flow.name}", 0), width))
        branches = ["├ "] * (len(flow.steps) - 1) + ["└ "]
        found += [_step(step, flow.name, branch, width) for step, branch in zip(flow.steps, branches, strict=True)]
    return found


def _problems(kind: Literal["problem", "warning"], problems: Sequence[Problem], width: int) -> Iterator[Row]:
    if not problems:
        return
    if kind == "problem":
        words, style, glyph = "rejected; the last good rules are in force", "bold $text-error", "✗"
    else:
        words, style, glyph = "doubtful, but in force", "bold $text-warning", "▲"
    title = plural(len(problems), kind).capitalize()
    yield Row((Content.styled(fit(f"{title}: {words}", width), style),))
    for problem in problems:
        place = f"{problem.file}:{problem.line}" if problem.line else problem.file
        head = Content.styled(f"  {glyph} {visible(place, limit=60)}", style)
        text = f"{problem.field}: {problem.message}" if problem.field else problem.message
        body = indented(paragraphs(text, width - POINTER - 2, limit=_GLANCE), POINTER + 2)
        yield Row((head, *body), Entry(kind, problem=problem))


def _heading(title: str, width: int, right: str) -> Row:
    left = Content.styled(fit(title, max(1, width - len(right))), "bold $text-accent")
    return Row((left + Content.styled(right, "$text-muted"),))


def _columns(time: str, today: str) -> str:
    return f"{time:>{_TIME}}{today:>{_TODAY}}"


def _name_width(width: int) -> int:
    return _NAME if width >= _ROOM_FOR_NAMES else _NAME_NARROW


@lru_cache(_KEPT)
def _trigger(trigger: Trigger, count: int, width: int) -> Row:
    """Priority, name, what it waits for, its cool-down, how often it answered."""
    name = _name_width(width)
    phrases = ", ".join(visible(phrase, limit=_GLANCE) for phrase in trigger.phrases[:9])
    cooling = span(trigger.cooldown_s) if trigger.cooldown_s else ""
    today = str(count or "·") if trigger.active else f"off {count}" if count else "off"
    style = "" if trigger.active else "$text-muted"
    room = width - POINTER - 4 - name - 1 - _KIND - _TIME - _TODAY
    line = Content.assemble(
        (f"  {trigger.priority:>3} ", "$text-muted"),
        (fit(trigger.name, name), f"bold {style}"),
        (f" {trigger.kind:<{_KIND}}", "$text-muted"),
        (fit(phrases, room), style),
        (f"{cooling:>{_TIME}}", "$text-muted"),
        (f"{today:>{_TODAY}}", "bold" if count else "bold $text-warning" if not trigger.active else "$text-muted"),
    )
    return Row((line,), Entry("trigger", trigger.name))


@lru_cache(_KEPT)
def _template(template: Template, width: int) -> Row:
    name = _name_width(width)
    room = width - POINTER - name - 1 - _TODAY
    count = len(template.texts)
    line = Content.assemble(
        "  ",
        (fit(template.name, name), "bold"),
        " ",
        (fit(template.text[:_GLANCE].replace("\n", " "), room), "$text-muted"),
        f"{count if count > 1 else '':>{_TODAY}}",
    )
    return Row((line,), Entry("template", template.name))


def _flow(flow: Flow, count: int, width: int) -> Row:
    """How many steps, what it asks for, how often it answered."""
    asked = ", ".join(dict.fromkeys(step.save for step in flow.steps if step.save))
    words = plural(len(flow.steps), "step") + (f", asks for {asked}" if asked else "")
    name = _name_width(width)
    line = Content.assemble(
        "  ",
        (fit(flow.name, name), "bold"),
        (" " + fit(words, width - POINTER - name - 1 - _TODAY), "$text-muted"),
        (f"{count or '·':>{_TODAY}}", "bold" if count else "$text-muted"),
    )
    return Row((line,), Entry("flow", flow.name))


@lru_cache(_KEPT)
def _step(step: Step, flow: str, branch: str, width: int) -> Row:
    """A branch of the flow's tree: what the step does and where it leads."""
    name = _name_width(width) - cell_len(branch)
    room = width - POINTER - 2 - name - 1 - _KIND
    waits = f"{span(step.timeout_min * 60):>{_TIME}}{'':{_TODAY}}" if step.kind == "ask" else ""
    line = Content.assemble(
        (f"  {branch}", "$text-muted"),
        fit(step.name, name),
        (f" {step.kind:<{_KIND}}", "$text-muted"),
        fit(leads(step), room - len(waits)),
        (waits, "$text-muted"),
    )
    return Row((line,), Entry("step", step.name, flow))


def leads(step: Step) -> str:
    """Where a step leads, in a line: `→ cep`, `1 → prices, 2 → order, else → email`, `→ a person`."""
    if step.kind == "jump":
        return f"→ flow {step.jump}"
    if step.kind == "handover":
        return "→ a person"
    if step.kind == "end":
        return "the flow ends"
    if step.kind == "send":
        return f"→ {step.next}" if step.next else "the flow ends"
    ways = [f"{answer} → {target}" for answer, target in step.answers]
    if step.next:
        ways.append(f"else → {step.next}" if ways else f"→ {step.next}")
    return ", ".join(ways)
