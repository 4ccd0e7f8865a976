"""Changes in folders are noticed, and nothing is lost when the folders themselves change."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from whatsself_tui.errors import DataError
from whatsself_tui.host.atomic import write_atomic
from whatsself_tui.host.watch import watch_folders

#: Far more than any change takes to be told; only a failing test waits so long.
_DEADLINE_S = 30


class _Watch:
    """A watch in the background and everything it has told."""

    def __init__(self, *folders: Path) -> None:
        self.stop = asyncio.Event()
        self.told: list[frozenset[Path]] = []
        self._news = asyncio.Condition()
        self.task = asyncio.create_task(self._run(folders))

    async def _run(self, folders: tuple[Path, ...]) -> None:
        async for paths in watch_folders(folders, self.stop, step_ms=20):
            async with self._news:
                self.told.append(paths)
                self._news.notify_all()

    def seen(self, path: Path) -> bool:
        return any(path in paths for paths in self.told)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(_DEADLINE_S), self._news:
            await self._news.wait_for(condition)


@asynccontextmanager
async def _watching(*folders: Path) -> AsyncIterator[_Watch]:
    watch = _Watch(*folders)
    try:
        await watch.until(lambda: len(watch.told) > 0)
        yield watch
    finally:
        watch.task.cancel()
        await asyncio.gather(watch.task, return_exceptions=True)


async def test_the_folders_come_first_then_every_change_in_either(tmp_path: Path) -> None:
    config, commands = tmp_path / "config", tmp_path / "commands"
    config.mkdir()
    commands.mkdir()
    async with _watching(config, commands) as watch:
        assert watch.told == [{config, commands}]
        (config / "settings.toml").write_text("x")
        await watch.until(lambda: watch.seen(config / "settings.toml"))
        write_atomic(commands / "1.json", b"{}")
        await watch.until(lambda: watch.seen(commands / "1.json"))
        watch.told.clear()
        (commands / "1.json").unlink()
        await watch.until(lambda: watch.seen(commands / "1.json"))


async def test_what_changes_right_after_the_first_item_is_told(tmp_path: Path) -> None:
    watch = watch_folders([tmp_path], asyncio.Event(), step_ms=20)
    try:
        assert await anext(watch) == {tmp_path}
        (tmp_path / "x").write_text("x")
        assert await asyncio.wait_for(anext(watch), _DEADLINE_S) == {tmp_path / "x"}
    finally:
        await watch.aclose()


async def test_temporary_files_and_deeper_folders_are_not_told(tmp_path: Path) -> None:
    (tmp_path / "last-good").mkdir()
    async with _watching(tmp_path) as watch:
        (tmp_path / "last-good" / "settings.toml").write_text("x")
        write_atomic(tmp_path / ".hidden", b"x")
        (tmp_path / "~$settings.toml").write_text("x")
        (tmp_path / "node_modules").mkdir()
        (tmp_path / "end").write_text("x")
        await watch.until(lambda: watch.seen(tmp_path / "end"))
        names = {path.name for paths in watch.told[1:] for path in paths}
        assert names - {"last-good"} == {".hidden", "~$settings.toml", "node_modules", "end"}


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
async def test_paths_are_told_as_the_caller_knows_them(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real")
    async with _watching(link) as watch:
        (tmp_path / "real" / "x").write_text("x")
        await watch.until(lambda: watch.seen(link / "x"))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not rename a folder that is watched")
async def test_a_folder_replaced_by_another_is_watched_in_its_place(tmp_path: Path) -> None:
    folder = tmp_path / "config"
    folder.mkdir()
    (tmp_path / "new").mkdir()
    async with _watching(folder) as watch:
        folder.rename(tmp_path / "old")
        (tmp_path / "new").rename(folder)
        await watch.until(lambda: watch.told.count(frozenset({folder})) >= 2)
        (folder / "x").write_text("x")
        await watch.until(lambda: watch.seen(folder / "x"))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows tells of a removed folder only when it is let go")
async def test_a_folder_that_is_removed_ends_the_watch_with_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "config"
    folder.mkdir()
    async with _watching(folder) as watch:
        shutil.rmtree(folder)
        with pytest.raises(DataError, match="config cannot be watched"):
            await asyncio.wait_for(watch.task, _DEADLINE_S)


async def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere"):
        await anext(watch_folders([tmp_path, tmp_path / "nowhere"], asyncio.Event()))


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are text there")
async def test_a_name_that_is_no_text_does_not_end_the_watch(tmp_path: Path) -> None:
    async with _watching(tmp_path) as watch:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe")).write_text("x")
        await watch.until(lambda: watch.told.count(frozenset({tmp_path})) >= 2)
        (tmp_path / "x").write_text("x")
        await watch.until(lambda: watch.seen(tmp_path / "x"))


async def test_stopping_ends_it_and_cancelling_does_not_stop_others(tmp_path: Path) -> None:
    async with _watching(tmp_path) as watch:
        other = asyncio.create_task(_run_until_stopped(tmp_path, watch.stop))
        watch.task.cancel()
        await asyncio.gather(watch.task, return_exceptions=True)
        assert not watch.stop.is_set()
        watch.stop.set()
        await asyncio.wait_for(other, _DEADLINE_S)


async def _run_until_stopped(folder: Path, stop: asyncio.Event) -> None:
    async for _ in watch_folders([folder], stop, step_ms=20):
        pass


async def test_leaving_the_loop_leaves_nothing_running(tmp_path: Path) -> None:
    before = asyncio.all_tasks()
    watch = watch_folders([tmp_path], asyncio.Event(), step_ms=20)
    assert await anext(watch) == {tmp_path}
    await watch.aclose()
    assert asyncio.all_tasks() == before
