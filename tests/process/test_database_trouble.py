"""The database is locked, the disk is full, a permission is missing: told, nothing lost, nothing sent twice."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from support.cli import FAST, cli_json, headless, received, settings
from support.queue_world import NOON
from support.trouble_room import (
    Filler,
    checkpointed,
    cli_bound_by_permissions,
    health_of,
    held,
    refusal,
    small_disk,
    snapshot,
)
from support.waiting import until

from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.robot import spool
from whatsself_tui.robot.spool import SpooledCommand

MANY = 40


# Locks.


@pytest.mark.parametrize(("begin", "mode"), [("IMMEDIATE", "NORMAL"), ("EXCLUSIVE", "EXCLUSIVE")])
def test_database_another_program_holds_is_told_and_left_alone(tmp_path: Path, begin: str, mode: str) -> None:
    cli_json(tmp_path, "send", "5511999990001", "x")
    with held(checkpointed(tmp_path), begin, mode):
        told = refusal(tmp_path)
    assert "locked" in told
    assert "Another program has it open" in told
    assert not (tmp_path / "damaged").exists()
    assert cli_json(tmp_path, "send", "5511999990001", "x")["id"] == 2


def prepare_many(data: Path) -> None:
    """A long queue of a paused robot that will send quickly."""
    settings(data, FAST + "[queue]\nretry_base_s = 1\n")
    cli_json(data, "queue", "pause")
    folder = DataFolder(data)
    with headless(data) as robot:
        for number in range(MANY):
            args = {"phone": f"55119999900{number % 5:02d}", "text": f"message {number}"}
            spool.submit(folder, SpooledCommand(spool.new_id(NOON + number), "send", args))
        until(lambda: cli_json(data, "status")["queue"]["queued"] == MANY)
        robot.stop()


def all_arrived_once(data: Path) -> None:
    """The phone's own record: every answer, and none twice."""
    until(lambda: len(received(data)) >= MANY)
    until(lambda: cli_json(data, "status")["queue"]["sending"] == 0)
    log = received(data)
    assert len({entry["id"] for entry in log}) == len(log) == MANY
    queue = cli_json(data, "status")["queue"]
    assert (queue["queued"], queue["dead"], queue["unconfirmed"]) == (0, 0, 0)


def test_robot_waits_for_a_lock_and_goes_on(tmp_path: Path) -> None:
    prepare_many(tmp_path)
    with headless(tmp_path) as robot:
        with held(tmp_path / "whatsself.db"):
            refused = refusal(tmp_path, "send", "5511999990001", "refused")
            assert "database is locked" in refused
            until((tmp_path / "run" / "trouble").exists)
            level, text = health_of(tmp_path, "database")
            assert (level, "database is locked" in text, "Another program" in text) == ("error", True, True)
            sent = len(received(tmp_path))
        cli_json(tmp_path, "queue", "resume")
        assert sent == 0
        until(lambda: health_of(tmp_path, "database")[0] == "ok")
        until(lambda: len(received(tmp_path)) >= 3)
        with held(tmp_path / "whatsself.db"):
            until((tmp_path / "run" / "trouble").exists)
        all_arrived_once(tmp_path)
        assert robot.stop() == 0
    assert "refused" not in {entry["text"] for entry in received(tmp_path)}


# A full disk.


def fill_until(condition: Callable[[], bool], filler: Filler) -> None:
    """Take all room again and again, as long as the robot finds some that it had given back."""

    def full() -> bool:
        filler.fill()
        return condition()

    until(full)


def test_start_on_a_full_disk_is_told_and_loses_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        filler, data = Filler(disk), disk / "data"
        filler.fill()
        assert "No space left" in refusal(data), "not even the first start"
        filler.free()
        cli_json(data, "send", "5511999990001", "x")
        for pages_left in (0, 1, 2, 4):
            filler.fill(pages_left)
            told = refusal(data, "send", "5511999990001", "refused")
            assert re.search("No space left|is full", told), told
            filler.free()
        with headless(data) as robot:
            assert cli_json(data, "status")["queue"]["queued"] + len(received(data)) == 1
            robot.stop()


def test_robot_on_a_full_disk_refuses_says_so_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        filler, data = Filler(disk), disk / "data"
        prepare_many(data)
        with headless(data) as robot:
            cli_json(data, "queue", "resume")
            until(lambda: len(received(data)) >= 3)
            fill_until((data / "run" / "trouble").exists, filler)
            assert re.search("No space left|is full", refusal(data, "send", "5511999990001", "refused"))
            fill_until(lambda: health_of(data, "database")[0] == "error", filler)
            assert "takes nothing at present" in health_of(data, "database")[1]
            assert health_of(data, "disk")[0] == "error"
            filler.free()
            filler.fill(pages_left=1)  # room for the command alone: the answer has to use it
            assert re.search("No space left|is full", refusal(data, "send", "5511999990001", "refused"))
            assert robot.process.poll() is None
            filler.free()
            all_arrived_once(data)
            until(lambda: health_of(data, "database")[0] == "ok")
            assert cli_json(data, "send", "5511999990001", "taken")["new"] is True
            assert robot.stop() == 0
        assert '"event": "started"' in (data / "logs" / "whatsself.jsonl").read_text(encoding="utf-8")


def test_robot_stopped_on_a_full_disk_ends_well_and_the_next_one_loses_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        filler, data = Filler(disk), disk / "data"
        prepare_many(data)
        with headless(data) as robot:
            cli_json(data, "queue", "resume")
            until(lambda: len(received(data)) >= 3)
            fill_until((data / "run" / "trouble").exists, filler)
            assert robot.stop() == 0
            assert not any("Traceback" in line for line in robot.narration), "\n".join(robot.narration)
        filler.free()
        with headless(data):
            all_arrived_once(data)


# Permissions.


def test_folder_and_file_that_may_not_be_written_are_told(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert cli_bound_by_permissions(data, "send", "5511999990001", "x").returncode == 0
    checkpointed(data)
    before = snapshot(data)
    for path, mode in (
        (data / "run", 0o555),
        (data, 0o555),
        (data / "whatsself.db", 0o444),
        (data / "whatsself.db", 0),
    ):
        usual = path.stat().st_mode
        path.chmod(mode)
        done = cli_bound_by_permissions(data, "run", "--headless")
        path.chmod(usual)
        told = done.stderr.decode()
        assert (done.returncode, "Traceback" in told) == (1, False), told
        assert "permissions" in told
        assert {name: snapshot(data)[name] for name in before} == before
    assert cli_bound_by_permissions(data, "send", "5511999990001", "x").returncode == 0
