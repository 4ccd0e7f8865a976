"""The programs the tests need: found, installed on Debian for root, told of elsewhere."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

import pytest

from launcher import machine

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the programs pretended here are shell scripts")

ALL = ["chromium", "npm", "openssh-server", "tmux"]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder in which a program can be found."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(machine, "SYSTEM_FOLDERS", ())
    monkeypatch.setattr(machine, "TOOLS", tuple(machine.Tool(tool.package, tool.programs) for tool in machine.TOOLS))
    return folder


def put(folder: Path, name: str, text: str = "") -> None:
    """Write a program."""
    (folder / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


def put_apt(folder: Path, monkeypatch: pytest.MonkeyPatch, system: str, user: int) -> Path:
    """Write an apt that notes its calls and brings what it is asked for; the result is the notes."""
    notes = folder.parent / "apt.txt"
    make = f'for name in chromium npm sshd tmux; do echo > "{folder}/$name"; /bin/chmod +x "{folder}/$name"; done'
    put(folder, "apt-get", f'echo "$DEBIAN_FRONTEND $@" >> "{notes}"\n{make}')
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: {"ID": system})
    return notes


def test_tools_are_found_by_any_of_their_names(programs: Path) -> None:
    assert [tool.package for tool in machine.missing_tools()] == ALL
    put(programs, "google-chrome")
    put(programs, "sshd")
    put(programs, "npm")
    assert [tool.package for tool in machine.missing_tools()] == ["tmux"]


def test_tool_is_found_off_the_path(tmp_path: Path) -> None:
    tool = machine.Tool("browser", ("nowhere",), (str(tmp_path / "Browser"),))
    assert not machine.is_here(tool, "")
    put(tmp_path, "Browser")
    assert machine.is_here(tool, "")


def test_debian_installs_only_what_is_missing(
    programs: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    notes = put_apt(programs, monkeypatch, "debian", 0)
    put(programs, "tmux")
    machine.provide_tools()
    assert notes.read_text(encoding="utf-8").splitlines() == [
        "noninteractive update",
        "noninteractive install --yes --no-install-recommends chromium npm openssh-server",
    ]
    assert "Missing" not in capfd.readouterr().err
    machine.provide_tools()
    assert len(notes.read_text(encoding="utf-8").splitlines()) == 2


@pytest.mark.parametrize(("system", "user"), [("debian", 1000), ("ubuntu", 0)])
def test_elsewhere_a_person_is_told_what_to_install(
    system: str, user: int, programs: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    notes = put_apt(programs, monkeypatch, system, user)
    machine.provide_tools()
    assert not notes.exists()
    assert "Missing for some of the tests: chromium, npm, openssh-server, tmux." in capfd.readouterr().err


@pytest.mark.parametrize(
    ("system", "part"),
    [("linux", "apt install tmux"), ("darwin", "brew install tmux"), ("win32", "Chrome"), ("freebsd14", "tmux")],
)
def test_advice_is_for_the_system_at_hand(system: str, part: str) -> None:
    assert part in machine.advice(["tmux"], system)
