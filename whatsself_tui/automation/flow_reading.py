"""Reads `[[flow]]` and `[[flow.step]]`: names, kinds, questions and where each step leads."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import cast

from whatsself_tui.automation.folding import fold
from whatsself_tui.automation.keys import ASK_ONLY, FLOW, STEP, STEP_KINDS, Key
from whatsself_tui.automation.model import CheckKind, Flow, Step, StepKind
from whatsself_tui.automation.patterns import Pattern
from whatsself_tui.automation.reading import Finding, Path, Table, shown, tables
from whatsself_tui.automation.templates import ALIASES, VARIABLES

_NOT_COMPARED = "it has no letter, digit or emoji; punctuation is not compared"
_SAME_ABOVE = "one above is the same; case, accents and punctuation do not matter"
_SAVED = re.compile(r"[^\W\d][\w-]{0,63}")


@dataclass(frozen=True, slots=True)
class ReadFlow:
    """A flow and where it stands."""

    flow: Flow
    path: Path
    step_paths: Mapping[str, Path]
    """Step → where it stands."""
    sound: bool
    """Whether nothing is wrong with it by itself; the ways through another cannot be told."""

    @property
    def saves(self) -> frozenset[str]:
        """The names it fills."""
        return frozenset(step.save for step in self.flow.steps if step.save)


def read_flows(findings: list[Finding], value: object, templates: Collection[str]) -> dict[str, ReadFlow]:
    """The flows of the file by name; what cannot be read is left out, and told."""
    found = _named(findings, ("flow",), "flow", value, FLOW)
    names = [name for _, name in found if name]
    flows: dict[str, ReadFlow] = {}
    for table, name in found:
        before = len(findings)
        steps, paths = _read_steps(findings, table, templates, dict.fromkeys(names))
        if name and steps:
            flows[name] = ReadFlow(Flow(name, steps), table.path, paths, sound=len(findings) == before)
    return flows


def _named(
    findings: list[Finding], path: Path, header: str, value: object, keys: tuple[Key, ...]
) -> list[tuple[Table, str]]:
    """The tables of an array with their names; an empty name where it has none that can be used."""
    taken: dict[str, object] = {}
    found = []
    for table in tables(findings, path, header, value, keys):
        name = table.name(taken, header.rpartition(".")[2])
        if name:
            taken[name] = table
        found.append((table, name))
    return found


def _read_steps(
    findings: list[Finding], flow: Table, templates: Collection[str], flows: Collection[str]
) -> tuple[tuple[Step, ...], dict[str, Path]]:
    """The steps that have a name, and where each stands."""
    if "step" not in flow:
        return (), {}
    path = (*flow.path, "step")
    found = _named(findings, path, "flow.step", flow.raw("step"), STEP)
    if flow.raw("step") == []:
        flow.find("the flow has no steps; begin each one with [[flow.step]]", "step")
    names = [name for _, name in found]
    known = dict.fromkeys(name for name in names if name)
    steps = [
        _StepReader(table, name, below, templates, known, flows).read()
        for (table, name), below in zip(found, (*names[1:], "")[: len(names)], strict=True)
    ]
    return tuple(step for step in steps if step.name), {name: table.path for table, name in found if name}


class _StepReader:
    """One `[[flow.step]]`."""

    def __init__(
        self,
        table: Table,
        name: str,
        below: str,
        templates: Collection[str],
        steps: Collection[str],
        flows: Collection[str],
    ) -> None:
        self._table = table
        self._name = name
        self._below = below
        self._templates = templates
        self._steps = steps
        self._flows = flows

    def read(self) -> Step:
        """The step; whatever is wrong with it has been noted."""
        kind = self._kind()
        self._check_keys(kind)
        if kind == "ask":
            return self._ask()
        if kind == "jump":
            return Step(self._name, kind, jump=self._table.reference("jump", self._flows, "flow"))
        if kind == "send":
            template = self._table.reference("send", self._templates, "template")
            return Step(self._name, kind, template, next=self._step("next") or self._below)
        return Step(self._name, kind, self._speech(kind))

    def _kind(self) -> StepKind:
        given = [kind for kind in STEP_KINDS if kind in self._table]
        if len(given) == 1:
            return given[0]
        problem = f"has {' and '.join(given)}" if given else f"has none of {', '.join(STEP_KINDS)}"
        self._table.find(f"the step {problem}; give exactly one of them")
        return given[0] if given else "end"

    def _check_keys(self, kind: StepKind) -> None:
        for key in ASK_ONLY:
            if key in self._table and kind != "ask":
                self._table.find("only a step that asks may have this", key)
        if "next" in self._table and kind not in ("send", "ask"):
            self._table.find(f"nothing follows after {kind}; leave it out", "next")

    def _speech(self, key: StepKind) -> str:
        """The template of a hand-over or an end, empty for none."""
        value = self._table.raw(key)
        if value is True or value is None:
            return ""
        if not isinstance(value, str):
            self._table.find(f"must be true or the name of a template, not {shown(value)}", key)
            return ""
        return self._table.reference(key, self._templates, "template")

    def _ask(self) -> Step:
        table = self._table
        check = cast("CheckKind", table.choice("check"))
        answers, star = self._answers()
        return Step(
            self._name,
            "ask",
            template=table.reference("ask", self._templates, "template"),
            next=self._next(star),
            answers=answers,
            save=self._save(),
            check=check,
            options=self._options(check),
            pattern=self._pattern(check),
            invalid=table.reference("invalid", self._templates, "template"),
            tries=table.whole("tries"),
            give_up=self._step("give_up"),
            timeout_min=table.whole("timeout_min"),
        )

    def _next(self, star: str) -> str:
        """Where an answer goes that no transition names; empty if there is no such answer."""
        table = self._table
        following = self._step("next")
        if star and "next" in table:
            table.find('next and "*" in answers mean the same; give one of them', "next")
        if star or following:
            return star or following
        if "answers" in table:
            if "check" in table:
                table.find('a right answer leads nowhere; give next, or "*" in answers', "check")
            return ""
        if not self._below and "next" not in table:
            table.find("nothing follows the answer; give next, answers, or a step below such as end = true")
        return self._below

    def _answers(self) -> tuple[tuple[tuple[str, str], ...], str]:
        """(folded answer and step of each transition, step of "*")."""
        value = self._table.raw("answers")
        if value is None:
            return (), ""
        if not isinstance(value, Mapping):
            self._table.find(f'must be a table such as {{ "1" = "a step" }}, not {shown(value)}', "answers")
            return (), ""
        if not value:
            self._table.find("the table is empty; give at least one answer and its step", "answers")
        targets: dict[str, str] = {}
        star = ""
        for answer, step in value.items():
            where = ("answers", answer)
            if not isinstance(step, str):
                self._table.find(f"must be the name of a step, not {shown(step)}", *where)
                continue
            self._table.check_reference(step, self._steps, "step of this flow", *where)
            folded = fold(answer)
            if answer == "*":
                star = step
            elif not folded:
                self._table.find(_NOT_COMPARED, *where)
            elif folded in targets:
                self._table.find(_SAME_ABOVE, *where)
            else:
                targets[folded] = step
        return tuple(targets.items()), star

    def _step(self, key: str) -> str:
        return self._table.reference(key, self._steps, "step of this flow")

    def _save(self) -> str:
        name = self._table.text("save")
        if "save" not in self._table or not isinstance(self._table.raw("save"), str):
            return ""
        if not _SAVED.fullmatch(name):
            self._table.find("must be a letter and then letters, digits, _ or -, at most 64", "save")
        elif name in VARIABLES or name in ALIASES:
            self._table.find(f"{{{{{name}}}}} has a meaning already; take another name", "save")
        else:
            return name
        return ""

    def _options(self, check: CheckKind) -> tuple[str, ...]:
        if check != "list":
            if "options" in self._table:
                self._table.find('belongs to check = "list"', "options")
            return ()
        if "options" not in self._table:
            self._table.find('check = "list" needs options, the right answers', "check")
        options: dict[str, str] = {}
        for where, option in self._table.texts("options"):
            folded = fold(option)
            if not folded:
                self._table.find(_NOT_COMPARED, *where)
            elif folded in options:
                self._table.find(_SAME_ABOVE, *where)
            options[folded] = option
        return tuple(options.values())

    def _pattern(self, check: CheckKind) -> str:
        source = self._table.text("pattern")
        if check != "regex":
            if "pattern" in self._table:
                self._table.find('belongs to check = "regex"', "pattern")
            return ""
        if "pattern" not in self._table:
            self._table.find('check = "regex" needs a pattern', "check")
        elif isinstance(self._table.raw("pattern"), str):
            try:
                Pattern(source)
            except ValueError as error:
                self._table.find(str(error), "pattern")
        return source
