"""A connection through its states: what is told, what is tried, and when nothing is tried."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from support.fake_clock import FakeClock
from support.fake_page import PAIRING, READY, Desk

from whatsself_tui.host import processes
from whatsself_tui.transport.base import Acknowledged, LookUp, Notice, Outcome, Received, SamePerson
from whatsself_tui.transport.whatsapp_web import care
from whatsself_tui.transport.whatsapp_web.browser_session import PageError, ScriptFailed
from whatsself_tui.transport.whatsapp_web.catch_up import Seen

CHAT = "5511999990001@c.us"


def written(bare: str, at_s: float, text: str = "Oi") -> dict[str, Any]:
    return {
        "key": f"false_{CHAT}_{bare}",
        "bare": bare,
        "fromMe": False,
        "chat": CHAT,
        "type": "chat",
        "t": at_s,
        "text": text,
    }


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(autouse=True)
def _threads_take_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def inline(function: Callable[..., Any], *args: Any, **keywords: Any) -> Any:
        return function(*args, **keywords)

    monkeypatch.setattr(asyncio, "to_thread", inline)
    monkeypatch.setattr(care, "can_show_window", lambda: False)
    monkeypatch.setattr(processes, "memory_mb", lambda pid: 300)


@pytest_asyncio.fixture
async def desk(clock: FakeClock, tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(clock, tmp_path, headless="auto", memory_mb=1000)
    yield made
    await made.transport.stop()


async def started(desk: Desk, clock: FakeClock, seconds: float = 5) -> None:
    await desk.transport.start(desk.sink)
    await clock.advance(seconds)


async def test_a_login_that_is_there_connects_without_any_event_of_the_page(desk: Desk, clock: FakeClock) -> None:
    await started(desk, clock)
    assert desk.states == ["starting", "loading", "syncing", "ready"]
    assert desk.memory.phone == "5511988887777"
    assert desk.reading.account == "5511988887777"
    assert desk.reading.browser is not None
    assert desk.reading.browser.starts == 1


async def test_what_was_missed_is_told_before_anything_may_be_sent(desk: Desk, clock: FakeClock) -> None:
    now_s = clock.now_ms() / 1000
    desk.memory.at_ms = clock.now_ms() - 3_600_000
    desk.memory.cursors[CHAT] = Seen(f"false_{CHAT}_A1", clock.now_ms() - 3_600_000)
    desk.web.answers["chats"] = [{"chat": CHAT, "other": None, "t": now_s - 60, "lastKey": f"false_{CHAT}_A3"}]
    desk.web.answers["messages"] = {
        "messages": [written("A2", now_s - 120), written("A3", now_s - 60, "PARAR")],
        "complete": True,
    }
    await started(desk, clock)
    received = [event.wa_id for event in desk.events if isinstance(event, Received)]
    assert received == ["A2", "A3"]
    ready = next(i for i, event in enumerate(desk.events) if getattr(event, "state", None) == "ready")
    assert all(i < ready for i, event in enumerate(desk.events) if isinstance(event, Received))
    asked = next(argument for name, argument in desk.web.asked if name == "messages")
    assert asked["after"] == f"false_{CHAT}_A1"


async def test_a_message_the_robot_could_not_store_is_fetched_again(desk: Desk, clock: FakeClock) -> None:
    await started(desk, clock)
    now_s = clock.now_ms() / 1000
    desk.refuses = OSError
    desk.web.answers["chats"] = [{"chat": CHAT, "other": None, "t": now_s, "lastKey": f"false_{CHAT}_B1"}]
    desk.web.answers["messages"] = {"messages": [written("B1", now_s)], "complete": True}
    desk.web.session.tell("message", written("B1", now_s))
    await clock.advance(20)
    assert [e for e in desk.events if isinstance(e, Received)] == []
    desk.refuses = None
    await clock.advance(10)
    assert [e.wa_id for e in desk.events if isinstance(e, Received)] == ["B1"]


async def test_events_keep_their_order(desk: Desk, clock: FakeClock) -> None:
    await started(desk, clock)
    for number in range(50):
        desk.web.session.tell("message", written(f"C{number}", clock.now_ms() / 1000))
    await clock.advance(1)
    assert [e.wa_id for e in desk.events if isinstance(e, Received)] == [f"C{number}" for number in range(50)]


async def test_a_page_that_hangs_is_replaced_and_then_its_browser(desk: Desk, clock: FakeClock) -> None:
    await started(desk, clock)
    desk.web.hangs = True
    desk.web.log.clear()
    await clock.advance(60)
    assert desk.web.log[:5] == ["page", "load", "close", "open", "load"]
    assert "crashed" in desk.states
    opened = desk.web.count("open")
    await clock.advance(2 * 3600)
    assert desk.web.count("open") - opened < 9  # the pauses double
    desk.web.hangs = False
    await clock.advance(3700)
    assert desk.states[-1] == "ready"
    assert desk.reading.next_try_at_ms is None


async def test_a_browser_that_died_is_opened_again_at_once(desk: Desk, clock: FakeClock) -> None:
    await started(desk, clock)
    desk.web.session.die("browser")
    await clock.advance(5)
    assert desk.web.log[-4:] == ["load", "close", "open", "load"]
    assert desk.states[-5:] == ["crashed", "starting", "loading", "syncing", "ready"]


async def test_a_page_that_crashed_gets_another_page_in_the_same_browser(desk: Desk, clock: FakeClock) -> None:
    await started(desk, clock)
    desk.web.session.die("page")
    await clock.advance(5)
    assert desk.web.log[-2:] == ["page", "load"]
    assert desk.web.count("open") == 1
    assert desk.states[-1] == "ready"


async def test_nothing_is_restarted_while_a_code_waits(desk: Desk, clock: FakeClock) -> None:
    desk.web.status = dict(PAIRING)
    desk.web.answers["qr"] = "2@first"
    await started(desk, clock)
    assert desk.states[-1] == "pairing"
    assert desk.reading.qr is not None
    since_ms = desk.reading.qr.since_ms
    await clock.advance(24 * 3600)
    assert desk.web.log == ["open", "load"]
    assert desk.reading.qr.since_ms == since_ms
    desk.web.session.tell("qr", "2@second")
    assert desk.reading.qr.text == "2@second"
    desk.web.status = dict(READY)
    await clock.advance(10)
    assert desk.states[-1] == "ready"
    assert desk.reading.qr is None


async def test_a_phone_code_is_asked_shown_refused_and_forgotten(desk: Desk, clock: FakeClock) -> None:
    desk.web.status = dict(PAIRING)
    desk.web.answers["startCode"] = {"code": "ABCD1234"}
    await started(desk, clock)
    await desk.transport.ask_phone_code("5511988887777")
    assert desk.reading.phone_code is not None
    assert (desk.reading.phone_code.text, desk.reading.phone_code_for) == ("ABCD1234", "5511988887777")
    desk.web.session.tell("code_expired", None)
    assert desk.reading.phone_code is None
    desk.web.answers["startCode"] = {"error": "429", "message": "too many"}
    with pytest.raises(Exception, match="too many"):
        await desk.transport.ask_phone_code("5511988887777")
    assert "too many" in desk.reading.phone_code_error
    desk.web.status = dict(READY)
    await clock.advance(10)
    assert (desk.reading.phone_code_for, desk.reading.phone_code_error) == ("", "")


async def test_a_login_that_whatsapp_ended_says_why(desk: Desk, clock: FakeClock) -> None:
    await started(desk, clock)
    desk.web.session.tell("logout", "unknown_companion")
    desk.web.status = dict(PAIRING)
    await clock.advance(40)
    assert desk.states[-1] == "logged_out"
    assert "unknown_companion" in desk.reading.detail


async def test_a_login_taken_elsewhere_is_taken_back_three_times_an_hour(desk: Desk, clock: FakeClock) -> None:
    await started(desk, clock)

    def taken() -> int:
        return sum(name == "takeOver" for name, _ in desk.web.asked)

    def take_over(argument: Any) -> bool:
        desk.web.status = dict(READY)
        return True

    desk.web.answers["takeOver"] = take_over
    for number in range(1, 4):
        desk.web.status = {**READY, "mode": "CONFLICT", "info": "OFFLINE"}
        desk.web.session.tell("look", None)
        await clock.advance(20)
        assert (desk.states[-1], taken()) == ("conflict", number - 1)
        await clock.advance(20)
        assert (desk.states[-1], taken()) == ("ready", number)
    desk.web.status = {**READY, "mode": "CONFLICT", "info": "OFFLINE"}
    await clock.advance(600)
    assert (desk.states[-1], taken()) == ("conflict", 3)
    assert "3 times" in desk.reading.detail
    assert desk.web.count("open") == 1
    desk.transport.connect_now()
    await clock.advance(5)
    assert taken() == 4


@pytest.mark.parametrize("how", ["mode", "event"])
async def test_a_blocked_number_is_left_alone_until_the_operator_says_so(
    desk: Desk, clock: FakeClock, how: str
) -> None:
    await started(desk, clock)
    if how == "mode":
        desk.web.status = {**READY, "mode": "TOS_BLOCK"}
    else:
        desk.web.session.tell("backend", "account_temporarily_banned")
    await clock.advance(40)
    assert desk.states[-1] == "blocked"
    assert desk.web.log[-1] == "close"
    assert (await desk.transport.send(CHAT, "Oi", "3EB0", None)).outcome is Outcome.NOT_CONNECTED
    done = len(desk.web.log), len(desk.web.asked)
    await clock.advance(7 * 24 * 3600)
    assert (len(desk.web.log), len(desk.web.asked)) == done
    desk.web.status = dict(READY)
    desk.transport.connect_now()
    await clock.advance(10)
    assert desk.states[-1] == "ready"


async def test_an_update_waits_for_the_message_under_way(desk: Desk, clock: FakeClock) -> None:
    await started(desk, clock)
    answered = asyncio.Event()

    async def send(argument: Any) -> Any:
        await answered.wait()
        return {"state": "sent", "ack": 1}

    desk.web.answers["send"] = send
    desk.web.answers["resolve"] = {"state": "yes", "chat": CHAT, "phone": CHAT, "lid": None}
    sending = asyncio.ensure_future(desk.transport.send(CHAT, "Oi", "3EB0", None))
    await clock.advance(0)
    desk.web.status = {**READY, "needsUpdate": True}
    desk.web.log.clear()
    await clock.advance(60)
    assert (desk.states[-1], desk.web.log) == ("needs_update", [])
    answered.set()
    desk.web.status = dict(READY)
    assert (await sending).outcome is Outcome.SENT
    desk.web.status = {**READY, "needsUpdate": True}
    await clock.advance(3)
    assert desk.web.log[0] == "load"


async def test_without_a_network_it_tries_again_and_keeps_the_browser(desk: Desk, clock: FakeClock) -> None:
    desk.web.network = False
    desk.web.status = {}
    await started(desk, clock, 1)
    assert desk.states[-1] == "offline"
    await clock.advance(3600)
    assert desk.states[-1] == "offline"
    assert desk.web.count("open") == 1
    desk.web.network, desk.web.status = True, dict(READY)
    await clock.advance(60)
    assert desk.states[-1] == "ready"


async def test_a_stream_without_connection_is_left_to_whatsapp_for_ten_minutes(desk: Desk, clock: FakeClock) -> None:
    await started(desk, clock)
    desk.web.status = {**READY, "info": "OFFLINE"}
    desk.web.log.clear()
    await clock.advance(500)
    assert (desk.states[-1], desk.web.log) == ("offline", [])
    await clock.advance(1300)
    assert desk.web.log == ["load", "load"]
    desk.web.status = dict(READY)
    await clock.advance(10)
    assert desk.states[-2:] == ["syncing", "ready"]


async def test_a_page_that_never_finishes_loading_has_failed(desk: Desk, clock: FakeClock) -> None:
    desk.web.status = {"injected": False}
    await started(desk, clock, 100)
    assert (desk.states[-1], desk.web.log) == ("loading", ["open", "load"])
    await clock.advance(60)
    assert desk.web.log == ["open", "load", "load"]


async def test_too_much_memory_is_freed_in_a_quiet_moment_and_with_another_browser_if_that_is_not_enough(
    desk: Desk, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await started(desk, clock)
    monkeypatch.setattr(processes, "memory_mb", lambda pid: 1500)
    desk.web.log.clear()
    for _ in range(40):  # somebody writes all the time
        desk.web.session.tell("message", written("D", clock.now_ms() / 1000))
        await clock.advance(20)
    assert desk.web.log == []
    assert desk.reading.browser is not None
    assert desk.reading.browser.memory_mb == 1500
    await clock.advance(120)
    assert desk.web.log == ["load"]
    await clock.advance(1200)
    assert desk.web.log == ["load"]
    await clock.advance(1000)
    assert desk.web.log == ["load", "close", "open", "load"]
    await clock.advance(6 * 3600)
    assert len(desk.web.log) < 40  # a bound that no browser can keep is no reason to go round in circles
    assert "crashed" not in desk.states


async def test_the_window_closes_once_the_pairing_is_done_and_all_is_quiet(desk: Desk, clock: FakeClock) -> None:
    desk.window = True
    await started(desk, clock)
    assert not desk.web.session.launch.headless
    desk.web.status = {**READY, "syncing": True}
    await clock.advance(600)
    assert desk.web.count("open") == 1
    desk.web.status = dict(READY)
    desk.window = False
    await clock.advance(120)
    assert desk.web.log[-3:] == ["close", "open", "load"]
    assert desk.web.session.launch.headless


async def test_a_browser_that_cannot_be_started_says_why_and_when_it_is_tried_again(
    desk: Desk, clock: FakeClock
) -> None:
    desk.web.opening_fails = "Google Chrome could not be started: it is not a program"
    await started(desk, clock, 20)
    assert desk.states[-1] == "crashed"
    assert "not a program" in desk.reading.detail
    assert desk.reading.next_try_at_ms is not None
    desk.web.opening_fails = ""
    desk.transport.connect_now()
    await clock.advance(5)
    assert desk.states[-1] == "ready"


async def test_a_function_that_whatsapp_s_page_lost_is_named(desk: Desk, clock: FakeClock) -> None:
    desk.web.answers["missing"] = ["chat.sendFileMessage"]
    await started(desk, clock)
    notice = [e for e in desk.events if isinstance(e, Notice) and e.kind == "bridge_incomplete"][-1]
    assert "chat.sendFileMessage" in notice.text
    assert desk.reading.missing == ("chat.sendFileMessage",)
    assert desk.states[-1] == "ready"


async def test_a_page_that_cannot_list_its_conversations_still_receives_and_sends(desk: Desk, clock: FakeClock) -> None:
    desk.web.answers["chats"] = ScriptFailed("WhatsApp's page cannot do chats")
    desk.web.answers["resolve"] = {"state": "yes", "chat": CHAT, "phone": CHAT, "lid": None}
    desk.web.answers["send"] = {"state": "sent", "ack": 1}
    await started(desk, clock)
    assert desk.states[-1] == "ready"
    desk.web.session.tell("message", written("E1", clock.now_ms() / 1000))
    await clock.advance(120)
    assert [e.wa_id for e in desk.events if isinstance(e, Received)] == ["E1"]
    assert (await desk.transport.send(CHAT, "Oi", "3EB0", None)).outcome is Outcome.SENT
    assert desk.web.log == ["open", "load"]


async def test_a_number_is_addressed_as_whatsapp_answers_and_asked_once(desk: Desk, clock: FakeClock) -> None:
    await started(desk, clock)
    desk.web.answers["resolve"] = {
        "state": "yes",
        "chat": "77000@lid",
        "phone": "551199990001@c.us",
        "lid": "77000@lid",
    }
    desk.web.answers["send"] = {"state": "sent", "ack": 1}
    for wa_id in ("3EB01", "3EB02"):
        assert (await desk.transport.send(CHAT, "Oi", wa_id, None)).outcome is Outcome.SENT
    sent = [argument["to"] for name, argument in desk.web.asked if name == "send"]
    assert sent == ["77000@lid", "77000@lid"]
    assert sum(name == "resolve" for name, _ in desk.web.asked) == 1
    same = [(e.chat, e.other) for e in desk.events if isinstance(e, SamePerson)]
    assert same == [("551199990001@c.us", CHAT), ("77000@lid", "551199990001@c.us")]


@pytest.mark.parametrize(
    ("answers", "outcome", "counts", "spent"),
    [
        ({"resolve": {"state": "no"}}, Outcome.PERMANENT, False, False),
        ({"resolve": {"state": "unknown"}}, Outcome.RETRYABLE, False, False),
        ({"send": {"state": "failed", "ack": -1, "result": "ERROR_UNKNOWN"}}, Outcome.RETRYABLE, True, True),
        ({"send": {"state": "refused", "error": "invalid_wid"}}, Outcome.PERMANENT, False, False),
        ({"send": {"state": "refused", "error": "chat_not_found"}}, Outcome.RETRYABLE, True, False),
        ({"send": {"state": "unknown"}}, Outcome.UNKNOWN, False, False),
        ({"send": {"state": "already", "ack": 0}}, Outcome.UNKNOWN, False, False),
        ({"send": {"state": "already", "ack": 2}}, Outcome.SENT, True, False),
        ({"send": PageError("gone")}, Outcome.UNKNOWN, False, False),
        ({"send": "nonsense"}, Outcome.NOT_CONNECTED, False, False),
    ],
)
async def test_refused_failed_and_unknown_are_told_apart(
    desk: Desk, clock: FakeClock, answers: dict[str, Any], outcome: Outcome, counts: bool, spent: bool
) -> None:
    await started(desk, clock)
    desk.web.answers["resolve"] = {"state": "yes", "chat": CHAT, "phone": CHAT, "lid": None}
    desk.web.answers.update(answers)
    result = await desk.transport.send(CHAT, "Oi", "3EB0", None)
    assert (result.outcome, result.counts, result.id_is_spent) == (outcome, counts, spent)


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ({"state": "present", "ack": 1}, LookUp.PRESENT),
        ({"state": "pending", "ack": 0}, LookUp.PENDING),
        ({"state": "failed", "ack": -1}, LookUp.FAILED),
        ({"state": "absent"}, LookUp.ABSENT),
        ({"state": "unknown"}, LookUp.UNKNOWN),
        (PageError("busy"), LookUp.UNKNOWN),
        (None, LookUp.UNKNOWN),
    ],
)
async def test_a_look_up_says_what_the_page_has(desk: Desk, clock: FakeClock, answer: Any, found: LookUp) -> None:
    await started(desk, clock)
    desk.web.answers["lookUp"] = answer
    assert await desk.transport.look_up(CHAT, "3EB0") is found


async def test_how_far_messages_came_while_nobody_listened_is_asked_after_each_load(
    desk: Desk, clock: FakeClock
) -> None:
    desk.memory.sent = [(CHAT, "3EB01"), (CHAT, "3EB02")]
    desk.web.answers["lookUp"] = lambda question: {"state": "present", "ack": 3 if question["bare"] == "3EB01" else 0}
    await started(desk, clock, 60)
    assert [(e.wa_id, e.ack) for e in desk.events if isinstance(e, Acknowledged)] == [("3EB01", 3)]
    desk.web.session.die("page")
    await clock.advance(60)
    assert len([e for e in desk.events if isinstance(e, Acknowledged)]) == 2


async def test_without_a_page_a_look_up_is_for_later(desk: Desk, clock: FakeClock) -> None:
    desk.web.status = dict(PAIRING)
    await started(desk, clock)
    assert await desk.transport.look_up(CHAT, "3EB0") is LookUp.NOT_CONNECTED


async def test_stopping_closes_the_browser_whatever_it_is_doing(desk: Desk, clock: FakeClock) -> None:
    desk.web.hangs = True
    await started(desk, clock, 3)
    await desk.transport.stop()
    assert desk.web.log.count("open") == desk.web.log.count("close")
    assert desk.states[-1] == "stopped"
