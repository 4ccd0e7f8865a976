"""What the bridge tells of the connection, with the real wa-js in a real browser: pairing, losses, a changed page."""

from __future__ import annotations

from typing import Any

import pytest
from whatsapp_web.standin.browser import Bridge
from whatsapp_web.standin.routing import until
from whatsapp_web.standin.server import FakeWhatsApp
from whatsapp_web.standin.world import Config

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOTHING_YET = {
    "wajs": "4.6.0",
    "injected": False,
    "ready": False,
    "full": False,
    "authenticated": False,
    "mode": None,
    "info": None,
    "socket": None,
    "me": None,
    "idle": False,
    "needsUpdate": False,
    "syncing": False,
}


async def unpaired(bridge: Bridge, **knobs: Any) -> FakeWhatsApp:
    """Instead, a page that shows a QR code."""
    server = FakeWhatsApp(Config(**knobs))
    await bridge.begin(server, paired=False)
    return server


async def test_pairing_with_a_code_that_changes(bridge: Bridge) -> None:
    server = await unpaired(bridge)
    first = await bridge.ask("qr")
    assert len(first.split(",")) == 4
    assert bridge.told("qr")[-1] == first
    status = await bridge.ask("status")
    assert (status["authenticated"], status["mode"], status["me"]) == (False, "QR", None)
    server.rotate_code()
    await until(server, lambda: bridge.told("qr")[-1] not in (None, first))
    second = bridge.told("qr")[-1]
    assert await bridge.ask("qr") == second
    server.scan()
    status = await bridge.until_status(authenticated=True, mode="MAIN", info="NORMAL")
    assert status["me"] == server.account.phone
    assert bridge.told("qr")[-1] is None
    assert await bridge.ask("qr") is None
    assert "look" in [name for name, _ in bridge.events]


async def test_a_page_that_gave_up_shows_a_new_code_when_asked(bridge: Bridge) -> None:
    server = await unpaired(bridge)
    server.idle_code()
    await bridge.until_status(idle=True)
    await bridge.until_told("qr_idle")
    assert await bridge.ask("qr") is None
    heard = len(bridge.told("qr"))
    assert await bridge.ask("refreshQr") is True
    await until(server, lambda: any(bridge.told("qr")[heard:]))
    assert (await bridge.ask("status"))["idle"] is False


async def test_codes_change_by_themselves_until_the_page_gives_up(bridge: Bridge) -> None:
    server = await unpaired(bridge, qr_rotate_ms=300, qr_codes=3)
    await bridge.until_told("qr_idle")
    assert (await bridge.until_status(idle=True))["mode"] == "QR"
    assert server.device is None


async def test_pairing_with_a_code_for_the_phone(bridge: Bridge) -> None:
    server = await unpaired(bridge)
    assert await bridge.ask("startCode", {"phone": "5511988887777"}) == {"code": "ABCD1234"}
    assert await bridge.until_told("code") == "ABCD1234"
    server.cfg.phone_code = "WXYZ9876"
    server.phone_code_event("refresh_alt_linking_code")
    assert await bridge.until_told("code", 2) == "WXYZ9876"
    server.phone_code_event("force_manual_refresh")
    await bridge.until_told("code_expired")
    server.scan()
    await bridge.until_status(authenticated=True)
    assert server.asked_codes == ["5511988887777"] * 2
    refused = await bridge.ask("startCode", {"phone": "5511988887777"})
    assert refused["error"] == "cannot_get_code_for_already_authenticated"


async def test_no_code_for_the_phone(bridge: Bridge) -> None:
    await unpaired(bridge, phone_code_error="rate-overlimit")
    answer = await bridge.ask("startCode", {"phone": "5511988887777"})
    assert (answer["error"], answer["message"]) == ("Error", "rate-overlimit")
    assert await bridge.until_told("code_error") == "rate-overlimit"
    assert await bridge.ask("cancelCode") is True


async def test_older_conversations_come_after_pairing(bridge: Bridge) -> None:
    server = await unpaired(bridge)
    server.scan(history_ms=400)
    await bridge.until_status(authenticated=True, mode="MAIN", syncing=True)
    await until(server, lambda: "on_full_chat_history_synced" in bridge.told("backend"))
    assert (await bridge.ask("status"))["syncing"] is False


async def test_the_login_outlives_a_reload_and_a_lost_profile_does_not(bridge: Bridge) -> None:
    server = bridge.server
    status = await bridge.ask("status")
    assert (status["authenticated"], status["syncing"]) == (True, False)
    await bridge.load()
    assert server.boots == 2
    await bridge.page.evaluate("localStorage.clear()")
    await bridge.load(paired=False)
    assert (await bridge.ask("status"))["authenticated"] is False


async def test_the_network_goes_and_comes(bridge: Bridge) -> None:
    server = bridge.server
    server.offline()
    await bridge.until_status(mode="MAIN", info="OFFLINE", socket="TIMEOUT")
    key = server.receive("5511911112222@c.us", "durante a queda")
    server.online()
    await bridge.until_status(info="NORMAL", socket="CONNECTED")
    assert (await bridge.until_told("message"))["key"] == key


async def test_another_window_takes_the_login_and_this_one_takes_it_back(bridge: Bridge) -> None:
    server = bridge.server
    server.conflict()
    await bridge.until_status(mode="CONFLICT", socket="CONFLICT")
    assert await bridge.ask("takeOver") is True
    await bridge.until_status(mode="MAIN", info="NORMAL")
    assert server.takeovers == 1


async def test_a_page_that_starts_in_a_conflict_never_gets_ready_but_can_be_asked(bridge: Bridge) -> None:
    server = FakeWhatsApp()
    server.mode = "CONFLICT"
    await bridge.begin(server, ready=False)
    status = await bridge.until_status(injected=True, mode="CONFLICT", ready=True)
    assert status["full"] is False
    assert await bridge.ask("takeOver") is True
    await bridge.until_status(full=True, mode="MAIN", info="NORMAL")


async def test_a_ban_is_told_by_name(bridge: Bridge) -> None:
    server = bridge.server
    server.ban()
    await bridge.until_status(mode="TOS_BLOCK")
    assert "account_temporarily_banned" in bridge.told("backend")


async def test_a_logout_is_told_with_its_reason_and_ends_at_a_code(bridge: Bridge) -> None:
    server = bridge.server
    server.logout("account_locked")
    assert await bridge.until_told("logout") == "account_locked"
    await until(server, lambda: server.boots == 2)
    status = await bridge.until_status(full=True, mode="QR")
    assert status["authenticated"] is False
    assert bridge.told("logout") == ["account_locked"]


async def test_an_update_is_asked_for_and_gone_after_a_reload(bridge: Bridge) -> None:
    server = bridge.server
    server.needs_update()
    await bridge.until_status(needsUpdate=True)
    await bridge.load()
    assert (await bridge.ask("status"))["needsUpdate"] is False


async def test_before_anything_is_there_the_status_says_so(bridge: Bridge) -> None:
    await bridge.page.goto("about:blank")
    assert await bridge.ask("status") == NOTHING_YET
    assert await bridge.ask("qr") is None
    for name in ("refreshQr", "takeOver"):
        assert await bridge.ask(name) is False
    refused = await bridge.ask("send", {"to": "55@c.us", "bare": "3EB0", "text": "x", "deadlineMs": 1_000})
    assert refused["state"] == "refused"
    unknown = await bridge.ask("lookUp", {"to": "55@c.us", "bare": "3EB0", "deadlineMs": 1_000})
    assert unknown["state"] == "unknown"
    assert (await bridge.ask("messages", {"chat": "55@c.us", "deadlineMs": 1_000}))["messages"] == []
    assert await bridge.ask("typing", {"to": "55@c.us", "on": True}) is False
    assert await bridge.ask("chats") == []


async def test_modules_that_come_late_are_waited_for(bridge: Bridge) -> None:
    server = FakeWhatsApp(Config(late=("WAWebStreamModel", "WAWebSocketModel", "WAWebQueryExistsJob")))
    await bridge.begin(server, ready=False)
    status = await bridge.ask("status")
    assert (status["full"], status["authenticated"]) == (False, False)
    server.load_modules()
    await bridge.until_status(full=True, mode="MAIN", info="NORMAL")
    assert await bridge.ask("missing") == []


async def test_what_a_changed_page_lacks_is_named(bridge: Bridge) -> None:
    absent = ("WAWebQueryExistsJob", "WAWebSendMsgChatAction", "WAWebDBMessageFindLocal")
    await bridge.begin(FakeWhatsApp(Config(drop=absent)))
    assert await bridge.ask("missing") == [
        "whatsapp.functions.addAndSendMsgToChat",
        "whatsapp.functions.msgFindByDirection",
        "whatsapp.functions.queryWidExists",
    ]
    refused = await bridge.send("3EB0AA")
    assert refused["state"] == "refused"
    answer = await bridge.ask("resolve", {"phone": "5511911112222", "deadlineMs": 2_000})
    assert answer["state"] == "unknown"


async def test_frames_within_the_page_have_no_bridge(bridge: Bridge) -> None:
    found = await bridge.page.evaluate(
        "() => new Promise((done) => { const frame = document.createElement('iframe');"
        " frame.onload = () => done([typeof frame.contentWindow.__whatsself, typeof window.__whatsself]);"
        " frame.src = '/standin/loader.js'; document.body.append(frame); })"
    )
    assert found == ["undefined", "object"]


async def test_the_page_asks_nobody_else_under_a_strict_policy(bridge: Bridge) -> None:
    blocked = await bridge.page.evaluate(
        "() => new Promise((done) => { document.addEventListener('securitypolicyviolation', () => done('blocked'));"
        " const script = document.createElement('script'); script.textContent = '1'; document.body.append(script); })"
    )
    assert blocked == "blocked"
    await bridge.send("3EB0AA", text="veja https://example.com/")
    assert bridge.server.delivered[0].text == "veja https://example.com/"
