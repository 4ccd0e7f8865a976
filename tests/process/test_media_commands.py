"""`send --file` and `messages …` through the real command line, with and without a running robot."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.cli import FAST, cli, cli_json, headless, received, settings
from support.waiting import until

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(20)
PDF = b"%PDF-1.7\n" + bytes(1_500_000)
PHONE = "5511999990001"


def files_of(data: Path) -> list[Path]:
    """What lies in `outgoing`."""
    return sorted((data / "media" / "outgoing").glob("*"))


def accepted(data: Path) -> list[dict[str, Any]]:
    """What the simulated phone has accepted; of files what it notes of them."""
    return list(received(data))


def a_file(folder: Path, name: str, content: bytes) -> str:
    path = folder / name
    path.write_bytes(content)
    return str(path)


def with_media(data: Path, *media: tuple[str, str, int | None]) -> None:
    """Turn the messages that were received, the earliest first, into (kind, file name, size) with a medium."""
    with closing(sqlite3.connect(data / "whatsself.db")) as con, con:
        for number, (kind, name, size) in enumerate(media, 1):
            con.execute(
                "UPDATE inbox SET kind = ?, mimetype = 'image/jpeg', file_name = ?, size_bytes = ? WHERE id = ?",
                (kind, name, size, number),
            )


def test_a_file_is_copied_queued_and_reaches_the_phone_as_it_was(tmp_path: Path) -> None:
    data = tmp_path / "data"
    settings(data, FAST)
    path = a_file(tmp_path, "preços \u202efdp.pdf", PDF)
    queued = cli_json(data, "send", PHONE, "Segue a tabela", "--file", path)
    assert queued["new"] is True
    (copy,) = files_of(data)
    assert copy.read_bytes() == PDF
    Path(path).unlink()
    assert cli(data, "run", "--headless", "--until-idle").returncode == 0
    (line,) = accepted(data)
    assert line["text"] == "Segue a tabela"
    assert line["media"] == {
        "kind": "document",
        "name": "preços fdp.pdf",
        "mimetype": "application/pdf",
        "size": len(PDF),
        "sha256": hashlib.sha256(PDF).hexdigest(),
    }


def test_a_running_robot_sends_a_picture_without_a_text(tmp_path: Path) -> None:
    data = tmp_path / "data"
    settings(data, FAST)
    with headless(data):
        assert cli(data, "send", PHONE, "--file", a_file(tmp_path, "foto.jpg", JPEG)).returncode == 0
        until(lambda: received(data))
    (line,) = accepted(data)
    assert (line["text"], line["media"]) == (
        "",
        {
            "kind": "image",
            "name": "foto.jpg",
            "mimetype": "image/jpeg",
            "size": len(JPEG),
            "sha256": hashlib.sha256(JPEG).hexdigest(),
        },
    )


def test_what_is_queued_already_or_refused_leaves_no_copy(tmp_path: Path) -> None:
    data, path = tmp_path / "data", a_file(tmp_path, "foto.jpg", JPEG)
    first = cli_json(data, "send", PHONE, "--file", path, "--dedup", "once")
    second = cli_json(data, "send", PHONE, "--file", path, "--dedup", "once")
    assert (first["new"], second["new"], second["id"]) == (True, False, first["id"])
    (copy,) = files_of(data)
    assert cli(data, "contacts", "opt-out", "5511999990002").returncode == 0
    assert cli(data, "send", "5511999990002", "--file", path).returncode == 1
    assert cli(data, "send", PHONE, "--file", path, "--expires", "2020-01-01").returncode == 2
    assert files_of(data) == [copy]


def test_a_message_whose_file_is_gone_fails_for_good_with_the_reason(tmp_path: Path) -> None:
    data = tmp_path / "data"
    settings(data, FAST)
    number = cli_json(data, "send", PHONE, "--file", a_file(tmp_path, "foto.jpg", JPEG))["id"]
    (copy,) = files_of(data)
    copy.unlink()
    assert cli(data, "run", "--headless", "--until-idle").returncode == 0
    shown = cli_json(data, "queue", "show", str(number))
    assert (shown["status"], shown["attempts"]) == ("failed", 1)
    assert "foto.jpg) is gone" in shown["error"]
    assert received(data) == []


@pytest.mark.parametrize(
    ("name", "content", "text", "sentence"),
    [
        ("missing.pdf", None, "oi", "missing.pdf cannot be read"),
        ("empty.pdf", b"", "oi", "empty.pdf is empty"),
        ("foto.jpg", JPEG, "x" * 1_025, "at most 1,024"),
        ("voz.mp3", b"ID3\x04" + bytes(20), "oi", "Audio has no caption"),
        ("foto.jpg", JPEG + bytes(16_000_000), "oi", "foto.jpg is too large: 16,000,031 bytes"),
    ],
)
def test_a_file_that_whatsapp_does_not_take_is_told_and_not_copied(
    tmp_path: Path, name: str, content: bytes | None, text: str, sentence: str
) -> None:
    if content is not None:
        a_file(tmp_path, name, content)
    done = cli(tmp_path / "data", "send", PHONE, text, "--file", str(tmp_path / name))
    assert done.returncode == 2
    assert sentence in done.stderr.decode()
    assert files_of(tmp_path / "data") == []


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX files")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "foto.jpg")
    done = cli(tmp_path / "data", "send", PHONE, "--file", str(tmp_path / "foto.jpg"))
    assert (done.returncode, "no ordinary file" in done.stderr.decode()) == (2, True)


def test_media_are_listed_the_newest_first_with_harmless_names(tmp_path: Path) -> None:
    settings(tmp_path, FAST)
    for text in ("um", "dois", "três"):
        assert cli(tmp_path, "receive", PHONE, text, "--name", "Ana \x1b[31m").returncode == 0
    assert cli(tmp_path, "messages", "media").stderr.decode().strip() == "No media were received."
    with_media(tmp_path, ("image", "", None), ("document", "..\\\u202efdp.exe\x1b[2J", 1_234_567))
    listed = cli_json(tmp_path, "messages", "media")
    assert [(row["id"], row["kind"], row["size_bytes"]) for row in listed["media"]] == [
        (2, "document", 1_234_567),
        (1, "image", None),
    ]
    assert listed["more"] is False
    assert "key" not in listed["media"][0]
    plain = cli(tmp_path, "messages", "media", "--limit", "1")
    output = plain.stdout.decode()
    assert "1.2 MB" in output
    assert "⟨RLO⟩fdp.exe␛[2J" in output
    assert "\x1b" not in output
    assert "--limit shows more" in plain.stderr.decode()


def test_what_cannot_be_fetched_is_told(tmp_path: Path) -> None:
    settings(tmp_path, FAST)
    for text in ("um", "dois"):
        assert cli(tmp_path, "receive", PHONE, text).returncode == 0
    with_media(tmp_path, ("image", "foto.jpg", None))
    with closing(sqlite3.connect(tmp_path / "whatsself.db")) as con, con:
        con.execute("UPDATE inbox SET wa_key = 'false_1@c.us_AA' WHERE id = 1")
    for number, code, sentence in (("1", 3, "running robot"), ("2", 1, "No message 2"), ("x", 2, "ID")):
        done = cli(tmp_path, "messages", "download", number)
        assert (done.returncode, sentence in done.stderr.decode()) == (code, True), done.stderr
    with headless(tmp_path):
        done = cli(tmp_path, "messages", "download", "1")
        assert (done.returncode, "keeps no media" in done.stderr.decode()) == (1, True), done.stderr
    assert not (tmp_path / "media" / "received").exists()


def test_a_medium_that_was_fetched_before_needs_no_running_robot(tmp_path: Path) -> None:
    assert cli(tmp_path, "receive", PHONE, "um").returncode == 0
    with_media(tmp_path, ("image", "foto.jpg", None))
    (tmp_path / "media" / "received").mkdir(parents=True)
    path = tmp_path / "media" / "received" / "1-2026-11-22.jpg"
    path.write_bytes(JPEG)
    answer = cli_json(tmp_path, "messages", "download", "1")
    assert (answer["path"], answer["size_bytes"], answer["new"]) == (str(path), len(JPEG), False)
