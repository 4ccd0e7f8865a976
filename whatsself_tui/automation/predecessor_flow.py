"""Steps of a flow of WhatsSelf, this program's predecessor, as steps of `automation.toml`.

There, `send_template` says something and goes on by `next`, `collect_input` waits for an answer and goes on by
it, and a flow stands still where nothing leads on. Here, the step that asks also says the question.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from whatsself_tui.automation.folding import fold
from whatsself_tui.automation.keys import MAX_NAME

Entry = dict[str, object]

MAX_STEPS = 200
"""Of a flow; WhatsSelf itself allowed 20."""

_AUTOMATIC = ("next", "default")
_ANY = ("*", "default")


@dataclass(frozen=True, slots=True)
class _Step:
    """A step of the package, its references resolved to keys."""

    key: str
    waits: bool
    ends: bool
    template: str
    """Name of the template; empty for none."""
    follow: str
    """The step after it without an answer, or after any answer that `answers` does not name."""
    answers: Mapping[str, str] = field(default_factory=dict)


class FlowMapper:
    """Maps the steps of one flow and keeps the `notes`."""

    def __init__(self, where: str, find_template: Callable[[object], str]) -> None:
        self.notes: list[str] = []
        self._where = where
        self._find_template = find_template

    def steps(self, given: object) -> list[Entry]:
        """The steps in their order; none, with a note, if the flow cannot be used."""
        read = self._asking(_without_mute(self._read(given)))
        if not read:
            return []
        end = _free_name("fim", read)
        written = [_written(step, end) for step in self._reached(read)]
        if any(end in _targets(step) for step in written):
            written.append({"name": end, "end": True})
        return written

    def _note(self, text: str) -> None:
        self.notes.append(f"{self._where}: {text}")

    def _read(self, given: object) -> dict[str, _Step]:
        entries = [entry for entry in given if isinstance(entry, dict)] if isinstance(given, list) else []
        if not entries:
            self._note("it has no steps and was left out")
            return {}
        if len(entries) > MAX_STEPS:
            self._note(f"it has {len(entries)} steps and was left out; at most {MAX_STEPS} are taken over")
            return {}
        if isinstance(given, list) and len(entries) < len(given):
            self._note("what is no step was left out")
        entries.sort(key=_order)
        references: dict[str, str] = {}
        keyed: dict[str, Entry] = {}
        for entry in entries:
            key = _free_name(_name(entry), keyed)
            keyed[key] = entry
            for reference in (entry.get("id"), entry.get("key")):
                if isinstance(reference, str):
                    references.setdefault(reference, key)
        return {key: self._step(key, entry, references) for key, entry in keyed.items()}

    def _step(self, key: str, entry: Entry, references: Mapping[str, str]) -> _Step:
        kind = entry.get("type")
        reference = entry.get("templateRef", entry.get("templateId"))
        template = self._find_template(reference)
        if reference and not template:
            self._note(f'step "{key}" names a template that is not in the package')
        if kind not in ("send_template", "collect_input", "end"):
            self._note(f'step "{key}" has an unknown type and is taken for one that only sends')
        transitions = dict(self._transitions(key, entry.get("transitions"), references))
        waits = kind != "end" and (kind == "collect_input" or entry.get("waitInput") is True)
        usual = (*_ANY, "next") if waits else _AUTOMATIC
        follow = next((transitions[name] for name in usual if name in transitions), "")
        answers = {answer: step for answer, step in transitions.items() if answer not in (*_ANY, *_AUTOMATIC)}
        if answers and not waits:
            self._note(f'step "{key}" waits for no answer; its transitions by answer were left out')
            answers = {}
        return _Step(key, waits, kind == "end", template, "" if kind == "end" else follow, answers)

    def _transitions(self, key: str, given: object, references: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        if given is not None and not isinstance(given, dict):
            self._note(f'step "{key}" has transitions that are no object')
        said: set[str] = set()
        for answer, target in given.items() if isinstance(given, dict) else ():
            named = references.get(target, "") if isinstance(target, str) else ""
            folded = fold(answer)
            if not named:
                self._note(f'step "{key}": the transition "{answer}" leads to no step and was left out')
            elif answer in _ANY or (folded and folded not in said):
                said.add(folded)
                yield answer, named
            else:
                self._note(f'step "{key}": the transition "{answer}" is like another one or nothing and was left out')

    def _asking(self, read: dict[str, _Step]) -> dict[str, _Step]:
        """The steps, each silent question merged into those that lead to it and say something."""
        for silent in [step for step in read.values() if step.waits and not step.template]:
            before = [step for step in read.values() if step.follow == silent.key and self._only_says(step)]
            if not before:
                self._note(f'it was left out: its step "{silent.key}" waits and nothing is said before')
                return {}
            first = before[0].key
            del read[silent.key]
            for step in before:
                read[step.key] = replace(step, waits=True, follow=silent.follow, answers=silent.answers)
            read = {key: _redirected(step, silent.key, first) for key, step in read.items()}
        return read

    @staticmethod
    def _only_says(step: _Step) -> bool:
        return bool(step.template) and not step.ends and not step.answers

    def _reached(self, read: dict[str, _Step]) -> list[_Step]:
        """The steps something leads to; the others are told."""
        reached: list[str] = []
        todo = [next(iter(read))]
        while todo:
            key = todo.pop()
            if key not in reached:
                reached.append(key)
                step = read[key]
                todo += [target for target in (step.follow, *step.answers.values()) if target]
        for key in read:
            if key not in reached:
                self._note(f'step "{key}" was left out: nothing leads to it')
        return [step for key, step in read.items() if key in reached]


def _written(step: _Step, end: str) -> Entry:
    """The step as the file has it; where nothing followed, the flow ends."""
    if step.ends:
        return {"name": step.key, "end": step.template or True}
    if step.waits:
        answers = {"answers": dict(step.answers)} if step.answers else {}
        follow = step.follow or ("" if step.answers else end)
        return {"name": step.key, "ask": step.template, **answers, **({"next": follow} if follow else {})}
    if not step.template:
        return {"name": step.key, "end": True}  # it says nothing and leads nowhere
    if not step.follow:
        return {"name": step.key, "end": step.template}
    return {"name": step.key, "send": step.template, "next": step.follow}


def _without_mute(read: dict[str, _Step]) -> dict[str, _Step]:
    """The steps without those that say nothing and only lead on."""
    for mute in list(read.values()):
        step = read[mute.key]
        if step.waits or step.ends or step.template or step.follow in ("", step.key):
            continue
        if next(iter(read)) == step.key:
            read = {step.follow: read[step.follow], **read}
        del read[step.key]
        read = {key: _redirected(other, step.key, step.follow) for key, other in read.items()}
    return read


def _targets(step: Entry) -> list[object]:
    answers = step.get("answers")
    return [step.get("next"), *(answers.values() if isinstance(answers, dict) else ())]


def _redirected(step: _Step, old: str, new: str) -> _Step:
    answers = {answer: new if target == old else target for answer, target in step.answers.items()}
    return replace(step, follow=new if step.follow == old else step.follow, answers=answers)


def _order(entry: Entry) -> float:
    order = entry.get("order", 0)
    return order if isinstance(order, (int, float)) and not isinstance(order, bool) else 0


def _name(entry: Entry) -> str:
    key = entry.get("key", entry.get("id"))
    text = key if isinstance(key, str) else ""
    plain = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in text)
    return " ".join(plain.split())[:MAX_NAME].strip() or "passo"


def _free_name(wanted: str, taken: Mapping[str, object]) -> str:
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted[: MAX_NAME - 6]}-{number}", number + 1
    return name
