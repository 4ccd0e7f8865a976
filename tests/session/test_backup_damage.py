"""Archives that are damaged, foreign, newer or malicious: each is told, none is taken for a backup."""

from __future__ import annotations

import hashlib
import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.backup_room import back_up, contents, filled_folder, rewrite

from whatsself_tui.errors import DataError
from whatsself_tui.session.checking import verify
from whatsself_tui.session.manifest import Manifest

SETTINGS = "config/settings.toml"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good backup; tests change copies of it."""
    return back_up(filled_folder(tmp_path_factory.mktemp("data"))).path


@pytest.fixture
def archive(tmp_path: Path, original: Path) -> Path:
    """A copy to be changed."""
    path = tmp_path / "backup.zip"
    path.write_bytes(original.read_bytes())
    return path


def refused(archive: Path) -> str:
    """The sentence with which the archive is refused."""
    with pytest.raises(DataError) as caught:
        verify(archive)
    assert "backup.zip" in str(caught.value)
    return str(caught.value)


def test_untouched_copy_is_right_and_so_is_one_packed_again(archive: Path) -> None:
    manifest = verify(archive)
    rewrite(archive, contents(archive))
    assert verify(archive) == manifest


def test_file_cut_short_is_told(archive: Path) -> None:
    data = archive.read_bytes()
    archive.write_bytes(data[: len(data) // 2])
    assert "is damaged" in refused(archive)


def test_changed_byte_in_a_file_is_told(archive: Path) -> None:
    with zipfile.ZipFile(archive) as file:
        info = file.getinfo("whatsself.db")
    data = bytearray(archive.read_bytes())
    data[info.header_offset + 200] ^= 1
    archive.write_bytes(data)
    assert "is damaged" in refused(archive)


def test_changed_file_with_a_right_crc_is_told(archive: Path) -> None:
    held = contents(archive)
    rewrite(archive, {**held, SETTINGS: held[SETTINGS].replace(b"7", b"9")})
    assert f"is damaged: {SETTINGS} is not what its manifest.json lists" in refused(archive)


@pytest.mark.parametrize("change", [b"", b"longer " * 1000])
def test_file_of_another_size_is_told(archive: Path, change: bytes) -> None:
    rewrite(archive, {**contents(archive), SETTINGS: change})
    assert f"is damaged: {SETTINGS} is not what" in refused(archive)


@pytest.mark.parametrize("name", [SETTINGS, "whatsself.db"])
def test_missing_file_is_told(archive: Path, name: str) -> None:
    held = contents(archive)
    del held[name]
    rewrite(archive, held)
    assert f"is damaged: {name} is missing" in refused(archive)


@pytest.mark.parametrize(
    "name", ["../outside", "/etc/passwd", "C:\\x", "config/more.toml", "whatsapp_session/", "\u202ename\x1b[31m"]
)
def test_file_that_is_not_listed_is_told(archive: Path, name: str) -> None:
    rewrite(archive, {**contents(archive), name: b"surprise"})
    sentence = refused(archive)
    assert "which its manifest.json does not list" in sentence
    assert sentence.isprintable()


def test_file_that_is_there_twice_is_told(archive: Path) -> None:
    with (
        zipfile.ZipFile(archive, "a") as file,
        pytest.warns(UserWarning, match="Duplicate name"),
    ):
        file.writestr(SETTINGS, b"the second")
    assert f"holds '{SETTINGS}' twice" in refused(archive)


@pytest.mark.parametrize(
    "name",
    [
        "../outside",
        "/etc/passwd",
        "config/../../outside.toml",
        "config//x.toml",
        "config/sub/x.toml",
        "config/x.exe",
        "whatsapp_session",
        "whatsapp_session/../../outside",
        "whatsapp_session/a\\..\\..\\b",
        "whatsapp_session/C:outside",
        "whatsapp_session/a\nb",
        "run/commands/0000000000000.json",
        "manifest.json",
        "whatsself.db-wal",
        "",
    ],
)
def test_listed_name_that_no_backup_holds_is_refused_as_unsafe(archive: Path, name: str) -> None:
    def edit(manifest: dict[str, Any]) -> None:
        manifest["files"].append({"path": name, "size_bytes": 1, "sha256": hashlib.sha256(b"x").hexdigest()})

    held = contents(archive)
    rewrite(archive, held if name in ("manifest.json", "") else {**held, name: b"x"}, edit)
    assert "is not safe" in refused(archive)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFDIR])
def test_link_or_device_is_refused_as_unsafe(archive: Path, kind: int) -> None:
    held = contents(archive)
    with zipfile.ZipFile(archive, "w") as file:
        for name, content in held.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = ((kind if name == SETTINGS else stat.S_IFREG) | 0o600) << 16
            file.writestr(info, content)
    assert "is a link or a device" in refused(archive)


def test_damaged_database_with_right_checksums_is_told(archive: Path) -> None:
    held = contents(archive)
    database = bytearray(held["whatsself.db"])
    database[3 * 4096 : 4 * 4096] = b"\xa5" * 4096

    def edit(manifest: dict[str, Any]) -> None:
        (entry,) = (entry for entry in manifest["files"] if entry["path"] == "whatsself.db")
        entry["sha256"] = hashlib.sha256(database).hexdigest()

    rewrite(archive, {**held, "whatsself.db": bytes(database)}, edit)
    assert "the database in it is not whole" in refused(archive)


def test_database_that_is_none_is_told(archive: Path) -> None:
    def edit(manifest: dict[str, Any]) -> None:
        (entry,) = (entry for entry in manifest["files"] if entry["path"] == "whatsself.db")
        entry.update(size_bytes=5, sha256=hashlib.sha256(b"hello").hexdigest())

    rewrite(archive, {**contents(archive), "whatsself.db": b"hello"}, edit)
    assert "the database in it is not whole" in refused(archive)


def change(**fields: object) -> Callable[[dict[str, Any]], None]:
    """An edit of the manifest's own fields."""
    return lambda manifest: manifest.update(fields)


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (change(format=2), "has backup format 2; this program knows formats up to 1. A newer WhatsSelf TUI made it"),
        (change(format=0), "is damaged: its manifest.json is not right: format"),
        (change(format="1"), "is damaged: its manifest.json is not right: format"),
        (change(program="other"), "is no backup of WhatsSelf TUI"),
        (change(created_at="yesterday"), "is not right: created_at"),
        (change(created_at="2026-01-01T00:00:00"), "is not right: created_at"),
        (change(files=[]), "lists no whatsself.db"),
        (change(files={}), "is not right: files"),
        (change(extra=1), "is not right: extra"),
        (lambda manifest: manifest["files"].append(manifest["files"][0]), "lists a file twice"),
        (lambda manifest: manifest["files"][0].update(size_bytes=-1), "is not right: files.0.size_bytes"),
        (lambda manifest: manifest["files"][0].update(sha256="abc"), "is not right: files.0.sha256"),
    ],
)
def test_manifest_that_is_not_right_is_told(
    archive: Path, edit: Callable[[dict[str, Any]], None], sentence: str
) -> None:
    rewrite(archive, contents(archive), edit)
    assert sentence in refused(archive)


@pytest.mark.parametrize("manifest", [b"", b"[]", b"{ no JSON", b"\xff\xfe", b"[" * 100_000, b"{}"])
def test_manifest_of_something_else_is_told(archive: Path, manifest: bytes) -> None:
    rewrite(archive, {**contents(archive), "manifest.json": manifest})
    assert "is no backup of WhatsSelf TUI: its manifest.json is something else" in refused(archive)


@pytest.mark.parametrize("content", [b"", b"PK", b"no archive at all", b"\x1f\x8b" + bytes(500)])
def test_file_that_is_no_archive_is_told(archive: Path, content: bytes) -> None:
    archive.write_bytes(content)
    assert "is no ZIP archive" in refused(archive)


def test_archive_of_something_else_is_told(archive: Path) -> None:
    rewrite(archive, {"holiday.jpg": b"x"})
    assert "has no manifest.json" in refused(archive)


def test_folder_and_missing_file_are_told(archive: Path) -> None:
    archive.unlink()
    assert "cannot be read" in refused(archive)
    archive.mkdir()
    assert "is no ordinary file" in refused(archive)


def test_no_room_for_the_check_is_told_as_that(archive: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    with pytest.raises(DataError, match=r"cannot be unpacked for the check.*temporary folder"):
        verify(archive)


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory, original: Path) -> Callable[[bytes], Manifest]:
    """Verifies bytes as an archive."""
    path = tmp_path_factory.mktemp("trial") / "trial.zip"

    def run(data: bytes) -> Manifest:
        path.write_bytes(data)
        return verify(path)

    return run


@given(data=st.data())
def test_no_damage_passes_for_other_contents_or_breaks_the_check(
    data: st.DataObject, original: Path, trial: Callable[[bytes], Manifest]
) -> None:
    right = original.read_bytes()
    damaged = bytearray(right)
    # The directory at the end is small beside the contents, and where archives are attacked.
    tail = len(right) - 900
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(right) - 1) | st.integers(tail, len(right) - 1))
        damaged[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.just(len(right)) | st.integers(0, len(right)))
    try:
        manifest = trial(bytes(damaged[:cut]))
    except DataError:
        return
    assert manifest == Manifest.model_validate(json.loads(contents(original)["manifest.json"]), strict=False)
