"""Files on their way out and in: what the robot takes, sends, sweeps and fetches."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from support.fake_clock import FakeClock
from support.queue_world import NOON, chat

from whatsself_tui.clock import Clock
from whatsself_tui.errors import RobotNotRunning
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.host.media_files import copy_in, inspect
from whatsself_tui.robot import media, spool
from whatsself_tui.robot.commands import Commands
from whatsself_tui.robot.connection import Connection
from whatsself_tui.robot.link import CommandResult
from whatsself_tui.robot.media import AttachmentGone, attachment_args, outgoing_attachment, sweep
from whatsself_tui.robot.spool import SpooledCommand
from whatsself_tui.store import inbox, outbox
from whatsself_tui.store.database import Store, Tx
from whatsself_tui.store.outbox import AttachmentRow
from whatsself_tui.transport.base import Attachment, DownloadFailed, Received, TypedByHand

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(20)
PHONE = "5511900000001"
HOUR_S = 3_600


class Robot:
    """What carries commands out, with a dictionary in the place of WhatsApp."""

    connection: Connection

    def __init__(self, folder: DataFolder, clock: FakeClock, store: Store) -> None:
        self.folder = folder
        self.clock: Clock = clock
        self.store = store
        self.commands = Commands(self)
        self.whatsapp: dict[str, bytes | Exception] = {}
        self.asked: list[tuple[str, int]] = []
        self.hold = asyncio.Event()
        self.hold.set()

    async def deliver(self, message: Received) -> bool:
        raise NotImplementedError

    async def typed_by_hand(self, message: TypedByHand) -> None:
        raise NotImplementedError

    async def download(self, key: str, limit_bytes: int) -> bytes:
        self.asked.append((key, limit_bytes))
        await self.hold.wait()
        there = self.whatsapp[key]
        if isinstance(there, Exception):
            raise there
        return there

    async def execute(self, name: str, args: dict[str, Any]) -> CommandResult:
        return await self.commands.execute(SpooledCommand(spool.new_id(NOON), name, args))

    def copy_of(self, name: str, content: bytes = JPEG) -> dict[str, Any]:
        """A copy in `outgoing`, and what a command says of it."""
        path = self.folder.root / name
        path.write_bytes(content)
        medium = inspect(path)
        return attachment_args(copy_in(path, self.folder.outgoing, medium.size_bytes), medium).model_dump()

    async def send(self, attachment: dict[str, Any], **more: Any) -> CommandResult:
        return await self.execute("send", {"phone": PHONE, "attachment": attachment, **more})

    async def queued(self) -> list[AttachmentRow | None]:
        """The attachments in the outbox, in order."""
        rows = await self.store.read(lambda con: con.execute("SELECT attachment FROM outbox ORDER BY id").fetchall())
        return [outbox.attachment_of(row[0]) for row in rows]

    async def receive(self, key: str, mimetype: str | None, size_bytes: int | None = None, name: str = "") -> int:
        """A received message with a medium (None: without); its number."""

        def job(tx: Tx) -> int:
            medium = None if mimetype is None else inbox.MediaRow(mimetype, name, size_bytes)
            inbox.record(
                tx,
                wa_id=f"in-{key}",
                chat=chat(1),
                name="Ana",
                body="",
                kind="image",
                written_at_ms=NOON,
                key=key,
                media=medium,
            )
            return int(tx.execute("SELECT max(id) FROM inbox").fetchone()[0])

        return await self.store.write(job)

    def files(self) -> set[str]:
        """What lies in `outgoing`."""
        return set(os.listdir(self.folder.outgoing))


@asynccontextmanager
async def robot(root: Path) -> AsyncIterator[Robot]:
    """Commands on a store of their own."""
    folder, clock = DataFolder(root), FakeClock(NOON)
    folder.create()
    store = await Store.open(folder.database, clock, ZoneInfo("America/Sao_Paulo"))
    try:
        yield Robot(folder, clock, store)
    finally:
        await store.close()


def aged(path: Path, seconds: float) -> None:
    """Make a file older than the test's clock by that much."""
    os.utime(path, (NOON / 1000 - seconds, NOON / 1000 - seconds))


async def test_a_file_is_queued_as_its_sender_told_and_handed_to_the_transport(tmp_path: Path) -> None:
    async with robot(tmp_path) as there:
        told = there.copy_of("foto.jpg")
        result = await there.send(told, text="Bom dia")
        assert (result.ok, result.data) == (True, {"id": 1, "new": True})
        (row,) = await there.queued()
        assert row == AttachmentRow(told["file"], "image", "image/jpeg", "foto.jpg")
        path = there.folder.outgoing / told["file"]
        assert outgoing_attachment(there.folder, row) == Attachment(path, "image", "image/jpeg", "foto.jpg")
        assert path.read_bytes() == JPEG


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"file": "../../settings.toml"}, "not the name of a copy"),
        ({"file": "/etc/passwd"}, "not the name of a copy"),
        ({"file": "0" * 32}, "cannot be read"),
        ({"name": "../foto.jpg"}, "not what it was"),
        ({"name": "fo\u202eto.jpg"}, "not what it was"),
        ({"kind": "document"}, "not what it was"),
        ({"mimetype": "text/html"}, "not what it was"),
        ({"size_bytes": 5}, "not what it was"),
        ({"kind": "program"}, "attachment.kind"),
        ({"path": "/etc/passwd"}, "attachment.path"),
    ],
)
async def test_a_command_that_tells_anything_else_of_the_file_is_refused(
    tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    async with robot(tmp_path) as there:
        result = await there.send({**there.copy_of("foto.jpg"), **change})
        assert not result.ok
        assert reason in result.message
        assert await there.queued() == []


async def test_a_copy_changed_between_the_command_and_the_robot_is_refused(tmp_path: Path) -> None:
    async with robot(tmp_path) as there:
        told = there.copy_of("foto.jpg")
        (there.folder.outgoing / told["file"]).write_bytes(b"MZ" + JPEG[2:])
        result = await there.send(told)
        assert (result.ok, "not what it was" in result.message) == (False, True)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX files")
async def test_a_link_or_a_pipe_in_the_place_of_a_copy_is_neither_queued_nor_sent(tmp_path: Path) -> None:
    async with robot(tmp_path) as there:
        secret = tmp_path / "secret.jpg"
        secret.write_bytes(JPEG)
        for replace_it in (lambda path: path.symlink_to(secret), os.mkfifo):
            told = there.copy_of("foto.jpg")
            path = there.folder.outgoing / told["file"]
            path.unlink()
            replace_it(path)
            result = await there.send(told)
            assert (result.ok, "no ordinary file" in result.message) == (False, True)
            with pytest.raises(AttachmentGone, match="no ordinary file"):
                outgoing_attachment(there.folder, AttachmentRow(told["file"], "image", "image/jpeg", "foto.jpg"))


async def test_a_file_that_is_gone_or_another_when_it_is_sent_is_told(tmp_path: Path) -> None:
    async with robot(tmp_path) as there:
        told = there.copy_of("foto.jpg")
        row = AttachmentRow(told["file"], "image", "image/jpeg", "foto.jpg")
        (there.folder.outgoing / told["file"]).write_bytes(b"%PDF-1.7\n")
        with pytest.raises(AttachmentGone, match=r"foto\.jpg\) is another one"):
            outgoing_attachment(there.folder, row)
        (there.folder.outgoing / told["file"]).unlink()
        with pytest.raises(AttachmentGone, match=r"foto\.jpg\) is gone"):
            outgoing_attachment(there.folder, row)


@pytest.mark.parametrize(
    ("content", "text", "reason"),
    [
        (JPEG, "x" * 1_025, "at most 1,024"),
        (b"%PDF-1.7\n", "x" * 1_025, "at most 1,024"),
        (b"ID3\x04" + bytes(20), "oi", "Audio has no caption"),
    ],
)
async def test_a_text_that_whatsapp_would_lose_or_refuse_is_refused(
    tmp_path: Path, content: bytes, text: str, reason: str
) -> None:
    async with robot(tmp_path) as there:
        result = await there.send(there.copy_of("file", content), text=text)
        assert (result.exit_code, reason in result.message) == (2, True)
        assert await there.queued() == []


async def test_a_file_goes_without_text_and_nothing_goes_without_both(tmp_path: Path) -> None:
    async with robot(tmp_path) as there:
        assert (await there.send(there.copy_of("foto.jpg"), text=" \n")).ok
        body = await there.store.read(lambda con: con.execute("SELECT body FROM outbox").fetchone())
        assert body == ("",)
        empty = await there.execute("send", {"phone": PHONE})
        assert (empty.exit_code, "empty" in empty.message) == (2, True)


async def test_a_repeated_command_is_answered_as_before_though_its_file_is_gone(tmp_path: Path) -> None:
    async with robot(tmp_path) as there:
        told = there.copy_of("foto.jpg")
        command = SpooledCommand("0123456789", "send", {"phone": PHONE, "attachment": told})
        first = await there.commands.execute(command)
        (there.folder.outgoing / told["file"]).unlink()
        assert await there.commands.execute(command) == first
        assert len(await there.queued()) == 1


async def test_the_sweep_leaves_what_is_queued_young_or_on_its_way(tmp_path: Path) -> None:
    async with robot(tmp_path) as there:
        assert await sweep(there.folder, there.store, NOON) == 0, "no folder yet"
        queued, spooled, young, old = (there.copy_of("foto.jpg") for _ in range(4))
        assert (await there.send(queued)).ok
        spool.submit(there.folder, SpooledCommand("0123456789", "send", {"phone": PHONE, "attachment": spooled}))
        (there.folder.commands / "9876543210.json").write_bytes(b"{")
        torn = there.folder.outgoing / ".0123.tmp"
        torn.write_bytes(b"half")
        for path in there.folder.outgoing.iterdir():
            aged(path, HOUR_S + 1)
        aged(there.folder.outgoing / young["file"], HOUR_S - 1)
        assert await sweep(there.folder, there.store, NOON) == 2
        assert there.files() == {queued["file"], spooled["file"], young["file"]}
        assert old["file"] not in there.files()


@pytest.mark.parametrize(
    ("state", "kept"), [("SENT", False), ("CANCELLED", False), ("DEAD", True), ("UNCONFIRMED", True)]
)
async def test_the_sweep_keeps_files_of_messages_that_may_be_sent_again(tmp_path: Path, state: str, kept: bool) -> None:
    async with robot(tmp_path) as there:
        told = there.copy_of("foto.jpg")
        await there.send(told)
        await there.store.write(lambda tx: tx.execute("UPDATE outbox SET state = ?", (outbox.State[state],)))
        aged(there.folder.outgoing / told["file"], HOUR_S + 1)
        await sweep(there.folder, there.store, NOON)
        assert there.files() == ({told["file"]} if kept else set())


async def test_the_sweep_goes_on_after_what_it_cannot_delete(tmp_path: Path) -> None:
    async with robot(tmp_path) as there:
        told = there.copy_of("foto.jpg")
        (there.folder.outgoing / "a folder").mkdir()
        for path in there.folder.outgoing.iterdir():
            aged(path, HOUR_S + 1)
        assert await sweep(there.folder, there.store, NOON) == 1
        assert there.files() == {"a folder"}
        assert told["file"] not in there.files()


async def test_a_folder_that_cannot_be_listed_stops_nothing(tmp_path: Path) -> None:
    async with robot(tmp_path) as there:
        there.folder.outgoing.parent.mkdir(parents=True)
        there.folder.outgoing.write_bytes(b"no folder")
        assert await sweep(there.folder, there.store, NOON) == 0


async def test_a_medium_is_fetched_once_under_a_name_of_ours(tmp_path: Path) -> None:
    async with robot(tmp_path) as there:
        number = await there.receive("false_1@c.us_AA", "image/png", name="../../evil.exe")
        there.whatsapp["false_1@c.us_AA"] = JPEG
        first = await there.execute("media", {"id": number})
        path = there.folder.downloads / f"{number}-2026-11-22.jpg"
        assert (first.ok, first.data) == (True, {"id": number, "path": str(path), "size_bytes": len(JPEG), "new": True})
        assert path.read_bytes() == JPEG
        if sys.platform != "win32":
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        again = await there.execute("media", {"id": number})
        assert again.data == {**first.data, "new": False}
        assert len(there.asked) == 1
        assert [entry.name for entry in there.folder.downloads.iterdir()] == [path.name]


async def test_two_who_ask_at_the_same_time_fetch_it_once(tmp_path: Path) -> None:
    async with robot(tmp_path) as there:
        number = await there.receive("k", "image/jpeg")
        there.whatsapp["k"] = JPEG
        there.hold.clear()
        both = [asyncio.create_task(there.execute("media", {"id": number})) for _ in range(2)]
        async with asyncio.timeout(30):
            while not there.asked:
                await there.store.read(lambda con: None)
        there.hold.set()
        results = await asyncio.gather(*both)
        assert [result.data["new"] for result in results] == [True, False]
        assert len(there.asked) == 1


@pytest.mark.parametrize(
    ("there_is", "reason", "code"),
    [
        (DownloadFailed("WhatsApp does not have it any more."), "any more", 1),
        (RobotNotRunning("No robot runs."), "No robot runs", 3),
        (b"", "empty file", 1),
    ],
)
async def test_a_medium_that_cannot_be_had_is_told_and_leaves_nothing(
    tmp_path: Path, there_is: bytes | Exception, reason: str, code: int
) -> None:
    async with robot(tmp_path) as there:
        number = await there.receive("k", "image/jpeg")
        there.whatsapp["k"] = there_is
        result = await there.execute("media", {"id": number})
        assert (result.ok, result.exit_code, reason in result.message) == (False, code, True)
        assert not there.folder.downloads.exists()
        there.whatsapp["k"] = JPEG
        assert (await there.execute("media", {"id": number})).ok, "and can be asked for again"


async def test_what_is_known_to_be_impossible_is_not_asked_for(tmp_path: Path) -> None:
    async with robot(tmp_path) as there:
        large = await there.receive("large", "video/mp4", 100_000_001)
        keyless = await there.receive("", "image/jpeg")
        text = await there.receive("text", None)
        for number, reason in (
            (large, "at most 100.0 MB"),
            (keyless, "did not come from WhatsApp"),
            (text, "No message"),
        ):
            result = await there.execute("media", {"id": number})
            assert (result.ok, reason in result.message) == (False, True), result.message
        assert (await there.execute("media", {"id": 0})).exit_code == 2
        assert there.asked == []


async def test_a_full_disk_keeps_no_part_of_a_medium(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with robot(tmp_path) as there:
        number = await there.receive("k", "image/jpeg")
        there.whatsapp["k"] = JPEG

        def full(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("whatsself_tui.host.atomic.os.fsync", full)
        result = await there.execute("media", {"id": number})
        monkeypatch.undo()
        assert (result.ok, "No space left" in result.message) == (False, True)
        assert list(there.folder.downloads.iterdir()) == []


def test_a_refusal_of_the_database_is_not_taken_for_an_empty_outbox(tmp_path: Path) -> None:
    class Refusing:
        async def read(self, query: object) -> set[str]:
            raise sqlite3.OperationalError("disk I/O error")

    folder = DataFolder(tmp_path)
    folder.create()
    folder.outgoing.mkdir(parents=True)
    (folder.outgoing / ("0" * 32)).write_bytes(JPEG)
    aged(folder.outgoing / ("0" * 32), HOUR_S + 1)
    with pytest.raises(sqlite3.OperationalError):
        asyncio.run(sweep(folder, Refusing(), NOON))  # type: ignore[arg-type]
    assert (folder.outgoing / ("0" * 32)).exists()
    assert media.LEAVE_MS == HOUR_S * 1000
