"""The whole robot in one process, with a clock in the test's hand."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from support.fake_clock import FakeClock
from support.queue_world import NOON

from whatsself_tui.errors import FolderOwned
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.robot.local import LocalLink
from whatsself_tui.robot.orchestrator import Orchestrator
from whatsself_tui.store import queue_view, views
from whatsself_tui.store.readings import MessageReading, QueueReading
from whatsself_tui.transport.base import Outcome, SendResult
from whatsself_tui.transport.simulator import received_lines

#: No time of its own passes before an answer is decided and sent.
AT_ONCE = "[pace]\nenabled = false\n[answers]\ndebounce_ms = 0\n"


class World:
    """A running robot and what a test does to it."""

    def __init__(self, robot: Orchestrator, clock: FakeClock) -> None:
        self.robot = robot
        self.clock = clock
        self.link = LocalLink(robot)
        self._number = 0

    async def hear(self, text: str, person: int = 1) -> None:
        """A customer writes."""
        self._number += 1
        message = {
            "wa_id": f"in-{self._number}",
            "chat": f"55119{person:08d}@c.us",
            "body": text,
            "written_at_ms": self.clock.now_ms(),
            "name": f"Customer {person}",
        }
        result = await self.link.execute("receive", {"messages": [message]})
        assert result.ok, result

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        """Let the robot's threads work until a condition holds; the clock stands still."""
        async with asyncio.timeout(30):
            while not await condition():
                await self.clock.advance(0)

    async def phone(self) -> list[dict[str, str]]:
        """What the simulated phone has accepted."""
        return list(received_lines(self.robot.folder.simulator / "received.jsonl"))

    async def pass_time_until(self, condition: Callable[[], Awaitable[bool]], most_s: int = 3_600) -> None:
        """Move the clock in small steps until a condition holds."""
        for _ in range(most_s * 10):
            if await condition():
                return
            await self.clock.advance(0.1)
            await self.robot.store.write(lambda tx: None)  # what was queued for the writer is done
        raise AssertionError("the condition never held")

    async def queue(self) -> QueueReading:
        """The queue as a pane sees it."""
        now_ms = self.clock.now_ms()
        return await self.link.read(lambda con: queue_view.read_queue(con, self.robot.settings, now_ms))

    async def recent(self) -> tuple[MessageReading, ...]:
        """Recent messages as the pane sees them, the newest first."""
        return await self.link.read(views.read_recent)

    async def alert_kinds(self) -> set[str]:
        """The alerts that stand."""
        return {alert.kind for alert in await self.link.read(views.read_alerts)}


@asynccontextmanager
async def running(folder: Path, settings: str = "", **changes: Any) -> AsyncIterator[World]:
    """A robot on `folder`."""
    if settings:
        (folder / "config").mkdir(parents=True, exist_ok=True)
        (folder / "config" / "settings.toml").write_text(settings, encoding="utf-8")
    clock = FakeClock(changes.get("now_ms", NOON))
    robot = Orchestrator(DataFolder(folder), clock, mode="headless", rng=random.Random(1))
    await robot.open()
    try:
        await robot.start()
        yield World(robot, clock)
    finally:
        await clock.finish(robot.close())


async def test_answer_goes_out_and_is_delivered_and_read(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        await world.hear("Oi!")

        async def read() -> bool:
            return any(message.status == "read" for message in await world.recent())

        await world.pass_time_until(read)
        outgoing, incoming = await world.recent()
        assert (incoming.direction, incoming.status, incoming.note) == ("in", "handled", "trigger")
        assert (outgoing.direction, outgoing.note.split(":")[0]) == ("out", "trigger")
        (entry,) = await world.phone()
        assert entry["text"] == outgoing.body


async def test_pause_stops_sends_at_once_and_survives_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path, AT_ONCE) as world:
        assert (await world.link.execute("pause", {})).ok
        await world.hear("oi")
        assert (await world.queue()).waits_for == "paused"
    async with running(tmp_path) as world:
        await world.clock.advance(600)
        assert await world.phone() == []
        await world.link.execute("resume", {})

        async def sent() -> bool:
            return len(await world.phone()) == 1

        await world.pass_time_until(sent)


async def test_offline_is_a_gate_and_no_attempt(tmp_path: Path) -> None:
    async with running(tmp_path, f"{AT_ONCE}[simulator]\noffline = true\n") as world:
        await world.hear("oi")
        await world.clock.advance(60)
        assert "disconnected" in await world.alert_kinds()
        assert (await world.queue()).waits_for == "offline"
        (tmp_path / "config" / "settings.toml").write_text("[simulator]\noffline = false\n")

        async def sent() -> bool:
            return len(await world.phone()) == 1

        await world.pass_time_until(sent)
        assert "disconnected" not in await world.alert_kinds()
        attempts = await world.link.read(lambda con: con.execute("SELECT attempts FROM outbox").fetchone())
        assert attempts == (1,)


async def test_backlog_and_age_raise_alerts_that_clear_by_themselves(tmp_path: Path) -> None:
    quick = "[queue]\nbacklog_alert = 2\noldest_alert_s = 60\n"
    async with running(tmp_path, quick) as world:
        await world.link.execute("pause", {})
        for person in range(3):
            await world.hear("oi", person)

        async def backlog() -> bool:
            return "backlog_high" in await world.alert_kinds()

        await world.pass_time_until(backlog)
        assert "oldest_too_old" not in await world.alert_kinds()

        async def old() -> bool:
            return "oldest_too_old" in await world.alert_kinds()

        await world.pass_time_until(old, most_s=120)
        (alert,) = [entry for entry in await world.link.read(views.read_alerts) if entry.kind == "backlog_high"]
        assert (await world.link.execute("alert_ack", {"id": alert.id})).ok
        assert not (await world.link.execute("alert_ack", {"id": alert.id})).ok
        await world.link.execute("resume", {})

        async def calm() -> bool:
            return not await world.alert_kinds()

        await world.pass_time_until(calm)


async def test_edit_is_applied_and_a_bad_one_changes_nothing_but_is_told(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        file = tmp_path / "config" / "settings.toml"
        file.write_text("[limits]\nper_contact = 5\n")

        async def applied() -> bool:
            return world.robot.settings.limits.per_contact == 5

        await world.pass_time_until(applied)
        file.write_text("[limits]\nper_contact = 50\n")

        async def told() -> bool:
            return "config_rejected" in await world.alert_kinds()

        await world.pass_time_until(told)
        assert world.robot.settings.limits.per_contact == 5
        (problem,) = world.link.problems
        assert (problem.file, problem.line, problem.field) == ("settings.toml", 2, "limits.per_contact")
        file.write_text("[limits]\nper_contact = 6\n")

        async def good_again() -> bool:
            return not await world.alert_kinds()

        await world.pass_time_until(good_again)
        history = await world.link.read(
            lambda con: con.execute("SELECT field, old, new FROM config_change ORDER BY id").fetchall()
        )
        assert history == [("limits.per_contact", "2", "5"), ("limits.per_contact", "5", "6")]


async def test_group_messages_are_ignored(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        message = {"wa_id": "g1", "chat": "123-456@g.us", "body": "oi", "written_at_ms": NOON}
        result = await world.link.execute("receive", {"messages": [message]})
        assert result.data["received"] == 0
        assert await world.recent() == ()


async def test_unknown_outcome_is_looked_up_and_never_blindly_repeated(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        real_send = world.robot.connection.send
        calls: list[str] = []

        async def arrives_but_nobody_tells(chat: str, text: str, wa_id: str, attachment: object = None) -> SendResult:
            calls.append(wa_id)
            await real_send(chat, text, wa_id)
            return SendResult(Outcome.UNKNOWN, "no answer")

        world.robot.connection.send = arrives_but_nobody_tells  # type: ignore[method-assign]
        await world.hear("oi")

        async def sent() -> bool:
            return any(message.status in ("sent", "delivered", "read") for message in await world.recent())

        await world.pass_time_until(sent)
        assert len(calls) == 1
        assert len(await world.phone()) == 1


async def test_message_the_rules_fail_on_is_kept_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise LookupError("a fault in the rules")

    with monkeypatch.context() as patch:
        patch.setattr("whatsself_tui.robot.inbound.answer_pending", broken)
        async with running(tmp_path, AT_ONCE) as world:
            await world.hear("oi")
            assert [message.status for message in await world.recent()] == ["pending"]
            assert "inbound_failed" in await world.alert_kinds()
    async with running(tmp_path) as world:
        assert [message.status for message in await world.recent() if message.direction == "in"] == ["handled"]


async def test_second_orchestrator_on_the_folder_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path):
        second = Orchestrator(DataFolder(tmp_path), FakeClock(NOON), mode="headless")
        with pytest.raises(FolderOwned, match=r"process \d+ \(headless"):
            await second.open()


async def test_failing_part_is_started_again_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path) as world:
        await world.clock.advance(0)
        original = world.robot.dispatcher._once
        failed: list[int] = []

        async def fails_once() -> float | None:
            if not failed:
                failed.append(1)
                raise LookupError("a fault in the dispatcher")
            return await original()

        monkeypatch.setattr(world.robot.dispatcher, "_once", fails_once)
        await world.hear("oi")

        async def sent() -> bool:
            return len(await world.phone()) == 1

        await world.pass_time_until(sent)
        assert failed
        assert "part_failed" in await world.alert_kinds()
