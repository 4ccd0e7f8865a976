"""Files that are to be sent: judged by their content, named harmlessly, copied in full or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsself_tui.errors import DataError, UsageError
from whatsself_tui.host.media_files import MAX_NAME, copy_in, inspect, inspect_as, shown_name
from whatsself_tui.host.media_types import HEAD_BYTES, OPUS, UNKNOWN, ending_for

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(20)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
OGG_PAGE = b"OggS\x00\x02" + bytes(20) + b"\x01\x13"
MP3_FRAME = b"\xff\xfb\x90\x64" + bytes(20)
M4A = b"\x00\x00\x00\x20ftypM4A \x00\x00\x00\x00M4A mp42isom"
MP4 = b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41"
ZIP = b"PK\x03\x04\x14\x00\x06\x00" + bytes(20)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(20)
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="POSIX files")


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(UsageError) as refused:
        inspect(path)
    return str(refused.value)


@pytest.mark.parametrize(
    ("content", "kind", "mimetype"),
    [
        (JPEG, "image", "image/jpeg"),
        (PNG, "image", "image/png"),
        (b"GIF89a" + bytes(20), "image", "image/gif"),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "image", "image/webp"),
        (OGG_PAGE + b"OpusHead\x01", "audio", OPUS),
        (OGG_PAGE + b"\x01vorbis\x00", "audio", "audio/ogg"),
        (OGG_PAGE + b"Speex   1.2", "audio", "audio/ogg"),
        (OGG_PAGE + b"\x7fFLAC\x01\x00", "audio", "audio/ogg"),
        (b"ID3\x04\x00\x00" + bytes(20), "audio", "audio/mpeg"),
        (MP3_FRAME, "audio", "audio/mpeg"),
        (M4A, "audio", "audio/mp4"),
        (b"\xff\xf1\x50\x80\x02\x1f\xfc" + bytes(9), "audio", "audio/aac"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "audio", "audio/wav"),
        (b"#!AMR\n" + bytes(9), "audio", "audio/amr"),
        (OGG_PAGE + b"\x80theora\x03", "document", UNKNOWN),
        (MP4, "document", UNKNOWN),
        (b"RIFF\x24\x00\x00\x00AVI LIST", "document", UNKNOWN),
        (b"\xff\xfea\x00b\x00c\x00", "document", UNKNOWN),  # UTF-16 text begins almost like MPEG audio
        (b"\xff", "document", UNKNOWN),
        (b"OggS", "document", UNKNOWN),
        (b"MZ\x90\x00", "document", UNKNOWN),
    ],
)
def test_the_content_decides_what_a_file_is(tmp_path: Path, content: bytes, kind: str, mimetype: str) -> None:
    for name in ("anything", "photo.jpg", "song.mp3"):
        medium = inspect(written(tmp_path, name, content))
        assert (medium.kind, medium.mimetype, medium.size_bytes) == (kind, mimetype, len(content))


@pytest.mark.parametrize(
    ("name", "content", "mimetype"),
    [
        ("preços.PDF", b"%PDF-1.7\n", "application/pdf"),
        ("no ending", b"%PDF-1.7\n", "application/pdf"),
        ("report.pdf", b"MZ\x90\x00", UNKNOWN),
        ("photo.jpg", b"not a photo", UNKNOWN),
        ("voice.ogg", b"no voice", UNKNOWN),
        ("contrato.docx", ZIP, DOCX),
        ("clip.mp4", MP4, "video/mp4"),
        ("clip.3gp", b"\x00\x00\x00\x18ftyp3gp4\x00", "video/3gpp"),
        ("lista.csv", b"a;b\n", "text/csv"),
        ("data:text/html,x", b"x", UNKNOWN),
        (".bashrc", b"x", UNKNOWN),
    ],
)
def test_a_document_has_the_type_of_its_name_unless_its_content_denies_it(
    tmp_path: Path, name: str, content: bytes, mimetype: str
) -> None:
    medium = inspect_as(written(tmp_path, "0123", content), name)
    assert (medium.kind, medium.mimetype, medium.name) == ("document", mimetype, name)


def test_a_picture_keeps_being_one_under_any_name(tmp_path: Path) -> None:
    medium = inspect(written(tmp_path, "invoice.pdf", JPEG))
    assert (medium.kind, medium.mimetype, medium.name) == ("image", "image/jpeg", "invoice.pdf")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("C:\\Users\\ana\\foto.jpg", "foto.jpg"),
        ("folder/", "folder"),
        ("CON.txt", "CON.txt"),
        ("fatura\u202egpj.exe", "faturagpj.exe"),
        ("a\x00b\x1b[31m\u2028c.pdf", "ab[31mc.pdf"),
        ("bytes\udcff.pdf", "bytes.pdf"),
        ("\u202e\u200b", "file"),
        ("..", "file"),
        ("", "file"),
        (" preço médio .pdf ", "preço médio .pdf"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
        ("x." + "e" * 300, "x." + "e" * 118),
        ("x" * 119 + " and more", "x" * 119),
        ("." * 300 + "é" * 20, "file"),
    ],
)
def test_hostile_names_lose_what_is_dangerous_and_keep_their_ending(name: str, shown: str) -> None:
    assert shown_name(name) == shown


@given(st.text(max_size=400) | st.text(alphabet=" .a/\u202e", min_size=MAX_NAME - 5, max_size=MAX_NAME + 20))
def test_every_name_becomes_one_harmless_line_that_stays_as_it_is(name: str) -> None:
    shown = shown_name(name)
    assert 0 < len(shown) <= MAX_NAME
    assert not any(char in "/\\" or unicodedata.category(char)[0] == "C" for char in shown)
    assert shown_name(shown) == shown


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    assert "empty.pdf is empty" in refusal(written(tmp_path, "empty.pdf", b""))


def test_a_missing_file_and_a_folder_are_refused_by_name(tmp_path: Path) -> None:
    assert "missing.pdf cannot be read: No such file" in refusal(tmp_path / "missing.pdf")
    (tmp_path / "photos").mkdir()
    assert "photos is no ordinary file but a folder" in refusal(tmp_path / "photos")


@pytest.mark.parametrize(("content", "limit"), [(JPEG, 16), (M4A, 16), (b"%PDF-1.7\n", 100)])
def test_a_file_is_as_large_as_whatsapp_takes_and_no_byte_larger(tmp_path: Path, content: bytes, limit: int) -> None:
    path = written(tmp_path, "large", content)
    os.truncate(path, limit * 1_000_000)
    assert inspect(path).size_bytes == limit * 1_000_000
    os.truncate(path, limit * 1_000_000 + 1)
    assert f"at most {limit} MB" in refusal(path)


@posix_only
def test_a_pipe_or_a_device_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pdf")
    for path in (tmp_path / "pipe.pdf", Path("/dev/zero"), Path("/dev/null")):
        assert "is no ordinary file but a pipe or a device" in refusal(path)


@posix_only
def test_a_link_is_followed_for_a_person_and_refused_in_a_folder_of_ours(tmp_path: Path) -> None:
    (tmp_path / "link.jpg").symlink_to(written(tmp_path, "photo.jpg", JPEG))
    assert inspect(tmp_path / "link.jpg").kind == "image"
    with pytest.raises(UsageError, match="no ordinary file but a link"):
        inspect_as(tmp_path / "link.jpg", "photo.jpg")


@posix_only
def test_a_file_exchanged_for_a_pipe_while_it_is_opened_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, opened = written(tmp_path, "photo.jpg", JPEG), os.open

    def exchange(name: str | Path, flags: int, mode: int = 0o777) -> int:
        path.unlink()
        os.mkfifo(path)
        return opened(name, flags, mode)

    monkeypatch.setattr(os, "open", exchange)
    assert "is no ordinary file" in refusal(path)


def test_a_copy_is_whole_private_and_under_a_name_nobody_can_guess(tmp_path: Path) -> None:
    content = os.urandom(2_500_000)
    path, outgoing = written(tmp_path, "big.bin", content), tmp_path / "media" / "outgoing"
    names = {copy_in(path, outgoing, len(content)) for _ in range(2)}
    assert {entry.name for entry in outgoing.iterdir()} == names
    for name in names:
        assert len(name) == 32
        assert (outgoing / name).read_bytes() == content
        if sys.platform != "win32":
            assert stat.S_IMODE((outgoing / name).stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [JPEG[:-1], JPEG + b"x", b""])
def test_a_file_that_has_changed_since_it_was_inspected_is_not_copied(tmp_path: Path, content: bytes) -> None:
    path, outgoing = written(tmp_path, "photo.jpg", JPEG), tmp_path / "outgoing"
    size = inspect(path).size_bytes
    path.write_bytes(content)
    with pytest.raises(UsageError, match="has changed while it was copied"):
        copy_in(path, outgoing, size)
    assert list(outgoing.iterdir()) == []


def test_a_disk_that_fills_up_leaves_no_part_of_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, outgoing, write = written(tmp_path, "big.bin", bytes(3_000_000)), tmp_path / "outgoing", os.write
    written_bytes = 0

    def fill_up(descriptor: int, data: memoryview) -> int:
        nonlocal written_bytes
        if written_bytes > 1_500_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        count = write(descriptor, data[:600_000])
        written_bytes += count
        return count

    monkeypatch.setattr(os, "write", fill_up)
    with pytest.raises(DataError, match=r"big\.bin cannot be copied: No space left"):
        copy_in(path, outgoing, 3_000_000)
    assert written_bytes > 1_500_000, "it was well under way"
    assert list(outgoing.iterdir()) == []


def test_a_copy_that_would_take_the_last_room_is_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, outgoing = written(tmp_path, "photo.jpg", JPEG), tmp_path / "outgoing"
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=50_000_000))
    with pytest.raises(DataError, match="50,000,000 bytes are free"):
        copy_in(path, outgoing, len(JPEG))
    assert list(outgoing.iterdir()) == []


@pytest.mark.parametrize(
    ("head", "told", "ending"),
    [
        (JPEG, "application/x-msdownload", "jpg"),
        (PNG, "", "png"),
        (OGG_PAGE + b"OpusHead\x01", OPUS, "ogg"),
        (MP3_FRAME, "audio/mpeg", "mp3"),
        (b"%PDF-1.7\n", "application/pdf", "pdf"),
        (ZIP, DOCX.upper(), "docx"),
        (ZIP, "application/vnd.ms-word.document.macroEnabled.12", "zip"),
        (ZIP, "application/java-archive", "zip"),
        (OLE, "application/msword", "doc"),
        (OLE, "application/x-msi", "bin"),
        (MP4, "video/mp4", "mp4"),
        (b"\x00\x00\x00\x18ftyp3gp4\x00", "video/3gpp", "3gp"),
        (b"\x00\x00\x00\x18ftypheic\x00", "image/heic", "heic"),
        ("olá\n".encode(), "text/plain; charset=utf-8", "txt"),
        (("x" * (HEAD_BYTES - 1) + "é").encode()[:HEAD_BYTES], "text/plain", "txt"),
        (b"a;b\n", "text/csv", "csv"),
        (b"\xe9a;b\n", "text/csv", "bin"),
        (b"x\x00y", "text/plain", "bin"),
        (b"#!/bin/sh\n", "text/plain", "bin"),
        (b"<script>", "text/html", "bin"),
        (b"<svg onload='x'>", "image/svg+xml", "bin"),
        (b"@echo off\r\n", "application/x-bat", "bin"),
        (b"MZ\x90\x00", "image/jpeg", "bin"),
        (b"\x7fELF\x02", "application/pdf", "bin"),
        (b"", "image/jpeg", "bin"),
    ],
)
def test_what_was_received_gets_an_ending_of_the_fixed_table(head: bytes, told: str, ending: str) -> None:
    assert ending_for(head, told) == ending


@given(st.binary(max_size=64), st.text(max_size=40))
def test_no_content_and_no_word_of_a_sender_makes_an_ending_that_runs(head: bytes, told: str) -> None:
    media = {"jpg", "png", "gif", "webp", "heic", "avif", "ogg", "mp3", "m4a", "aac", "wav", "amr", "mp4", "3gp", "mov"}
    documents = {"pdf", "zip", "txt", "csv", "bin", "docx", "xlsx", "pptx", "odt", "ods", "odp", "doc", "xls", "ppt"}
    assert ending_for(head, told) in media | documents
