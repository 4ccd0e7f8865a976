"""The page for shop owners: its files load, its conversations happen, its tables are true."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from support.automation_room import ZONE, Chat, maria, ms
from support.documented_shop import PAGE, blocks, media_and_text, shop_files, turns

from whatsself_tui.automation.keys import STEP, TEMPLATE, TRIGGER, Key
from whatsself_tui.automation.templates import ALIASES, VARIABLES
from whatsself_tui.config.files import Rules, read_automation, read_rules
from whatsself_tui.config.rules import rule_book
from whatsself_tui.config.schema import Settings


def shop() -> Rules:
    """The complete shop, which the page writes as two files."""
    named = shop_files()
    loaded = read_rules(named["settings.toml"].encode(), named["automation.toml"].encode())
    assert loaded.problems == ()
    assert loaded.warnings == ()
    assert loaded.value is not None
    return loaded.value


@pytest.mark.parametrize("conversation", blocks("conversation"), ids=lambda text: text.splitlines()[1])
def test_the_conversations_happen_as_they_are_written(conversation: str) -> None:
    read = shop()
    chat = Chat(rule_book(read.settings, read.catalogue), maria(name="", welcomed=False))
    for at, written, expected in turns(conversation):
        chat.now_ms = ms(datetime.fromisoformat(at).replace(tzinfo=ZONE))
        kind, text = media_and_text(written)
        assert chat.write(text, *([] if kind == "text" else [kind])) == expected, written


def test_there_are_conversations() -> None:
    assert len(blocks("conversation")) == 5
    assert sum(len(list(turns(block))) for block in blocks("conversation")) > 20


@pytest.mark.parametrize("block", [block for block in blocks("toml") if ".toml\n" not in block])
def test_the_examples_load(block: str) -> None:
    loaded = read_automation(block.encode())
    assert loaded.problems == ()
    assert loaded.warnings == ()


def rows(heading: str) -> dict[str, str]:
    """Key → the rest of its row, of the tables below a heading."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return {found[1]: found[2] for found in re.finditer(r"^\| `([\w.]+)`[^|]* \| (.*) \|$", section, re.MULTILINE)}


@pytest.mark.parametrize(("heading", "keys"), [("Templates", TEMPLATE), ("Triggers", TRIGGER), ("Flows", STEP)])
def test_every_key_has_its_row_with_default_and_range(heading: str, keys: tuple[Key, ...]) -> None:
    told = rows(heading)
    for key in keys:
        assert key.name in told or (heading == "Flows" and key.name == "name"), key.name
        row = told.get(key.name, "")
        if key.kind == "whole":
            assert row.startswith(f"{key.default} | ")
            if key.name != "cooldown_s":
                assert f"{key.minimum} to {key.maximum}" in row
        if key.kind == "choice":
            assert all(f"`{choice}`" in PAGE for choice in key.choices)


def test_every_placeholder_and_alias_is_told() -> None:
    section = PAGE.split("\n## Templates\n")[1].split("\n## ")[0]
    told = {
        name for row in re.findall(r"^\| `\{\{.*$", section, re.MULTILINE) for name in re.findall(r"\{\{(\w+)", row)
    }
    assert told == {*VARIABLES, *ALIASES}


def test_the_settings_and_their_defaults_are_told() -> None:
    told, settings = rows("Settings"), Settings().model_dump()
    for section, key in [("answers", key) for key in settings["answers"]] + [("business", "hours")]:
        row = told[f"{section}.{key}"]
        value = settings[section][key]
        written = ", ".join(value) if isinstance(value, tuple) else str(value)
        assert key == "handover_text" or row.startswith(f"{written} | "), row
    for section, node in (("answers", Settings.model_json_schema()["$defs"]["AnswersSettings"]),):
        for key, field in node["properties"].items():
            if field["type"] == "integer":
                assert f"{field['minimum']} to {field['maximum']}" in told[f"{section}.{key}"]
