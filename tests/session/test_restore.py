"""Restoring: what the backup holds is there afterwards, what was there before is kept, and it is never half."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.backup_room import put
from support.cli import FAST, cli, cli_json, environment, headless, received, settings
from support.trouble_room import snapshot

from whatsself_tui.cli.main import main
from whatsself_tui.clock import SystemClock
from whatsself_tui.host import atomic
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.robot.attached import AttachedLink
from whatsself_tui.session import swap


def run(data: Path, *arguments: str) -> int:
    """The command line in this process."""
    return main(["--data-dir", str(data), *arguments])


def document(data: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """The JSON of a command that has to succeed."""
    capsys.readouterr()
    code = run(data, *arguments, "--json")
    output, narration = capsys.readouterr()
    assert code == 0, narration
    content: dict[str, Any] = json.loads(output)
    return content


def fill(data: Path, word: str, per_minute: int) -> None:
    """One message, one setting and one login that all say the same word."""
    settings(data, FAST.replace("per_minute = 100000", f"per_minute = {per_minute}"))
    put(data / "whatsapp_session" / "Default" / "login", word.encode())
    assert run(data, "send", "5511999990001", word) == 0
    with closing(sqlite3.connect(data / "whatsself.db")) as connection:
        connection.execute("UPDATE outbox SET body = ?", (word,))
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that says `old`, with a backup in which everything says `new`."""
    root = tmp_path_factory.mktemp("original")
    new, old = root / "new", root / "old"
    fill(new, "new", 7)
    assert run(new, "backup", "create") == 0
    fill(old, "old", 9)
    for archive in (new / "backups").iterdir():
        shutil.copy(archive, old / "backups")
    return old


@pytest.fixture
def data(tmp_path: Path, original: Path) -> Path:
    """A copy of it."""
    return shutil.copytree(original, tmp_path / "data")


def word_of(data: Path) -> set[str]:
    """What database, settings and login say."""
    with closing(sqlite3.connect(data / "whatsself.db")) as connection:
        words = {body for (body,) in connection.execute("SELECT body FROM outbox")}
    words.add("new" if "per_minute = 7" in (data / "config" / "settings.toml").read_text() else "old")
    return words | {(data / "whatsapp_session" / "Default" / "login").read_text()}


def test_everything_is_restored_and_what_was_there_is_kept(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = snapshot(data)
    told = document(data, capsys, "backup", "restore")
    assert word_of(data) == {"new"}
    assert (told["parts"], told["waiting"], told["paused"]) == (["whatsself.db", "whatsapp_session", "config"], 1, True)
    kept = snapshot(Path(told["replaced"]))
    assert {name: kept[name] for name in kept if not name.startswith("whatsself.db-")} == {
        name: content for name, content in before.items() if not name.startswith(("backups/", "whatsself.db-"))
    }
    assert not (data / "restoring").exists()


def test_restored_robot_is_paused_and_says_why_until_it_is_resumed(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document(data, capsys, "backup", "restore")
    with headless(data) as robot:
        status = cli_json(data, "status")
        (alert,) = status["alerts"]
        assert (status["paused"], alert["kind"]) == (True, "restored")
        assert "1 messages waited then and 0 being sent" in alert["text"]
        assert received(data) == [], "nothing goes before somebody has looked"
        cli_json(data, "queue", "resume")
        assert cli_json(data, "status")["alerts"] == []
        robot.stop()


def test_message_sent_after_the_backup_is_not_sent_again_by_the_restore(tmp_path: Path) -> None:
    settings(tmp_path, FAST)
    cli_json(tmp_path, "send", "5511999990001", "once")
    cli_json(tmp_path, "backup", "create")
    assert cli(tmp_path, "run", "--headless", "--until-idle").returncode == 0
    cli_json(tmp_path, "backup", "restore")
    blocked = cli(tmp_path, "run", "--headless", "--until-idle")
    assert (blocked.returncode, "paused" in blocked.stderr.decode()) == (1, True)
    assert [entry["text"] for entry in received(tmp_path)] == ["once"]


def test_dry_run_checks_everything_and_changes_nothing(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = snapshot(data)
    told = document(data, capsys, "backup", "restore", "--dry-run")
    assert (told["dry_run"], told["replaced"], told["waiting"]) == (True, None, 1)
    assert snapshot(data) == before
    archive = Path(told["path"])
    archive.write_bytes(archive.read_bytes()[:-9])
    assert run(data, "backup", "restore", "--dry-run", archive.name) == 1
    assert run(data, "backup", "restore", "--dry-run") == 1


def test_newest_whole_backup_is_taken_and_a_named_one_has_to_be_whole(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (good,) = (data / "backups").iterdir()
    broken = good.with_name("whatsapp_session-20991231.zip")
    broken.write_bytes(good.read_bytes()[:-50])
    before = snapshot(data)
    assert run(data, "backup", "restore", broken.name) == 1
    assert "is damaged" in capsys.readouterr().err
    assert snapshot(data) == before
    assert document(data, capsys, "backup", "restore")["file"] == good.name


def test_part_the_backup_does_not_hold_stays(data: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    settings(tmp_path / "other", FAST)
    assert run(tmp_path / "other", "send", "5511999990001", "elsewhere") == 0
    made = document(tmp_path / "other", capsys, "backup", "create")
    told = document(data, capsys, "backup", "restore", made["path"])
    assert "whatsapp_session" not in told["parts"]
    assert (data / "whatsapp_session" / "Default" / "login").read_text() == "old"


def test_backup_goes_into_a_folder_where_nothing_is(
    data: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (archive,) = (data / "backups").iterdir()
    told = document(tmp_path / "fresh", capsys, "backup", "restore", str(archive))
    assert told["replaced"] is None
    assert word_of(tmp_path / "fresh") == {"new"}


def test_empty_database_on_demand(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = document(data, capsys, "backup", "restore", "--empty")
    assert "answered a second time" in told["message"]
    assert document(data, capsys, "status")["queue"]["queued"] == 0
    with closing(sqlite3.connect(Path(told["replaced"]) / "whatsself.db")) as connection:
        assert connection.execute("SELECT body FROM outbox").fetchall() == [("old",)]
    assert (data / "whatsapp_session" / "Default" / "login").read_text() == "old"
    for wrong in (["--empty", "--dry-run"], ["--empty", "x.zip"], ["missing.zip"]):
        assert run(data, "backup", "restore", *wrong) == 2


def test_living_robot_is_not_restored_under(data: Path) -> None:
    with headless(data) as robot:
        for extra in ([], ["--empty"]):
            done = cli(data, "backup", "restore", *extra)
            assert done.returncode == 4
            told = done.stderr.decode()
            assert (f"process {robot.process.pid}" in told, "Stop it first" in told) == (True, True)
        assert not (data / "restoring").exists()
        assert robot.stop() == 0
    assert word_of(data) == {"old"}


async def test_attached_console_is_asked_to_close_first(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    link = AttachedLink(DataFolder(data), SystemClock())
    await link.open()
    try:
        assert run(data, "backup", "restore") == 1
        assert "A console is attached" in capsys.readouterr().err
        assert word_of(data) == {"old"}
    finally:
        await link.aclose()
    assert run(data, "backup", "restore") == 0


@pytest.mark.parametrize("failing", range(1, 8))
def test_rename_that_fails_leaves_everything_as_it_was(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], failing: int
) -> None:
    calls = 0
    real = atomic.replace
    before = snapshot(data)

    def replace(source: Path, target: Path) -> None:
        nonlocal calls
        calls += 1
        if calls == failing:
            raise PermissionError(13, "held open by another program", str(source))
        real(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(atomic, "replace", replace)
        code = run(data, "backup", "restore")
    if calls < failing:
        pytest.skip("the restore makes fewer renames")
    assert code == 1
    assert "held open by another program" in capsys.readouterr().err
    after = snapshot(data)
    assert {name: after.get(name) for name in before} == before
    assert not (data / "restoring").exists()
    assert document(data, capsys, "backup", "restore")["ok"] is True
    assert word_of(data) == {"new"}


def test_next_start_finishes_what_was_interrupted(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Dead(BaseException):
        """Nothing handles it."""

    real = os.replace

    def die(source: str | Path, target: str | Path) -> None:
        if "restoring" in str(source) and Path(target).name == "whatsself.db":
            raise Dead
        real(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", die)
        with pytest.raises(Dead):
            run(data, "backup", "restore")
    assert not (data / "whatsself.db").exists()
    assert cli_json(data, "send", "5511999990001", "after")["id"] == 2
    assert word_of(data) == {"new", "after"}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"kept": "../../etc", "parts": []}', b'{"kept": 1}'])
def test_journal_nobody_wrote_is_refused(data: Path, capsys: pytest.CaptureFixture[str], content: bytes) -> None:
    before = snapshot(data)
    put(data / "restoring" / "journal.json", content)
    assert run(data, "queue", "pause") == 1
    assert "restore was interrupted" in capsys.readouterr().err
    assert {name: value for name, value in snapshot(data).items() if "restoring" not in name} == before


def test_leftovers_without_a_journal_are_removed(data: Path) -> None:
    put(data / "restoring" / "new" / "whatsself.db", b"half")
    assert swap.finish_interrupted(DataFolder(data)) is False
    assert not (data / "restoring").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="lives are forked")
def test_killed_before_any_operation_it_is_the_old_state_or_the_new_one(data: Path, tmp_path: Path) -> None:
    (archive,) = (data / "backups").iterdir()
    script = Path(__file__).parents[1] / "support" / "trouble_kills.py"
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, str(script), str(data), str(tmp_path), str(archive)],
        capture_output=True,
        check=False,
        env={**environment(), "PYTHONPATH": str(root)},
        timeout=300,
    )
    assert done.returncode == 0, done.stderr.decode()
    lives = json.loads(done.stdout)
    assert [life for life in lives if life["found"] not in ("old", "new")] == []
    assert {life["found"] for life in lives} == {"old", "new"}
    assert all(life["kept"] == (life["found"] == "new") for life in lives), "the old login is kept, once"
    assert lives[-1]["killed"] is False
    assert sum(life["found"] == "new" for life in lives) > 5, "deaths during the exchange are among them"
