"""Edits of automation.toml: the result says what it is to say, and the comments stay."""

from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from support.rehearsal_catalogues import automations

from whatsself_tui.automation.catalogue import read_catalogue
from whatsself_tui.automation.keys import TABLES
from whatsself_tui.config.automation_text import edit
from whatsself_tui.config.files import AUTOMATION_FILE, default_content
from whatsself_tui.config.toml_writing import pair_lines, table_lines

FILE = '''\
#:schema automation.schema.json
# What the robot answers.

# --- texts ---
[[template]]
name = "a"   # the first
# more to come
text = """
# no comment, but text
Oi"""

# about b
[[template]]
name = "b"
text = 'B'

# --- triggers ---
[[trigger]]
name = "t"
equals = [
    "x",  # once
    "y",
]
template = "a"

[[flow]]
name = "f"

# the question
[[flow.step]]
name = "q"
ask = "a"        # asks
answers = { "1" = "e" }
next = "e"

# the end of it
[[flow.step]]
name = "e"
end = true
# last words
'''


def data_of(content: bytes) -> dict[str, Any]:
    return tomllib.loads(content.decode("utf-8-sig").replace("\r\n", "\n"))


def edited(after: dict[str, Any], content: str = FILE) -> str:
    new, kept = edit(content.encode(), after)
    assert kept
    assert {kind: each for kind, each in data_of(new).items() if each} == after
    return new.decode()


def comments(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("#") and "no comment" not in line]


def test_nothing_changed_changes_nothing() -> None:
    assert edited(data_of(FILE.encode())) == FILE
    content = default_content(AUTOMATION_FILE).decode()
    assert edited(data_of(content.encode()), content) == content


def test_a_changed_key_changes_its_own_lines_only() -> None:
    after = data_of(FILE.encode())
    after["template"][0]["text"] = "Olá"
    after["trigger"][0]["priority"] = 5
    after["flow"][0]["step"][0]["tries"] = 2
    text = edited(after)
    assert text == (
        FILE.replace('text = """\n# no comment, but text\nOi"""', 'text = "Olá"')
        .replace('template = "a"\n', 'template = "a"\npriority = 5\n')
        .replace('next = "e"\n', 'next = "e"\ntries = 2\n')
    )


def test_what_is_new_comes_after_its_kind() -> None:
    after = data_of(FILE.encode())
    after["template"].append({"name": "c", "text": "1\n2"})
    after["flow"][0]["step"].insert(1, {"name": "w", "send": "b", "next": "e"})
    text = edited(after)
    assert text.index('name = "b"') < text.index('name = "c"\ntext = """\n1\n2"""\n') < text.index("# --- triggers ---")
    assert text.index('name = "q"') < text.index('name = "w"\nsend = "b"\nnext = "e"') < text.index("# the end of it")
    assert comments(text) == comments(FILE)


def test_comments_above_what_is_removed_stay() -> None:
    after = data_of(FILE.encode())
    del after["template"][1]
    del after["trigger"]
    del after["flow"]
    text = edited(after)
    assert comments(text) == [
        *("#:schema automation.schema.json", "# What the robot answers.", "# --- texts ---", "# more to come"),
        *("# about b", "# --- triggers ---", "# last words"),
    ]


def test_another_order_is_written_and_the_head_of_the_file_stays_on_top() -> None:
    after = data_of(FILE.encode())
    after["template"].reverse()
    text = edited(after)
    assert text.startswith("#:schema automation.schema.json\n# What the robot answers.\n\n# about b\n[[template]]")
    assert sorted(comments(text)) == sorted(comments(FILE))


def test_line_ends_and_the_byte_order_mark_of_a_file_stay() -> None:
    content = "\ufeff" + FILE.replace("\n", "\r\n")
    after = data_of(FILE.encode())
    after["template"][1]["text"] = "1\n2"
    new, kept = edit(content.encode(), after)
    assert kept
    assert new.startswith(b"\xef\xbb\xbf#:schema")
    assert new.count(b"\n") == new.count(b"\r\n")
    assert data_of(new) == after


def test_a_file_of_another_shape_is_written_anew_below_its_first_comments() -> None:
    content = '# head\n\ntemplate = [{ name = "a", text = "A" }]  # inline\n'
    content += '[[trigger]]\nname = "t"\nequals = "x"\ntemplate = "a"\n'
    after = {"template": [{"name": "a", "text": "B"}], "trigger": data_of(content.encode())["trigger"]}
    new, kept = edit(content.encode(), after)
    assert not kept
    assert new.startswith(b"# head\n\n")
    assert data_of(new) == after


def test_a_table_of_answers_with_a_header_of_its_own_is_written_anew() -> None:
    content = FILE.replace('answers = { "1" = "e" }\nnext = "e"\n', 'next = "e"\n[flow.step.answers]\n"1" = "e"\n')
    after = data_of(FILE.encode())
    after["flow"][0]["step"][0]["answers"]["2"] = "e"
    new, kept = edit(content.encode(), after)
    assert not kept
    assert data_of(new) == after


@given(automations(), automations())
def test_any_automation_becomes_any_other(before: dict[str, Any], after: dict[str, Any]) -> None:
    content = "\n".join(line for kind in TABLES for each in before.get(kind, []) for line in table_lines(kind, each))
    assert data_of(content.encode()) == before
    new, kept = edit(content.encode(), after)
    assert kept
    assert data_of(new) == after
    assert read_catalogue(data_of(new))[0] == read_catalogue(after)[0]
    assert edit(new, after) == (new, True)


@given(st.text(st.characters(codec="utf-8")))
def test_any_text_is_written_so_that_it_is_read_again(text: str) -> None:
    written = "\n".join(pair_lines("text", text))
    assert tomllib.loads(written)["text"] == text
    assert not any(ord(char) < 32 and char != "\n" for char in written)
    assert "\u202e" not in written
