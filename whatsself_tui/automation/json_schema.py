"""A JSON Schema of `automation.toml` for editors, made from the same keys the reader goes by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whatsself_tui.automation.keys import MAX_NAME, STEP, STEP_KINDS, TABLES, TRIGGER_KINDS, Key
from whatsself_tui.automation.templates import MAX_TEXT

Node = dict[str, Any]

_TEXT: Node = {"type": "string", "maxLength": MAX_TEXT}
_NAME: Node = {"type": "string", "minLength": 1, "maxLength": MAX_NAME}


def automation_schema() -> Node:
    """The schema (draft 7, which taplo reads). The reader finds more: names that do not exist, for one."""
    definitions = {name: _table(keys) for name, keys in TABLES.items()} | {"step": _table(STEP)}
    definitions["template"]["anyOf"] = [{"required": ["text"]}, {"required": ["variants"]}]
    definitions["trigger"]["oneOf"] = [{"required": [kind]} for kind in TRIGGER_KINDS]
    definitions["trigger"]["anyOf"] = [{"required": ["template"]}, {"required": ["flow"]}]
    definitions["step"]["oneOf"] = [{"required": [kind]} for kind in STEP_KINDS]
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "automation.toml",
        "description": "What the robot answers: templates, triggers and flows.",
        "type": "object",
        "additionalProperties": False,
        "properties": {name: {"type": "array", "items": {"$ref": f"#/definitions/{name}"}} for name in TABLES},
        "definitions": definitions,
    }


def _table(keys: tuple[Key, ...]) -> Node:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [key.name for key in keys if key.required],
        "properties": {key.name: {"description": key.description, **_value(key)} for key in keys},
    }


def _value(key: Key) -> Node:
    kinds: Mapping[str, Node] = {
        "name": _NAME,
        "reference": _NAME,
        "text": _TEXT,
        "texts": _one_or_more(_TEXT),
        "flag": {"type": "boolean"},
        "whole": {"type": "integer", "minimum": key.minimum, "maximum": key.maximum},
        "choice": {"enum": list(key.choices)},
        "media": _one_or_more({"enum": list(key.choices)}),
        "numbers": _one_or_more({"type": ["integer", "string"], "minimum": 0, "pattern": "^[0-9]{1,15}$"}),
        "speech": {"anyOf": [{"const": True}, _NAME]},
        "targets": {"type": "object", "minProperties": 1, "additionalProperties": _NAME},
        "tables": {"type": "array", "minItems": 1, "items": {"$ref": "#/definitions/step"}},
    }
    default = {} if key.default is None else {"default": key.default}
    return {**kinds[key.kind], **default}


def _one_or_more(item: Node) -> Node:
    return {"anyOf": [item, {"type": "array", "minItems": 1, "items": item}]}
