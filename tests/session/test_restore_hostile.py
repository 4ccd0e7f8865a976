"""Archives that must not be restored: each is refused with a sentence, and nothing is written by it."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import stat
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.backup_room import contents, put, rewrite
from support.trouble_room import snapshot

from whatsself_tui.cli.main import main
from whatsself_tui.errors import DataError
from whatsself_tui.session.archive import unpack

Files = dict[str, bytes]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one backup."""
    data = tmp_path_factory.mktemp("original")
    put(data / "whatsapp_session" / "Default" / "login", b"login")
    for command in (["send", "5511999990001", "x"], ["backup", "create"]):
        assert main(["--data-dir", str(data), *command]) == 0
    return data


@pytest.fixture
def data(tmp_path: Path, original: Path) -> Path:
    """A copy of it, with something beside it that nobody may touch."""
    put(tmp_path / "outside", b"untouched")
    return shutil.copytree(original, tmp_path / "data")


def archive_of(data: Path) -> Path:
    """Its backup."""
    (archive,) = (data / "backups").iterdir()
    return archive


def is_refused(data: Path, capsys: pytest.CaptureFixture[str], sentence: str) -> None:
    """Restoring fails with the sentence, and changes nothing."""
    before, beside = snapshot(data), sorted(data.parent.iterdir())
    for extra in (["--dry-run"], []):
        capsys.readouterr()
        code = main(["--data-dir", str(data), "backup", "restore", archive_of(data).name, *extra])
        told = capsys.readouterr().err
        assert (code, sentence in told) == (1, True), told
        assert snapshot(data) == before
        assert not (data / "restoring").exists()
        assert not (data / "replaced").exists()
    assert sorted(data.parent.iterdir()) == beside
    assert (data.parent / "outside").read_bytes() == b"untouched"


def add(files: Files, name: str, content: bytes, size: int | None = None) -> Callable[[dict[str, Any]], None]:
    """Put a file into an archive and into its manifest."""
    files[name] = content

    def edit(manifest: dict[str, Any]) -> None:
        digest = hashlib.sha256(content).hexdigest()
        manifest["files"].append({"path": name, "size_bytes": size or len(content), "sha256": digest})

    return edit


@pytest.mark.parametrize(
    "name",
    [
        "../outside",
        "/tmp/outside",
        "config/../../outside",
        "whatsapp_session/../../outside",
        "whatsapp_session/a\\..\\..\\outside",
        "C:\\outside",
        "whatsapp_session/C:outside",
        "run/commands/0000000000000aaaa.json",
        "simulator/received.jsonl",
    ],
)
def test_name_that_leads_out_of_the_known_places(data: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    files = contents(archive_of(data))
    edit = add(files, name, b"surprise")
    rewrite(archive_of(data), files, edit)
    is_refused(data, capsys, "is not safe")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO])
def test_link_or_device(data: Path, capsys: pytest.CaptureFixture[str], kind: int) -> None:
    files = contents(archive_of(data))
    manifest = json.loads(files["manifest.json"])
    add(files, "whatsapp_session/link", b"../outside")(manifest)
    files["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(archive_of(data), "w") as file:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = ((kind if name.endswith("link") else stat.S_IFREG) | 0o600) << 16
            file.writestr(info, content)
    is_refused(data, capsys, "a link or a device")


def test_file_and_folder_of_the_same_name(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = contents(archive_of(data))
    manifest = json.loads(files["manifest.json"])
    for name in ("whatsapp_session/a", "whatsapp_session/a/b"):
        add(files, name, b"x")(manifest)
    files["manifest.json"] = json.dumps(manifest).encode()
    rewrite(archive_of(data), files)
    is_refused(data, capsys, "cannot be unpacked")


def test_bomb_is_told_before_it_is_unpacked(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = contents(archive_of(data))
    edit = add(files, "whatsapp_session/bomb", bytes(50_000_000), size=10)
    rewrite(archive_of(data), files, edit)
    assert archive_of(data).stat().st_size < 1_000_000
    is_refused(data, capsys, "whatsapp_session/bomb is not what its manifest.json lists")


def test_archive_that_lies_about_its_sizes_writes_no_more_than_it_lists(data: Path, tmp_path: Path) -> None:
    files = contents(archive_of(data))
    rewrite(archive_of(data), files, add(files, "whatsapp_session/bomb", bytes(50_000_000), size=10))
    content = archive_of(data).read_bytes()
    archive_of(data).write_bytes(content.replace((50_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    (tmp_path / "target").mkdir()
    with pytest.raises(DataError, match="is damaged"):
        unpack(archive_of(data), tmp_path / "target", lambda: None)
    written = {path.name: path.stat().st_size for path in (tmp_path / "target").rglob("*") if path.is_file()}
    assert written["bomb"] <= 10


def test_more_than_the_disk_can_hold(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = contents(archive_of(data))
    edit = add(files, "whatsapp_session/huge", b"x", size=10**15)
    rewrite(archive_of(data), files, edit)
    with zipfile.ZipFile(archive_of(data)) as file:
        assert file.getinfo("whatsapp_session/huge").file_size == 1
    is_refused(data, capsys, "whatsapp_session/huge is not what its manifest.json lists")


def with_database(data: Path, tmp_path: Path, change: Callable[[sqlite3.Connection], object]) -> None:
    """Change the database inside the archive, with right checksums."""
    files = contents(archive_of(data))
    copy = tmp_path / "copy.db"
    copy.write_bytes(files["whatsself.db"])
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        change(connection)
    put_database(data, copy.read_bytes())


def put_database(data: Path, content: bytes) -> None:
    """Another database for the archive, with its right checksum."""

    def edit(manifest: dict[str, Any]) -> None:
        for entry in manifest["files"]:
            if entry["path"] == "whatsself.db":
                entry.update(size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest())

    rewrite(archive_of(data), {**contents(archive_of(data)), "whatsself.db": content}, edit)


def test_database_of_a_newer_version(data: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with_database(data, tmp_path, lambda connection: connection.execute("PRAGMA user_version = 99"))
    (tmp_path / "copy.db").unlink()
    is_refused(data, capsys, "schema version 99")


def test_database_of_another_program(data: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with_database(data, tmp_path, lambda connection: connection.execute("PRAGMA application_id = 7"))
    (tmp_path / "copy.db").unlink()
    is_refused(data, capsys, "another program")


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_database_that_is_none(data: Path, capsys: pytest.CaptureFixture[str], content: bytes) -> None:
    put_database(data, content)
    is_refused(data, capsys, "whatsapp_session-")


def test_database_with_damaged_pages(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = bytearray(contents(archive_of(data))["whatsself.db"])
    content[3 * 4096 : 5 * 4096] = b"\xa5" * (2 * 4096)
    put_database(data, bytes(content))
    is_refused(data, capsys, "is damaged")


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 but no more"])
def test_what_is_no_archive(data: Path, capsys: pytest.CaptureFixture[str], content: bytes) -> None:
    archive_of(data).write_bytes(content)
    is_refused(data, capsys, "whatsapp_session-")


def test_newer_format(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rewrite(archive_of(data), contents(archive_of(data)), lambda manifest: manifest.update(format=2))
    is_refused(data, capsys, "format 2")
