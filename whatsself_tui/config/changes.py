"""What differs between two configurations, field by field, for the record and for the operator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from whatsself_tui.automation.model import Catalogue, Flow, Template, Trigger
from whatsself_tui.config.files import AUTOMATION_FILE, SETTINGS_FILE, Rules
from whatsself_tui.config.schema import Settings
from whatsself_tui.config.toml_text import dotted

#: Characters of an old or new value that are kept.
MAX_VALUE = 1_000


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that has another value now."""

    file: str
    field: str
    """`limits.per_minute`; of the automation `template.menu`, `trigger.menu`, `flow.menu`, or `trigger` for
    the order of triggers."""
    old: str
    """JSON, cut to MAX_VALUE characters; empty if there was none. Of a template, trigger or flow that is
    in both, only the keys (of a flow: the steps) that differ."""
    new: str
    """The same; empty if there is none any more."""


def rule_changes(old: Rules, new: Rules) -> tuple[FieldChange, ...]:
    """All changes in both files, in the order of the settings, then of the automation."""
    return (*settings_changes(old.settings, new.settings), *catalogue_changes(old.catalogue, new.catalogue))


def settings_changes(old: Settings, new: Settings) -> Iterator[FieldChange]:
    """The keys of `settings.toml` with another value."""
    before, after = old.model_dump(mode="json"), new.model_dump(mode="json")
    for section, fields in after.items():
        for key, value in fields.items():
            was = before[section][key]
            if was != value:
                yield FieldChange(SETTINGS_FILE, f"{section}.{key}", _json(was), _json(value))


def catalogue_changes(old: Catalogue, new: Catalogue) -> Iterator[FieldChange]:
    """The templates, triggers and flows that were added, removed or changed, by name; then the triggers' order."""
    before, after = _tables(old), _tables(new)
    for path in before | after:
        was, now = before.get(path), after.get(path)
        if was == now:
            continue
        if was is not None and now is not None:
            same = {key for key in was if key in now and was[key] == now[key]}
            was = {key: value for key, value in was.items() if key not in same}
            now = {key: value for key, value in now.items() if key not in same}
        yield FieldChange(AUTOMATION_FILE, dotted(path), _json(was), _json(now))
    unchanged = {path for path in before if before[path] == after.get(path)}
    old_order, new_order = (
        [name for kind, name in tables if kind == "trigger" and (kind, name) in unchanged] for tables in (before, after)
    )
    if old_order != new_order:
        yield FieldChange(AUTOMATION_FILE, "trigger", _json(old_order), _json(new_order))


def _tables(catalogue: Catalogue) -> dict[tuple[str, str], dict[str, object]]:
    """(`template`, `trigger` or `flow`, name) → its keys; triggers in firing order."""
    tables = {("template", template.name): _template(template) for template in catalogue.templates.values()}
    tables |= {("trigger", trigger.name): _trigger(trigger) for trigger in catalogue.triggers}
    return tables | {("flow", flow.name): _flow(flow) for flow in catalogue.flows.values()}


def _template(template: Template) -> dict[str, object]:
    return {"text": template.text} | ({"variants": template.variants} if template.variants else {})


def _trigger(trigger: Trigger) -> dict[str, object]:
    table = asdict(trigger)
    del table["name"]
    table[table.pop("kind")] = table.pop("phrases")
    if not table["flow"]:
        del table["flow"]
    return table


def _flow(flow: Flow) -> dict[str, object]:
    """Its steps by name, and their order, for the first begins."""
    steps: dict[str, object] = {f"step.{step.name}": asdict(step) for step in flow.steps}
    return steps | {"steps": [step.name for step in flow.steps]}


def _json(value: object) -> str:
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1] + "…"
