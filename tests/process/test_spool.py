"""The command spool: rubbish never executed, a command carried out once even if its owner dies."""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.cli import cli_json, headless
from support.waiting import until


def identity() -> str:
    """A fresh command id."""
    return f"{time.time_ns() // 1_000_000:013d}{secrets.token_hex(6)}"


def drop(data: Path, name: str, content: bytes) -> None:
    """Put a file into the spool the way clients do."""
    folder = data / "run" / "commands"
    temporary = folder / f".{name}.tmp"
    temporary.write_bytes(content)
    os.replace(temporary, folder / name)


def result_of(data: Path, name: str) -> dict[str, Any]:
    """The answer, once it is there."""
    path = data / "run" / "results" / f"{name}.json"
    until(path.exists)
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def command(name: str, **changes: object) -> bytes:
    """A command file's content."""
    content = {"version": 1, "id": name, "command": "pause", "args": {}, **changes}
    return json.dumps({key: value for key, value in content.items() if value is not None}).encode()


def test_whatever_is_no_command_is_answered_moved_aside_and_never_executed(tmp_path: Path) -> None:
    names = [identity() for _ in range(9)]
    files = {
        names[0]: (b"{ this is no JSON", "no JSON"),
        names[1]: (command(names[1], command="format_disk"), "no command 'format_disk'"),
        names[2]: (command(names[2], args={"x": "y" * 1_100_000}), "1,000,000"),
        names[3]: (command(names[3], version=2), "newer"),
        names[4]: (command(names[4], id="../../etc/passwd"), "id"),
        names[5]: (command(names[5], args={"unexpected": 1}), "unexpected"),
        names[6]: (b"[" * 200_000, "no JSON"),
        names[7]: (b"\xff\xfe\x00", "no JSON"),
        names[8]: (command(names[8], version=None), "version"),
    }
    with headless(tmp_path) as robot:
        for name, (content, _) in files.items():
            drop(tmp_path, f"{name}.json", content)
        for name, (_, reason) in files.items():
            result = result_of(tmp_path, name)
            assert (result["ok"], result["exit_code"]) == (False, 2)
            assert reason in result["message"]
        status = cli_json(tmp_path, "status")
        assert (status["paused"], status["owner"]["pid"]) == (False, robot.process.pid)
        assert list((tmp_path / "run" / "commands").iterdir()) == []
        assert len(list((tmp_path / "run" / "rejected").iterdir())) == 7, "those that were no commands at all"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fifo and needs a right for links")
def test_links_fifos_and_folders_in_the_spool_do_not_hold_it_up(tmp_path: Path) -> None:
    with headless(tmp_path):
        spool = tmp_path / "run" / "commands"
        os.mkfifo(spool / f"{identity()}.json")
        (spool / f"{identity()}.json").symlink_to("/dev/zero")
        (spool / f"{identity()}.json").mkdir()
        assert cli_json(tmp_path, "queue", "pause")["paused"] is True
        until(lambda: list(spool.iterdir()) == [])


def test_command_is_carried_out_once_though_its_owner_died_before_answering(tmp_path: Path) -> None:
    name = identity()
    content = command(name, command="send", args={"phone": "5511999990001", "text": "once"})
    cli_json(tmp_path, "queue", "pause")
    with headless(tmp_path) as robot:
        drop(tmp_path, f"{name}.json", content)
        first = result_of(tmp_path, name)
        robot.kill()
    (tmp_path / "run" / "results" / f"{name}.json").unlink()
    # What a crash after the commit leaves: the command taken, but neither answered nor deleted.
    (tmp_path / "run" / "commands" / f"{name}.taken").write_bytes(content)
    with headless(tmp_path):
        assert result_of(tmp_path, name) == first
    with closing(sqlite3.connect(tmp_path / "whatsself.db")) as connection:
        assert connection.execute("SELECT count(*) FROM outbox").fetchone() == (1,)


def test_command_left_while_nobody_ran_is_carried_out_at_the_next_start(tmp_path: Path) -> None:
    cli_json(tmp_path, "queue", "resume")
    name = identity()
    drop(tmp_path, f"{name}.json", command(name))
    with headless(tmp_path):
        assert result_of(tmp_path, name)["ok"] is True
        assert cli_json(tmp_path, "status")["paused"] is True
