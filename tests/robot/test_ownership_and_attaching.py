"""One owner for a folder, and what an attached console learns of owners, commands and changes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from support.fake_clock import FakeClock
from support.queue_world import NOON

from whatsself_tui.errors import DataError, FolderOwned
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.host.ownership import MOMENTARY, Ownership, is_owned, read_owner
from whatsself_tui.robot.attached import AttachedLink
from whatsself_tui.robot.orchestrator import Orchestrator
from whatsself_tui.store import views
from whatsself_tui.store.topics import Topic


def folder_at(path: Path) -> DataFolder:
    folder = DataFolder(path)
    folder.create()
    return folder


def test_second_owner_is_refused_and_the_first_can_let_go(tmp_path: Path) -> None:
    folder = folder_at(tmp_path)
    first, second = Ownership(folder), Ownership(folder)
    assert not is_owned(folder)
    first.take(mode="headless", now_ms=NOON, version="1")
    assert is_owned(folder)
    with pytest.raises(FolderOwned, match="headless"):
        second.take(mode="console", now_ms=NOON, version="1")
    first.release()
    assert not is_owned(folder)
    second.take(mode="console", now_ms=NOON, version="1")
    note = read_owner(folder)
    assert note
    assert note["mode"] == "console"
    second.release()


def test_command_that_holds_the_folder_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    folder = folder_at(tmp_path)
    command, robot = Ownership(folder), Ownership(folder)
    command.take(mode=MOMENTARY, now_ms=NOON, version="1")
    waiting = threading.Thread(target=robot.take, kwargs={"mode": "headless", "now_ms": NOON, "version": "1"})
    waiting.start()
    command.release()
    waiting.join(30)
    note = read_owner(folder)
    assert note
    assert note["mode"] == "headless"
    robot.release()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"pid": "1"}', b"\xff"])
def test_unreadable_note_is_no_owner(tmp_path: Path, content: bytes) -> None:
    folder = folder_at(tmp_path)
    folder.owner.write_bytes(content)
    assert read_owner(folder) is None


@asynccontextmanager
async def owner(folder: DataFolder, mode: str) -> AsyncIterator[Orchestrator]:
    """A robot that owns the folder and does nothing by itself."""
    robot = Orchestrator(folder, FakeClock(NOON), mode=mode)
    await robot.open()
    try:
        yield robot
    finally:
        await robot.close()


@asynccontextmanager
async def attached(folder: DataFolder) -> AsyncIterator[tuple[AttachedLink, FakeClock, list[Topic]]]:
    """An attached console's link, its clock, and the topics it was told."""
    clock = FakeClock(NOON)
    link = AttachedLink(folder, clock)
    await link.open()
    told: list[Topic] = []
    link.listen(told.extend)
    try:
        yield link, clock, told
    finally:
        await link.aclose()


async def eventually(condition: Callable[[], bool]) -> None:
    """Let threads and the event loop work until the condition holds."""
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.to_thread(lambda: None)


async def test_attaching_to_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no robot's data"):
        await AttachedLink(folder_at(tmp_path), FakeClock(NOON)).open()


async def test_loss_and_return_of_the_owner_are_noticed_within_a_second(tmp_path: Path) -> None:
    folder = folder_at(tmp_path)
    async with owner(folder, "headless") as robot, attached(folder) as (link, clock, told):
        assert link.state.owner is not None
        assert link.state.owner.mode == "headless"
        await robot.close()
        await clock.sleepers()
        await clock.advance(1)
        assert link.state.owner is None
        assert link.state.owner_lost_at_ms == clock.now_ms()
        assert Topic.ROBOT in told
        async with owner(folder, "console"):
            await clock.sleepers()
            await clock.advance(1)
            assert link.state.owner is not None
            assert link.state.owner_lost_at_ms is None


async def test_command_without_a_robot_is_no_owner_but_its_change_is_seen(tmp_path: Path) -> None:
    folder = folder_at(tmp_path)
    async with owner(folder, MOMENTARY):
        pass
    async with attached(folder) as (link, clock, told), owner(folder, MOMENTARY) as command:
        await clock.sleepers()
        await clock.advance(1)
        assert link.state.owner is None
        assert (await command.execute("pause", {})).ok
        await eventually(lambda: Topic.ROBOT in told)
        assert (await link.read(views.read_robot)).paused


async def test_change_of_a_running_robot_is_told_by_topic(tmp_path: Path) -> None:
    folder = folder_at(tmp_path)
    async with owner(folder, "headless") as robot, attached(folder) as (_, _, told):
        await robot.execute("pause", {})
        await eventually(lambda: Topic.ROBOT in told)
        told.clear()
        await robot.execute("send", {"phone": "5511999990001", "text": "oi"})
        await eventually(lambda: Topic.QUEUE in told)
        assert Topic.STATISTICS not in told


async def test_console_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    folder = folder_at(tmp_path)
    (folder.consoles / "123-dead").write_bytes(b"")
    async with owner(folder, "headless") as robot, attached(folder):
        robot.feed.forget_the_dead()
        names = [entry.name for entry in folder.consoles.iterdir()]
    assert len(names) == 1
    assert "123-dead" not in names
    assert list(folder.consoles.iterdir()) == []
