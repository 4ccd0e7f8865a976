"""Patterns: linear time whatever the text, and a reason for those that cannot be had."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsself_tui.automation.patterns import MAX_PATTERN, Pattern, Union, encode


def found(pattern: str, text: str) -> bool:
    return Pattern(pattern).found_in(encode(text))


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("OI", "oi", True),
        ("ção", "PROMOÇÃO", True),
        (r"\bdia\b", "bom dia!", True),
        (r"\bdia\b", "diamante", False),
        ("^a$", "a\nb", False),
        ("(?m)^a$", "a\nb", True),
        ("a|b", "xb", True),
        ("é{2}", "éé", True),
        ("\ud800", "\ufffd", True),
    ],
)
def test_patterns(pattern: str, text: str, expected: bool) -> None:
    assert found(pattern, text) is expected


@pytest.mark.parametrize(("text", "expected"), [("AB12", True), ("ab12 ", False), ("xab12", False), ("ab1", False)])
def test_the_whole_text(text: str, expected: bool) -> None:
    assert Pattern("[a-z]{2}[0-9]{2}").is_all_of(text) is expected


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("(?=a)b", "looking ahead or behind, (?=…)"),
        ("(?!a)b", "looking ahead or behind, (?!…)"),
        ("(?<=a)b", "looking ahead or behind, (?<=…)"),
        ("b(?<!a)", "looking ahead or behind, (?<!…)"),
        (r"(a)\1", "a back-reference is not possible"),
        (r"(?P<x>a)(?P=x)", "a back-reference is not possible"),
        (r"(?<x>a)\k<x>", "a back-reference is not possible"),
        ("a++", "possessive repetitions are not possible"),
        ("(?>a)b", "atomic groups"),
        ("a{1001}", "the repetition {1001} is not possible; at most {1000}"),
        ("a{2,1}", "the repetition {2,1}"),
        ("(((a{30}){30}){30}){30}", "the repetition"),
        (r"\pL{1,900}", "too large"),
        ("(", "missing ): ("),
        ("[a", "missing ]"),
        ("*", "no argument for repetition"),
        ("a\\", "trailing"),
        ("", "empty"),
        ("a" * (MAX_PATTERN + 1), "1001 characters; at most 1000"),
    ],
)
def test_a_pattern_that_is_refused_says_why(pattern: str, says: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011
        Pattern(pattern)
    assert says in str(refused.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "pattern", ["^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "^(([a-z])+.)+[0-9]([a-z])+$", "(.*)(.*)(.*)x"]
)
def test_what_hangs_a_backtracking_engine_is_decided(pattern: str) -> None:
    """A million characters: a backtracking engine would not come back in the age of the universe."""
    assert not found(pattern, "a" * 1_000_000 + "!")


@given(
    st.lists(st.sampled_from(["a", "b+", "^c", "(?P<n>d)", "e$", "(?i:f)", "[g-i]"]), max_size=5), st.text("abcdefgh")
)
def test_a_union_never_misses_what_one_of_them_finds(sources: list[str], text: str) -> None:
    patterns = [Pattern(source) for source in sources]
    encoded = encode(text)
    if any(pattern.found_in(encoded) for pattern in patterns):
        assert Union(patterns).may_be_in(encoded)
    elif patterns:
        assert not Union(patterns).may_be_in(encoded)


@pytest.mark.parametrize("sources", [[r"\Qa", r"\Qx\E"], [r"\Qa)|(b", "c"], ["c", r"\Q*"]])
def test_a_quotation_that_is_not_closed_does_not_swallow_the_next_pattern(sources: list[str]) -> None:
    patterns = [Pattern(source) for source in sources]
    for text in ("a", "x", "a)|(b", "c", "*"):
        if any(pattern.found_in(encode(text)) for pattern in patterns):
            assert Union(patterns).may_be_in(encode(text))


@given(st.text(alphabet=st.characters(), max_size=30))
def test_any_text_is_a_pattern_or_refused_with_a_reason(source: str) -> None:
    assert _reason(source) != ""


def _reason(source: str) -> str | None:
    """Why a pattern is refused, None if it is not."""
    try:
        Pattern(source).found_in(encode("oi"))
    except ValueError as refused:
        return str(refused)
    return None
