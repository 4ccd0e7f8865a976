"""Backups as an operator asks for them: by the command line, with and without a robot, and once each."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from support.backup_room import back_up, contents, put, unfinished
from support.cli import FAST, headless, received, settings
from support.fake_clock import FakeClock
from support.queue_world import NOON
from support.waiting import until

from whatsself_tui.cli.main import main
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.host.ownership import Ownership
from whatsself_tui.robot import client, spool
from whatsself_tui.robot.orchestrator import Orchestrator
from whatsself_tui.robot.spool import SpooledCommand
from whatsself_tui.session.checking import verify
from whatsself_tui.session.making import BackupMaker

TODAY = "whatsapp_session-20261122.zip"


@asynccontextmanager
async def opened(root: Path) -> AsyncIterator[Orchestrator]:
    """A robot that only carries out commands, on 22 November 2026."""
    robot = Orchestrator(DataFolder(root), FakeClock(NOON), mode="command")
    await robot.open()
    try:
        yield robot
    finally:
        await robot.close()


def archives(root: Path) -> list[str]:
    """Names of the finished backups."""
    return sorted(path.name for path in (root / "backups").glob("whatsapp_session-*.zip"))


async def test_repeated_command_answers_as_before_even_if_its_backup_is_gone(tmp_path: Path) -> None:
    command = SpooledCommand(spool.new_id(NOON), "backup", {})
    async with opened(tmp_path) as robot:
        first = await robot.commands.execute(command)
        assert (first.ok, first.data["file"]) == (True, TODAY)
        assert first.data["size_bytes"] == (tmp_path / "backups" / TODAY).stat().st_size
    async with opened(tmp_path) as robot:
        assert await robot.commands.execute(command) == first
        assert archives(tmp_path) == [TODAY]
        (tmp_path / "backups" / TODAY).unlink()
        assert await robot.commands.execute(command) == first
    assert archives(tmp_path) == []


async def test_command_whose_owner_died_before_noting_the_result_makes_no_second_backup(tmp_path: Path) -> None:
    command = SpooledCommand(spool.new_id(NOON), "backup", {})
    async with opened(tmp_path) as robot:
        made = await BackupMaker(robot.folder).make(command.id, NOON, robot.store.zone)
        result = await robot.commands.execute(command)
    assert archives(tmp_path) == [TODAY] == [made.path.name]
    assert (result.ok, result.data["file"]) == (True, TODAY)


async def test_same_command_at_the_same_time_makes_one_backup_and_others_theirs(tmp_path: Path) -> None:
    one, other = (SpooledCommand(spool.new_id(NOON), "backup", {}) for _ in range(2))
    async with opened(tmp_path) as robot:
        results = await asyncio.gather(*(robot.commands.execute(command) for command in (one, one, other)))
    assert results[0] == results[1]
    assert len({result.data["file"] for result in results}) == 2
    assert len(archives(tmp_path)) == 2


async def test_failed_backup_is_a_refusal_and_the_command_may_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = SpooledCommand(spool.new_id(NOON), "backup", {})

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async with opened(tmp_path) as robot:
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", full)
            result = await robot.commands.execute(command)
        assert (result.ok, result.exit_code) == (False, 1)
        assert "No space left" in result.message
        assert list((tmp_path / "backups").iterdir()) == []
        assert (await robot.commands.execute(command)).ok
        refused = await robot.commands.execute(SpooledCommand(spool.new_id(NOON), "backup", {"x": 1}))
        assert (refused.ok, refused.exit_code) == (False, 2)
    assert archives(tmp_path) == [TODAY]


class CommandLine:
    """The command line in this process, on one data folder."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._root = root
        self._capsys = capsys

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, output, narration."""
        self._capsys.readouterr()
        code = main(["--data-dir", str(self._root), *arguments])
        return code, *self._capsys.readouterr()

    def json(self, *arguments: str) -> dict[str, Any]:
        """The document of a command that has to succeed."""
        code, output, narration = self(*arguments, "--json")
        assert code == 0, narration
        document: dict[str, Any] = json.loads(output)
        return document


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line on the test's folder."""
    return CommandLine(tmp_path, capsys)


def test_create_list_and_verify_without_a_robot(run: CommandLine) -> None:
    run("send", "5511999990001", "in the backup")
    made = run.json("backup", "create")
    again = run.json("backup", "create")
    listed = run.json("backup", "list")
    assert [entry["file"] for entry in listed["backups"]] == [again["file"], made["file"]]
    assert set(listed["backups"][0]) == {"file", "date", "size_bytes"}
    assert listed["backups"][1]["size_bytes"] == made["size_bytes"] == Path(made["path"]).stat().st_size
    newest = run.json("backup", "verify")
    assert (newest["file"], newest["files"]) == (again["file"], again["files"])
    assert run.json("backup", "verify", made["file"])["path"] == made["path"]
    assert run.json("backup", "verify", made["path"])["file"] == made["file"]
    assert "is whole" in run("backup", "verify")[1]
    lines = run("backup", "list")[1].splitlines()
    assert [line.split()[0] for line in lines] == [again["file"], made["file"]]
    assert listed["backups"][0]["date"] == lines[0].split()[1]


def test_backup_by_a_running_robot_while_it_answers(tmp_path: Path, run: CommandLine) -> None:
    settings(tmp_path, FAST)
    put(tmp_path / "whatsapp_session" / "Default" / "Cookies", b"login" * 1000)
    with headless(tmp_path) as robot:
        run("receive", "5511999990001", "oi")
        made = run.json("backup", "create")
        run("receive", "5511999990002", "oi")
        until(lambda: len(received(tmp_path)) == 2)
        assert run.json("status")["owner"]["pid"] == robot.process.pid
        assert run.json("backup", "verify")["file"] == made["file"]
    held = contents(Path(made["path"]))
    assert held["whatsapp_session/Default/Cookies"] == b"login" * 1000
    assert held["config/settings.toml"] == FAST.encode()
    (tmp_path / "copy.db").write_bytes(held["whatsself.db"])
    with closing(sqlite3.connect(tmp_path / "copy.db")) as connection:
        assert connection.execute("SELECT count(*) FROM inbox").fetchone() == (1,)


def test_verify_tells_what_is_wrong_and_fails(run: CommandLine) -> None:
    run("queue", "resume")
    path = Path(run.json("backup", "create")["path"])
    path.write_bytes(path.read_bytes()[:-50])
    code, output, narration = run("backup", "verify", "--json")
    assert (code, json.loads(output)["ok"]) == (1, False)
    assert "is damaged" in json.loads(output)["message"]
    assert "is damaged" in narration
    assert run("backup", "list")[0] == 0
    code, _, narration = run("backup", "verify", f"elsewhere/{path.name}")
    assert code == 2
    assert "There is no file" in narration


def test_folder_without_data_or_backups_is_told_and_nothing_is_made_in_it(tmp_path: Path, run: CommandLine) -> None:
    for action, code, sentence in (
        ("create", 1, "no robot's data"),
        ("verify", 1, "There is no backup"),
        ("list", 0, "No backups in"),
    ):
        exit_code, _, narration = run("backup", action)
        assert (exit_code, sentence in narration) == (code, True)
    assert run.json("backup", "list")["backups"] == []
    assert list(tmp_path.iterdir()) == []


def test_robot_that_takes_long_is_told_with_where_to_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: CommandLine
) -> None:
    folder = DataFolder(tmp_path)
    folder.create()
    put(folder.database)
    robot = Ownership(folder)
    robot.take(mode="headless", now_ms=NOON, version="1")
    try:
        monkeypatch.setattr(client, "PATIENCE_S", 0.0)
        code, _, narration = run("backup", "create")
        assert (code, "it was withdrawn" in narration) == (1, True)
        monkeypatch.setattr(spool, "withdraw", lambda *_: False)  # the robot has taken it
        code, _, narration = run("backup", "create")
        assert code == 1
        assert "It is made once, by this robot or the next one; `backup list` shows it" in narration
    finally:
        robot.release()


def test_owner_killed_on_the_way_leaves_only_what_the_next_backup_removes(tmp_path: Path, run: CommandLine) -> None:
    run("queue", "resume")
    folder = DataFolder(tmp_path)
    large = folder.session / "large"
    put(large)
    os.truncate(large, 300_000_000)
    command = SpooledCommand(spool.new_id(NOON), "backup", {})
    with headless(tmp_path) as robot:
        spool.submit(folder, command)
        until(lambda: any("archive" in name for name in unfinished(folder)))
        robot.kill()
    assert archives(tmp_path) == []
    left = unfinished(folder)
    assert left
    assert all(name.startswith(".whatsapp_session-") for name in left)
    assert run.json("backup", "list")["backups"] == []
    os.truncate(large, 5)
    with headless(tmp_path):
        until((folder.results / f"{command.id}.json").exists)
        result = spool.fetch(folder, command.id)
    assert result
    assert result.ok, "the next owner carries the command out"
    assert archives(tmp_path) == [result.data["file"]]
    assert unfinished(folder) == []
    assert verify(folder.backups / result.data["file"]).id == command.id
    assert back_up(folder, command.id).path.name == result.data["file"]
