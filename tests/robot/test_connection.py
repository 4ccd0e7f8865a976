"""The robot on WhatsApp's page: connections that come and go, and the exchange of transports while it runs."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.fake_clock import FakeClock
from support.fake_page import PAIRING, READY, FakeWeb
from support.queue_world import NOON

from whatsself_tui.clock import Clock
from whatsself_tui.host import processes
from whatsself_tui.host.browsers import Brand, Browser
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.robot.account_memory import AccountMemory
from whatsself_tui.robot.connection import Connection
from whatsself_tui.robot.local import LocalLink
from whatsself_tui.robot.orchestrator import Orchestrator
from whatsself_tui.robot.whatsapp_reading import read_whatsapp
from whatsself_tui.robot.whatsapp_report import WhatsAppReport
from whatsself_tui.store import account, views
from whatsself_tui.store.outbox_views import status_word
from whatsself_tui.transport.simulator import received_lines
from whatsself_tui.transport.whatsapp_web import care
from whatsself_tui.transport.whatsapp_web.browser_session import Launch, PageError
from whatsself_tui.transport.whatsapp_web.preparing import Options, Prepared
from whatsself_tui.transport.whatsapp_web.transport import WhatsAppWeb

SETTINGS = """
[transport]
kind = "{kind}"
[pace]
enabled = false
[answers]
debounce_ms = 0
"""
PHONE = "5511999990001"
CHAT = f"{PHONE}@c.us"


class World:
    """A robot on a page in the test's hand."""

    def __init__(self, robot: Orchestrator, clock: FakeClock, web: FakeWeb) -> None:
        self.robot = robot
        self.clock = clock
        self.web = web
        self.link = LocalLink(robot)

    async def until(self, condition: Callable[[], Awaitable[bool] | bool], most_s: int = 600) -> None:
        """Move the clock in small steps until a condition holds."""
        for _ in range(most_s * 4):
            holds = condition()
            if holds if isinstance(holds, bool) else await holds:
                return
            await self.clock.advance(0.25)
            await self.robot.store.write(lambda tx: None)
        raise AssertionError(f"it never held; state {await self.state()}, log {self.web.log[-20:]}")

    async def state(self) -> str:
        """The connection as it is stored."""
        reading = await self.link.read(lambda con: con.execute("SELECT transport_state FROM robot").fetchone())
        return str(reading[0])

    async def is_in(self, state: str) -> bool:
        return await self.state() == state

    async def statuses(self) -> list[str]:
        """Of the outgoing messages, the oldest first."""
        rows = await self.link.read(lambda con: con.execute("SELECT state, ack FROM outbox ORDER BY id").fetchall())
        return [status_word(state, min(ack, 1)) for state, ack in rows]

    async def alerts(self) -> set[str]:
        """The alerts that stand."""
        return {alert.kind for alert in await self.link.read(views.read_alerts)}

    def asked(self, name: str) -> list[Any]:
        """What was asked of the page under this name."""
        return [argument for asked, argument in self.web.asked if asked == name]

    async def choose(self, kind: str) -> None:
        """Edit the settings."""
        self.robot.folder.settings_file.write_text(SETTINGS.format(kind=kind), encoding="utf-8")
        await self.robot.config.check()


def _make(web: FakeWeb, options: Options, clock: Clock, memory: AccountMemory, report: WhatsAppReport) -> WhatsAppWeb:
    def ready(options: Options, window_failed: bool) -> Prepared:
        options.profile.mkdir(exist_ok=True)
        browser = Browser(Path("/opt/chrome"), Brand.CHROME, "140.0.1")
        return Prepared(Launch(browser, options.profile, True, False, "", options.log_file), ())

    return WhatsAppWeb(options, clock, memory, report.show, web.open, ready)  # type: ignore[arg-type]


@asynccontextmanager
async def running(folder: Path, web: FakeWeb, kind: str = "whatsapp_web") -> AsyncIterator[World]:
    (folder / "config").mkdir(parents=True, exist_ok=True)
    (folder / "config" / "settings.toml").write_text(SETTINGS.format(kind=kind), encoding="utf-8")
    clock = FakeClock(NOON)
    connect = partial(Connection, make_whatsapp=partial(_make, web))
    robot = Orchestrator(DataFolder(folder), clock, mode="headless", rng=random.Random(1), connect=connect)
    await robot.open()
    try:
        await robot.start()
        yield World(robot, clock, web)
    finally:
        await clock.finish(robot.close())


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> FakeWeb:
    monkeypatch.setattr(care, "can_show_window", lambda: False)
    monkeypatch.setattr(processes, "memory_mb", lambda pid: 300)
    made = FakeWeb()
    made.answers["resolve"] = {"state": "yes", "chat": CHAT, "phone": CHAT, "lid": None}
    made.answers["send"] = {"state": "sent", "ack": 1}
    return made


async def send(world: World, text: str = "Oi") -> None:
    assert (await world.link.execute("send", {"phone": PHONE, "text": text})).ok


async def test_a_message_goes_through_the_page_once_it_is_ready(tmp_path: Path, web: FakeWeb) -> None:
    web.status = dict(PAIRING)
    async with running(tmp_path, web) as world:
        await send(world)
        await world.until(partial(world.is_in, "pairing"))
        assert "pairing_needed" in await world.alerts()
        assert await world.statuses() == ["queued"]
        web.status = dict(READY)

        async def sent() -> bool:
            return await world.statuses() == ["sent"]

        await world.until(sent)
        (asked,) = world.asked("send")
        assert (asked["to"], asked["text"]) == (CHAT, "Oi")
        assert asked["bare"].startswith("3EB0")
        assert await world.alerts() == set()


@pytest.mark.parametrize(
    ("found", "status", "sends"),
    [("present", "sent", 1), ("absent", "sent", 2)],
)
async def test_a_browser_that_dies_during_a_send_leaves_a_question_for_the_next_one(
    tmp_path: Path, web: FakeWeb, found: str, status: str, sends: int
) -> None:
    async with running(tmp_path, web) as world:
        await world.until(partial(world.is_in, "ready"))

        def dies(argument: Any) -> Any:
            web.status = {}
            web.session.die("browser")
            raise PageError("Target closed")

        web.answers["send"] = dies
        web.answers["lookUp"] = {"state": found, "ack": 1 if found == "present" else None}
        await send(world)
        await world.until(lambda: len(web.sessions) == 2)
        assert await world.statuses() == ["sending"]
        assert world.asked("lookUp") == []
        web.answers["send"] = {"state": "sent", "ack": 1}
        web.status = dict(READY)

        async def done() -> bool:
            return await world.statuses() == [status]

        await world.until(done)
        asked = world.asked("send")
        assert len(asked) == sends
        assert len({one["bare"] for one in asked}) == 1
        assert world.asked("lookUp")[0]["bare"] == asked[0]["bare"]


async def test_what_the_page_still_has_to_send_is_waited_for(tmp_path: Path, web: FakeWeb) -> None:
    async with running(tmp_path, web) as world:
        await world.until(partial(world.is_in, "ready"))
        web.answers["send"] = {"state": "unknown"}
        web.answers["lookUp"] = {"state": "pending", "ack": 0}
        await send(world)
        await world.until(lambda: len(world.asked("lookUp")) >= 3)
        assert len(world.asked("send")) == 1
        web.session.tell("ack", {"bare": world.asked("send")[0]["bare"], "ack": 1})

        async def done() -> bool:
            return await world.statuses() == ["sent"]

        await world.until(done)
        await world.clock.advance(60)
        assert len(world.asked("send")) == 1


async def test_a_message_that_failed_goes_again_under_another_id(tmp_path: Path, web: FakeWeb) -> None:
    async with running(tmp_path, web) as world:
        await world.until(partial(world.is_in, "ready"))
        web.answers["send"] = {"state": "failed", "ack": -1, "result": "ERROR_UNKNOWN"}
        await send(world)
        await world.until(lambda: len(world.asked("send")) == 1)
        web.answers["send"] = {"state": "sent", "ack": 1}

        async def done() -> bool:
            return await world.statuses() == ["sent"]

        await world.until(done)
        first, second = (one["bare"] for one in world.asked("send"))
        assert first != second


async def test_a_blocked_number_stops_everything_over_a_restart_until_the_operator_resumes(
    tmp_path: Path, web: FakeWeb
) -> None:
    async with running(tmp_path, web) as world:
        await world.until(partial(world.is_in, "ready"))
        web.status = {**READY, "mode": "TOS_BLOCK"}
        await world.until(partial(world.is_in, "blocked"))
        assert "blocked" in await world.alerts()
        await send(world)
        opened = len(web.sessions)
        await world.clock.advance(86_400)
        assert len(web.sessions) == opened
    web.status = dict(READY)
    async with running(tmp_path, web) as world:
        await world.clock.advance(3_600)
        assert await world.state() == "blocked"
        assert len(web.sessions) == opened
        assert world.asked("send") == []
        assert (await world.link.execute("resume", {})).ok

        async def sent() -> bool:
            return await world.statuses() == ["sent"]

        await world.until(sent)
        assert "blocked" not in await world.alerts()


async def test_the_way_to_whatsapp_is_exchanged_while_it_runs(tmp_path: Path, web: FakeWeb) -> None:
    async with running(tmp_path, web, kind="simulator") as world:
        await world.until(partial(world.is_in, "ready"))
        changing = asyncio.ensure_future(world.choose("whatsapp_web"))
        await world.until(lambda: len(web.sessions) == 1)
        await changing
        await world.until(partial(world.is_in, "ready"))
        await send(world)
        await world.until(lambda: len(world.asked("send")) == 1)
        refused = await world.link.execute(
            "receive", {"messages": [{"wa_id": "1", "chat": CHAT, "body": "x", "written_at_ms": 1}]}
        )
        assert not refused.ok
        changing = asyncio.ensure_future(world.choose("simulator"))
        await world.until(lambda: web.log[-1] == "close")
        await changing
        await world.until(partial(world.is_in, "ready"))
        await send(world, "de novo")

        async def received() -> bool:
            log = world.robot.folder.simulator / "received.jsonl"
            return [line["text"] for line in received_lines(log)] == ["de novo"]

        await world.until(received)


async def test_pausing_keeps_receiving(tmp_path: Path, web: FakeWeb) -> None:
    async with running(tmp_path, web) as world:
        await world.until(partial(world.is_in, "ready"))
        await world.link.execute("pause", {})
        message = {
            "key": "k",
            "bare": "A1",
            "fromMe": False,
            "chat": CHAT,
            "type": "chat",
            "t": NOON / 1000,
            "text": "oi",
        }
        web.session.tell("message", message)

        async def answered() -> bool:
            return await world.statuses() == ["queued"]

        await world.until(answered)
        assert world.asked("send") == []


async def test_the_reading_for_consoles_is_a_file_of_its_owner_that_goes_with_the_robot(
    tmp_path: Path, web: FakeWeb
) -> None:
    web.status = dict(PAIRING)
    web.answers["qr"] = "2@secret"
    async with running(tmp_path, web) as world:

        def shows_a_code() -> bool:
            reading = read_whatsapp(world.robot.folder)
            return reading is not None and reading.qr is not None and reading.qr.text == "2@secret"

        await world.until(shows_a_code)
        assert world.robot.folder.whatsapp.stat().st_mode & 0o077 == 0
        refused = await world.link.execute("pair_code", {"phone": "123"})
        assert not refused.ok
        web.answers["startCode"] = {"code": "ABCD1234"}
        assert (await world.link.execute("pair_code", {"phone": PHONE})).ok
        assert (await world.link.execute("pair_qr", {})).ok
        assert world.asked("refreshQr") == [None]
    assert read_whatsapp(DataFolder(tmp_path)) is None


async def test_another_number_on_the_phone_is_told_and_begins_anew(tmp_path: Path, web: FakeWeb) -> None:
    async with running(tmp_path, web) as world:
        await world.until(partial(world.is_in, "ready"))
    web.status = {**READY, "me": "5511900000000@c.us"}
    async with running(tmp_path, web) as world:
        await world.until(partial(world.is_in, "ready"))
        assert "account_changed" in await world.alerts()
        reading = await world.link.read(account.read)
        assert reading.account == "5511900000000"


async def test_a_backup_is_made_while_the_browser_is_closed(tmp_path: Path, web: FakeWeb) -> None:
    async with running(tmp_path, web) as world:
        await world.until(partial(world.is_in, "ready"))
        (world.robot.folder.session / "Cookies").write_text("x")
        making = asyncio.ensure_future(world.link.execute("backup", {}))
        await world.until(making.done)
        assert (await making).ok, await making
        assert web.log[-3:] != ["load"]
        await world.until(partial(world.is_in, "ready"))
        assert web.count("open") == 2
        assert web.count("close") == 1
