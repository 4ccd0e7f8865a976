"""Hypothesis strategies: small automations, as parsed from valid files, with names and texts of every kind."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from whatsself_tui.automation.folding import fold

Entry = dict[str, Any]

_LETTERS = st.characters(codec="utf-8", exclude_categories=["C", "Z"])
NAMES = st.text(_LETTERS, min_size=1, max_size=12)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="{}"), max_size=40).map(
    lambda text: f"{text}oi{text}"
)
PHRASES = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=12).filter(
    lambda text: bool(fold(text))
)


@st.composite
def automations(draw: st.DrawFn) -> dict[str, list[Entry]]:
    """Tables by kind; kinds without entries are left out."""
    templates = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    flows = draw(st.lists(NAMES, max_size=2, unique=True))
    triggers = draw(st.lists(NAMES, max_size=4, unique=True))
    data = {
        "template": [_template(draw, name) for name in templates],
        "trigger": [_trigger(draw, name, templates, flows) for name in triggers],
        "flow": [_flow(draw, name, templates) for name in flows],
    }
    return {kind: entries for kind, entries in data.items() if entries}


def _template(draw: st.DrawFn, name: str) -> Entry:
    entry: Entry = {"name": name, "text": draw(TEXTS)}
    if draw(st.booleans()):
        entry["variants"] = draw(st.lists(TEXTS, min_size=1, max_size=3) | TEXTS)
    return entry


def _trigger(draw: st.DrawFn, name: str, templates: list[str], flows: list[str]) -> Entry:
    entry: Entry = {"name": name}
    if draw(st.booleans()):
        digits = st.lists(st.integers(0, 99).map(str), min_size=1, max_size=3)
        entry["number"] = draw(st.one_of(st.integers(0, 999), digits))
    else:
        kind = draw(st.sampled_from(["equals", "contains"]))
        entry[kind] = draw(PHRASES | st.lists(PHRASES, min_size=1, max_size=3))
    entry["template"] = draw(st.sampled_from(templates))
    if draw(st.booleans()) and flows:
        entry["flow"] = draw(st.sampled_from(flows))
    if draw(st.booleans()):
        entry["priority"] = draw(st.integers(0, 100))
        entry["active"] = draw(st.booleans())
    return entry


def _flow(draw: st.DrawFn, name: str, templates: list[str]) -> Entry:
    steps = draw(st.lists(NAMES, min_size=2, max_size=4, unique=True))
    *asking, end = steps
    written: list[Entry] = []
    for step, following in zip(asking, steps[1:], strict=True):
        entry: Entry = {"name": step, "ask": draw(st.sampled_from(templates)), "next": following}
        if draw(st.booleans()):
            answers = draw(st.lists(PHRASES, min_size=1, max_size=3, unique_by=fold))
            entry["answers"] = {answer: draw(st.sampled_from(steps)) for answer in answers if answer != "*"}
            entry["tries"] = draw(st.integers(1, 10))
        written.append({key: value for key, value in entry.items() if value != {}})
    written.append({"name": end, "end": draw(st.sampled_from([True, *templates]))})
    return {"name": name, "step": written}
