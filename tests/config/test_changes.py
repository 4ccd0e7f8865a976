"""What the record of an applied configuration says."""

from __future__ import annotations

from whatsself_tui.automation.model import Catalogue
from whatsself_tui.config.changes import MAX_VALUE, FieldChange, catalogue_changes, settings_changes
from whatsself_tui.config.files import read_automation
from whatsself_tui.config.schema import Settings

_MENU = "[[template]]\nname = 'menu'\ntext = 'Oi'\n"


def _trigger(name: str, rest: str = "equals = ['x']") -> str:
    return f"[[trigger]]\nname = '{name}'\ntemplate = 'menu'\n{rest}\n"


def _catalogue(text: str) -> Catalogue:
    loaded = read_automation(text.encode())
    assert loaded.value is not None, loaded.problems
    return loaded.value


def _changes(old: str, new: str) -> list[tuple[str, str, str]]:
    changes = list(catalogue_changes(_catalogue(old), _catalogue(new)))
    assert {change.file for change in changes} <= {"automation.toml"}
    return [(change.field, change.old, change.new) for change in changes]


def test_settings_are_compared_key_by_key() -> None:
    old = Settings.model_validate({"limits": {"per_minute": 12}, "business": {"name": "A"}})
    new = Settings.model_validate(
        {"limits": {"per_minute": 30}, "business": {"name": "Café"}, "consent": {"opt_in": []}}
    )
    assert list(settings_changes(old, new)) == [
        FieldChange("settings.toml", "business.name", '"A"', '"Café"'),
        FieldChange("settings.toml", "limits.per_minute", "12", "30"),
        FieldChange("settings.toml", "consent.opt_in", '["VOLTAR", "START"]', "[]"),
    ]
    assert list(settings_changes(new, new)) == []


def test_templates_and_triggers_are_compared_by_name() -> None:
    old = _MENU + "[[template]]\nname = 'gone'\ntext = 'x'\n" + _trigger("a") + _trigger("gone one")
    new = _MENU.replace("Oi", "Olá") + _trigger("new") + _trigger("a", "equals = ['x']\npriority = 7")
    assert _changes(old, new) == [
        ("template.menu", '{"text": "Oi"}', '{"text": "Olá"}'),
        ("template.gone", '{"text": "x"}', ""),
        ("trigger.a", '{"priority": 0}', '{"priority": 7}'),
        (
            'trigger."gone one"',
            '{"template": "menu", "priority": 0, "cooldown_s": 0, "active": true, "equals": ["x"]}',
            "",
        ),
        (
            "trigger.new",
            "",
            '{"template": "menu", "priority": 0, "cooldown_s": 0, "active": true, "equals": ["x"]}',
        ),
    ]


def test_another_condition_is_a_change_of_both_keys() -> None:
    assert _changes(_MENU + _trigger("a"), _MENU + _trigger("a", "contains = 'y'")) == [
        ("trigger.a", '{"equals": ["x"]}', '{"contains": ["y"]}')
    ]


def test_the_order_of_triggers_is_told_because_the_first_that_matches_answers() -> None:
    one, other, third = _trigger("a"), _trigger("b"), _trigger("c")
    assert _changes(_MENU + one + other, _MENU + other + one) == [("trigger", '["a", "b"]', '["b", "a"]')]
    assert [field for field, _, _ in _changes(_MENU + one + other, _MENU + third + one + other)] == ["trigger.c"]
    assert [field for field, _, _ in _changes(_MENU + one + other + third, _MENU + one + third)] == ["trigger.b"]


def test_where_a_template_stands_does_not_matter() -> None:
    other = "[[template]]\nname = 'other'\ntext = 'x'\n"
    assert _changes(_MENU + other, "# comment\n" + other + _MENU) == []


def test_long_values_are_cut() -> None:
    old, new = _MENU, _MENU.replace("Oi", "é" * 5_000)
    ((_, _, shown),) = _changes(old, new)
    assert len(shown) == MAX_VALUE
    assert shown.endswith("…")
