"""Packages: there and back again, merging, what is refused, and what becomes of the predecessor's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.automation_room import Chat, maria, rules
from support.rehearsal_catalogues import automations

from whatsself_tui.automation.catalogue import read_catalogue
from whatsself_tui.automation.package import (
    MAX_BYTES,
    MAX_ENTRIES,
    Package,
    PackageError,
    merge,
    read_package,
    write_package,
)
from whatsself_tui.automation.rulebook import RuleBook

SMALL = {
    "template": [{"name": "a", "text": "A"}, {"name": "b", "text": "B"}],
    "trigger": [{"name": "t", "equals": "x", "template": "a"}],
}


def package(**content: Any) -> Package:
    return read_package(json.dumps(content).encode())


def what(current: dict[str, Any], given_: Package, *, replace: bool = False) -> dict[str, str]:
    merged = merge(current, given_, replace=replace)
    return {f"{each.kind} {each.name}": each.what for each in merged.differences}


def own(**kinds: Any) -> Package:
    return package(format="whatsself-automation", version=1, **kinds)


@given(automations())
def test_an_export_holds_everything(data: dict[str, Any]) -> None:
    read = read_package(write_package(data))
    merged = merge({}, read, replace=False)
    assert merged.data == data
    assert read_catalogue(merged.data)[0] == read_catalogue(data)[0]
    assert {each.what for each in merge(data, read, replace=True).differences} <= {"unchanged"}


def test_entries_of_the_same_name_are_replaced_and_others_stay() -> None:
    given_ = own(template=[{"name": "b", "text": "new"}, {"name": "c", "text": "C"}])
    merged = merge(SMALL, given_, replace=False)
    assert [entry["name"] for entry in merged.data["template"]] == ["a", "b", "c"]
    assert merged.data["template"][1]["text"] == "new"
    assert what(SMALL, given_) == {
        "template a": "kept",
        "template b": "changed",
        "template c": "added",
        "trigger t": "kept",
    }
    (changed,) = (each for each in merged.differences if each.what == "changed")
    assert changed.keys == ("text",)


def test_with_replace_the_rest_is_removed_and_the_order_is_the_packages() -> None:
    given_ = own(template=[{"name": "b", "text": "B"}, {"name": "a", "text": "A"}])
    merged = merge(SMALL, given_, replace=True)
    assert merged.data == {"template": [{"name": "b", "text": "B"}, {"name": "a", "text": "A"}]}
    assert merged.reordered == ("template",)
    assert what(SMALL, given_, replace=True)["trigger t"] == "removed"
    assert merge(SMALL, given_, replace=False).reordered == ()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is no JSON"),
        (b"[[template]]", "it is no JSON"),
        (b"\xff\xfe{}", "UTF-8"),
        (b"[]", "a JSON object, not a list"),
        (b'"x"', "a JSON object"),
        (b"null", "a JSON object"),
        (b"{}", "neither an export"),
        (b'{"format": "whatsself-automation"}', "version is None"),
        (b'{"format": "whatsself-automation", "version": true}', "version is True"),
        (b'{"format": "whatsself-automation", "version": 2}', "version is 2"),
        (b'{"format": "whatsself-automation", "version": 1, "templat": []}', 'did you mean "template"'),
        (b'{"format": "whatsself-automation", "version": 1, "template": {}}', "template must be a list"),
        (b'{"format": "whatsself-automation", "version": 1, "template": [1]}', r"template\[0\] must be an object"),
        (b'{"format": "whatsself-automation", "version": 1, "flow": [{}]}', r"flow\[0\] has no name"),
        (b'{"format": "whatsself-automation", "version": 1, "flow": [{"name": 5}]}', r"flow\[0\] has no name"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"a": NaN}', "no number of JSON"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "it is no JSON"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested too deeply"),
        (b"[" * 1_000_000, "nested too deeply"),
        (b" " * (MAX_BYTES + 1), "larger than"),
        (b'{"templates": [' + b"{}," * MAX_ENTRIES + b"{}]}", "at most"),
        (b'{"templates": 5}', "templates must be a list"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else None,
)
def test_what_is_no_package_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(PackageError, match=reason):
        read_package(content)


def test_two_entries_of_one_name_are_refused_with_a_harmless_message() -> None:
    entry = {"name": "\x1b[2J\u202e", "text": "x"}
    with pytest.raises(PackageError, match="another one") as caught:
        own(template=[entry, entry])
    assert "\x1b" not in str(caught.value)
    assert "\u202e" not in str(caught.value)


def test_a_name_with_control_characters_is_a_problem_of_the_merged_automation() -> None:
    merged = merge(SMALL, own(template=[{"name": "\x1b[2J", "text": "x"}]), replace=False)
    catalogue, findings = read_catalogue(merged.data)
    assert catalogue is None
    assert "control or invisible characters" in findings[0].message


def test_lone_surrogates_do_not_reach_a_file() -> None:
    read = read_package(b'{"format": "whatsself-automation", "version": 1, "template": [{"name": "a\\ud800"}]}')
    assert read.entries["template"][0]["name"] == "a\ufffd"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(
    [
        *("id", "key", "name", "content", "variants", "type", "pattern", "steps", "transitions", "templateRef"),
        *("flowRef", "order", "waitInput", "priority", "cooldownSec", "active", "status"),
    ]
)
VALUES = (
    JSON
    | st.sampled_from(["a", "b", "send_template", "collect_input", "end", "equals", "contains", "regex", "number"])
    | st.lists(
        st.dictionaries(KEYS, st.sampled_from(["a", "b", "send_template", "end"]) | JSON, max_size=6), max_size=4
    )
)
ENTRIES = st.lists(st.dictionaries(KEYS, VALUES, max_size=7), max_size=3)


@settings(max_examples=200)
@given(ENTRIES, ENTRIES, ENTRIES)
def test_any_package_of_the_predecessor_is_mapped_or_told(templates: Any, flows: Any, triggers: Any) -> None:
    read = package(templates=templates, flows=flows, triggers=triggers)
    for kind, given_ in (("template", templates), ("flow", flows), ("trigger", triggers)):
        assert len(read.entries[kind]) <= len(given_)
        names = [entry["name"] for entry in read.entries[kind]]
        assert len(set(names)) == len(names)
        if len(names) < len(given_):
            assert any("left out" in note for note in read.notes)
    read_catalogue(merge({}, read, replace=False).data)


def step(key: str, kind: str, order: int, **more: Any) -> dict[str, Any]:
    return {"id": f"s_{key}", "key": key, "type": kind, "order": order, **more}


PREDECESSOR: dict[str, Any] = {
    "metadata": {"name": "Vendas", "locale": "pt-BR"},
    "templates": [
        {"id": "t1", "key": "menu", "content": "1 Preços\n2 Pessoa", "variables": ["nome"], "variants": []},
        {"id": "t2", "key": "precos", "content": "R$ 10 em {{cidade}}", "variants": ["R$ 10, {{nome}}"]},
        {"id": "t3", "key": "pergunta", "content": "Qual produto?"},
    ],
    "flows": [
        {
            "id": "f1",
            "name": "Vendas",
            "status": "published",
            "steps": [
                step(
                    "menu",
                    "collect_input",
                    1,
                    waitInput=True,
                    transitions={"1": "s_precos", "2": "s_fim", "*": "s_menu"},
                ),
                step("inicio", "send_template", 0, templateRef="t1", waitInput=False, transitions={"next": "s_menu"}),
                step("precos", "send_template", 2, templateRef="t2", transitions={"next": "s_produto"}),
                step("produto", "collect_input", 3, templateRef="t3", waitInput=True, transitions={"*": "s_fim"}),
                step("fim", "end", 4),
            ],
        }
    ],
    "triggers": [
        {"id": "g1", "type": "contains", "pattern": "vendas", "priority": 50, "cooldownSec": 60, "flowRef": "f1"},
        {"id": "g2", "type": "number", "pattern": "n. 42", "priority": 5, "templateRef": "t2", "active": False},
    ],
}


def mapped(**changes: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    read = package(**{**PREDECESSOR, **changes})
    return dict(merge({}, read, replace=False).data), read.notes


def flow_of(*steps: dict[str, Any], status: str = "published") -> dict[str, Any]:
    return {"id": "f1", "name": "Vendas", "status": status, "steps": list(steps)}


def book_of(data: dict[str, Any]) -> RuleBook:
    catalogue, findings = read_catalogue(data)
    assert catalogue is not None, findings
    return rules(catalogue)


def test_the_predecessors_conversation_happens_here() -> None:
    data, notes = mapped()
    chat = Chat(book_of(data), maria())
    assert chat.write("quero ver vendas") == ["1 Preços\n2 Pessoa"]
    assert chat.write("hein?") == ["1 Preços\n2 Pessoa"]
    answers = chat.write("1")
    assert answers[0] in ("R$ 10 em ", "R$ 10, Maria Silva")
    assert answers[1] == "Qual produto?"
    assert chat.write("cesta") == []
    assert chat.place == ""
    assert any("{{cidade}} is unknown here" in note for note in notes)


def test_its_triggers_keep_what_they_can() -> None:
    data, _ = mapped()
    first, second = data["trigger"]
    assert first == {"name": "g1", "contains": "vendas", "flow": "Vendas", "priority": 50, "cooldown_s": 60}
    assert second == {"name": "g2", "number": "42", "template": "precos", "priority": 5, "active": False}


@pytest.mark.parametrize(
    ("trigger", "reason"),
    [
        ({"type": "regex", "pattern": "(?=x)", "templateRef": "t1"}, "looking ahead"),
        ({"type": "equals", "pattern": "!!", "templateRef": "t1"}, "no letter, digit or emoji"),
        ({"type": "number", "pattern": "x", "templateRef": "t1"}, "no number"),
        ({"type": "sounds like", "pattern": "x", "templateRef": "t1"}, "none of equals"),
        ({"type": "equals", "pattern": 5, "templateRef": "t1"}, "no text"),
        ({"type": "equals", "pattern": "x", "templateRef": "t9"}, "no template and no flow"),
    ],
)
def test_a_trigger_that_cannot_be_is_left_out_and_told(trigger: dict[str, Any], reason: str) -> None:
    data, notes = mapped(triggers=[trigger])
    assert "trigger" not in data
    (note,) = (note for note in notes if note.startswith("trigger"))
    assert reason in note


def test_numbers_out_of_range_are_brought_into_it_and_told() -> None:
    trigger = {"type": "equals", "pattern": "x", "templateRef": "t1", "priority": 500, "cooldownSec": -1}
    data, notes = mapped(triggers=[trigger])
    assert data["trigger"] == [{"name": "equals x", "equals": "x", "template": "menu", "priority": 100}]
    assert [note for note in notes if "became" in note] == [
        'trigger "equals x": priority became 100; 0 to 100 is allowed',
        'trigger "equals x": cooldownSec became 0; 0 to 31536000 is allowed',
    ]


def test_the_trigger_of_a_draft_is_switched_off() -> None:
    flow = {**PREDECESSOR["flows"][0], "status": "draft"}
    data, notes = mapped(flows=[flow])
    assert [entry.get("active", True) for entry in data["trigger"]] == [False, False]
    assert any("not published" in note for note in notes)


def test_a_question_nobody_asks_leaves_the_flow_out_and_its_trigger_too() -> None:
    data, notes = mapped(flows=[flow_of(step("a", "collect_input", 0, transitions={"*": "s_a"}))])
    assert "flow" not in data
    assert [entry["name"] for entry in data["trigger"]] == ["g2"]
    assert any("nothing is said before" in note for note in notes)


def test_a_cycle_without_a_question_is_mapped_as_it_is_and_found_by_the_reader() -> None:
    a = step("a", "send_template", 0, templateRef="t1", transitions={"next": "s_b"})
    b = step("b", "send_template", 1, templateRef="t1", transitions={"next": "s_a"})
    data, _ = mapped(flows=[flow_of(a, b)])
    catalogue, findings = read_catalogue(data)
    assert catalogue is None
    assert any("step" in str(finding.path) for finding in findings)


def test_steps_that_say_nothing_are_passed_over() -> None:
    a = step("a", "send_template", 0, transitions={"next": "s_b"})
    b = step("b", "send_template", 1, templateRef="t1", transitions={"next": "s_c"})
    c = step("c", "send_template", 2, templateRef="t1", transitions={"next": "s_a"}, waitInput=True)
    data, _ = mapped(flows=[flow_of(a, b, c)])
    assert data["flow"][0]["step"] == [
        {"name": "b", "send": "menu", "next": "c"},
        {"name": "c", "ask": "menu", "next": "b"},
    ]
    book_of(data)


def test_what_leads_nowhere_and_what_nothing_leads_to_is_told() -> None:
    a = step("a", "send_template", 0, templateRef="t1", transitions={"next": "s_x"})
    lost = step("lost", "end", 1)
    data, notes = mapped(flows=[flow_of(a, lost)])
    assert data["flow"][0]["step"] == [{"name": "a", "end": "menu"}]
    assert any('"next" leads to no step' in note for note in notes)
    assert any('"lost" was left out: nothing leads to it' in note for note in notes)


def test_names_are_made_fit_and_told() -> None:
    templates = [{"id": "t1", "key": "\x07 a\nb " + "x" * 99, "content": "x"}, {"id": "t2", "key": "a", "content": "x"}]
    data, notes = mapped(templates=[*templates, {"id": "t3", "key": "a", "content": "y"}], flows=[], triggers=[])
    names = [entry["name"] for entry in data["template"]]
    assert names[0] == ("a b " + "x" * 60)
    assert names[1:] == ["a", "a-2"]
    assert any('is named "a-2" here' in note for note in notes)
    book_of(data)
