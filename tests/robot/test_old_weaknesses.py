"""What queues of messages are known to get wrong: held up by one, dropped, sent twice, stopped, polling, too slow."""

from __future__ import annotations

import asyncio
import itertools
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from support.old_dispatcher import BUSY, SENT, Silence, dispatching
from support.old_robot import QUICK, VirtualRobot, live
from support.queue_world import NOON, chat

from whatsself_tui.store import attempts, outbox
from whatsself_tui.store.database import Tx
from whatsself_tui.store.outbox import Outgoing, State
from whatsself_tui.transport.base import LookUp, Outcome, SendResult

STEADY = {"delay_min_ms": 5_000, "delay_max_ms": 5_000, "typing_min_ms": 2_000, "typing_max_ms": 2_000}
"""Five seconds before each send."""

DAY_S = 86_400

MANY = QUICK + "[limits]\nper_minute = 100\ndaily_new_contacts = 0\n"

#: No two timers of the virtual loop share a moment: each of thousands may push the next by a microsecond.
SLACK_MS = 10


async def test_a_contact_that_fails_delays_no_other(tmp_path: Path) -> None:
    async with dispatching(tmp_path) as room:
        room.phone.send_script = lambda to, _: BUSY if to == chat(1) else SENT
        (stuck, *_) = await room.say(1, "fails", "behind it")
        for person in (2, 3):
            await room.say(person, "a", "b", "c")
        await room.clock.rest()
        others = [asked for asked in room.phone.sends() if asked.chat != chat(1)]
        assert [asked.text for asked in others] == ["a", "b", "c", "a", "b", "c"]
        assert all(asked.at_s == 0 for asked in others)
        assert (await room.state(stuck))[0] is State.QUEUED


async def test_a_contact_that_fails_takes_its_own_turns_and_nobody_elses(tmp_path: Path) -> None:
    """With a person's pace there is one send every five seconds as long as anything may go, whoever failed before."""
    async with dispatching(tmp_path, pace=STEADY) as room:
        room.phone.send_script = lambda to, _: BUSY if to == chat(1) else SENT
        await room.say(1, "fails", "behind it")
        for person in range(2, 12):
            await room.say(person, "a", "b")
        await room.pass_time(5 * 21)
        sends = room.phone.sends()
        assert [asked.at_s for asked in sends] == [5.0 * number for number in range(1, 22)]
        assert len(room.phone.holds) == 20


async def test_a_message_that_fails_for_good_is_kept_with_its_reason_and_history(tmp_path: Path) -> None:
    async with dispatching(tmp_path) as room:
        room.phone.send_script = lambda to, number: SendResult(Outcome.RETRYABLE, f"busy {number}")
        (message,) = await room.say(1, "never taken")
        await room.pass_time_until_nothing_waits()
        sends = room.phone.sends()
        assert len(sends) == 5
        assert len({asked.wa_id for asked in sends}) == 1
        for number, (before, after) in enumerate(itertools.pairwise(sends), start=1):
            assert 2.5 * 2 ** (number - 1) <= after.at_s - before.at_s <= 5 * 2 ** (number - 1)
        assert await room.state(message) == (State.DEAD, "busy 5")
        history = await room.world.store.read(lambda con: attempts.of_message(con, message))
        assert [(entry.number, entry.result, entry.reason) for entry in history] == [
            *((number, "retry", f"busy {number}") for number in range(1, 5)),
            (5, "failed", "busy 5"),
        ]


async def test_a_number_that_is_not_on_whatsapp_is_tried_once(tmp_path: Path) -> None:
    async with dispatching(tmp_path) as room:
        room.phone.send_script = lambda to, _: SendResult(Outcome.PERMANENT, "not on WhatsApp", counts=False)
        (message,) = await room.say(1, "oi")
        await room.pass_time(DAY_S)
        assert len(room.phone.sends()) == 1
        assert await room.state(message) == (State.DEAD, "not on WhatsApp")


async def test_silence_about_a_message_that_arrived_is_no_reason_to_repeat_it(tmp_path: Path) -> None:
    async with dispatching(tmp_path) as room:
        room.phone.send_script = lambda to, _: Silence.TAKEN
        (message,) = await room.say(1, "oi")
        await room.pass_time(DAY_S)
        assert [asked.what for asked in room.phone.asked] == ["send", "look up"]
        assert await room.state(message) == (State.SENT, "")


async def test_silence_about_a_message_that_is_absent_is_looked_into_again_before_it_is_repeated(
    tmp_path: Path,
) -> None:
    async with dispatching(tmp_path) as room:
        room.phone.send_script = lambda to, number: Silence.NOT_TAKEN if number == 1 else SENT
        (message,) = await room.say(1, "oi")
        await room.pass_time(DAY_S)
        assert [asked.what for asked in room.phone.asked] == ["send", "look up", "look up", "send"]
        assert len({asked.wa_id for asked in room.phone.asked}) == 1
        assert await room.state(message) == (State.SENT, "")


async def test_a_message_that_arrives_after_its_look_up_is_not_sent_again(tmp_path: Path) -> None:
    async with dispatching(tmp_path) as room:
        room.phone.send_script = lambda to, _: Silence.NOT_TAKEN
        (message,) = await room.say(1, "oi")
        await room.clock.rest()
        (sent, _) = room.phone.asked
        room.phone.holds[sent.wa_id] = "oi"
        await room.pass_time(DAY_S)
        assert [asked.what for asked in room.phone.asked] == ["send", "look up", "look up"]
        assert await room.state(message) == (State.SENT, "")


async def test_a_message_of_which_nobody_knows_is_never_sent_again(tmp_path: Path) -> None:
    async with dispatching(tmp_path) as room:
        room.phone.send_script = lambda to, _: Silence.NOT_TAKEN if to == chat(1) else SENT
        room.phone.look_up_script = lambda _: LookUp.UNKNOWN
        (message,) = await room.say(1, "oi")
        await room.say(2, "somebody else")
        await room.pass_time(DAY_S)
        assert [asked.text for asked in room.phone.sends()] == ["oi", "somebody else"]
        assert (await room.state(message))[0] is State.UNCONFIRMED


async def test_a_doubtful_message_waits_for_a_look_up_that_knows(tmp_path: Path) -> None:
    async with dispatching(tmp_path) as room:
        room.phone.send_script = lambda to, number: Silence.NOT_TAKEN if number == 1 else SENT
        room.phone.look_up_script = lambda number: LookUp.UNKNOWN if 1 < number < 5 else None
        (message,) = await room.say(1, "oi")
        await room.pass_time(DAY_S)
        assert [asked.what for asked in room.phone.asked] == ["send", *["look up"] * 5, "send"]
        assert await room.state(message) == (State.SENT, "")


ERRORS = [OSError("the page is gone"), TypeError("a fault"), TimeoutError(), asyncio.CancelledError()]


@pytest.mark.parametrize("error", ERRORS, ids=repr)
async def test_a_transport_that_raises_stops_nothing(tmp_path: Path, error: BaseException) -> None:
    async with dispatching(tmp_path) as room:
        room.phone.send_script = lambda to, number: error if to == chat(1) and number == 1 else SENT
        await room.say(1, "oi")
        await room.say(2, "somebody else")
        await room.pass_time(60)
        assert sorted(room.phone.holds.values()) == ["oi", "somebody else"]


@pytest.mark.parametrize("error", [*ERRORS, Silence.NOT_TAKEN], ids=repr)
async def test_a_look_up_that_raises_or_never_answers_stops_nothing(tmp_path: Path, error: Any) -> None:
    async with dispatching(tmp_path) as room:
        room.phone.send_script = lambda to, number: Silence.NOT_TAKEN if to == chat(1) else SENT
        room.phone.look_up_script = lambda _: error
        (message,) = await room.say(1, "oi")
        await room.say(2, "somebody else")
        await room.pass_time(60)
        assert list(room.phone.holds.values()) == ["somebody else"]
        assert (await room.state(message))[0] is State.UNCONFIRMED


async def test_a_transport_that_is_not_connected_is_not_asked_about_everybody(tmp_path: Path) -> None:
    """It has not told yet that the connection is gone; nothing is lost, and the processor rests meanwhile."""
    async with dispatching(tmp_path) as room:
        connected = False
        room.phone.send_script = lambda to, _: SENT if connected else SendResult(Outcome.NOT_CONNECTED, "offline")
        for person in range(50):
            await room.say(person, "oi")
        await room.clock.rest()
        began = len(room.phone.asked)
        await room.pass_time(60)
        assert len(room.phone.asked) - began <= 60 / 5 + 1
        connected = True
        await room.pass_time(10)
        assert len(room.phone.holds) == 50


@pytest.mark.parametrize("jump_s", [-365 * DAY_S, 365 * DAY_S])
async def test_a_clock_set_during_a_send_leaves_the_pause_after_it_as_it_is(tmp_path: Path, jump_s: int) -> None:
    async with dispatching(tmp_path) as room:

        def fails_while_somebody_sets_the_clock(to: str, number: int) -> SendResult:
            if number > 1:
                return SENT
            room.clock.set_wall(jump_s)
            return BUSY

        room.phone.send_script = fails_while_somebody_sets_the_clock
        await room.say(1, "oi")
        await room.pass_time(60)
        first, second = room.phone.sends()
        assert 2.5 <= second.at_s - first.at_s <= 5


async def test_with_nothing_queued_there_is_no_timer(tmp_path: Path) -> None:
    async with dispatching(tmp_path) as room:
        assert room.clock.next_wake_ms is None
        await room.say(1, "oi")
        await room.clock.rest()
        assert len(room.phone.holds) == 1
        assert room.clock.next_wake_ms is None


async def test_with_something_for_tomorrow_it_looks_at_most_once_a_minute(tmp_path: Path) -> None:
    async with dispatching(tmp_path) as room:
        await room.say(1, "tomorrow", not_before_ms=NOON + DAY_S * 1000)
        await room.clock.rest()
        began = len(room.clock.rests_at_s)
        await room.pass_time(DAY_S - 1)
        assert len(room.clock.rests_at_s) - began <= DAY_S / 60
        assert room.phone.asked == []
        await room.pass_time(1)
        assert [asked.at_s for asked in room.phone.asked] == [DAY_S]


async def test_two_thousand_messages_take_exactly_as_long_as_the_limit_wants(tmp_path: Path) -> None:
    """100 at once, then the next 100 at the first moment of each minute: none earlier, none later."""
    async with dispatching(tmp_path) as room:
        for person in range(200):
            await room.say(person, *(f"{number}" for number in range(10)))
        await room.pass_time_until_nothing_waits()
        assert [asked.at_s for asked in room.phone.sends()] == [60.0 * (number // 100) for number in range(2_000)]
        assert len(room.phone.holds) == 2_000


def test_forced_open_stays_whatever_happens(tmp_path: Path) -> None:
    """Sends that end well, a day, restarts, other commands: only the operator lets it go."""

    async def forced(robot: VirtualRobot) -> None:
        await robot.do("breaker", action="open")
        await robot.do("send", phone="+5511900000002", text="waits")
        await robot.pass_time(DAY_S)

    async def still(robot: VirtualRobot) -> None:
        await robot.do("pause")
        await robot.do("resume")
        await robot.hear(1, "in-1")
        await robot.pass_time(DAY_S)
        reading = await robot.breaker()
        assert (reading.state, reading.mode) == ("open", "forced_open")
        assert (await robot.queue()).waits_for == "breaker"
        assert robot.phone() == []

    after_ms = live(tmp_path, forced)
    after_ms = live(tmp_path, still, start_ms=after_ms)

    async def let_go(robot: VirtualRobot) -> None:
        assert (await robot.breaker()).mode == "forced_open"
        await robot.do("breaker", action="auto")
        await robot.pass_time(600)
        assert len(robot.phone()) == 2

    live(tmp_path, let_go, start_ms=after_ms)


def test_forced_closed_forgets_the_old_window(tmp_path: Path) -> None:
    async def story(robot: VirtualRobot) -> None:
        robot.refuse(SendResult(Outcome.PERMANENT, "blocked"))
        await queue_for(robot, 30)
        await robot.pass_time(30)
        assert (await robot.breaker()).state == "open"
        await robot.do("breaker", action="close")
        reading = await robot.breaker()
        assert (reading.state, reading.mode, reading.attempts) == ("closed", "forced_closed", 0)
        await robot.pass_time(120)
        assert (await robot.queue()).queued == 0, "it stopped sending"
        await robot.do("breaker", action="auto")
        robot.refuse(None)
        await queue_for(robot, 1, text="at last")
        await robot.pass_time(120)
        reading = await robot.breaker()
        assert (reading.state, reading.attempts, reading.failures) == ("closed", 1, 0)

    live(tmp_path, story, settings=MANY)


def test_an_open_breaker_stops_sending_and_never_answering(tmp_path: Path) -> None:
    async def story(robot: VirtualRobot) -> None:
        robot.refuse(SendResult(Outcome.PERMANENT, "blocked"))
        await queue_for(robot, 20)
        await robot.pass_time(1)
        assert (await robot.breaker()).state == "open"
        robot.refuse(None)
        await robot.hear(1, "in-1", "PARAR")
        reading = await robot.robot.store.read(
            lambda con: con.execute("SELECT state, rule FROM inbox WHERE wa_id = 'in-1'").fetchone()
        )
        assert reading == (1, "opt_out")
        assert (await robot.queue()).queued == 1
        await robot.pass_time(299 - 1)
        assert robot.phone() == []
        await robot.pass_time(2)
        (answer,) = robot.phone()
        assert answer["chat"] == chat(1)

    live(tmp_path, story, settings=MANY)


def test_queue_and_windows_survive_a_restart(tmp_path: Path) -> None:
    async def first(robot: VirtualRobot) -> None:
        for number in range(3):
            await robot.do("send", phone="+5511900000001", text=f"{number}")
        await robot.pass_time(10)
        assert [entry["text"] for entry in robot.phone()] == ["0", "1"]

    async def second(robot: VirtualRobot) -> None:
        assert (await robot.queue()).next_wake_at_ms == NOON + 300_000
        await robot.robot.until_idle()
        assert [entry["text"] for entry in robot.phone()] == ["0", "1", "2"]
        assert moments(robot)[2] == NOON + 300_000

    stopped_ms = live(tmp_path, first)
    assert stopped_ms < NOON + 60_000
    live(tmp_path, second, start_ms=stopped_ms)


def test_until_idle_returns_at_the_first_moment_the_limit_allows(tmp_path: Path) -> None:
    async def story(robot: VirtualRobot) -> None:
        await robot.do("pause")
        await queue_for(robot, 2_000)
        await robot.do("resume")
        assert robot.clock.now_ms() == NOON
        assert await robot.robot.until_idle() == ""
        assert 0 <= robot.clock.now_ms() - (NOON + 19 * 60_000) <= SLACK_MS
        late = [at - NOON - number // 100 * 60_000 for number, at in enumerate(moments(robot))]
        assert len(late) == 2_000
        assert 0 <= min(late) <= max(late) <= SLACK_MS

    live(tmp_path, story, settings=MANY)


async def queue_for(robot: VirtualRobot, people: int, text: str = "oi") -> None:
    """Queue one message to each of so many people."""

    def job(tx: Tx) -> None:
        outbox.enqueue_many(tx, [(chat(person), Outgoing(text)) for person in range(100, 100 + people)])

    await robot.robot.store.write(job)


def moments(robot: VirtualRobot) -> list[int]:
    """When the phone accepted each message, in milliseconds."""
    return [round(datetime.fromisoformat(entry["time"]).timestamp() * 1000) for entry in robot.phone()]
