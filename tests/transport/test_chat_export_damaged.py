"""Exported conversations that are damaged, hostile or something else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsself_tui.errors import UsageError
from whatsself_tui.transport import chat_export
from whatsself_tui.transport.chat_export import Export, UnreadableLine, read_export

LRM = "\u200e"


def read(text: str) -> Export:
    return read_export(text.encode("utf-8"))


def shown(export: Export) -> list[tuple[str, str, str]]:
    return [(message.sender, message.kind, message.text) for message in export.messages]


def test_lines_before_the_first_message_are_told() -> None:
    export = read("\ufeffConversa\n\n  \n22/11/2026 09:15 - Maria: Oi")
    assert export.unreadable == (UnreadableLine(1, "it stands before the first message"),)
    assert len(export.messages) == 1


@pytest.mark.parametrize("moment", ["31/02/2026 09:15", "32/01/2026 09:15", "22/11/2026 25:15", "22/11/2026 09:60",
                                    "00/11/2026 09:15", "22/11/0000 09:15"])  # fmt: skip
def test_a_moment_that_does_not_exist_is_told_with_all_its_lines(moment: str) -> None:
    export = read(f"21/11/2026 08:00 - Ana: Oi\n{moment} - Maria: Oi\n\nmais\n23/11/2026 08:00 - Ana: Tchau")
    assert shown(export) == [("Ana", "text", "Oi"), ("Ana", "text", "Tchau")]
    assert export.unreadable == (
        UnreadableLine(2, "it has a date or time that does not exist"),
        UnreadableLine(4, "it belongs to line 2, which cannot be read"),
    )


def test_bytes_that_are_not_utf8_are_told_and_cost_only_their_line() -> None:
    export = read_export(
        b"22/11/2026 09:15 - Maria: Oi\nma\xe7\xe3\nfim\n"
        b"22/11/2026 09:16 - Jos\xe9: Oi\nmais\n"
        b"22/11/2026 09:17 - Maria: Tchau\n"
    )
    assert shown(export) == [("Maria", "text", "Oi\n\nfim"), ("Maria", "text", "Tchau")]
    assert export.unreadable == (
        UnreadableLine(2, "it is not UTF-8"),
        UnreadableLine(4, "it is not UTF-8"),
        UnreadableLine(5, "it belongs to line 4, which cannot be read"),
    )


def test_a_line_without_a_name_is_told() -> None:
    export = read(f"22/11/2026 09:15 - {LRM}: Oi")
    assert export.unreadable == (UnreadableLine(1, "it names no sender"),)


def test_only_the_first_unreadable_lines_are_told_but_all_are_counted() -> None:
    export = read("x\n" * 5_000)
    assert len(export.unreadable) == chat_export.MAX_TOLD
    assert export.unreadable_total == 5_000


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff"])
def test_an_empty_file_is_an_empty_conversation(text: str) -> None:
    assert read(text) == Export((), (), 0, (), 0, month_first=False)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"PK\x03\x04...", "zip archive"),
        ("22/11/2026".encode("utf-16"), "UTF-16"),
    ],
)
def test_files_of_another_kind_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_export(data)


def test_a_file_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_export, "MAX_BYTES", 5)
    with pytest.raises(UsageError, match="exported conversation has"):
        read_export(b"123456")
    assert read_export(b"12345").unreadable_total == 1


@pytest.mark.parametrize(
    "piece",
    [
        b"[", b"1", b"1/", b"22/11/2026 09:15 ", b"[22/11/2026 09:15:03", b"\xff", b"\xe2\x80\x8e", b"<", b">", b": ",
        b"\r", b"22/11/2026 09:15 - a: <\n", b"22/11/2026 09:15 - " + b"a" * 50, b"\xcc\x96\xcc\x81", b"\x00",
    ],
)  # fmt: skip
def test_hostile_files_are_read_to_the_end(piece: bytes) -> None:
    hostile = piece * (200_000 // len(piece))
    export = read_export(b"21/11/2026 08:00 - Maria: " + hostile + b"\n23/11/2026 08:00 - Ana: fim")
    assert export.messages[-1].sender == "Ana"
    read_export(hostile)


@given(st.binary(max_size=300))
def test_whatever_the_file_holds_it_is_read(data: bytes) -> None:
    export = read_export(b"22/11/2026 09:15 - Ana: " + data)
    for message in export.messages:
        message.text.encode("utf-8")
        assert message.sender
