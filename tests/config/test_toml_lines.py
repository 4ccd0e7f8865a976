"""Where things stand in a TOML file."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whatsself_tui.config.toml_text import MAX_BYTES, Path, dotted, parse
from whatsself_tui.errors import ConfigError

_TRICKY = st.text(st.sampled_from("ab c.#[]{}='\"\\,é😀_-1"), max_size=8)
_BARE = st.text(st.sampled_from("abcXYZ019_-"), min_size=1, max_size=6)
_SCALARS = st.sampled_from(
    ["1", "-17", "0x1F", "1_000", "3.5", "inf", "true", "2024-05-06", "2024-05-06 07:08:09", "07:08:09"]
)
_COMMENT = st.sampled_from(["", " # ] } \"\"\" ''' [x] a = 1", "  #", "\t# é"])
_GAP = st.sampled_from(["", " ", "\n", "\n\n  ", " # ], }\n", "\n# [[\n\t"])


class _Writer:
    """Writes a document and notes the line of everything it writes."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.text = ""
        self.lines: dict[Path, int] = {}
        self.count = 0

    @property
    def line(self) -> int:
        return self.text.count("\n") + 1

    def key(self) -> str:
        """Write a key that is nowhere else in the document; its meaning."""
        self.count += 1
        style = self.draw(st.sampled_from(["bare", "basic", "literal"]))
        if style == "bare":
            meaning = f"{self.draw(_BARE)}{self.count}"
            self.text += meaning
        elif style == "basic":
            meaning = f"{self.draw(_TRICKY)}{self.count}"
            self.text += self.basic(meaning)
        else:
            meaning = f"{self.draw(_TRICKY).replace(chr(39), '')}{self.count}"
            self.text += f"'{meaning}'"
        return meaning

    def basic(self, meaning: str) -> str:
        written = json.dumps(meaning, ensure_ascii=False)
        return written.replace("é", "\\u00e9") if self.draw(st.booleans()) else written

    def pair(self, table: Path, depth: int, *, inline: bool = False) -> None:
        line, path = self.line, table
        for part in range(self.draw(st.integers(1, 3))):
            self.text += self.draw(st.sampled_from([".", " . "])) if part else ""
            path = (*path, self.key())
            self.lines[path] = line
        self.text += self.draw(st.sampled_from(["=", " = ", "\t=  "]))
        self.value(path, depth, inline=inline)

    def value(self, path: Path, depth: int, *, inline: bool = False) -> None:
        kinds = ["scalar", "basic", "literal"] + (["array", "table"] if depth else [])
        kinds += [] if inline else ["multi-basic", "multi-literal"]
        match self.draw(st.sampled_from(kinds)):
            case "scalar":
                self.text += self.draw(_SCALARS)
            case "basic":
                self.text += self.basic(self.draw(_TRICKY))
            case "literal":
                self.text += "'" + self.draw(_TRICKY).replace("'", "") + "'"
            case "multi-basic":
                body = self.draw(st.sampled_from(["", "\n[x]\na = 1\n", '#\n\\"""\n', '"" \\\n  x', "\\\\\n", '\n""']))
                self.text += f'"""{body}"""'
            case "multi-literal":
                body = self.draw(st.sampled_from(["", "\n[[y]]\n", "'' \\\n#", "\n\n]", "\n''"]))
                self.text += f"'''{body}'''"
            case "array":
                self.array(path, depth - 1, inline=inline)
            case "table":
                self.text += "{" + self.draw(st.sampled_from(["", "  "]))
                for index in range(self.draw(st.integers(0, 3))):
                    self.text += " , " if index else ""
                    self.pair(path, depth - 1, inline=True)
                self.text += " }"

    def array(self, path: Path, depth: int, *, inline: bool) -> None:
        self.text += "["
        count = self.draw(st.integers(0, 3))
        for index in range(count):
            self.text += self.draw(_GAP)
            self.lines[*path, index] = self.line
            self.value((*path, index), depth, inline=inline)
            self.text += self.draw(_GAP) + ("," if index < count - 1 or self.draw(st.booleans()) else "")
        self.text += self.draw(_GAP) + "]"

    def section(self) -> None:
        """A table, or an array of tables with tables and arrays of tables inside."""
        start = self.text
        name = self.key()
        written, self.text = self.text[len(start) :], start
        path: Path = (name,)
        if self.draw(st.booleans()):
            self.lines[path] = self.line
            self.text += f"[ {written} ]"
            self.body(path)
            return
        self.lines[path] = self.line
        for index in range(self.draw(st.integers(1, 3))):
            self.lines[*path, index] = self.line
            self.text += f"[[{written}]]"
            self.body((*path, index))
            if self.draw(st.booleans()):
                self.lines[*path, index, "sub"] = self.line
                self.text += f"[{written}.sub]"
                self.body((*path, index, "sub"))
            for place in range(self.draw(st.integers(0, 2))):
                self.lines.setdefault((*path, index, "more"), self.line)
                self.lines[*path, index, "more", place] = self.line
                self.text += f"[[ {written} . 'more' ]]"
                self.body((*path, index, "more", place))

    def body(self, path: Path) -> None:
        self.text += self.draw(_COMMENT) + "\n"
        for _ in range(self.draw(st.integers(0, 3))):
            self.text += self.draw(st.sampled_from(["", "\n", "  ", "# a = [\n"]))
            self.pair(path, depth=2)
            self.text += self.draw(_COMMENT) + "\n"


@st.composite
def _documents(draw: st.DrawFn) -> tuple[str, dict[Path, int]]:
    writer = _Writer(draw)
    writer.body(())
    for _ in range(draw(st.integers(0, 4))):
        writer.section()
    return writer.text, writer.lines


def _paths(value: object, path: Path = ()) -> Iterator[Path]:
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _paths(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _paths(inner, (*path, index))


@settings(deadline=None)
@given(_documents(), st.booleans(), st.booleans())
def test_every_key_and_element_is_found_on_its_line(written: tuple[str, dict[Path, int]], bom: bool, dos: bool) -> None:
    text, lines = written
    content = text.replace("\n", "\r\n") if dos else text
    document = parse((b"\xef\xbb\xbf" if bom else b"") + content.encode(), "x.toml")
    assert document.data == tomllib.loads(content)
    assert document.lines == lines
    assert set(_paths(document.data)) - {()} == set(lines)


@settings(deadline=None)
@given(st.text(st.sampled_from("ab=.[]{}'\"\\#,\n 1é"), max_size=40) | st.text(max_size=20))
def test_whatever_is_no_toml_is_a_problem_on_a_line_of_the_file(text: str) -> None:
    content = text.encode("utf-8", "surrogatepass")
    try:
        document = parse(content, "x.toml")
    except ConfigError as error:
        (problem,) = error.problems
        assert problem.message
        assert problem.line is not None
        assert 1 <= problem.line <= content.count(b"\n") + 1
    else:
        assert set(_paths(document.data)) - {()} == set(document.lines)


def test_what_is_not_in_the_file_is_found_at_the_table_it_would_stand_in() -> None:
    document = parse(b"a = 1\n[limits]\nper_minute = 3\n[[trigger]]\n[[trigger]]\nequals = ['x']\n", "x.toml")
    assert document.line_of(("limits", "per_contact")) == 2
    assert document.line_of(("trigger", 1, "template")) == 5
    assert document.line_of(("trigger", 1, "equals", 7, "z")) == 6
    assert document.line_of(("queue", "aging_s")) is None
    assert document.line_of(()) is None


def test_a_table_implied_before_it_is_written_is_found_where_it_is_written() -> None:
    document = parse(b"[a.b]\nx = 1\n\n[a]\ny = 2\n", "x.toml")
    assert document.lines == {("a",): 4, ("a", "b"): 1, ("a", "b", "x"): 2, ("a", "y"): 5}


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        (b"a = 1\nb = Minha Loja\n", 2, 'a text stands in "quotes"'),
        (b"a = 1\nb = sim\n", 2, "true and false"),
        (b"a = 1\nb = 'oi\n", 2, "begins here with ' is never closed"),
        (b'a = "oi\nb = 2\n', 1, "not closed with a quote on its line"),
        (b"a = 1\n\nb\n", 3, "an equals sign"),
        (b"a = 1\na = 2\n", 2, "already set further up"),
        (b"[a]\n[b]\n[a]\n", 3, "already there further up"),
        (b"a = 1\nb = [\n  1,\n  2\n\nc = 3\n", 6, "missing"),
        (b"a = 1\nb = [\n  1,\n", 2, "begins here with [ is never closed"),
        (b'a = 1\nb = """\nx\n\n\n', 2, 'begins here with """ is never closed'),
        (b"a = 1\nb = '''\nx\n\n\n", 2, "begins here with ''' is never closed"),
        (b"a = 1\nb = { c = 1,", 2, "begins here with { is never closed"),
        (b"a = 1\n[b\nc = 1\n", 2, "Expected ']'"),
        (b"a = 1\nb = 'caf\xe9'\n", 2, "0xE9 is not UTF-8"),
        (b"\xff\xfea\x00=\x001\x00", 1, "UTF-8"),
        (b"\xef\xbb\xbfa = 1\n\nb = '\xe9'", 3, "0xE9"),
        (b"a = 1\nb = 0x" + b"f" * 17 + b"\n", 2, "too large"),
        (b"a = 1\r\nb = ?\r\n", 2, "not a TOML value"),
    ],
)
def test_a_malformed_file_is_told_with_its_line(content: bytes, line: int, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(content, "settings.toml")
    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == ("settings.toml", line)
    assert says in problem.message


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"#" * (MAX_BYTES + 1), "larger than 1000000 bytes"),
        (b"a = " + b"[" * 100_000, "nested too deeply"),
        (b"a = " + b"9" * 5_000, "too many digits"),
    ],
)
def test_a_file_that_is_too_much_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        parse(content, "settings.toml")


def test_a_path_is_written_with_dots_and_odd_keys_in_quotes() -> None:
    assert dotted(("trigger", 2, "equals", 0)) == "trigger[2].equals[0]"
    assert dotted(("limits", "a.b", "\x1b[31m")) == 'limits."a.b"."\\u001b[31m"'
    assert dotted(()) == ""
