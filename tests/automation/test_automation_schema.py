"""The schema for editors: it says what the reader says."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from whatsself_tui.automation.json_schema import automation_schema
from whatsself_tui.automation.keys import STEP, TABLES
from whatsself_tui.config.editor_schema import SCHEMA_FILE, write_editor_schema
from whatsself_tui.config.files import AUTOMATION_FILE, default_content
from whatsself_tui.errors import DataError

SCHEMA = automation_schema()


def problems(value: Any, node: dict[str, Any]) -> list[str]:
    """What a checker of the few words this schema uses finds wrong with `value`."""
    if "$ref" in node:
        return problems(value, SCHEMA["definitions"][node["$ref"].rpartition("/")[2]])
    found: list[str] = []
    for word, count in (("anyOf", range(1, 99)), ("oneOf", range(1, 2))):
        if word in node and sum(not problems(value, each) for each in node[word]) not in count:
            found.append(word)
    types = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int}
    allowed = node.get("type", [])
    named = [allowed] if isinstance(allowed, str) else allowed
    if named and not any(
        isinstance(value, types[name]) and (name == "boolean" or not isinstance(value, bool)) for name in named
    ):
        return [*found, "type"]
    found += ["enum"] if "enum" in node and value not in node["enum"] else []
    found += ["const"] if "const" in node and value is not node["const"] else []
    found += _in_table(value, node) if isinstance(value, dict) else []
    if isinstance(value, list):
        found += ["minItems"] if len(value) < node.get("minItems", 0) else []
        found += [problem for item in value for problem in problems(item, node.get("items", {}))]
    if isinstance(value, str):
        found += ["pattern"] if "pattern" in node and not re.search(node["pattern"], value) else []
        found += ["length"] if not node.get("minLength", 0) <= len(value) <= node.get("maxLength", 10**9) else []
    if isinstance(value, int) and not isinstance(value, bool):
        found += ["range"] if not node.get("minimum", value) <= value <= node.get("maximum", value) else []
    return found


def _in_table(value: dict[str, Any], node: dict[str, Any]) -> list[str]:
    found = ["required" for key in node.get("required", ()) if key not in value]
    if len(value) < node.get("minProperties", 0):
        found.append("minProperties")
    for key, inner in value.items():
        if key in node.get("properties", {}):
            found += problems(inner, node["properties"][key])
        elif node.get("additionalProperties") is False:
            found.append("additionalProperties")
        elif isinstance(node.get("additionalProperties"), dict):
            found += problems(inner, node["additionalProperties"])
    return found


GOOD = """
[[template]]
name = "t"
text = "Oi"
variants = ["Olá"]
[[trigger]]
name = "a"
number = [1, "02"]
template = "t"
[[trigger]]
name = "b"
media = "any"
flow = "f"
priority = 100
cooldown_s = 0
active = false
[[flow]]
name = "f"
[[flow.step]]
name = "a"
ask = "t"
save = "x"
check = "list"
options = ["a", "b"]
tries = 10
answers = { "1" = "b", "*" = "b" }
[[flow.step]]
name = "b"
handover = true
"""


def test_what_the_reader_takes_the_schema_takes() -> None:
    assert problems(tomllib.loads(GOOD), SCHEMA) == []
    assert problems(tomllib.loads(default_content(AUTOMATION_FILE).decode()), SCHEMA) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('text = "Oi"\nvariants = ["Olá"]', ""),
        ('name = "t"\n', ""),
        ("number = [1", "equals = 'a'\nnumber = [1"),
        ("number = [1", "number = [-1"),
        ('media = "any"', 'media = "fax"'),
        ("priority = 100", "priority = 101"),
        ("active = false", "active = 0"),
        ('ask = "t"', 'ask = "t"\nend = true'),
        ('check = "list"', 'check = "lista"'),
        ("tries = 10", "tries = 11"),
        ('"*" = "b"', '"*" = 3'),
        ("handover = true", "handover = false"),
        ("handover = true", "hand_over = true"),
        ("[[flow]]", "[[flows]]"),
    ],
)
def test_what_the_reader_refuses_the_schema_refuses(old: str, new: str) -> None:
    assert old in GOOD
    assert problems(tomllib.loads(GOOD.replace(old, new, 1)), SCHEMA) != []


def test_every_key_is_described() -> None:
    for keys in (*TABLES.values(), STEP):
        for key in keys:
            assert key.description.endswith("."), key


def test_it_is_written_beside_the_file_that_names_it(tmp_path: Path) -> None:
    assert default_content(AUTOMATION_FILE).decode().splitlines()[0] == f"#:schema {SCHEMA_FILE}"
    assert write_editor_schema(tmp_path)
    assert json.loads((tmp_path / SCHEMA_FILE).read_bytes()) == SCHEMA
    assert not write_editor_schema(tmp_path)
    (tmp_path / SCHEMA_FILE).write_text("{}")
    assert write_editor_schema(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [SCHEMA_FILE]


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=re.escape(SCHEMA_FILE)):
        write_editor_schema(tmp_path / "missing")
