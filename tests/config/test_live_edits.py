"""However a file is edited, the running service applies it: real folder, real watcher, real clock."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from support.config_room import GOOD_SETTINGS, ConfigRoom, config_room

from whatsself_tui.clock import SystemClock
from whatsself_tui.host.atomic import write_atomic
from whatsself_tui.host.watch import watch_folders

#: Far more than an edit takes to be applied; only a failing test waits so long.
_DEADLINE_S = 30


def _in_place(path: Path, text: str) -> None:
    """As Notepad and shells write: truncated, then filled."""
    path.write_text(text)


def _like_vim(path: Path, text: str) -> None:
    """The old file is moved aside, a new one written in its place, the old one removed."""
    probe, backup = path.with_name("4913"), path.with_name(f"{path.name}~")
    probe.touch()
    probe.unlink()
    path.rename(backup)
    with path.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    backup.unlink()


def _like_sed(path: Path, text: str) -> None:
    """`sed -i`: a new file beside it takes its name."""
    other = path.with_name("sedAbCdEf")
    other.write_text(text)
    other.replace(path)


def _from_elsewhere(path: Path, text: str) -> None:
    """A script or sync tool moves a finished file over it."""
    other = path.parent.parent / "incoming.toml"
    other.write_text(text)
    other.replace(path)


def _like_the_console(path: Path, text: str) -> None:
    write_atomic(path, text.encode())


_WAYS = [_in_place, _like_vim, _like_sed, _from_elsewhere, _like_the_console]


@asynccontextmanager
async def _running(folder: Path) -> AsyncIterator[ConfigRoom]:
    room = config_room(folder, SystemClock())
    started, stop = asyncio.Event(), asyncio.Event()

    async def run() -> None:
        async for _ in watch_folders([folder], stop, step_ms=20):
            await room.service.check()
            started.set()

    task = asyncio.create_task(run())
    try:
        await asyncio.wait_for(started.wait(), _DEADLINE_S)
        yield room
    finally:
        stop.set()
        await asyncio.wait_for(task, _DEADLINE_S)


async def _until(room: ConfigRoom, condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds; it is looked at whenever the service told something."""
    news = asyncio.Event()

    async def tell(_: object) -> None:
        news.set()

    room.service.on_applied(tell)
    room.service.on_rejected(tell)
    async with asyncio.timeout(_DEADLINE_S):
        while not condition():
            news.clear()
            await news.wait()


@pytest.mark.parametrize("edit", _WAYS)
async def test_an_edit_is_applied(tmp_path: Path, edit: Callable[[Path, str], None]) -> None:
    async with _running(tmp_path / "config") as room:
        for limit in (30, 31):  # the second time, too: a watch must survive the replacement
            edit(room.settings, f"[limits]\nper_minute = {limit}\n")
            await _until(room, lambda limit=limit: room.per_minute == limit)  # type: ignore[misc]
        assert room.rejected == []
        assert [news.changes[0].new for news in room.applied] == ["30", "31"]


@pytest.mark.parametrize("edit", _WAYS)
async def test_an_invalid_edit_is_told_and_its_correction_applied(
    tmp_path: Path, edit: Callable[[Path, str], None]
) -> None:
    async with _running(tmp_path / "config") as room:
        edit(room.settings, "[limits]\nper_minute = 0\n")
        await _until(room, lambda: bool(room.service.problems))
        assert [problem.field for problem in room.service.problems] == ["limits.per_minute"]
        assert room.per_minute == 12
        edit(room.settings, GOOD_SETTINGS)
        await _until(room, lambda: not room.service.problems)
        assert room.service.current.revision == 1
