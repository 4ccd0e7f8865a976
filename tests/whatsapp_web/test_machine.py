"""Which state a page's own words mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsself_tui.transport.base import LinkState
from whatsself_tui.transport.states import TOLD, advice
from whatsself_tui.transport.whatsapp_web.machine import PageStatus, judge

READY = {"injected": True, "full": True, "authenticated": True, "mode": "MAIN", "info": "NORMAL"}

MODES = [
    *("QR", "MAIN", "SYNCING", "OFFLINE", "CONFLICT"),
    *("PROXYBLOCK", "TOS_BLOCK", "SMB_TOS_BLOCK", "DEPRECATED_VERSION"),
]
INFOS = ["OFFLINE", "OPENING", "PAIRING", "SYNCING", "RESUMING", "CONNECTING", "NORMAL"]


def of(**changes: Any) -> PageStatus:
    return PageStatus.of({**READY, **changes})


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (of(), LinkState.READY),
        (of(full=False), LinkState.LOADING),
        (of(info="OFFLINE"), LinkState.OFFLINE),
        (of(info="RESUMING"), LinkState.OFFLINE),
        (of(mode="OFFLINE"), LinkState.OFFLINE),
        (of(mode="PROXYBLOCK"), LinkState.OFFLINE),
        (of(mode="SYNCING", info="CONNECTING"), LinkState.SYNCING),
        (of(mode="SYNCING", authenticated=False), LinkState.LOADING),
        (of(mode="QR", authenticated=False, info="PAIRING"), LinkState.PAIRING),
        (of(mode="CONFLICT", info="OFFLINE"), LinkState.CONFLICT),
        (of(mode="TOS_BLOCK"), LinkState.BLOCKED),
        (of(mode="SMB_TOS_BLOCK"), LinkState.BLOCKED),
        (of(mode="DEPRECATED_VERSION"), LinkState.NEEDS_UPDATE),
        (of(needsUpdate=True), LinkState.NEEDS_UPDATE),
        (of(injected=False), LinkState.LOADING),
        (of(mode=None), LinkState.LOADING),
        (PageStatus(), LinkState.LOADING),
    ],
)
def test_each_mode_of_the_page_is_one_state(status: PageStatus, state: LinkState) -> None:
    assert judge(status, paired=False) is state


def test_a_code_after_a_login_means_that_whatsapp_has_ended_it() -> None:
    assert judge(of(mode="QR", authenticated=False), paired=True) is LinkState.LOGGED_OUT


@given(
    st.fixed_dictionaries(
        {
            "injected": st.booleans(),
            "full": st.booleans(),
            "authenticated": st.booleans(),
            "mode": st.none() | st.sampled_from(MODES) | st.text(max_size=5),
            "info": st.none() | st.sampled_from(INFOS) | st.text(max_size=5),
            "needsUpdate": st.booleans(),
        }
    ),
    st.booleans(),
)
def test_ready_is_only_who_is_logged_in_with_a_stream_that_flows(answer: dict[str, Any], paired: bool) -> None:
    state = judge(PageStatus.of(answer), paired=paired)
    is_usable = all(answer[name] == value for name, value in READY.items()) and not answer["needsUpdate"]
    assert (state is LinkState.READY) == is_usable


@given(st.dictionaries(st.sampled_from([*READY, "me", "wajs", "idle", "syncing"]), st.integers() | st.lists(st.none())))
def test_a_page_that_answers_nonsense_is_not_ready(answer: dict[str, Any]) -> None:
    assert judge(PageStatus.of(answer), paired=True) is not LinkState.READY


def test_every_state_has_a_sentence_and_every_bad_one_an_advice() -> None:
    assert set(TOLD) == set(LinkState)
    fine = {LinkState.READY, LinkState.STARTING}
    assert all(sentence for sentence, _ in TOLD.values())
    assert {state for state in LinkState if not advice(state)} == fine
    assert advice("a state of a later version") == ""


def test_the_page_about_whatsapp_tells_of_every_state() -> None:
    text = (Path(__file__).parents[2] / "docs" / "whatsapp.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("|")]
    told = {name.strip().replace(" ", "_") for row in rows for name in row.split(",")}
    assert set(LinkState) <= told
