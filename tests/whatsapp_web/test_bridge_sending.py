"""What goes out through the bridge, with the real wa-js in a real browser: once, and with the truth about it."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest
from whatsapp_web.standin.browser import Bridge
from whatsapp_web.standin.routing import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

MARIA = "5511933334444@c.us"
ID = "3EB0AABBCCDDEEFF001122"


async def look_up(bridge: Bridge, bare: str = ID, to: str = MARIA, deadline_ms: int = 5_000) -> Any:
    """The bridge's answer about a message of ours."""
    return await bridge.ask("lookUp", {"to": to, "bare": bare, "deadlineMs": deadline_ms})


def ids(bridge: Bridge) -> list[str]:
    """Of everything that reached WhatsApp, in order."""
    return [one.bare for one in bridge.server.delivered]


async def test_a_message_goes_out_once_under_the_chosen_id(bridge: Bridge) -> None:
    verdict = await bridge.send(ID, MARIA, "olá https://example.com @5511")
    assert (verdict["state"], verdict["ack"], verdict["result"], verdict["chat"]) == ("sent", 1, "OK", MARIA)
    [delivered] = bridge.server.delivered
    assert (delivered.bare, delivered.to, delivered.text) == (ID, MARIA, "olá https://example.com @5511")
    told = await bridge.until_told("sent")
    assert (told["bare"], told["state"], told["ack"]) == (ID, "sent", 1)
    own = await bridge.until_told("message", bare=ID)
    assert (own["fromMe"], own["chat"], own["name"]) == (True, MARIA, None)
    await bridge.until_told("ack", bare=ID, ack=1)
    assert [one.what for one in bridge.server.told] == [], "nothing was marked as read"


async def test_the_same_id_again_is_already_there(bridge: Bridge) -> None:
    await bridge.send(ID)
    bridge.server.ack(ID, 2)
    await bridge.until_told("ack", bare=ID, ack=2)
    again = await bridge.send(ID)
    assert (again["state"], again["ack"]) == ("already", 2)
    assert ids(bridge) == [ID]


async def test_two_calls_of_one_id_at_the_same_moment_send_once(bridge: Bridge) -> None:
    request = {"to": MARIA, "bare": ID, "text": "oi", "deadlineMs": 15_000}
    both = await bridge.page.evaluate("(it) => Promise.all([__whatsself.send(it), __whatsself.send(it)])", request)
    assert [verdict["state"] for verdict in both] == ["sent", "sent"]
    assert ids(bridge) == [ID]
    assert len(bridge.told("sent")) == 1
    third = await bridge.send("3EB0B1")
    assert third["state"] == "sent", "an attempt that is over stands in nobody's way"


async def test_a_phone_number_whose_chat_is_under_its_lid(bridge: Bridge) -> None:
    bridge.server.link("5577@c.us", "77000@lid")
    bridge.server.receive("77000@lid", "z")
    received = await bridge.until_told("message", fromMe=False)
    assert (received["chat"], received["other"]) == ("77000@lid", "5577@c.us")
    verdict = await bridge.send(ID, "5577@c.us")
    assert (verdict["state"], verdict["chat"]) == ("sent", "77000@lid")
    assert bridge.server.delivered[0].to == "77000@lid"
    assert (await look_up(bridge, to="5577@c.us"))["state"] == "present"


async def test_a_message_is_found_after_its_chat_moved_to_the_lid(bridge: Bridge) -> None:
    await bridge.send(ID, MARIA)
    message = next(one for one in bridge.server.local.values() if one.bare == ID)
    bridge.server.link(MARIA, "88000@lid")
    bridge.server.receive("88000@lid", "agora com lid")
    await bridge.until_told("message", chat="88000@lid")
    assert message.chat == MARIA
    assert (await look_up(bridge, to="88000@lid"))["state"] == "present"
    assert (await bridge.send(ID, "88000@lid"))["state"] == "already"


async def test_a_group_gets_a_key_with_the_own_lid(bridge: Bridge) -> None:
    verdict = await bridge.send(ID, "120363000000000001@g.us")
    assert verdict["state"] == "sent"
    own = await bridge.until_told("message", bare=ID)
    assert own["key"] == f"true_120363000000000001@g.us_{ID}_{bridge.server.account.lid}"
    assert own["group"] is True
    bridge.server.ack(ID, 3)
    await bridge.until_told("ack", bare=ID, ack=3)


@pytest.mark.parametrize("to", ["", "abc", "@c.us"])
async def test_a_bad_address_is_refused(bridge: Bridge, to: str) -> None:
    verdict = await bridge.send(ID, to)
    assert verdict["state"] == "refused"
    assert verdict["error"]
    assert ids(bridge) == []


async def test_an_id_that_would_break_the_key_is_refused(bridge: Bridge) -> None:
    verdict = await bridge.send("3EB0_1")
    assert (verdict["state"], verdict["error"]) == ("refused", "invalid_id")


async def test_without_a_network_it_is_unknown_at_the_deadline_and_told_later(bridge: Bridge) -> None:
    bridge.server.offline()
    await bridge.until_status(info="OFFLINE")
    verdict = await bridge.send(ID, deadlineMs=300)
    assert (verdict["state"], verdict["error"]) == ("unknown", "deadline")
    again = await bridge.send(ID, deadlineMs=300)
    assert (again["state"], again["ack"]) == ("already", 0), "the page has it and will send it by itself"
    assert await look_up(bridge) == {"state": "pending", "ack": 0}
    assert bridge.told("sent") == []
    bridge.server.online()
    late = await bridge.until_told("sent")
    assert (late["bare"], late["state"], late["ack"]) == (ID, "sent", 1)
    assert ids(bridge) == [ID]


async def test_what_whatsapp_does_not_take_has_failed_and_may_go_again(bridge: Bridge) -> None:
    bridge.server.cfg.send_result = "ERROR_NETWORK"
    verdict = await bridge.send(ID)
    assert (verdict["state"], verdict["ack"], verdict["result"]) == ("failed", -1, "ERROR_NETWORK")
    assert await look_up(bridge) == {"state": "failed", "ack": -1}
    bridge.server.cfg.send_result = "OK"
    assert (await bridge.send(ID))["state"] == "sent"
    assert ids(bridge) == [ID]


async def test_after_a_reload_only_a_deep_look_finds_what_was_sent(bridge: Bridge) -> None:
    await bridge.send(ID)
    await bridge.load()
    assert await look_up(bridge) == {"state": "present", "ack": 1}
    assert await look_up(bridge, "3EB0FF") == {"state": "absent", "ack": None}
    again = await bridge.send(ID, deep=True)
    assert (again["state"], again["ack"]) == ("already", 1)
    new = await bridge.send("3EB0FF", deep=True)
    assert new["state"] == "sent"
    assert ids(bridge) == [ID, "3EB0FF"]


async def test_a_look_that_cannot_tell_sends_nothing(bridge: Bridge) -> None:
    await bridge.page.evaluate(
        "() => { const module = importNamespace('WAWebChatMessageSearch');"
        " module.getSearchContext = () => { throw new Error('it is gone'); } }"
    )
    verdict = await bridge.send(ID, deep=True)
    assert (verdict["state"], verdict["message"]) == ("unknown", "it is gone")
    assert (await look_up(bridge))["state"] == "unknown"
    assert ids(bridge) == []


async def test_a_chat_that_is_not_found_in_time_is_refused_for_good(bridge: Bridge) -> None:
    await bridge.page.evaluate(
        "() => { const module = importNamespace('WAWebFindChatAction'), find = module.findOrCreateLatestChat;"
        " module.findOrCreateLatestChat = (wid) => new Promise((go) => { window.letFind = () => go(find(wid)); }) }"
    )
    verdict = await bridge.send(ID, deadlineMs=200)
    assert (verdict["state"], verdict["error"]) == ("refused", "deadline")
    await bridge.page.evaluate("letFind()")
    await bridge.until_news()
    await bridge.until_news()
    assert ids(bridge) == []


async def test_what_the_page_has_not_got_away_is_pending_and_leaves_at_the_next_start(bridge: Bridge) -> None:
    bridge.server.hold("deliver")
    sending = asyncio.ensure_future(bridge.send(ID, deadlineMs=500))
    await until(bridge.server, lambda: any(one.bare == ID and one.ack == 0 for one in bridge.server.local.values()))
    assert (await sending)["state"] == "unknown"
    await bridge.load()
    assert await look_up(bridge) == {"state": "pending", "ack": 0}
    assert (await bridge.send(ID, deep=True))["state"] == "already"
    bridge.server.release("deliver")
    await until(bridge.server, lambda: ids(bridge) == [ID])
    await bridge.until_told("ack", bare=ID, ack=1)
    assert bridge.server.delivered[0].again is True


async def test_what_never_reached_the_database_is_absent_after_a_reload(bridge: Bridge) -> None:
    bridge.server.hold("store")
    assert (await bridge.send(ID, deadlineMs=300))["state"] == "unknown"
    await bridge.load()
    bridge.server.release("store")
    assert await look_up(bridge) == {"state": "absent", "ack": None}
    assert (await bridge.send(ID, deep=True))["state"] == "sent"
    assert ids(bridge) == [ID]


PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def file_of(kind: str, mimetype: str, name: str, content: bytes) -> dict[str, str]:
    """As Python hands it to the page."""
    data = f"data:{mimetype};base64,{base64.b64encode(content).decode()}"
    return {"data": data, "kind": kind, "mimetype": mimetype, "name": name}


@pytest.mark.parametrize(
    ("kind", "mimetype", "name", "content"),
    [
        ("image", "image/png", "foto.png", PNG),
        ("document", "application/pdf", "Cardápio de maio.pdf", b"%PDF-1.4 " + bytes(range(256))),
        ("audio", "audio/ogg", "recado.ogg", b"OggS" + bytes(200)),
    ],
)
async def test_a_file_goes_out_byte_for_byte(
    bridge: Bridge, kind: str, mimetype: str, name: str, content: bytes
) -> None:
    verdict = await bridge.send(ID, text="veja", file=file_of(kind, mimetype, name, content))
    assert (verdict["state"], verdict["result"]) == ("sent", "OK")
    [delivered] = bridge.server.delivered
    assert (delivered.type, delivered.mimetype, delivered.file_name) == (kind, mimetype, name)
    assert delivered.data == content
    assert delivered.text == "veja"
    own = await bridge.until_told("message", bare=ID)
    assert (own["type"], own["text"]) == (kind, "veja")
    assert own["media"] == {"mimetype": mimetype, "name": name, "size": len(content)}


async def test_a_file_without_a_caption_has_none(bridge: Bridge) -> None:
    await bridge.send(ID, text="", file=file_of("document", "text/plain", "a.txt", b"ol\xc3\xa1"))
    own = await bridge.until_told("message", bare=ID)
    assert own["text"] == ""


async def test_a_file_wa_js_does_not_recognise_is_decided_by_its_acknowledgement(bridge: Bridge) -> None:
    await bridge.configure(clone_media_keys=True)
    verdict = await bridge.send(ID, file=file_of("image", "image/png", "foto.png", PNG))
    assert (verdict["state"], verdict["ack"], verdict["result"]) == ("sent", 1, None)
    assert (await bridge.send("3EB0B1", text="depois"))["state"] == "sent"
    assert ids(bridge) == [ID, "3EB0B1"]


async def test_a_file_that_failed_goes_again_under_its_id(bridge: Bridge) -> None:
    foto = file_of("image", "image/png", "foto.png", PNG)
    bridge.server.cfg.send_result = "ERROR_UPLOAD"
    failed = await bridge.send(ID, file=foto)
    assert (failed["state"], failed["result"]) == ("failed", "ERROR_UPLOAD")
    bridge.server.cfg.send_result = "OK"
    sent = await bridge.send(ID, file=foto)
    assert (sent["state"], sent["result"]) == ("sent", "OK")
    assert ids(bridge) == [ID]


async def test_a_file_that_is_still_being_prepared_is_pending(bridge: Bridge) -> None:
    await bridge.page.evaluate(
        "() => { const { prototype } = importNamespace('WAWebPrepRawMedia').MediaPrep;"
        " prototype.waitForPrep = () => new Promise((done) => { window.letPrepare = done; }); }"
    )
    foto = file_of("image", "image/png", "foto.png", PNG)
    assert (await bridge.send(ID, file=foto, deadlineMs=300))["state"] == "unknown"
    assert await look_up(bridge) == {"state": "pending", "ack": 0}
    assert (await bridge.send(ID, file=foto, deadlineMs=300))["state"] == "unknown"
    await bridge.page.evaluate("letPrepare()")
    assert (await bridge.until_told("sent"))["state"] == "sent"
    assert ids(bridge) == [ID]


async def test_a_file_above_whatsapps_limit_is_refused(bridge: Bridge) -> None:
    await bridge.configure(upload_limit_bytes=10)
    verdict = await bridge.send(ID, file=file_of("document", "text/plain", "a.txt", bytes(11)))
    assert (verdict["state"], verdict["error"]) == ("refused", "file_too_large")
    assert ids(bridge) == []


async def test_typing_is_shown_only_where_there_is_a_chat(bridge: Bridge) -> None:
    assert await bridge.ask("typing", {"to": "5511900000000@c.us", "on": True}) is False
    assert await bridge.ask("typing", {"to": "nonsense", "on": True}) is False
    await bridge.send(ID, MARIA)
    assert await bridge.ask("typing", {"to": MARIA, "on": True}) is True
    assert await bridge.ask("typing", {"to": MARIA, "on": False}) is True
    assert [(one.what, one.chat) for one in bridge.server.told] == [("composing", MARIA), ("paused", MARIA)]


async def test_a_number_on_whatsapp_is_told_with_whatsapps_own_address(bridge: Bridge) -> None:
    bridge.server.exists["5511999990001@c.us"] = ("551199990001@c.us", "4242@lid")
    question = {"phone": "5511999990001", "deadlineMs": 5_000}
    answer = await bridge.ask("resolve", question)
    assert (answer["state"], answer["phone"], answer["lid"]) == ("yes", "551199990001@c.us", "4242@lid")
    verdict = await bridge.send(ID, answer["chat"])
    assert verdict["state"] == "sent"


async def test_a_chat_that_exists_needs_no_question(bridge: Bridge) -> None:
    await bridge.send(ID, MARIA)
    answer = await bridge.ask("resolve", {"phone": MARIA.partition("@")[0], "deadlineMs": 5_000})
    assert (answer["state"], answer["chat"]) == ("yes", MARIA)
    assert bridge.server.asked_exists == []


async def test_a_number_nobody_has_is_asked_for_twice(bridge: Bridge) -> None:
    bridge.server.exists["5511900000000@c.us"] = None
    answer = await bridge.ask("resolve", {"phone": "5511900000000", "deadlineMs": 5_000})
    assert answer == {"state": "no", "chat": None, "phone": None, "lid": None}
    assert bridge.server.asked_exists == ["5511900000000@c.us"] * 2


async def test_an_error_or_a_lost_connection_says_nothing_about_a_number(bridge: Bridge) -> None:
    bridge.server.cfg.exists_error = "timeout"
    answer = await bridge.ask("resolve", {"phone": "5511900000001", "deadlineMs": 5_000})
    assert (answer["state"], answer["message"]) == ("unknown", "timeout")
    bridge.server.cfg.exists_error = ""
    bridge.server.exists["5511900000002@c.us"] = None
    bridge.server.offline()
    await bridge.until_status(info="OFFLINE")
    answer = await bridge.ask("resolve", {"phone": "5511900000002", "deadlineMs": 5_000})
    assert answer["state"] == "unknown"
    assert (await bridge.ask("resolve", {"phone": "x", "deadlineMs": 5_000}))["error"] == "invalid_phone"
