"""Exit codes and sentences of the command line."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.cli import FAST, PROGRAM, cli, cli_json, environment, headless, settings

from whatsself_tui.cli.parser import build_parser


def test_console_without_a_terminal_is_refused_with_a_sentence(tmp_path: Path) -> None:
    for arguments in ([], ["--demo"], ["console", "--read-only"]):
        done = cli(tmp_path, *arguments)
        assert done.returncode == 2
        assert "needs a terminal" in done.stderr.decode()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["send", "999", "x"], "8 to 15 digits"),
        (["send", "5511999990001", ""], "text"),
        (["send", "5511999990001", "   "], "empty"),
        (["send", "5511999990001", "x", "--priority", "11"], "whole number from 0 to 10"),
        (["send", "5511999990001", "x", "--not-before", "soon"], "is no time"),
        (["send", "5511999990001", "x", "--expires", "2020-01-01"], "expire"),
        (["send", "5511999990001", "x" * 65_537], "65536"),
        (["receive", "5511999990001"], "needs PHONE and TEXT"),
        (["receive", "--export", "missing.txt", "--me", "Loja"], "cannot be read"),
        (["queue"], "required"),
        (["fly"], "invalid choice"),
        (["run"], "--headless"),
    ],
)
def test_bad_arguments_are_told_and_change_nothing(tmp_path: Path, arguments: list[str], sentence: str) -> None:
    done = cli(tmp_path, *arguments)
    assert done.returncode == 2, done
    assert sentence in done.stderr.decode()
    assert not list(tmp_path.glob("whatsself.db")) or cli_json(tmp_path, "status")["queue"]["queued"] == 0


def commands_of(parser: argparse.ArgumentParser) -> Iterator[str]:
    """The functions named by a parser and all below it."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from commands_of(below)
    if run := parser.get_default("run"):
        yield run


def test_every_command_names_a_function_that_is_there() -> None:
    named = set(commands_of(build_parser()))
    assert len(named) > 25
    for run in named:
        module, _, name = run.partition(":")
        assert callable(getattr(importlib.import_module(f"whatsself_tui.cli.{module}"), name)), run


def test_reading_an_empty_folder_is_told(tmp_path: Path) -> None:
    done = cli(tmp_path, "status", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["ok"] is False
    assert "no robot's data" in done.stderr.decode()
    assert list(tmp_path.iterdir()) == [], "reading leaves nothing behind"


def test_second_robot_does_not_start_and_the_first_goes_on(tmp_path: Path) -> None:
    with headless(tmp_path) as robot:
        second = cli(tmp_path, "run", "--headless")
        assert second.returncode == 4
        assert str(robot.process.pid) in second.stderr.decode()
        assert cli_json(tmp_path, "status")["owner"]["pid"] == robot.process.pid
        assert robot.stop() == 0
    assert cli_json(tmp_path, "status")["owner"] is None


def test_owner_killed_leaves_no_stale_lock(tmp_path: Path) -> None:
    with headless(tmp_path) as robot:
        robot.kill()
    status = cli_json(tmp_path, "status")
    assert status["owner"] is None
    assert status["transport"]["state"] == "stopped"
    with headless(tmp_path) as robot:
        assert robot.stop() == 0


def test_status_has_the_promised_keys(tmp_path: Path) -> None:
    cli_json(tmp_path, "send", "5511999990001", "x")
    status = cli_json(tmp_path, "status")
    assert {"state", "failure_rate", "attempts", "opens_at", "closes_at", "multiplier"} <= set(status["breaker"])
    assert {"queued", "scheduled", "sending", "dead", "unconfirmed", "oldest_age_s", "next_wake_at"} <= set(
        status["queue"]
    )
    assert {"used", "limit"} <= set(status["limits"]["per_minute"])
    assert set(status["transport"]) == {"kind", "state", "detail", "advice"}
    assert {entry["name"] for entry in status["health"]} == {"whatsapp", "robot", "database", "disk", "configuration"}
    assert {"paused", "owner", "alerts", "today"} <= set(status)


def test_config_check_tells_file_line_and_field(tmp_path: Path) -> None:
    assert cli(tmp_path, "config", "check").returncode == 0
    settings(tmp_path, "[limits]\nper_minuet = 12\nper_contact = 99\n")
    done = cli(tmp_path, "config", "check", "--json")
    assert done.returncode == 2
    problems = json.loads(done.stdout)["problems"]
    assert {(entry["file"], entry["line"]) for entry in problems} == {("settings.toml", 2), ("settings.toml", 3)}
    assert "per_minute" in problems[0]["message"]
    paths = cli_json(tmp_path, "config", "path")
    assert Path(paths["settings"]).is_file()


def test_robot_with_a_broken_file_and_no_good_one_refuses_to_start(tmp_path: Path) -> None:
    settings(tmp_path, "[limits\n")
    done = cli(tmp_path, "run", "--headless")
    assert done.returncode == 2
    assert "settings.toml:1" in done.stderr.decode()


def test_robot_with_a_broken_file_starts_with_the_last_good_one(tmp_path: Path) -> None:
    settings(tmp_path, FAST.replace("per_contact = 20", "per_contact = 17"))
    with headless(tmp_path) as robot:
        robot.stop()
    settings(tmp_path, "[limits]\nper_contact = 0\n")
    with headless(tmp_path):
        assert cli_json(tmp_path, "config", "show")["limits"]["per_contact"] == 17
        assert [alert["kind"] for alert in cli_json(tmp_path, "status")["alerts"]] == ["config_rejected"]


def test_version_and_help_need_no_folder() -> None:
    for flag in ("--version", "--help"):
        done = subprocess.run([*PROGRAM, flag], capture_output=True, check=False, env=environment())
        assert done.returncode == 0
        assert b"whatsself-tui" in done.stdout


def test_commands_do_not_load_the_console(tmp_path: Path) -> None:
    script = (
        "import sys; from whatsself_tui.cli.main import main;"
        f"main(['--data-dir', {str(tmp_path)!r}, 'send', '5511999990001', 'x']);"
        f"main(['--data-dir', {str(tmp_path)!r}, 'status', '--json']);"
        "print(sorted({'textual', 'playwright'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, env=environment())
    assert done.stderr.decode().strip().endswith("[]")


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="needs a folder this user may not write")
def test_folder_without_permission_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    done = cli(tmp_path, "send", "5511999990001", "x")
    assert done.returncode == 1
    assert "cannot be used" in done.stderr.decode()


def test_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    done = cli(tmp_path / "data", "send", "5511999990001", "x")
    assert done.returncode == 1
    assert "cannot be used" in done.stderr.decode()
