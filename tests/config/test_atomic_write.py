"""Files that are there in full or not at all."""

from __future__ import annotations

import os
import stat
import sys
import time
from pathlib import Path

import pytest

from whatsself_tui.host.atomic import is_temporary, write_atomic


class _Busy(OSError):
    """What Windows raises while another process has the file open."""

    def __init__(self, winerror: int) -> None:
        super().__init__(13, "The process cannot access the file")
        self.winerror = winerror


def test_the_content_replaces_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    write_atomic(path, b"one")
    write_atomic(path, b"two\r\n\0")
    assert path.read_bytes() == b"two\r\n\0"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_only_the_user_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(b"old")
    path.chmod(0o644)
    write_atomic(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
def test_a_link_stays_and_its_target_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere" / "real.toml"
    target.parent.mkdir()
    target.write_bytes(b"old")
    link = tmp_path / "settings.toml"
    link.symlink_to(target)
    write_atomic(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert list(target.parent.iterdir()) == [target]


def test_it_appears_under_its_name_only_when_it_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(b"old")
    seen: list[tuple[str, bytes]] = []
    real_replace, real_fsync = os.replace, os.fsync

    def fsync(descriptor: int) -> None:
        seen.append(("fsync", path.read_bytes()))
        real_fsync(descriptor)

    def replace(source: Path, target: Path) -> None:
        assert is_temporary(Path(source).name)
        assert Path(source).parent == path.resolve().parent
        seen.append(("replace", Path(source).read_bytes()))
        real_replace(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    write_atomic(path, b"new")
    assert seen[:2] == [("fsync", b"old"), ("replace", b"new")]
    assert seen[2:] == ([] if sys.platform == "win32" else [("fsync", b"new")])


@pytest.mark.parametrize("winerror", [5, 32, 33])
def test_a_file_somebody_reads_is_tried_again(winerror: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "settings.toml"
    pauses: list[float] = []
    real_replace = os.replace

    def replace(source: Path, target: Path) -> None:
        if len(pauses) < 3:
            raise _Busy(winerror)
        real_replace(source, target)

    monkeypatch.setattr(os, "replace", replace)
    monkeypatch.setattr(time, "sleep", pauses.append)
    write_atomic(path, b"new")
    assert path.read_bytes() == b"new"
    assert pauses == [0.05, 0.1, 0.2]


@pytest.mark.parametrize(("winerror", "pauses_s"), [(32, 2.55), (None, 0), (112, 0)])
def test_what_does_not_get_better_fails_and_leaves_nothing(
    winerror: int | None, pauses_s: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(b"old")
    pauses: list[float] = []

    def replace(source: Path, target: Path) -> None:
        raise OSError(28, "No space left") if winerror is None else _Busy(winerror)

    monkeypatch.setattr(os, "replace", replace)
    monkeypatch.setattr(time, "sleep", pauses.append)
    with pytest.raises(OSError, match=r"No space left|cannot access"):
        write_atomic(path, b"new")
    assert sum(pauses) == pytest.approx(pauses_s)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_where_no_file_can_be_is_an_error_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    with pytest.raises(FileNotFoundError):
        write_atomic(tmp_path / "no" / "settings.toml", b"x")
    folder = tmp_path / "settings.toml"
    folder.mkdir()
    with pytest.raises((IsADirectoryError, PermissionError)):
        write_atomic(folder, b"x")
    assert list(tmp_path.iterdir()) == [folder]
