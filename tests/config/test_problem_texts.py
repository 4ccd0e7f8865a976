"""What a person is told about a file with mistakes in it."""

from __future__ import annotations

import pytest

from whatsself_tui.config.files import MAX_PROBLEMS, read_automation, read_rules, read_settings

_SECTIONS = "[business], [transport], [simulator], [limits], [pace], [queue], [breaker], [consent], "
_SECTIONS += "[answers], [welcome], [away], [logs]"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[limits]\nper_minute = 0", "2: limits.per_minute: per_minute is 0; allowed: 1 to 100000"),
        ("\n\n[limits]\n# x\nper_contact=21", "5: limits.per_contact: per_contact is 21; allowed: 1 to 20"),
        (
            "[limits]\nper_minute = '12'",
            '2: limits.per_minute: per_minute is "12"; allowed: a whole number, 1 to 100000, without the quotes',
        ),
        (
            "[limits]\nper_minute = 'muitas'",
            '2: limits.per_minute: per_minute is "muitas"; allowed: a whole number, 1 to 100000',
        ),
        ("limits.per_minute = true", "1: limits.per_minute: per_minute is true; allowed: a whole number, 1 to 100000"),
        ("[logs]\nkeep = 1.5", "2: logs.keep: keep is 1.5; allowed: a whole number, 1 to 1000"),
        ("[logs]\nkeep = 2024-01-01", "2: logs.keep: keep is a date or time; allowed: a whole number, 1 to 1000"),
        ("[logs]\nkeep = [3]", "2: logs.keep: keep is a list; allowed: a whole number, 1 to 1000"),
        ("[logs]\nkeep = {}", "2: logs.keep: keep is a table; allowed: a whole number, 1 to 1000"),
        ("[simulator]\nfail_rate = 1.5", "2: simulator.fail_rate: fail_rate is 1.5; allowed: 0.0 to 1.0"),
        ("[simulator]\nfail_rate = nan", "2: simulator.fail_rate: fail_rate is nan; allowed: a number, 0.0 to 1.0"),
        ("[simulator]\noffline = 'no'", '2: simulator.offline: offline is "no"; allowed: true or false'),
        ("[logs]\nlevel = 'warn'", '2: logs.level: level is "warn"; allowed: "debug", "info", "warning" or "error"'),
        (
            "[transport]\nkind = 'sim'",
            '2: transport.kind: kind is "sim"; allowed: "simulator" or "whatsapp_web"',
        ),
        (
            "[transport]\nbrowser = 3",
            '2: transport.browser: browser is 3; allowed: a text in "quotes", 0 to 1000 characters',
        ),
        (
            "[business]\ntime_zone = 'america/sao paulo'",
            '2: business.time_zone: time_zone is "america/sao paulo"; no IANA time zone has that name; '
            'did you mean "America/Sao_Paulo"?',
        ),
        (
            "[business]\ntime_zone = '???'",
            '2: business.time_zone: time_zone is "???"; no IANA time zone has that name; '
            'for example "America/Sao_Paulo"',
        ),
        ("[business]\nname = ''", '2: business.name: name is ""; allowed: a text in "quotes", 1 to 100 characters'),
        (
            "[limits]\nper_contact = 5\nper_contact_reply = 4",
            "3: limits.per_contact_reply: per_contact_reply is 4; it must not be below per_contact, which is 5",
        ),
        (
            "# x\n[limits]\nper_contact = 7",
            "2: limits.per_contact_reply: per_contact_reply is 6 (its default, it is not in the file); "
            "it must not be below per_contact, which is 7",
        ),
        ("[consent]\nopt_out = []", "2: consent.opt_out: opt_out is an empty list; allowed: a list of 1 to 50 texts"),
        ("[consent]\nopt_in = 'OI'", '2: consent.opt_in: opt_in is "OI"; allowed: a list of 0 to 50 texts'),
        (
            "[consent]\nopt_out = [\n'SAIR',\n7,\n]",
            '4: consent.opt_out[1]: opt_out[1] is 7; allowed: a text in "quotes", 1 to 50 characters',
        ),
        (
            "[consent]\nopt_in = ['OI',\n\n'Saír!']",
            '4: consent.opt_in[1]: opt_in[1] is "Saír!"; it is an opt_out keyword too',
        ),
        (
            "[consent]\nopt_out_text = '''\nOi {{first_nam}}'''",
            '2: consent.opt_out_text: opt_out_text is "Oi {{first_nam}}"; unknown placeholder {{first_nam}}; '
            "did you mean {{first_name}}?",
        ),
        ("[limits]\nper_minut = 3", '2: limits.per_minut: unknown key "per_minut"; did you mean "per_minute"?'),
        ("[limits]\nPer_Minute = 3", '2: limits.Per_Minute: unknown key "Per_Minute"; did you mean "per_minute"?'),
        ("[queue]\nper_minute = 3", "2: queue.per_minute: per_minute does not belong here; it belongs under [limits]"),
        ("[logs]\ncolour = 3", '2: logs.colour: unknown key "colour"; known in [logs] are level, max_mb, keep'),
        ("per_minute = 3", "1: per_minute: per_minute does not belong here; it belongs under [limits]"),
        ("per_minuto = 3", '1: per_minuto: unknown key "per_minuto"; did you mean "per_minute"?'),
        ("zzz = 3", f'1: zzz: unknown key "zzz"; every key stands in a section: {_SECTIONS}'),
        ("\n[limit]\nper_minute = 3", "2: limit: unknown section [limit]; did you mean [limits]?"),
        ("[zzz]", f"1: zzz: unknown section [zzz]; known are {_SECTIONS}"),
        ("limits = 3", "1: limits: 3 is no section; allowed: one [limits] and its keys below it"),
        ("[[limits]]\nper_minute = 3", "1: limits: a list is no section; allowed: one [limits] and its keys below it"),
        (
            "[limits]\nper_minute = 3 4",
            "2: something follows the value; a text stands in one pair of quotes (column 16)",
        ),
    ],
)
def test_one_mistake_in_the_settings(text: str, problem: str) -> None:
    loaded = read_settings(text.encode())
    assert loaded.value is None
    assert [str(told) for told in loaded.problems] == [f"settings.toml:{problem}"]


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines() -> None:
    text = "[queue]\naging_s = 1\nfoo = 2\n[limits]\nper_minute = 0\nper_contact = '2'\n[bar]\n[logs]\nlevel = 3\n"
    problems = read_settings(text.encode()).problems
    assert [(told.line, told.field) for told in problems] == [
        (2, "queue.aging_s"),
        (3, "queue.foo"),
        (5, "limits.per_minute"),
        (6, "limits.per_contact"),
        (7, "bar"),
        (9, "logs.level"),
    ]


def test_a_file_that_is_something_else_is_not_told_line_by_line() -> None:
    problems = read_settings(b"\n".join(b"k%d = 1" % index for index in range(5_000))).problems
    assert len(problems) == MAX_PROBLEMS + 1
    assert str(problems[-1]) == f"settings.toml: and more; only the first {MAX_PROBLEMS} are told"


@pytest.mark.parametrize("hostile", ["\\u001b[31m", "\\u202e", "x" * 10_000, "[@click=app.quit]x[/]", "\\n"])
def test_what_a_file_says_is_quoted_short_and_on_one_line(hostile: str) -> None:
    (problem,) = read_settings(f'[logs]\nlevel = "{hostile}"'.encode()).problems
    assert len(problem.message) < 200
    assert "\n" not in problem.message
    assert "\x1b" not in problem.message


_TEMPLATE = "[[template]]\nname = 'menu'\ntext = 'Oi'\n"


@pytest.mark.parametrize(
    ("text", "line", "field", "says"),
    [
        ("[[template]]\nname = 'a'\ntext = 'Oi {{nmae}}'", 3, "template[0].text", "{{nmae}}"),
        (_TEMPLATE + "[[trigger]]\nname = 'a'\nequals = 'oi'\ntemplate = 'menuu'", 7, "trigger[0].template", '"menu"'),
        (_TEMPLATE + "[[trigger]]\nname = 'a'\nequals = 'oi'", 4, "trigger[0]", "template is missing"),
        (
            _TEMPLATE + "[[trigger]]\nname = 'a'\ncontains = [\n'oi',\n'!']\ntemplate = 'menu'",
            8,
            "trigger[0].contains[1]",
            "",
        ),
        (_TEMPLATE + "[[trigger]]\nname = 'a'\nequal = 'oi'\ntemplate = 'menu'", 6, "trigger[0].equal", '"equals"'),
        (
            _TEMPLATE + "[[trigger]]\nname = 'a'\nequals = 'oi'\ntemplate = 'menu'\npriority = '5'",
            8,
            "trigger[0].priority",
            "",
        ),
        (_TEMPLATE + "[[trigers]]\nname = 'a'", 4, "trigers", '"trigger"'),
        ("[[template]]\nname = 'a'\ntext = 'Oi", 3, "", "never closed"),
    ],
)
def test_one_mistake_in_the_automation(text: str, line: int, field: str, says: str) -> None:
    problems = read_automation(text.encode()).problems
    assert ("automation.toml", line, field) in [(told.file, told.line, told.field) for told in problems]
    assert any(says in told.message for told in problems)


def test_mistakes_of_both_files_are_told_together() -> None:
    problems = read_rules(b"[limits]\nper_minute = 0", b"[[template]]\nname = 'a'").problems
    assert [(told.file, told.line) for told in problems] == [("settings.toml", 2), ("automation.toml", 1)]
    problems = read_rules(b"[limits]\nper_minute = 0", b"[[template").problems
    assert [(told.file, told.line) for told in problems] == [("settings.toml", 2), ("automation.toml", 1)]


def test_a_phrase_that_withdraws_consent_can_be_no_trigger() -> None:
    settings = b"[consent]\nopt_out = ['Tchau']"
    trigger = "[[trigger]]\nname = 'a'\nequals = ['oi',\n'TCHAU!']\ntemplate = 'menu'\n"
    loaded = read_rules(settings, (_TEMPLATE + trigger).encode())
    (problem,) = loaded.problems
    assert (problem.file, problem.line, problem.field) == ("automation.toml", 7, "trigger[0].equals[1]")
    assert "consent.opt_out in settings.toml" in problem.message
    for allowed in (
        trigger + "active = false\n",
        trigger.replace("equals", "contains"),
        trigger.replace("TCHAU!", "ok"),
    ):
        assert read_rules(settings, (_TEMPLATE + allowed).encode()).problems == ()
