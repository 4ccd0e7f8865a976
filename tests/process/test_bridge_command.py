"""`bridge status` and `bridge install` as an operator runs them."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.cli import cli
from support.config_room import GOOD_AUTOMATION, GOOD_SETTINGS

from whatsself_tui.cli.main import main
from whatsself_tui.host.browsers import Brand, Browser
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.host.profile import RECORD, prepare_profile, record_use
from whatsself_tui.transport.whatsapp_web import wa_js

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands for the browser")

SCRIPT = b"(()=>{window.WPP={}})()"
WAITS = "import sys; print('ready', flush=True); sys.stdin.read()"


def settings(data: Path, browser: str) -> None:
    """Both files of a configuration that names a browser."""
    (data / "config").mkdir(parents=True)
    (data / "config" / "settings.toml").write_text(f"[transport]\nbrowser = '{browser}'\n", encoding="utf-8")
    (data / "config" / "automation.toml").write_text(GOOD_AUTOMATION, encoding="utf-8")


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A script, pinned for this test."""
    monkeypatch.setattr(wa_js, "SHA256", hashlib.sha256(SCRIPT).hexdigest())
    path = tmp_path / "library.js"
    path.write_bytes(SCRIPT)
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder whose settings name a pretended Chrome."""
    browser = tmp_path / "bin" / "google-chrome"
    browser.parent.mkdir()
    browser.write_text('#!/bin/sh\necho "Google Chrome 139.0.7258.66 "\n', encoding="utf-8")
    browser.chmod(0o755)
    root = tmp_path / "data"
    settings(root, str(browser))
    return root


def run(capsys: pytest.CaptureFixture[str], data: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code, output and narration of a command."""
    code = main(["--data-dir", str(data), "bridge", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def run_json(capsys: pytest.CaptureFixture[str], data: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    code, out, _ = run(capsys, data, *arguments, "--json")
    document: dict[str, Any] = json.loads(out)
    return code, document


def test_nothing_there_is_told_by_the_exit_code_and_nothing_is_made(tmp_path: Path) -> None:
    data = tmp_path / "data"
    settings(data, "/nowhere/chrome")
    done = cli(data, "bridge", "status")
    assert done.returncode == 1
    out = done.stdout.decode()
    assert "is not installed" in out
    assert "`bridge install`" in out
    assert "There is no browser /nowhere/chrome (transport.browser)" in out
    assert [path.name for path in data.iterdir()] == ["config"]


def test_file_that_is_not_there_is_a_mistake_in_the_command(tmp_path: Path) -> None:
    for source in (str(tmp_path / "missing.tgz"), " "):
        done = cli(tmp_path / "data", "bridge", "install", "--from", source, "--json")
        assert done.returncode == 2
        assert json.loads(done.stdout)["ok"] is False


def test_wrong_file_is_refused_with_what_was_expected_and_found(tmp_path: Path) -> None:
    (tmp_path / "other.js").write_bytes(SCRIPT)
    done = cli(tmp_path / "data", "bridge", "install", "--from", str(tmp_path / "other.js"))
    assert done.returncode == 1
    assert done.stdout == b""
    for checksum in (wa_js.SHA256, hashlib.sha256(SCRIPT).hexdigest()):
        assert checksum in done.stderr.decode()
    assert not (tmp_path / "data" / "bridge").exists()


@posix_only
def test_installed_library_and_a_browser_are_all_it_takes(
    capsys: pytest.CaptureFixture[str], data: Path, library: Path
) -> None:
    assert run_json(capsys, data, "status")[1]["wa_js"]["state"] == "missing"
    code, document = run_json(capsys, data, "install", "--from", str(library))
    assert (code, document["ok"], document["sha256"]) == (0, True, wa_js.SHA256)
    assert Path(document["path"]) == data / "bridge" / wa_js.FILE
    code, document = run_json(capsys, data, "status")
    assert (code, document["ok"], document["wa_js"]["state"]) == (0, True, "ok")
    browser = document["browser"]
    assert (browser["brand"], browser["version"]) == ("chrome", "139.0.7258.66")
    assert browser["found_by"] == "transport.browser"
    assert document["profile"]["last_used_by"] is None
    assert document["profile"]["in_use_by"] is None
    code, out, _ = run(capsys, data, "status")
    assert code == 0
    assert "Google Chrome 139.0.7258.66" in out
    assert "by transport.browser" in out


@posix_only
def test_damaged_library_is_missing_as_well(capsys: pytest.CaptureFixture[str], data: Path, library: Path) -> None:
    assert run(capsys, data, "install", "--from", str(library))[0] == 0
    (data / "bridge" / wa_js.FILE).write_bytes(SCRIPT[:-1])
    code, document = run_json(capsys, data, "status")
    assert (code, document["ok"], document["wa_js"]["state"]) == (1, False, "damaged")
    code, out, _ = run(capsys, data, "status")
    assert code == 1
    assert "cannot be used" in out


@posix_only
def test_browser_in_the_environment_is_told_as_such(
    capsys: pytest.CaptureFixture[str], data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data / "config" / "settings.toml").write_text(GOOD_SETTINGS, encoding="utf-8")
    monkeypatch.setenv("WHATSSELF_BROWSER", str(data.parent / "bin" / "google-chrome"))
    assert run_json(capsys, data, "status")[1]["browser"]["found_by"] == "WHATSSELF_BROWSER"


@posix_only
def test_profile_of_another_browser_and_who_has_it_open_are_told(
    capsys: pytest.CaptureFixture[str], data: Path
) -> None:
    session = DataFolder(data).session
    prepare_profile(session)
    edge = Browser(Path("/opt/msedge"), Brand.EDGE, "140.0.3485.54")
    record_use(session, edge, now_ms=1_795_348_800_000, paired=True)
    command = [sys.executable, "-c", WAITS, f"--user-data-dir={session}", "--remote-debugging-pipe"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == b"ready"
        _, document = run_json(capsys, data, "status")
        _, out, err = run(capsys, data, "status")
        holder.kill()
    used = document["profile"]["last_used_by"]
    assert (used["brand"], used["major"], used["paired"]) == ("edge", 140, True)
    assert used["last_used"].startswith("2026-11-22T")
    assert document["profile"]["in_use_by"]["pid"] == holder.pid
    assert document["profile"]["in_use_by"]["ours"] is True
    assert any("Microsoft Edge 140" in warning for warning in document["warnings"])
    assert "with a login, last used by Microsoft Edge 140 on 2026-11-22" in out
    assert f"process {holder.pid}" in out
    assert "Warning: The profile was last used by Microsoft Edge 140" in err


@posix_only
def test_damaged_note_in_the_profile_is_a_warning(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    session = DataFolder(data).session
    prepare_profile(session)
    (session / RECORD).write_text("{", encoding="utf-8")
    _, out, err = run(capsys, data, "status")
    assert "no note which browser used it" in out
    assert RECORD in err


@posix_only
def test_settings_that_are_not_in_force_are_a_warning(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    (data / "config" / "settings.toml").write_text("[limits]\nper_minute = 0\n", encoding="utf-8")
    _, document = run_json(capsys, data, "status")
    assert any("not in force: settings.toml:2: limits.per_minute" in warning for warning in document["warnings"])
