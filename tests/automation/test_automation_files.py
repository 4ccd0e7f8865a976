"""Files with mistakes in flows, triggers and templates: each told with its line and what to do."""

from __future__ import annotations

import pytest

from whatsself_tui.config.files import MAX_PROBLEMS, read_automation, read_rules
from whatsself_tui.config.toml_text import MAX_BYTES

TEMPLATES = """[[template]]
name = "t"
text = "Oi"
[[trigger]]
name = "start"
equals = "oi"
flow = "f"
"""
"""Seven lines; a flow begins on line 8."""

Told = list[tuple[int | None, str, str]]


def told(text: str | bytes) -> Told:
    """(line, field, message) of every problem."""
    loaded = read_automation(text.encode() if isinstance(text, str) else text)
    assert loaded.value is None
    assert {problem.file for problem in loaded.problems} == {"automation.toml"}
    return [(problem.line, problem.field, problem.message) for problem in loaded.problems]


def flow(*steps: str) -> str:
    """A file with one flow of these steps; the first step's name stands on line 11, its keys from line 12."""
    body = "".join(f'[[flow.step]]\nname = "s{at}"\n{keys}\n' for at, keys in enumerate(steps))
    return f'{TEMPLATES}[[flow]]\nname = "f"\n{body}'


END = "end = true"


@pytest.mark.parametrize(
    ("steps", "line", "field", "message"),
    [
        (("",), 10, "flow[0].step[0]", "the step has none of send, ask, handover, end, jump; give exactly one of them"),
        (('send = "t"\nend = true',), 10, "flow[0].step[0]", "the step has send and end; give exactly one of them"),
        (('send = "x"', END), 12, "flow[0].step[0].send", "no template has that name; known are t"),
        (("send = 5", END), 12, "flow[0].step[0].send", "must be a text in quotes, not 5"),
        (('jump = "x"',), 12, "flow[0].step[0].jump", "no flow has that name; known are f"),
        (('end = "x"',), 12, "flow[0].step[0].end", "no template has that name; known are t"),
        (("end = false",), 12, "flow[0].step[0].end", "must be true or the name of a template, not false"),
        (("handover = 1",), 12, "flow[0].step[0].handover", "must be true or the name of a template, not 1"),
        (('send = "t"\nnext = "s9"', END), 13, "flow[0].step[0].next", "known are s0, s1"),
        (("end = true\nnext = 's0'",), 13, "flow[0].step[0].next", "nothing follows after end; leave it out"),
        (("end = true\ntries = 2",), 13, "flow[0].step[0].tries", "only a step that asks may have this"),
        (('send = "t"\nsave = "x"', END), 13, "flow[0].step[0].save", "only a step that asks may have this"),
        (('ask = "t"\nsafe = "x"', END), 13, "flow[0].step[0].safe", 'unknown key; did you mean "save"?'),
        (('ask = "t"\nsave = "nome"', END), 13, "flow[0].step[0].save", "{{nome}} has a meaning already"),
        (('ask = "t"\nsave = "o nome"', END), 13, "flow[0].step[0].save", "must be a letter and then letters"),
        (('ask = "t"\nsave = ""', END), 13, "flow[0].step[0].save", "must be a letter and then letters"),
        (('ask = "t"\ncheck = "mail"', END), 13, "flow[0].step[0].check", "must be one of any, number, email, cpf,"),
        (('ask = "t"\ncheck = "list"', END), 13, "flow[0].step[0].check", 'check = "list" needs options'),
        (('ask = "t"\ncheck = "regex"', END), 13, "flow[0].step[0].check", 'check = "regex" needs a pattern'),
        (('ask = "t"\noptions = "a"', END), 13, "flow[0].step[0].options", 'belongs to check = "list"'),
        (('ask = "t"\npattern = "a"', END), 13, "flow[0].step[0].pattern", 'belongs to check = "regex"'),
        (
            ('ask = "t"\ncheck = "list"\noptions = [\n"Não",\n"nao!"]', END),
            16,
            "flow[0].step[0].options[1]",
            "one above is the same",
        ),
        (('ask = "t"\ncheck = "list"\noptions = ["?"]', END), 14, "flow[0].step[0].options[0]", "no letter"),
        (
            ('ask = "t"\ncheck = "regex"\npattern = "(?!a)"', END),
            14,
            "flow[0].step[0].pattern",
            "looking ahead or behind",
        ),
        (('ask = "t"\ninvalid = "x"', END), 13, "flow[0].step[0].invalid", "no template has that name"),
        (('ask = "t"\ntries = 0', END), 13, "flow[0].step[0].tries", "0 is out of range; 1 to 10 is allowed"),
        (('ask = "t"\ntimeout_min = 43201', END), 13, "flow[0].step[0].timeout_min", "1 to 43200 is allowed"),
        (('ask = "t"\ngive_up = "x"', END), 13, "flow[0].step[0].give_up", "no step of this flow has that name"),
        (('ask = "t"',), 10, "flow[0].step[0]", "nothing follows the answer; give next, answers, or a step below"),
        (('ask = "t"\nanswers = {}', END), 13, "flow[0].step[0].answers", "the table is empty"),
        (('ask = "t"\nanswers = ["a"]', END), 13, "flow[0].step[0].answers", "must be a table such as"),
        (('ask = "t"\nanswers = { a = 1 }', END), 13, "flow[0].step[0].answers.a", "must be the name of a step, not 1"),
        (
            ('ask = "t"\n[flow.step.answers]\n"1" = "s1"\n"2" = "s7"', END),
            15,
            "flow[0].step[0].answers.2",
            "no step of this flow has that name; known are s0, s1",
        ),
        (
            ('ask = "t"\n[flow.step.answers]\n"Sim" = "s1"\n"sim!" = "s1"', END),
            15,
            'flow[0].step[0].answers."sim!"',
            "one above is the same",
        ),
        (
            ('ask = "t"\nanswers = { "?" = "s1" }', END),
            13,
            'flow[0].step[0].answers."?"',
            "no letter, digit or emoji",
        ),
        (
            ('ask = "t"\nnext = "s1"\nanswers = { "*" = "s1" }', END),
            13,
            "flow[0].step[0].next",
            'next and "*" in answers mean the same',
        ),
        (
            ('ask = "t"\ncheck = "cep"\nanswers = { "1" = "s1" }', END),
            13,
            "flow[0].step[0].check",
            'a right answer leads nowhere; give next, or "*" in answers',
        ),
        (("end = true", END), 13, "flow[0].step[1]", "no step leads here"),
        (('ask = "t"\nanswers = { "1" = "s2" }', END, END), 14, "flow[0].step[1]", "no step leads here"),
        (
            ('send = "t"', 'send = "t"\nnext = "s0"'),
            10,
            "flow[0].step[0]",
            "s0 → s1 → s0 goes round for ever; put a step that asks between",
        ),
        (('jump = "f"',), 10, "flow[0].step[0]", "s0 → s0 goes round for ever"),
        (
            ('ask = "t"', 'send = "t"\nnext = "s1"'),
            13,
            "flow[0].step[1]",
            "s1 → s1 goes round for ever",
        ),
    ],
)
def test_a_flow_with_one_mistake(steps: tuple[str, ...], line: int, field: str, message: str) -> None:
    ((at, name, said),) = told(flow(*steps))
    assert (at, name) == (line, field)
    assert message in said


@pytest.mark.parametrize(
    ("text", "line", "field", "message"),
    [
        (f'{TEMPLATES}[[flow]]\nname = "f"\n', 8, "flow[0]", "step is missing"),
        (f'{TEMPLATES}[[flow]]\nname = "f"\nstep = []\n', 10, "flow[0].step", "the flow has no steps"),
        (f'{TEMPLATES}[[flow]]\nname = "f"\nstep = 5\n', 10, "flow[0].step", "must be a list of tables; begin each"),
        (f'{TEMPLATES}[flow]\nname = "f"\n', 8, "flow", "must be a list of tables; begin each one with [[flow]]"),
        (
            flow(END) + '[[flow]]\nname = "f"\n[[flow.step]]\nname = "a"\nend = true\n',
            14,
            "flow[1].name",
            'another flow above is named "f"',
        ),
        (
            flow('ask = "t"', END) + '[[flow.step]]\nname = "s1"\nend = true\n',
            17,
            "flow[0].step[2].name",
            'another step above is named "s1"',
        ),
        (flow(END).replace('name = "s0"', "", 1), 10, "flow[0].step[0]", "name is missing"),
        (
            flow(END) + '[[template]]\nname = "u"\ntext = """\nOi\n{{cep}}"""\n',
            15,
            "template[1].text",
            "unknown placeholder {{cep}}",
        ),
        (
            flow('ask = "t"\nsave = "cep"', END)
            + '[[template]]\nname = "u"\ntext = "{{cep}}"\n'
            + '[[trigger]]\nname = "x"\nequals = "x"\ntemplate = "u"\n',
            23,
            "trigger[1].template",
            'template "u" has {{cep}}, which only a flow asks for',
        ),
        (
            flow('ask = "t"\nsave = "cep"', END)
            + '[[template]]\nname = "u"\ntext = "{{cep}}"\n[[flow]]\nname = "g"\n'
            + '[[flow.step]]\nname = "a"\nend = "u"\n',
            24,
            "flow[1].step[0].end",
            'template "u" has {{cep}}, which flow "g" does not ask for',
        ),
    ],
)
def test_a_file_with_one_mistake(text: str, line: int, field: str, message: str) -> None:
    ((at, name, said),) = told(text)
    assert (at, name) == (line, field)
    assert message in said


def test_a_round_through_two_flows_is_told_once() -> None:
    other = '[[flow]]\nname = "g"\n[[flow.step]]\nname = "a"\njump = "f"\n'
    ((line, field, message),) = told(flow('send = "t"', 'jump = "g"') + other)
    assert (line, field) == (10, "flow[0].step[0]")
    assert message == "s0 → s1 → g/a → s0 goes round for ever; put a step that asks between"


def test_twenty_steps_may_follow_each_other_and_no_more() -> None:
    read = read_automation(flow(*['send = "t"'] * 20, 'ask = "t"', END).encode())
    assert read.value is not None
    ((line, field, message),) = told(flow(*['send = "t"'] * 21, 'ask = "t"', END))
    assert (line, field) == (10, "flow[0].step[0]")
    assert message == "more than 20 steps follow from here without an ask"


def test_a_flow_may_use_what_one_that_jumps_to_it_asked() -> None:
    other = '[[flow]]\nname = "g"\n[[flow.step]]\nname = "a"\nend = "u"\n[[template]]\nname = "u"\ntext = "{{cep}}"\n'
    assert read_automation((flow('ask = "t"\nsave = "cep"', 'jump = "g"') + other).encode()).problems == ()


def test_a_flow_nothing_starts_is_doubtful() -> None:
    loaded = read_automation(flow(END).replace('flow = "f"', 'template = "t"', 1).encode())
    assert loaded.value is not None
    (warning,) = loaded.warnings
    assert (warning.line, warning.field) == (8, "flow[0]")
    assert warning.message == "no trigger and no other flow starts this flow"


def test_warnings_tell_their_line_and_do_not_stop_the_file() -> None:
    double = TEMPLATES.replace('flow = "f"', 'template = "t"') + '[[trigger]]\nname = "b"\ncontains = [\n"x",\n"oi"]\n'
    loaded = read_rules(b"", (double + 'template = "t"\n').encode())
    assert loaded.value is not None
    assert [str(warning).partition(";")[0] for warning in loaded.warnings] == [
        'automation.toml:6: trigger[0].equals: "oi" fits the trigger "b" of the same priority too, '
        "and the first in the file answers"
    ]


def test_mistakes_of_every_kind_are_told_at_once() -> None:
    text = flow('ask = "x"\ncheck = "y"', 'send = "t"\nnext = "z"', "handover = 3") + (
        '[[template]]\nname = "u"\ntext = "{{q}}"\n[[trigger]]\nname = "k"\n'
        'regex = "("\nflow = "nada"\npriority = 101\n'
    )
    assert [line for line, _, _ in told(text)] == [12, 13, 17, 20, 23, 26, 27, 28]


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ("equals", '[[trigger]]\nname = "a"\nequals = ["Sair!"]\ntemplate = "t"\n'),
        ("answers", '[flow.step.answers]\nsair = "s1"\n'),
        ("options", 'check = "list"\noptions = ["ok", "SAIR"]\n'),
    ],
)
def test_an_opt_out_keyword_can_be_no_answer(where: str, text: str) -> None:
    steps = ('ask = "t"', END)
    content = flow(*steps) + text if where == "equals" else flow(f'ask = "t"\n{text}', END)
    loaded = read_rules(b"[consent]\nopt_out = ['sair']\n", content.encode())
    (problem,) = loaded.problems
    assert where in problem.field
    assert problem.line == 1 + content[: content.lower().index("sair")].count("\n")
    assert "it is an opt-out keyword (consent.opt_out in settings.toml)" in problem.message


def test_an_opt_out_keyword_is_told_together_with_other_mistakes() -> None:
    text = flow('ask = "x"\n[flow.step.answers]\nsair = "s1"', END) + '[[trigger]]\nequals = ["Sair"]\nactive = 1\n'
    problems = read_rules(b"", text.encode()).problems
    assert [problem.line for problem in problems] == [12, 14, 18, 18, 20]
    assert "opt-out keyword" in problems[1].message


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        (b'[[template]]\nname = "a\xe7\xe3o"\n', 2, "byte 0xE7 is not UTF-8 text"),
        ("[[template]]\nname = 'a'\n".encode("utf-16"), 1, "UTF-8"),
        (b"#" * 10_000_000, None, f"larger than {MAX_BYTES} bytes"),
        (b"[[trigger]\n", 1, ""),
        (b'[[template]]\nname = "a"\nname = "b"\n', 3, "already set further up"),
        (b"[[template]]\nname = 'a'\ntext = '''\nOi\n", 3, "never closed"),
        (b"PK\x03\x04\x14\x00\x00\x00", 1, ""),
    ],
)
def test_a_file_that_is_no_text_or_no_toml(content: bytes, line: int | None, says: str) -> None:
    ((at, _, message),) = told(content)
    assert at == line
    assert says in message


def test_a_byte_order_mark_and_other_line_ends_are_taken() -> None:
    text = flow('ask = "t"', END)
    plain = read_automation(text.encode()).value
    assert plain is not None
    assert read_automation(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()).value == plain


@pytest.mark.parametrize("content", [b"", b"\n\n", b"# nothing\n", b"\xef\xbb\xbf"])
def test_an_empty_file_answers_nothing(content: bytes) -> None:
    loaded = read_automation(content)
    assert loaded.value is not None
    assert (loaded.value.templates, loaded.value.triggers, loaded.value.flows) == ({}, (), {})


def test_a_file_as_large_as_allowed_is_read() -> None:
    tables = "".join(
        f'[[template]]\nname = "t{at}"\ntext = "{"x" * 300}"\n'
        f'[[trigger]]\nname = "t{at}"\nequals = "palavra {at}"\ntemplate = "t{at}"\n'
        for at in range(2_000)
    )
    assert 800_000 < len(tables) < MAX_BYTES
    loaded = read_automation(tables.encode())
    assert loaded.value is not None
    assert loaded.warnings == ()
    broken = read_automation(tables.replace("equals", "equal").encode())
    assert len(broken.problems) == MAX_PROBLEMS + 1


def test_long_chains_of_steps_and_flows_are_checked() -> None:
    chain = flow(*['ask = "t"'] * 3_000, END)
    assert read_automation(chain.encode()).value is not None
    jumps = (
        TEMPLATES
        + "".join(
            f'[[flow]]\nname = "f{at}"\n[[flow.step]]\nname = "a"\njump = "f{at + 1}"\n' for at in range(2_000)
        ).replace('name = "f0"', 'name = "f"')
        + '[[flow]]\nname = "f2000"\n[[flow.step]]\nname = "a"\nend = true\n'
    )
    assert any("more than 20 steps" in message for _, _, message in told(jumps))
