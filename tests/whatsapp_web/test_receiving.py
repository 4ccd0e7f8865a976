"""What the page tells, taken apart: nothing of it is believed that has not the right shape."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsself_tui.transport.base import Acknowledged, Edited, MediaInfo, Received, Revoked, TypedByHand
from whatsself_tui.transport.whatsapp_web.catch_up import SLACK_S, Chat, Gap, Seen, chats_of, gaps
from whatsself_tui.transport.whatsapp_web.receiving import KINDS, acknowledged, edited, events_of, revoked

MESSAGE: dict[str, Any] = {
    "key": "false_77000@lid_3A01",
    "bare": "3A01",
    "fromMe": False,
    "chat": "77000@lid",
    "other": "5511999990001@c.us",
    "group": False,
    "broadcast": False,
    "type": "chat",
    "t": 1_700_000_000,
    "ack": 1,
    "name": "Maria",
    "text": "Oi",
    "media": None,
}


def test_a_message_brings_both_addresses_and_the_key_for_later() -> None:
    assert list(events_of(MESSAGE)) == [
        Received(
            wa_id="3A01",
            chat="77000@lid",
            body="Oi",
            written_at_ms=1_700_000_000_000,
            name="Maria",
            kind="text",
            other="5511999990001@c.us",
            key="false_77000@lid_3A01",
        )
    ]


def test_a_medium_is_its_caption_and_what_is_known_without_fetching_it() -> None:
    media = {"mimetype": "image/jpeg", "name": "foto.jpg", "size": 12}
    (event,) = events_of({**MESSAGE, "type": "image", "text": "a foto", "media": media})
    assert isinstance(event, Received)
    assert (event.kind, event.body, event.media) == ("image", "a foto", MediaInfo("image/jpeg", "foto.jpg", 12))


def test_an_own_message_is_typed_by_hand_as_far_as_the_page_knows_and_tells_how_far_it_is() -> None:
    events = list(events_of({**MESSAGE, "fromMe": True, "ack": 2}))
    assert events == [
        TypedByHand("3A01", "77000@lid", "Oi", 1_700_000_000_000, "5511999990001@c.us"),
        Acknowledged("3A01", 2),
    ]
    assert len(list(events_of({**MESSAGE, "fromMe": True, "ack": 0}))) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"group": True, "chat": "123@g.us"},
        {"broadcast": True, "chat": "status@broadcast"},
        {"chat": "77@newsletter"},
        {"chat": None},
        {"type": "e2e_notification"},
        {"type": "ciphertext"},
        {"type": "reaction"},
        {"type": "call_log"},
        {"bare": ""},
        {"bare": 5},
        {"bare": "x" * 201},
    ],
)
def test_what_no_person_wrote_to_us_is_no_message(change: dict[str, Any]) -> None:
    assert list(events_of({**MESSAGE, **change})) == []


junk = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.lists(st.integers(), max_size=2)
)


@given(st.dictionaries(st.sampled_from(list(MESSAGE)), junk | st.dictionaries(st.text(max_size=4), junk, max_size=3)))
def test_nonsense_raises_nothing(change: dict[str, Any]) -> None:
    for event in (
        *events_of({**MESSAGE, **change}),
        *edited(change, 5),
        *revoked(change, 5),
        *acknowledged(change),
    ):
        assert isinstance(event, Received | TypedByHand | Acknowledged | Edited | Revoked)


def test_changes_of_our_own_messages_are_no_news() -> None:
    change = {"bare": "3A01", "text": "novo", "t": 1_700_000_100}
    assert list(edited(change, 5)) == [Edited("3A01", "novo", 1_700_000_100_000)]
    assert list(revoked(change, 5)) == [Revoked("3A01", 5)]
    assert [*edited({**change, "fromMe": True}, 5), *revoked({**change, "fromMe": True}, 5)] == []


def test_every_kind_has_a_word_the_rules_and_the_panes_can_show() -> None:
    assert all(kind.isalpha() and kind == kind.lower() for kind in KINDS.values())


NOW_MS = 1_700_000_000_000


def chat(name: str, last_s: float, key: str = "k", other: str = "") -> Chat:
    return Chat(name, other, last_s, key)


def reaching(one: Chat) -> Seen:
    return Seen(one.last_key, round(one.last_s * 1000))


def test_a_conversation_with_something_newer_is_looked_into_from_what_is_known_without_a_gap() -> None:
    seen = {"1@lid": Seen("k1", NOW_MS), "55119999@c.us": Seen("k1", NOW_MS), "3@lid": Seen("k1", NOW_MS)}
    newer, same = chat("1@lid", NOW_MS / 1000 + 5, "k2"), chat("2@lid", NOW_MS / 1000, "k1", "55119999@c.us")
    only_ours = chat("3@lid", NOW_MS / 1000 + 7, "k1")
    since_s = NOW_MS / 1000 - SLACK_S
    assert gaps([only_ours, newer, same], seen, NOW_MS) == [
        Gap("1@lid", "k1", since_s, reaching(newer)),
        Gap("3@lid", "k1", since_s, reaching(only_ours)),
    ]


def test_a_message_that_came_with_an_event_hides_none_that_came_without_one_before_it() -> None:
    """Both stand behind what is known without a gap, so both are fetched."""
    last = chat("1@lid", NOW_MS / 1000 + 5, "k3")
    assert gaps([last], {"1@lid": Seen("k1", NOW_MS)}, NOW_MS)[0].after == "k1"


def test_a_conversation_never_seen_counts_from_the_last_catching_up_on() -> None:
    old, new = chat("1@lid", NOW_MS / 1000 - 1000), chat("2@lid", NOW_MS / 1000 + 1000)
    assert gaps([new, old], {}, NOW_MS) == [Gap("2@lid", None, NOW_MS / 1000 - SLACK_S, reaching(new))]


def test_what_lies_before_the_first_connection_is_history() -> None:
    assert gaps([chat("1@lid", NOW_MS / 1000 + 1000)], {}, None) == []


def test_the_page_s_list_is_not_believed() -> None:
    good = {"chat": "1@lid", "other": None, "t": 5, "unread": 1, "lastKey": None}
    assert chats_of([good, None, 3, {}, {"chat": "1@g.us"}, {**good, "t": "x"}]) == [
        Chat("1@lid", "", 5.0, ""),
        Chat("1@lid", "", 0.0, ""),
    ]
    assert chats_of("nonsense") == []
