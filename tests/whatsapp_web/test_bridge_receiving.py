"""What comes in through the bridge, with the real wa-js in a real browser: events, catching up, and media."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from whatsapp_web.standin.browser import Bridge
from whatsapp_web.standin.routing import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

MARIA = "5511911112222@c.us"
GROUP = "120363000000000001@g.us"


async def messages(bridge: Bridge, chat: str = MARIA, **asked: Any) -> Any:
    """What the bridge finds of a conversation."""
    question = {"chat": chat, "after": None, "since": 0, "limit": 50, "deadlineMs": 5_000, **asked}
    return await bridge.ask("messages", question)


def texts(answer: dict[str, Any]) -> list[str]:
    """Of the messages found."""
    assert answer["error"] is None
    return [message["text"] for message in answer["messages"]]


async def taken_in(bridge: Bridge, *keys: str) -> None:
    """Return once the page has these messages, told of or not: orders are obeyed in turn, the next poll comes after."""
    await until(bridge.server, lambda: set(keys) <= set(bridge.server.local))
    await bridge.until_news()
    await bridge.until_news()


async def test_a_message_is_told_in_plain_words(bridge: Bridge) -> None:
    bridge.server.link(MARIA, "111@lid")
    key = bridge.server.receive(MARIA, "olá <b>você</b>", name="Maria", t=1_700_000_000)
    assert await bridge.until_told("message") == {
        "key": key,
        "bare": key.split("_")[2],
        "fromMe": False,
        "chat": MARIA,
        "other": "111@lid",
        "group": False,
        "broadcast": False,
        "type": "chat",
        "t": 1_700_000_000,
        "ack": 1,
        "name": "Maria",
        "text": "olá <b>você</b>",
        "media": None,
    }


async def test_the_name_of_the_address_book_comes_first(bridge: Bridge) -> None:
    bridge.server.contact(MARIA, name="Maria da Silva", pushname="mari")
    await bridge.load()
    bridge.server.receive(MARIA, "oi", name="mari")
    assert (await bridge.until_told("message"))["name"] == "Maria da Silva"


async def test_groups_status_and_newsletters_are_told_apart(bridge: Bridge) -> None:
    bridge.server.receive(GROUP, "no grupo", author="111@lid")
    bridge.server.receive("status@broadcast", "no status", author=MARIA)
    bridge.server.receive("120363999@newsletter", "no canal")
    bridge.server.receive(MARIA, "para mim")
    await bridge.until_told("message", chat=MARIA)
    flags = {told["text"]: (told["group"], told["broadcast"], told["other"]) for told in bridge.told("message")}
    assert flags == {
        "no grupo": (True, False, None),
        "no status": (False, True, None),
        "no canal": (False, True, None),
        "para mim": (False, False, None),
    }


async def test_what_cannot_be_read_yet_is_told_once_it_can(bridge: Bridge) -> None:
    key = bridge.server.receive(MARIA, kind="ciphertext")
    await taken_in(bridge, key)
    assert bridge.told("message") == []
    assert texts(await messages(bridge)) == []
    bridge.server.decrypt(key, "agora sim")
    assert (await bridge.until_told("message"))["text"] == "agora sim"
    await bridge.until_news()
    assert len(bridge.told("message")) == 1


async def test_what_was_typed_on_the_phone_is_ours(bridge: Bridge) -> None:
    key = bridge.server.typed_by_hand(MARIA, "eu mesma respondo")
    told = await bridge.until_told("message")
    assert (told["key"], told["fromMe"], told["chat"], told["text"]) == (key, True, MARIA, "eu mesma respondo")


async def test_an_edit_tells_the_new_text_and_when(bridge: Bridge) -> None:
    key = bridge.server.receive(MARIA, "dois pasteis")
    await bridge.until_told("message")
    bridge.server.edit(key, "dois pastéis", at_ms=1_700_000_123_456)
    expected = {"bare": key.split("_")[2], "chat": MARIA, "fromMe": False, "text": "dois pastéis", "t": 1_700_000_123}
    assert await bridge.until_told("edited") == expected
    assert texts(await messages(bridge)) == ["dois pastéis"]


async def test_the_caption_of_a_medium_can_be_edited(bridge: Bridge) -> None:
    key = bridge.server.receive(MARIA, "foto", kind="image", media=("image/jpeg", "", b"\xff\xd8"))
    await bridge.until_told("message")
    bridge.server.edit(key, "foto do bolo")
    assert (await bridge.until_told("edited"))["text"] == "foto do bolo"


async def test_a_message_taken_back_is_told(bridge: Bridge) -> None:
    key = bridge.server.receive(MARIA, "ops")
    await bridge.until_told("message")
    bridge.server.revoke(key)
    assert await bridge.until_told("revoked") == {"bare": key.split("_")[2], "chat": MARIA, "fromMe": False}
    [left] = (await messages(bridge))["messages"]
    assert (left["type"], left["text"]) == ("revoked", "")


async def test_acknowledgements_are_told_as_they_come(bridge: Bridge) -> None:
    await bridge.send("3EB0AA")
    for level in (3, 2):
        bridge.server.ack("3EB0AA", level)
        await bridge.until_told("ack", bare="3EB0AA", ack=level)
    assert [told["ack"] for told in bridge.told("ack")] == [1, 3, 2]


async def test_chats_lists_people_and_nobody_else(bridge: Bridge) -> None:
    bridge.server.link(MARIA, "111@lid")
    first = bridge.server.receive("111@lid", "um", t=1_700_000_000)
    last = bridge.server.receive("111@lid", "dois", t=1_700_000_009)
    other = bridge.server.receive(GROUP, "grupo", author="111@lid")
    await taken_in(bridge, first, last, other)
    assert await bridge.ask("chats") == [
        {"chat": "111@lid", "other": MARIA, "t": 1_700_000_009, "unread": 2, "lastKey": last}
    ]


async def test_catching_up_after_the_last_message_known(bridge: Bridge) -> None:
    known = bridge.server.receive(MARIA, "antes")
    await bridge.until_told("message")
    silent = [bridge.server.receive(MARIA, text, silent=True) for text in ("fora 1", "fora 2")]
    await taken_in(bridge, *silent)
    assert [told["text"] for told in bridge.told("message")] == ["antes"]
    answer = await messages(bridge, after=known)
    assert (texts(answer), answer["complete"]) == (["fora 1", "fora 2"], True)
    assert (await messages(bridge, after=silent[1]))["messages"] == []


async def test_catching_up_works_from_the_database_after_a_reload(bridge: Bridge) -> None:
    known = bridge.server.receive(MARIA, "antes", t=1_700_000_000)
    await taken_in(bridge, known)
    await bridge.page.goto("about:blank")
    for at, text in enumerate(("um", "dois", "três"), start=1):
        bridge.server.receive(MARIA, text, t=1_700_000_000 + at)
    bridge.server.typed_by_hand(MARIA, "minha")
    await bridge.load()
    answer = await messages(bridge, after=known)
    assert (texts(answer), answer["complete"]) == (["um", "dois", "três", "minha"], True)
    own = answer["messages"][-1]
    assert own["fromMe"] is True
    unread_as_well = await messages(bridge, since=1_700_000_002)
    assert texts(unread_as_well) == ["antes", "um", "dois", "três", "minha"]
    bridge.server.read(MARIA)
    await bridge.load()
    assert texts(await messages(bridge, since=1_700_000_002)) == ["dois", "três", "minha"]


async def test_a_limit_cuts_without_leaving_a_hole(bridge: Bridge) -> None:
    keys = [bridge.server.receive(MARIA, str(number), t=1_700_000_000 + number) for number in range(7)]
    await taken_in(bridge, *keys)
    bridge.server.read(MARIA)
    await bridge.load()
    page = await messages(bridge, after=keys[0], limit=3)
    assert (texts(page), page["complete"]) == (["1", "2", "3"], False)
    rest = await messages(bridge, after=page["messages"][-1]["key"], limit=3)
    assert (texts(rest), rest["complete"]) == (["4", "5", "6"], True)
    newest = await messages(bridge, since=1_700_000_001, limit=4)
    assert (texts(newest), newest["complete"]) == (["3", "4", "5", "6"], False)
    whole = await messages(bridge, since=1_700_000_004, limit=4)
    assert (texts(whole), whole["complete"]) == (["4", "5", "6"], True)


async def test_an_anchor_that_is_gone_falls_back_to_the_time(bridge: Bridge) -> None:
    await taken_in(bridge, bridge.server.receive(MARIA, "está", t=1_700_000_000))
    answer = await messages(bridge, after=f"false_{MARIA}_3A00GONE", since=1_600_000_000)
    assert (texts(answer), answer["complete"]) == (["está"], False)


async def test_an_anchor_from_before_the_chat_moved_to_the_lid(bridge: Bridge) -> None:
    known = bridge.server.receive("111@lid", "antes", bare="3A01")
    new = bridge.server.receive("111@lid", "depois", bare="3A02")
    bridge.server.link(MARIA, "111@lid")
    await taken_in(bridge, known, new)
    await bridge.until_told("message", bare="3A02")
    answer = await messages(bridge, MARIA, after=f"false_{MARIA}_3A01")
    assert (texts(answer), answer["complete"]) == (["depois"], True)


async def test_a_conversation_nobody_had(bridge: Bridge) -> None:
    answer = await messages(bridge, "5511900000000@c.us")
    assert answer == {"messages": [], "complete": False, "error": "chat_not_found"}
    assert (await messages(bridge, "nonsense"))["error"]


async def test_a_medium_is_described_and_can_be_fetched(bridge: Bridge) -> None:
    content = bytes(range(256)) * 40
    key = bridge.server.receive(MARIA, "segue", kind="document", media=("application/pdf", "pedido.pdf", content))
    told = await bridge.until_told("message")
    assert (told["type"], told["text"]) == ("document", "segue")
    assert told["media"] == {"mimetype": "application/pdf", "name": "pedido.pdf", "size": len(content)}
    question = {"key": key, "limitBytes": 100_000, "deadlineMs": 5_000}
    answer = await bridge.ask("download", question)
    assert (answer["mimetype"], base64.b64decode(answer["data"])) == ("application/pdf", content)
    await bridge.load()
    answer = await bridge.ask("download", question)
    assert base64.b64decode(answer["data"]) == content, "also when only the database has the message"


async def test_a_medium_that_cannot_be_had(bridge: Bridge) -> None:
    large = bridge.server.receive(MARIA, kind="image", media=("image/png", "", bytes(1_000)))
    gone = bridge.server.receive(MARIA, kind="image", media=("image/png", "", b"png"))
    words = bridge.server.receive(MARIA, "só texto")
    del bridge.server.media[gone.split("_")[2]]
    await taken_in(bridge, large, gone, words)
    question = {"limitBytes": 999, "deadlineMs": 5_000}
    errors = {
        name: (await bridge.ask("download", {"key": key, **question}))["error"]
        for name, key in (
            ("large", large),
            ("gone", gone),
            ("words", words),
            ("unknown", f"false_{MARIA}_3A00"),
            ("nonsense", "x"),
        )
    }
    assert errors.pop("nonsense")
    assert errors == {
        "large": "too_large",
        "gone": "media_not_found",
        "words": "message_not_contains_media",
        "unknown": "msg_not_found",
    }
