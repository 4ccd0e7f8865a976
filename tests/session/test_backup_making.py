"""Making a backup: what is in it, how it is called, and that a failure leaves nothing."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import json
import os
import shutil
import sqlite3
import stat
import sys
import threading
import zipfile
from collections import namedtuple
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from support.backup_room import LOGIN, NEW_YEAR, back_up, contents, filled_folder, put, unfinished
from support.queue_world import lane_faults, queue_world

from whatsself_tui import __version__
from whatsself_tui.errors import CommandRefused, DataError
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.session import shelf
from whatsself_tui.session.checking import verify
from whatsself_tui.session.making import BackupMaker, find_or_make

SAO_PAULO = ZoneInfo("America/Sao_Paulo")


def test_backup_holds_settings_database_and_profile_and_lists_them(tmp_path: Path) -> None:
    folder = filled_folder(tmp_path)
    put(folder.config / "last-good" / "settings.toml")
    put(folder.config / "settings.toml.bak")
    put(folder.logs / "whatsself.jsonl")
    made = back_up(folder)
    assert verify(made.path) == made.manifest
    held = contents(made.path)
    manifest = json.loads(held.pop("manifest.json"))
    assert set(held) == {"config/settings.toml", "whatsapp_session/Default/IndexedDB/000003.log", "whatsself.db"}
    assert held["config/settings.toml"] == folder.settings_file.read_bytes()
    assert held["whatsapp_session/Default/IndexedDB/000003.log"] == LOGIN
    assert {entry["path"]: (entry["size_bytes"], entry["sha256"]) for entry in manifest["files"]} == {
        name: (len(content), hashlib.sha256(content).hexdigest()) for name, content in held.items()
    }
    assert (manifest["format"], manifest["version"], manifest["created_at"]) == (1, __version__, "2026-01-01T02:30:00Z")
    assert [path.name for path in folder.backups.iterdir()] == [made.path.name], "nothing beside it"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps rights in another way")
def test_backup_is_for_its_owner_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        made = back_up(filled_folder(tmp_path))
    finally:
        os.umask(old)
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600


def test_caches_and_locks_of_the_browser_are_left_out_and_the_login_is_not(tmp_path: Path) -> None:
    folder = filled_folder(tmp_path)
    kept = {
        "Default/Local Storage/leveldb/000005.ldb",
        "Default/Service Worker/Database/000003.log",
        "Default/CacheStorage/not below Service Worker",
        "Default/Cookies",
        "Local State",
    }
    left_out = {
        "Default/Cache/Cache_Data/data_0",
        "Default/Code Cache/js/index",
        "Default/GPUCache/data_0",
        "Default/Service Worker/CacheStorage/1/index",
        "ShaderCache/data_0",
        "SingletonLock",
        "lockfile",
        "Default/parent.lock",
        "Default/IndexedDB/LOCK",
    }
    for name in kept | left_out:
        put(folder.session / name)
    names = {name.removeprefix("whatsapp_session/") for name in contents(back_up(folder).path)}
    assert kept <= names
    assert not left_out & names


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fifo and needs a right for links")
def test_links_fifos_and_loops_in_the_profile_are_left_out(tmp_path: Path) -> None:
    folder = filled_folder(tmp_path)
    (folder.session / "SingletonCookie").symlink_to("4711")
    (folder.session / "elsewhere").symlink_to("/etc")
    (folder.session / "round").symlink_to(folder.session)
    os.mkfifo(folder.session / "pipe")
    assert [name for name in contents(back_up(folder).path) if name.startswith("whatsapp_session/")] == [
        "whatsapp_session/Default/IndexedDB/000003.log"
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
@pytest.mark.parametrize("name", ["a\\b", "c:d", "line\nend", os.fsdecode(b"\xff")])
def test_name_that_would_lead_elsewhere_on_another_system_is_told(tmp_path: Path, name: str) -> None:
    folder = filled_folder(tmp_path)
    put(folder.session / name)
    with pytest.raises(DataError, match="hold the name whatsapp_session/"):
        back_up(folder)
    assert list(folder.backups.iterdir()) == []


def test_name_has_the_date_of_the_business_and_counts_within_a_day(tmp_path: Path) -> None:
    folder = filled_folder(tmp_path)
    local = NEW_YEAR.astimezone(SAO_PAULO)
    names = [back_up(folder, f"backup {number}", local).path.name for number in range(3)]
    assert names == [
        "whatsapp_session-20251231.zip",
        "whatsapp_session-20251231-2.zip",
        "whatsapp_session-20251231-3.zip",
    ]
    assert back_up(folder, "later", local + timedelta(hours=1)).path.name == "whatsapp_session-20260101.zip"
    (folder.backups / names[0]).unlink()
    (folder.backups / "whatsapp_session-20251231-4.zip").mkdir()
    assert back_up(folder, "last", local).path.name == "whatsapp_session-20251231-5.zip", "never before another"


def test_list_takes_finished_backups_alone_and_counts_numbers_as_numbers(tmp_path: Path) -> None:
    names = ["20260102.zip", "20260101-10.zip", "20260101-9.zip", "20260101-2.zip", "20260101.zip"]
    for name in names:
        put(tmp_path / f"whatsapp_session-{name}")
    for name in ("20260101-1.zip", "20260101-02.zip", "20261301.zip", "2026010.zip", "20260101.zip.bak", "x.zip"):
        put(tmp_path / f"whatsapp_session-{name}")
    put(tmp_path / ".whatsapp_session-archive.0123abcd.tmp")
    assert [backup.path.name for backup in shelf.stored(tmp_path)] == [f"whatsapp_session-{name}" for name in names]


def test_what_a_crash_left_is_removed_by_the_next_backup_and_nothing_else(tmp_path: Path) -> None:
    folder = filled_folder(tmp_path)
    for name in ("archive.0123abcd.tmp", "database.0123abcd.tmp", "database.0123abcd.tmp-wal"):
        put(folder.backups / f".whatsapp_session-{name}")
    put(folder.backups / "notes.txt")
    put(folder.backups / ".other.tmp")
    back_up(folder)
    assert unfinished(folder) == [".other.tmp", "notes.txt"]


def silent_damage(descriptor: int) -> None:
    """What a failing disk does: it takes the bytes and keeps others."""
    os.lseek(descriptor, 80, os.SEEK_SET)
    os.write(descriptor, b"damage")


def refuse(*_: object, **__: object) -> None:
    """What a full disk does."""
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("place", "instead", "sentence"),
    [
        ((zipfile.ZipFile, "writestr"), refuse, "cannot be written: No space left"),
        ((os, "fsync"), refuse, "cannot be written: No space left"),
        ((os, "fsync"), silent_damage, "does not read back as it was written"),
        ((os, "replace"), refuse, "cannot be written: No space left"),
    ],
    ids=["write", "sync", "read back", "rename"],
)
def test_failure_on_the_way_is_told_and_leaves_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: tuple[object, str],
    instead: Callable[..., None],
    sentence: str,
) -> None:
    folder = filled_folder(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(*place, instead)
        with pytest.raises(DataError, match=sentence):
            back_up(folder)
    assert list(folder.backups.iterdir()) == []
    assert verify(back_up(folder).path)


def test_file_that_goes_away_while_it_is_read_is_named(tmp_path: Path) -> None:
    folder = filled_folder(tmp_path)
    login = folder.session / "Default" / "IndexedDB" / "000003.log"
    with pytest.raises(DataError, match=r"IndexedDB/000003\.log cannot be read"):
        find_or_make(folder, "first", NEW_YEAR, lambda: login.unlink(missing_ok=True))
    assert list(folder.backups.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    folder = filled_folder(tmp_path)
    folder.settings_file.chmod(0)
    with pytest.raises(DataError, match=r"settings\.toml cannot be read"):
        back_up(folder)
    assert list(folder.backups.iterdir()) == []


@pytest.mark.parametrize("after", range(6))
def test_work_given_up_at_any_step_leaves_nothing(tmp_path: Path, after: int) -> None:
    folder = filled_folder(tmp_path)
    steps = iter(range(after))

    def go() -> None:
        if next(steps, None) is None:
            raise CommandRefused("enough")

    with pytest.raises(CommandRefused, match="enough"):
        find_or_make(folder, "first", NEW_YEAR, go)
    assert list(folder.backups.iterdir()) == []


def test_too_little_room_is_told_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = filled_folder(tmp_path)
    put(folder.session / "large", bytes(2_000_000))
    usage = namedtuple("usage", "total used free")
    room = [50_000_000 + 2_000_000]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 0, room[0]))
    with pytest.raises(DataError, match=r"may need 52\.\d MB, and 52\.0 MB are free"):
        back_up(folder)
    assert list(folder.backups.iterdir()) == []
    room[0] += 1_000_000
    assert back_up(folder).path.exists()


def test_damaged_database_is_not_kept_as_a_backup(tmp_path: Path) -> None:
    folder = filled_folder(tmp_path)
    with closing(sqlite3.connect(folder.database)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    with open(folder.database, "r+b") as file:
        file.seek(3 * 4096)
        file.write(b"\xa5" * 4096)
    with pytest.raises(DataError, match=r"The backup was not made: .*(is not whole|malformed)"):
        back_up(folder)
    assert list(folder.backups.iterdir()) == []


async def test_copy_of_a_database_in_use_is_one_moment_of_it(tmp_path: Path) -> None:
    folder = filled_folder(tmp_path)
    folder.database.unlink()
    async with queue_world(tmp_path) as world:
        maker = BackupMaker(folder)
        work = asyncio.ensure_future(maker.make("first", world.clock.now_ms(), SAO_PAULO))
        written = 0
        while not work.done():
            await world.say(written % 5, f"message {written}")
            written += 1
        made = await work
        assert await world.faults() == []
    assert verify(made.path) == made.manifest
    copy = tmp_path / "restored.db"
    copy.write_bytes(contents(made.path)["whatsself.db"])
    assert copy.read_bytes()[18:20] == b"\x01\x01", "not marked as WAL: one file, readable anywhere"
    with closing(sqlite3.connect(copy)) as connection:
        assert lane_faults(connection, world.limits, world.clock.now_ms()) == []
        bodies = [row[0] for row in connection.execute("SELECT body FROM outbox ORDER BY id")]
    assert bodies == [f"message {number}" for number in range(len(bodies))]
    assert len(bodies) <= written


async def test_cancelled_caller_gets_control_back_when_nothing_is_written_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = filled_folder(tmp_path)
    begun, go_on = threading.Event(), threading.Event()
    fsync = os.fsync

    def held(descriptor: int) -> None:
        begun.set()
        go_on.wait(30)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", held)
    maker = BackupMaker(folder)
    caller = asyncio.ensure_future(maker.make("first", 0, SAO_PAULO))
    await asyncio.to_thread(begun.wait, 30)
    assert len(unfinished(folder)) == 2
    caller.cancel()
    await asyncio.sleep(0)
    assert not caller.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert list(folder.backups.iterdir()) == []


async def test_same_identity_makes_one_backup_however_often_it_is_asked_for(tmp_path: Path) -> None:
    folder = filled_folder(tmp_path)
    now_ms = round(datetime(2026, 5, 1, 12, tzinfo=UTC).timestamp() * 1000)
    maker = BackupMaker(folder)
    made = await asyncio.gather(*(maker.make("the same", now_ms, SAO_PAULO) for _ in range(3)))
    assert {backup.path.name for backup in made} == {"whatsapp_session-20260501.zip"}
    put(folder.backups / "whatsapp_session-20260502.zip", b"rubbish that sorts before it")
    assert await BackupMaker(folder).make("the same", now_ms, SAO_PAULO) == made[0]
    other = await maker.make("another", now_ms, SAO_PAULO)
    assert other.path.name == "whatsapp_session-20260501-2.zip"


def test_folder_without_a_profile_or_settings_is_backed_up_too(tmp_path: Path) -> None:
    folder = DataFolder(filled_folder(tmp_path).root)
    shutil.rmtree(folder.session)
    folder.settings_file.unlink()
    shutil.rmtree(folder.backups)
    made = back_up(folder)
    assert [entry.path for entry in verify(made.path).files] == ["whatsself.db"]
