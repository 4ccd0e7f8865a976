"""The pinned wa-js in the data folder: used to the byte or not at all."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest

from whatsself_tui.errors import DataError
from whatsself_tui.transport.whatsapp_web import wa_js
from whatsself_tui.transport.whatsapp_web.wa_js import FILE, read_verified, status

SCRIPT = "(()=>{window.WPP={ação:1}})()".encode()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and a small script in the place of the pinned one."""
    monkeypatch.setattr(wa_js, "SIZE", len(SCRIPT))
    monkeypatch.setattr(wa_js, "SHA256", hashlib.sha256(SCRIPT).hexdigest())
    return tmp_path


def test_right_script_is_ok_and_read_as_text(folder: Path) -> None:
    (folder / FILE).write_bytes(SCRIPT)
    found = status(folder)
    assert (found.state, found.version, found.path) == ("ok", wa_js.VERSION, folder / FILE)
    assert read_verified(folder) == SCRIPT.decode()


def test_missing_script_is_told_with_what_to_do(folder: Path) -> None:
    assert status(folder).state == "missing"
    assert status(folder / "nowhere").state == "missing"
    with pytest.raises(DataError, match="not installed") as told:
        read_verified(folder)
    assert "bridge install" in told.value.advice


@pytest.mark.parametrize(
    "content",
    [b"", SCRIPT[:-1], SCRIPT + b"\n", SCRIPT.replace(b"1", b"2"), SCRIPT * 1_000],
    ids=["empty", "cut off", "longer", "one bit", "much longer"],
)
def test_any_other_byte_makes_it_damaged_and_both_checksums_are_told(folder: Path, content: bytes) -> None:
    (folder / FILE).write_bytes(content)
    found = status(folder)
    assert found.state == "damaged"
    assert str(folder / FILE) in found.detail
    with pytest.raises(DataError, match="cannot be used") as told:
        read_verified(folder)
    assert "bridge install" in told.value.advice
    if len(content) <= len(SCRIPT):
        assert wa_js.SHA256 in told.value.message
        assert hashlib.sha256(content).hexdigest() in told.value.message


@pytest.mark.skipif(sys.platform == "win32", reason="Windows tells a folder in another way")
def test_what_cannot_be_read_is_damaged(folder: Path) -> None:
    (folder / FILE).mkdir()
    assert status(folder).state == "damaged"
    with pytest.raises(DataError, match="cannot be read"):
        read_verified(folder)
