"""A database that is damaged, gone or somebody else's: set aside or left alone, and never begun anew in silence."""

from __future__ import annotations

import os
import random
import re
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from support.cli import FAST, PROGRAM, cli_json, environment, headless, received, settings
from support.trouble_room import checkpointed, follow_advice, health_of, overwrite_page, refusal, root_page, snapshot


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one message in the queue, a backup of it, and a newer one that is not whole."""
    data = tmp_path_factory.mktemp("original")
    cli_json(data, "send", "5511999990001", "in the backup")
    cli_json(data, "backup", "create")
    newest = Path(cli_json(data, "backup", "create")["path"])
    newest.write_bytes(newest.read_bytes()[:-100])
    checkpointed(data)
    return data


@pytest.fixture
def used(tmp_path: Path, original: Path) -> Path:
    """A copy of it for one test."""
    return shutil.copytree(original, tmp_path / "data")


def truncate(database: Path) -> None:
    os.truncate(database, database.stat().st_size // 2)


def overwrite_the_schema(database: Path) -> None:
    with database.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 3000)


RUBBISH: dict[str, Callable[[Path], object]] = {
    "random": lambda path: path.write_bytes(random.Random(1).randbytes(50_000)),
    "text": lambda path: path.write_text("once upon a time " * 500),
    "jpeg": lambda path: path.write_bytes(b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(30_000)),
    "truncated": truncate,
    "schema": overwrite_the_schema,
    "page of robot": lambda path: overwrite_page(path, root_page(path, "robot")),
    "page of outbox_sending": lambda path: overwrite_page(path, root_page(path, "outbox_sending")),
}


@pytest.mark.parametrize("kind", RUBBISH)
def test_damaged_database_is_set_aside_and_the_backup_named_until_the_operator_decides(used: Path, kind: str) -> None:
    RUBBISH[kind](used / "whatsself.db")
    rubbish = (used / "whatsself.db").read_bytes()
    first = refusal(used)
    assert "is damaged (" in first
    (kept,) = (used / "damaged").glob("whatsself-*.db")
    assert re.fullmatch(r"whatsself-\d{8}-\d{6}\.db", kept.name)
    assert str(kept) in first
    assert kept.read_bytes() == rubbish or kind.startswith("page"), "that one was in use for a moment"
    newest, good = sorted((used / "backups").iterdir(), key=lambda path: len(path.name), reverse=True)
    assert (newest.name in first, good.name in first) == (False, True), "what is not whole is no way out"
    again = refusal(used, "send", "5511999990002", "x")
    assert again.split("The newest good backup")[1] == first.split("The newest good backup")[1]
    assert not (used / "whatsself.db").exists()
    content = kept.read_bytes()
    assert follow_advice(first, "backup restore what").returncode == 0
    assert kept.read_bytes() == content
    assert cli_json(used, "status")["queue"]["queued"] == 1


def test_log_of_a_damaged_database_goes_with_it_and_a_second_one_takes_nothings_place(tmp_path: Path) -> None:
    for _ in range(2):
        cli_json(tmp_path, "queue", "pause")
        checkpointed(tmp_path)
        with headless(tmp_path) as robot:
            cli_json(tmp_path, "send", "5511999990001", "x")
            robot.kill()
        log = (tmp_path / "whatsself.db-wal").read_bytes()
        assert log
        (tmp_path / "whatsself.db").write_bytes(b"rubbish" * 1000)
        told = refusal(tmp_path)
        assert "There is no good backup" in told
        kept = sorted((tmp_path / "damaged").glob("*.db"))[-1]
        assert Path(f"{kept}-wal").read_bytes() == log
        assert not list(tmp_path.glob("whatsself.db*"))
        assert follow_advice(told, "--empty").returncode == 0
    assert len(list((tmp_path / "damaged").glob("*.db"))) == 2
    assert cli_json(tmp_path, "status")["paused"] is False, "an empty queue needs no second look"


@pytest.mark.parametrize("loss", ["deleted", "empty", "without its mark", "without a backup"])
def test_database_that_is_gone_is_no_new_beginning(used: Path, loss: str) -> None:
    (used / "whatsself.db").unlink()
    if loss == "empty":
        (used / "whatsself.db").touch()
    if loss == "without its mark":
        (used / "run" / "began").unlink()
    if loss == "without a backup":
        shutil.rmtree(used / "backups")
    told = refusal(used)
    assert "though a robot has run here" in told
    way, waiting = ("--empty", 0) if loss == "without a backup" else ("backup restore what", 1)
    assert follow_advice(told, way).returncode == 0
    assert cli_json(used, "status")["queue"]["queued"] == waiting


def test_log_without_its_database_is_not_thrown_away(tmp_path: Path) -> None:
    with headless(tmp_path) as robot:
        cli_json(tmp_path, "send", "5511999990001", "only in the log")
        robot.kill()
    (tmp_path / "whatsself.db").unlink()
    log = (tmp_path / "whatsself.db-wal").read_bytes()
    assert "though a robot has run here" in refusal(tmp_path)
    assert (tmp_path / "whatsself.db-wal").read_bytes() == log


def test_empty_file_in_a_new_folder_becomes_the_database(tmp_path: Path) -> None:
    (tmp_path / "whatsself.db").touch()
    assert cli_json(tmp_path, "send", "5511999990001", "x")["id"] == 1


def foreign(database: Path) -> None:
    database.unlink(missing_ok=True)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE moz_places (id INTEGER)")


def foreign_of_a_known_program(database: Path) -> None:
    foreign(database)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA application_id = 252006674")
        connection.execute("PRAGMA user_version = 99")


def newer(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA user_version = 99")


def no_file(database: Path) -> None:
    database.unlink()
    database.mkdir()
    (database / "x").write_bytes(b"x")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (foreign, "another program"),
        (foreign_of_a_known_program, "another program"),
        (newer, "schema version 99"),
        (no_file, "no ordinary file"),
    ],
)
def test_what_is_not_ours_is_refused_and_left_where_it_is(
    used: Path, change: Callable[[Path], object], sentence: str
) -> None:
    change(used / "whatsself.db")
    for leftover in used.glob("whatsself.db-*"):
        leftover.unlink()
    before = snapshot(used)
    for arguments in (["run", "--headless"], ["send", "5511999990001", "x"]):
        assert sentence in refusal(used, *arguments)
    after = snapshot(used)
    assert {name: after[name] for name in before} == before
    assert not (used / "damaged").exists()


def test_database_of_the_first_version_has_no_mark_and_is_taken(used: Path) -> None:
    with closing(sqlite3.connect(used / "whatsself.db")) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (0x57534C46,)
        connection.execute("PRAGMA application_id = 0")
    assert cli_json(used, "send", "5511999990001", "x")["id"] == 2


def test_damage_met_while_running_stops_everything_and_the_next_start_looks_closer(used: Path) -> None:
    settings(used, FAST)
    cli_json(used, "queue", "pause")
    checkpointed(used)
    overwrite_page(used / "whatsself.db", root_page(used / "whatsself.db", "outbox_dedup"))
    with headless(used) as robot:
        cli_json(used, "send", "5511999990001", "does not touch the damaged page")
        assert health_of(used, "database")[0] == "ok"
        assert "malformed" in refusal(used, "send", "5511999990001", "x", "--dedup", "k")
        level, text = health_of(used, "database")
        assert (level, "damaged" in text, "start it again" in text) == ("error", True, True)
        assert "malformed" in refusal(used, "queue", "resume"), "nothing is built on a damaged database"
        assert robot.process.poll() is None
        assert robot.stop() == 0
    assert received(used) == []
    told = refusal(used)
    assert "is damaged (" in told
    assert follow_advice(told, "backup restore what").returncode == 0
    with headless(used) as robot:
        assert health_of(used, "database")[0] == "ok"
        assert robot.stop() == 0


def test_suspicion_that_proves_wrong_is_forgotten(used: Path) -> None:
    (used / "run" / "suspect").write_text("malformed\n")
    cli_json(used, "send", "5511999990001", "x")
    assert not (used / "run" / "suspect").exists()
    assert not (used / "damaged").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="consoles are tested on a pseudo-terminal")
def test_console_tells_the_same(used: Path) -> None:
    from support.terminal import Terminal

    (used / "whatsself.db").write_bytes(b"rubbish" * 1000)
    console = Terminal([*PROGRAM, "--data-dir", str(used)], columns=250, rows=30, env=environment())
    try:
        console.wait_for("is damaged (", "The newest good backup is")
        assert console.exit_code() == 1
    finally:
        console.cut()


@pytest.mark.skipif(sys.platform == "win32", reason="consoles are tested on a pseudo-terminal")
def test_console_that_only_looks_tells_it_too_and_moves_nothing(used: Path) -> None:
    from support.terminal import Terminal

    (used / "whatsself.db").write_bytes(b"rubbish" * 1000)
    argv = [*PROGRAM, "--data-dir", str(used), "--read-only"]
    console = Terminal(argv, columns=250, rows=30, env=environment())
    try:
        console.wait_for("cannot be used: file is not a database", "Start the robot")
        assert console.exit_code() == 1
    finally:
        console.cut()
    assert (used / "whatsself.db").read_bytes() == b"rubbish" * 1000
