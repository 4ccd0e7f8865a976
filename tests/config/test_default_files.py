"""The files a new data folder gets."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from whatsself_tui.automation.templates import VARIABLES
from whatsself_tui.config.files import AUTOMATION_FILE, FILES, SETTINGS_FILE, default_content, ensure_files, read_rules
from whatsself_tui.config.schema import Settings
from whatsself_tui.errors import DataError


def test_they_are_valid_together_and_the_settings_are_the_defaults() -> None:
    loaded = read_rules(default_content(SETTINGS_FILE), default_content(AUTOMATION_FILE))
    assert loaded.problems == ()
    assert loaded.value is not None
    assert loaded.value.settings == Settings()


def test_every_setting_is_written_down_under_a_comment() -> None:
    text = default_content(SETTINGS_FILE).decode()
    written = tomllib.loads(text)
    assert {name: sorted(keys) for name, keys in written.items()} == {
        name: sorted(keys) for name, keys in Settings().model_dump().items()
    }
    uncommented = re.findall(r"^(?!#)(?!.* = ).+\n(\w+) = ", text, re.MULTILINE)
    assert uncommented == []


def test_the_comments_name_the_limits_of_the_schema() -> None:
    """A range in a comment is the range of the schema, so that neither can change alone."""
    text = default_content(SETTINGS_FILE).decode()
    for section, keys in Settings.model_json_schema()["$defs"].items():
        for key, node in keys["properties"].items():
            if node["type"] == "integer" and key != "per_minute":
                (comment,) = re.findall(rf"^# (.*)\n{key} = ", text, re.MULTILINE)
                assert f"{node['minimum']} to {node['maximum']}" in comment, (section, key)


def test_the_shop_greets_by_name_and_tells_how_to_leave() -> None:
    loaded = read_rules(default_content(SETTINGS_FILE), default_content(AUTOMATION_FILE))
    assert loaded.value is not None
    catalogue = loaded.value.catalogue
    (greeting,) = [trigger for trigger in catalogue.triggers if "oi" in trigger.phrases]
    assert {"olá", "bom dia"} <= set(greeting.phrases)
    text = catalogue.templates[greeting.template].text
    assert "SAIR" in text
    used = set(re.findall(r"\{\{(\w+)\}\}", " ".join(template.text for template in catalogue.templates.values())))
    assert {"first_name", "business", "greeting"} <= used <= set(VARIABLES)
    assert {trigger.template for trigger in catalogue.triggers} == set(catalogue.templates)


def test_missing_files_are_written_and_others_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "config"
    assert ensure_files(folder) == FILES
    (folder / SETTINGS_FILE).write_text("# mine\n")
    (folder / AUTOMATION_FILE).unlink()
    assert ensure_files(folder) == (AUTOMATION_FILE,)
    assert (folder / SETTINGS_FILE).read_text() == "# mine\n"
    assert (folder / AUTOMATION_FILE).read_bytes() == default_content(AUTOMATION_FILE)
    assert ensure_files(folder) == ()
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        ensure_files(tmp_path / "file" / "config")
