"""The catalogue read from TOML: what is valid, and everything wrong told at once with its place."""

from __future__ import annotations

import tomllib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsself_tui.automation.catalogue import read_catalogue
from whatsself_tui.automation.model import Catalogue, Template, Trigger
from whatsself_tui.automation.reading import Finding

TEMPLATE = '[[template]]\nname = "oi"\ntext = "Olá, {{nome}}!"\n'


def read(toml: str) -> Catalogue:
    catalogue, findings = read_catalogue(tomllib.loads(toml))
    assert catalogue is not None, findings
    assert all(each.warning for each in findings)
    return catalogue


def findings(toml: str) -> tuple[Finding, ...]:
    catalogue, found = read_catalogue(tomllib.loads(toml))
    assert catalogue is None
    return found


def trigger(lines: str) -> tuple[Finding, ...]:
    """What is wrong with one trigger that answers with a valid template."""
    return findings(f'{TEMPLATE}[[trigger]]\nname = "t"\ntemplate = "oi"\n{lines}\n')


def test_reads_templates_and_triggers() -> None:
    catalogue = read(
        TEMPLATE
        + """
        [[trigger]]
        name = "saudação"
        equals = "oi"
        template = "oi"

        [[trigger]]
        name = "preço"
        contains = ["quanto custa", "preço"]
        template = "oi"
        priority = 100
        cooldown_s = 3600
        active = false

        [[trigger]]
        name = "dois"
        number = [2, "02"]
        template = "oi"

        [[trigger]]
        name = "foto"
        media = ["image", "video"]
        template = "tchau"

        [[trigger]]
        name = "pedido"
        regex = 'pedido \\d+'
        template = "oi"

        [[template]]
        name = "tchau"
        variants = ["Tchau!", "Até!"]

        [[template]]
        name = "sim"
        text = "Sim"
        variants = "Claro"
        """
    )
    assert catalogue.templates == {
        "oi": Template("oi", "Olá, {{nome}}!"),
        "tchau": Template("tchau", "Tchau!", ("Até!",)),
        "sim": Template("sim", "Sim", ("Claro",)),
    }
    assert catalogue.triggers == (
        Trigger("preço", "contains", ("quanto custa", "preço"), "oi", priority=100, cooldown_s=3600, active=False),
        Trigger("saudação", "equals", ("oi",), "oi", priority=0, cooldown_s=0, active=True),
        Trigger("dois", "number", ("2", "02"), "oi"),
        Trigger("foto", "media", ("image", "video"), "tchau"),
        Trigger("pedido", "regex", ("pedido \\d+",), "oi"),
    )


def test_firing_order_is_priority_then_the_file() -> None:
    triggers = "".join(
        f'[[trigger]]\nname = "{name}"\nequals = "x"\ntemplate = "oi"\npriority = {priority}\n'
        for name, priority in [("a", 5), ("b", 0), ("c", 5), ("d", 9), ("e", 0)]
    )
    assert [each.name for each in read(TEMPLATE + triggers).triggers] == ["d", "a", "c", "b", "e"]


@pytest.mark.parametrize("toml", ["", "# nothing yet\n", "template = []\ntrigger = []\n"])
def test_nothing_is_an_empty_catalogue(toml: str) -> None:
    assert read(toml) == Catalogue({}, ())


@pytest.mark.parametrize(
    ("lines", "path", "message"),
    [
        ("", (), "has none of equals, contains, regex, number, media; give exactly one of them"),
        ('equals = "a"\ncontains = "a"', (), "has equals and contains; give exactly one of them"),
        ('equals = ""', ("equals",), "the phrase is empty"),
        ('equals = " \\t"', ("equals",), "the phrase is empty"),
        ('equals = "?!"', ("equals",), "the phrase has no letter, digit or emoji; punctuation is not compared"),
        ("equals = []", ("equals",), "the list is empty; give at least one"),
        ("equals = 5", ("equals",), "must be a text or a list of texts, not 5"),
        ('contains = ["a", ""]', ("contains", 1), "the phrase is empty"),
        ('contains = ["a", true]', ("contains", 1), "must be a text in quotes, not true"),
        ('regex = "("', ("regex",), "it is no pattern: missing ): ("),
        ('regex = ""', ("regex",), "the pattern is empty"),
        ('regex = ["a", "(?=b)"]', ("regex", 1), "looking ahead or behind, (?=…), is not possible: that needs an "
         "engine which tries again and again, and one message could hang the robot with it"),
        ('number = "dois"', ("number",), "must be a number of 1 to 15 digits, not 'dois'"),
        ("number = [1, -2]", ("number", 1), "must be a number of 1 to 15 digits, not -2"),
        ("number = 1.5", ("number",), "must be a number of 1 to 15 digits, not 1.5"),
        ("number = true", ("number",), "must be a number of 1 to 15 digits, not true"),
        ("number = []", ("number",), "the list is empty; give at least one"),
        ('media = "imagem"', ("media",), 'no such kind of message; did you mean "image"?'),
        ("media = true", ("media",), "must be a text or a list of texts, not true"),
        ('equals = "a"\nflow = "f"', ("flow",), "no flow has that name; the file has none"),
        ('equals = "a"\npriority = 101', ("priority",), "101 is out of range; 0 to 100 is allowed"),
        ('equals = "a"\npriority = -1', ("priority",), "-1 is out of range; 0 to 100 is allowed"),
        ('equals = "a"\npriority = "5"', ("priority",), "must be a whole number, not '5'"),
        ('equals = "a"\npriority = 5.0', ("priority",), "must be a whole number, not 5.0"),
        ('equals = "a"\npriority = true', ("priority",), "must be a whole number, not true"),
        ('equals = "a"\ncooldown_s = -1', ("cooldown_s",), "-1 is out of range; 0 to 31536000 is allowed"),
        ('equals = "a"\nactive = 1', ("active",), "must be true or false, not 1"),
        ('equals = "a"\nactive = {}', ("active",), "must be true or false, not a table"),
        ('equals = "a"\nprority = 5', ("prority",), 'unknown key; did you mean "priority"?'),
        ('equals = "a"\nxyz = 5', ("xyz",), "unknown key; known are name, equals, contains, regex, number, media, "
         "template, flow, priority, cooldown_s, active"),
    ],
)  # fmt: skip
def test_a_trigger_with_one_thing_wrong(lines: str, path: tuple[str | int, ...], message: str) -> None:
    assert trigger(lines) == (Finding(("trigger", 0, *path), message),)


@pytest.mark.parametrize(
    ("toml", "path", "message"),
    [
        ('[[template]]\nname = "a"', ("template", 0), "text is missing"),
        ('[[template]]\ntext = "a"', ("template", 0), "name is missing"),
        ('[[template]]\nname = ""\ntext = "a"', ("template", 0, "name"), "the name is empty"),
        ('[[template]]\nname = "a "\ntext = "a"', ("template", 0, "name"), "the name begins or ends with a blank"),
        ('[[template]]\nname = "a\\u0007b"\ntext = "a"', ("template", 0, "name"),
         "the name has control or invisible characters"),
        ('[[template]]\nname = "a\\u202eb"\ntext = "a"', ("template", 0, "name"),
         "the name has control or invisible characters"),
        (f'[[template]]\nname = "{"n" * 65}"\ntext = "a"', ("template", 0, "name"),
         "the name has 65 characters; at most 64 are allowed"),
        ('[[template]]\nname = 5\ntext = "a"', ("template", 0, "name"), "must be a text in quotes, not 5"),
        ('[[template]]\nname = "a"\ntext = 1979-05-27', ("template", 0, "text"),
         "must be a text in quotes, not datetime.date(1979, 5, 27)"),
        ('[[template]]\nname = "a"\ntext = "  "', ("template", 0, "text"),
         "the text is empty; write what is to be sent"),
        ('[[template]]\nname = "a"\ntext = "{{nomee}}"', ("template", 0, "text"),
         "unknown placeholder {{nomee}}; did you mean {{nome}}?"),
        (f'[[template]]\nname = "a"\ntext = "{"x" * 65_537}"', ("template", 0, "text"),
         "the text has 65537 characters; WhatsApp takes at most 65536"),
        ('[[template]]\nname = "a"\ntext = "a"\ntex = "b"', ("template", 0, "tex"),
         'unknown key; did you mean "text"?'),
        ('[template]\nname = "a"', ("template",), "must be a list of tables; begin each one with [[template]]"),
        ('trigger = ["a"]', ("trigger", 0), "must be a table; begin it with [[trigger]]"),
        ("[[templates]]", ("templates",), 'unknown key; did you mean "template"?'),
        ("[[flo]]", ("flo",), 'unknown key; did you mean "flow"?'),
        ("[[zzz]]", ("zzz",), "unknown key; known are template, trigger, flow"),
        ('[[template]]\nname = "a"\ntext = "a"\nvariants = []', ("template", 0, "variants"),
         "the list is empty; give at least one"),
        ('[[template]]\nname = "a"\nvariants = ["a", " "]', ("template", 0, "variants", 1),
         "the text is empty; write what is to be sent"),
        ('[[template]]\nname = "a"\nvariants = ["{{x}}", "a"]', ("template", 0, "variants", 0),
         "unknown placeholder {{x}}; known are name, first_name, phone, business, date, time, greeting, nome, "
         "primeiro_nome, telefone, empresa, negocio, data, hora, saudacao"),
    ],
)  # fmt: skip
def test_a_file_with_one_thing_wrong(toml: str, path: tuple[str | int, ...], message: str) -> None:
    assert findings(toml) == (Finding(path, message),)


def test_names_are_unique_among_their_kind() -> None:
    toml = TEMPLATE + '[[trigger]]\nname = "oi"\nequals = "oi"\ntemplate = "oi"\n'
    read(toml)
    assert findings(toml + TEMPLATE) == (Finding(("template", 1, "name"), 'another template above is named "oi"'),)
    assert findings(toml + '[[trigger]]\nname = "oi"\nequals = "ei"\ntemplate = "oi"\n') == (
        Finding(("trigger", 1, "name"), 'another trigger above is named "oi"'),
    )


def test_an_unknown_template_is_told_with_the_nearest() -> None:
    toml = '[[trigger]]\nname = "t"\nequals = "a"\ntemplate = "saudacao"\n'
    path = ("trigger", 0, "template")
    assert findings(toml) == (Finding(path, "no template has that name; the file has none"),)
    assert findings('[[template]]\nname = "saudação"\ntext = "oi"\n' + toml) == (
        Finding(path, 'no template has that name; did you mean "saudação"?'),
    )
    assert findings('[[template]]\nname = "x"\ntext = "oi"\n' + toml) == (
        Finding(path, "no template has that name; known are x"),
    )


def test_a_trigger_of_a_broken_template_is_not_blamed() -> None:
    toml = '[[template]]\nname = "oi"\ntext = ""\n[[trigger]]\nname = "t"\nequals = "a"\ntemplate = "oi"\n'
    assert [each.path for each in findings(toml)] == [("template", 0, "text")]


def test_everything_wrong_is_told_at_once() -> None:
    found = findings(
        """
        flows = 1
        [[template]]
        nam = "oi"
        text = "{{x}} {{y}}"
        [[template]]
        name = "b"
        text = 5
        [[trigger]]
        equals = ["", 1]
        contains = "!"
        template = "bb"
        priority = 200
        cooldown_s = "1"
        active = "yes"
        """
    )
    expected = [
        ("flows",),
        ("template", 0, "nam"),
        ("template", 0),
        ("template", 0, "text"),
        ("template", 0, "text"),
        ("template", 1, "text"),
        ("trigger", 0),
        ("trigger", 0),
        ("trigger", 0, "equals", 0),
        ("trigger", 0, "equals", 1),
        ("trigger", 0, "contains"),
        ("trigger", 0, "template"),
        ("trigger", 0, "priority"),
        ("trigger", 0, "cooldown_s"),
        ("trigger", 0, "active"),
    ]
    assert Counter(each.path for each in found) == Counter(expected)


KEYS = st.sampled_from(
    [
        *("name", "text", "variants", "template", "trigger", "equals", "contains", "regex", "number", "media"),
        *("priority", "cooldown_s", "active", "flow", "step", "ask", "send", "jump", "end", "handover", "next"),
        *("answers", "save", "check", "options", "pattern", "invalid", "tries", "give_up", "timeout_min"),
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["template", "trigger", "flow", "x"]), VALUES))
def test_whatever_the_file_holds_there_is_a_catalogue_or_a_reason(data: dict[str, object]) -> None:
    catalogue, found = read_catalogue(data)
    assert (catalogue is None) == any(not each.warning for each in found)
    assert all(each.path and each.message for each in found)


@given(st.lists(st.text(max_size=8), max_size=4), st.lists(st.integers(-1, 101), max_size=4))
def test_what_is_read_can_be_used(names: list[str], priorities: list[int]) -> None:
    data = {
        "template": [{"name": name, "text": "oi"} for name in names],
        "trigger": [
            {"name": f"{at}", "equals": "a", "template": name, "priority": priority}
            for at, (name, priority) in enumerate(zip(names, priorities, strict=False))
        ],
    }
    catalogue, _ = read_catalogue(data)
    if catalogue is not None:
        assert all(each.template in catalogue.templates for each in catalogue.triggers)
        order = [each.priority for each in catalogue.triggers]
        assert order == sorted(order, reverse=True)


def warned(*triggers: str) -> list[tuple[tuple[str | int, ...], str]]:
    """Places of warnings and the trigger each names, of triggers given by their conditions."""
    toml = TEMPLATE + "".join(
        f'[[trigger]]\nname = "t{at}"\ntemplate = "oi"\n{lines}\n' for at, lines in enumerate(triggers)
    )
    catalogue, found = read_catalogue(tomllib.loads(toml))
    assert catalogue is not None
    assert all(each.warning and "of the same priority too" in each.message for each in found)
    return [(each.path, each.message.split('the trigger "')[1].split('"')[0]) for each in found]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('equals = "oi"', 'equals = ["tchau", "Oi!"]'),
        ('equals = "bom dia"', 'contains = "dia"'),
        ('contains = "preço"', 'contains = "preço do bolo"'),
        ("number = 1", 'equals = "1"'),
        ("number = 1", "regex = '^[0-9]$'"),
        ("regex = 'a+'", "regex = 'a+'"),
        ('equals = "oi"', "regex = '^O'"),
        ('media = "any"', 'media = "image"'),
        ('media = ["audio", "video"]', 'media = "video"'),
        ('equals = "oi"\npriority = 3', 'equals = "oi"\npriority = 3'),
    ],
)
def test_triggers_of_one_priority_that_fit_the_same_text_are_doubtful(one: str, other: str) -> None:
    for pair in ((one, other), (other, one)):
        ((path, rival),) = warned(*pair)
        assert {path[1], int(rival[1:])} == {0, 1}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('equals = "oi"', 'equals = "oi"\npriority = 1'),
        ('equals = "oi"', 'equals = "oi"\nactive = false'),
        ('contains = "preço"', 'contains = "bolo"'),
        ('contains = "preço"', 'contains = "preços"'),
        ("regex = 'a+'", "regex = 'a'"),
        ('media = "audio"', 'media = "video"'),
        ("number = 1", "number = 11"),
        ('equals = ["oi", "Oi!"]', 'equals = "olá"'),
    ],
)
def test_other_triggers_are_not(one: str, other: str) -> None:
    assert warned(one, other) == []


def test_each_pair_is_told_once() -> None:
    assert len(warned(*['equals = ["a", "b"]'] * 3)) == 2


def test_a_file_with_thousands_of_mistakes_is_read_to_the_end() -> None:
    data = {"trigger": [{"name": f"t{at}", "equals": "x", "template": "nada", "x": 1} for at in range(3_000)]}
    catalogue, found = read_catalogue(data)
    assert catalogue is None
    assert len(found) == 6_000
