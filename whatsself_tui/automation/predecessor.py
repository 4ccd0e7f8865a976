"""Packages of WhatsSelf, this program's predecessor, as tables of `automation.toml`.

    {"metadata": {…}, "templates": [{"id", "key", "content", "variants", …}],
     "flows": [{"id", "name", "status", "steps": [{"id", "key", "type", "templateRef", "waitInput", "order",
     "transitions"}]}], "triggers": [{"id", "type", "pattern", "priority", "cooldownSec", "templateRef", "flowRef"}]}

References are to an `id` of the package, or to a key or name. Whatever cannot be taken over is told.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from whatsself_tui.automation.folding import fold, is_blank
from whatsself_tui.automation.keys import MAX_COOLDOWN_S, MAX_NAME, MAX_PRIORITY
from whatsself_tui.automation.patterns import Pattern
from whatsself_tui.automation.predecessor_flow import FlowMapper
from whatsself_tui.automation.templates import ALIASES, VARIABLES

KINDS = ("templates", "flows", "triggers")

Entry = dict[str, object]

_PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_TYPES = ("equals", "contains", "regex", "number")
_MAX_DIGITS = 15


def map_package(data: Mapping[str, Sequence[Entry]]) -> tuple[dict[str, list[Entry]], tuple[str, ...]]:
    """(tables by kind, what could not be taken over as it was). Takes any JSON under the three keys."""
    mapping = _Mapping()
    templates = [entry for index, each in enumerate(data["templates"]) if (entry := mapping.template(index, each))]
    flows = [entry for index, each in enumerate(data["flows"]) if (entry := mapping.flow(index, each))]
    triggers = [entry for index, each in enumerate(data["triggers"]) if (entry := mapping.trigger(index, each))]
    return {"template": templates, "trigger": triggers, "flow": flows}, tuple(dict.fromkeys(mapping.notes))


class _Names:
    """References of one kind → names in the file."""

    def __init__(self) -> None:
        self._by_reference: dict[str, str] = {}
        self._taken: set[str] = set()
        self._counts: dict[str, int] = {}

    def add(self, wanted: str, references: Iterable[object]) -> str:
        """The name it gets: as wanted, made fit for the file and unlike the others."""
        plain = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in wanted)
        base = " ".join(plain.split())[:MAX_NAME].strip() or "sem nome"
        name = base
        while name in self._taken:
            self._counts[base] = self._counts.get(base, 1) + 1
            name = f"{base[: MAX_NAME - 6]}-{self._counts[base]}"
        self._taken.add(name)
        for reference in references:
            if isinstance(reference, str):
                self._by_reference.setdefault(reference, name)
        return name

    def find(self, reference: object) -> str:
        """The name meant by a reference; empty for none."""
        return self._by_reference.get(reference, "") if isinstance(reference, str) else ""


class _Mapping:
    """Maps entry by entry and keeps the `notes`."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._templates = _Names()
        self._flows = _Names()
        self._triggers = _Names()
        self._drafts: set[str] = set()

    def template(self, index: int, entry: Entry) -> Entry | None:
        """A template; None if it has no text."""
        key = entry.get("key", entry.get("id"))
        where = f'template "{key}"' if isinstance(key, str) and key else f"templates[{index}]"
        variants = entry.get("variants") or []
        texts = [entry.get("content"), *(variants if isinstance(variants, list) else [variants])]
        written = [self._text(where, text) for text in dict.fromkeys(t for t in texts if isinstance(t, str))]
        if any(not isinstance(text, str) for text in texts[1:]):
            self.notes.append(f"{where}: a variant that is no text was left out")
        kept = [text for text in written if not is_blank(text)]
        if not kept:
            self.notes.append(f"{where} has no text and was left out")
            return None
        if entry.get("isActive") is False:
            self.notes.append(f"{where} was switched off; here a template is used wherever it is named")
        name = self._named(self._templates, where, key, entry)
        return {"name": name, "text": kept[0], **({"variants": kept[1:]} if kept[1:] else {})}

    def flow(self, index: int, entry: Entry) -> Entry | None:
        """A flow; None if nothing of it can be used."""
        given = entry.get("name", entry.get("id"))
        where = f'flow "{given}"' if isinstance(given, str) and given else f"flows[{index}]"
        mapper = FlowMapper(where, self._templates.find)
        steps = mapper.steps(entry.get("steps"))
        self.notes += mapper.notes
        if not steps:
            return None
        name = self._named(self._flows, where, given, entry)
        if entry.get("status", "published") != "published":
            self._drafts.add(name)
        return {"name": name, "step": steps}

    def trigger(self, index: int, entry: Entry) -> Entry | None:
        """A trigger; None if it can never fire here."""
        kind, pattern = entry.get("type"), entry.get("pattern")
        given = entry.get("name", entry.get("key", entry.get("id")))
        named = given if isinstance(given, str) and given else f"{kind} {pattern}"
        where = f'trigger "{named[:MAX_NAME]}"'
        template = self._templates.find(entry.get("templateRef", entry.get("templateId")))
        flow = self._flows.find(entry.get("flowRef", entry.get("flowId")))
        phrase, reason = _condition(kind, pattern)
        if not (template or flow):
            reason = "it starts no template and no flow of the package"
        if reason or not isinstance(kind, str):
            self.notes.append(f"{where} was left out: {reason}")
            return None
        if kind == "contains":
            self.notes.append("triggers that contain a phrase look for whole words here, not for parts of words")
        made: Entry = {"name": self._named(self._triggers, where, named, entry), kind: phrase}
        made |= {key: name for key, name in (("template", template), ("flow", flow)) if name}
        made |= self._whole(where, entry, "priority", "priority", MAX_PRIORITY)
        made |= self._whole(where, entry, "cooldownSec", "cooldown_s", MAX_COOLDOWN_S)
        if entry.get("active") is False:
            made["active"] = False
        elif flow in self._drafts:
            made["active"] = False
            self.notes.append(f'{where} is switched off, for its flow "{flow}" was not published')
        return made

    def _named(self, names: _Names, where: str, given: object, entry: Entry) -> str:
        wanted = given if isinstance(given, str) else where
        name = names.add(wanted, (entry.get("id"), entry.get("key"), entry.get("name")))
        if name != wanted:
            self.notes.append(f'{where} is named "{name}" here')
        return name

    def _text(self, where: str, text: str) -> str:
        """The text without placeholders that nobody fills: they were empty there, too."""

        def kept(found: re.Match[str]) -> str:
            if found[1] in VARIABLES or found[1] in ALIASES:
                return found[0]
            self.notes.append(f"{where}: {{{{{found[1]}}}}} is unknown here and was left out")
            return ""

        return _PLACEHOLDER.sub(kept, text)

    def _whole(self, where: str, entry: Entry, key: str, ours: str, most: int) -> Entry:
        value = entry.get(key, 0)
        if isinstance(value, bool) or not isinstance(value, int):
            self.notes.append(f"{where}: {key} is no whole number and was left out")
            return {}
        fitting = min(max(value, 0), most)
        if fitting != value:
            self.notes.append(f"{where}: {key} became {fitting}; 0 to {most} is allowed")
        return {ours: fitting} if fitting else {}


def _condition(kind: object, pattern: object) -> tuple[str, str]:
    """(what the trigger waits for, why it cannot)."""
    if kind not in _TYPES:
        return "", f"its type is none of {', '.join(_TYPES)}"
    if not isinstance(pattern, str):
        return "", "its pattern is no text"
    phrase = pattern.strip()
    if kind == "regex":
        try:
            Pattern(pattern)
        except ValueError as error:
            return "", str(error)
        return pattern, ""
    if kind == "number":
        digits = re.sub(r"[^0-9]", "", phrase)
        return digits, "" if 0 < len(
            digits
        ) <= _MAX_DIGITS else f"its pattern has no number of 1 to {_MAX_DIGITS} digits"
    return phrase, "" if fold(phrase) else "its pattern has no letter, digit or emoji"
