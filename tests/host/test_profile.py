"""The profile's folder, the note which browser used it, and what is feared of another one."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest

from whatsself_tui.errors import DataError
from whatsself_tui.host.browsers import Brand, Browser
from whatsself_tui.host.profile import (
    RECORD,
    ProfileRecord,
    prepare_profile,
    read_record,
    record_use,
    warnings_before,
    warnings_for,
)

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="links and modes of POSIX")

CHROME = Browser(Path("/opt/google/chrome/google-chrome"), Brand.CHROME, "139.0.7258.66")
EDGE = Browser(Path("/opt/microsoft/msedge/microsoft-edge"), Brand.EDGE, "140.0.3485.54")


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "whatsapp_session"
    prepare_profile(folder)
    return folder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@posix_only
def test_folder_is_made_for_its_user_alone_and_kept_with_what_is_in_it(profile: Path) -> None:
    assert mode(profile) == 0o700
    (profile / "Cookies").write_bytes(b"login")
    profile.chmod(0o755)
    prepare_profile(profile)
    assert mode(profile) == 0o700
    assert (profile / "Cookies").read_bytes() == b"login"


@posix_only
def test_link_in_place_of_the_folder_is_refused_and_what_it_leads_to_left_alone(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    (tmp_path / "link").symlink_to(elsewhere)
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    for name in ("link", "dangling"):
        with pytest.raises(DataError, match="is a link to another place"):
            prepare_profile(tmp_path / name)
    assert mode(elsewhere) == 0o755
    assert not (tmp_path / "nowhere").exists()


def test_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "profile").write_bytes(b"something")
    with pytest.raises(DataError, match="is not a folder"):
        prepare_profile(tmp_path / "profile")
    with pytest.raises(DataError, match="cannot be prepared"):
        prepare_profile(tmp_path / "profile" / "below")


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can give a folder away")
def test_another_users_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "profile").mkdir()
    os.chown(tmp_path / "profile", 65534, 65534)
    with pytest.raises(DataError, match="another user's"):
        prepare_profile(tmp_path / "profile")


def test_use_is_noted_and_whether_there_is_a_login_stays_until_it_is_said_anew(profile: Path) -> None:
    assert read_record(profile) is None
    record_use(profile, CHROME, now_ms=1_000)
    assert read_record(profile) == ProfileRecord(Brand.CHROME, 139, str(CHROME.path), 1_000, False)
    record_use(profile, CHROME, now_ms=2_000, paired=True)
    record_use(profile, EDGE, now_ms=3_000)
    assert read_record(profile) == ProfileRecord(Brand.EDGE, 140, str(EDGE.path), 3_000, True)
    record_use(profile, EDGE, now_ms=4_000, paired=False)
    assert read_record(profile) == ProfileRecord(Brand.EDGE, 140, str(EDGE.path), 4_000, False)
    assert [path.name for path in profile.iterdir()] == [RECORD]


GOOD = {"brand": "chrome", "major": 139, "path": "/chrome", "last_used_ms": 1, "paired": True}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 60_000,
        *(
            json.dumps({**GOOD, **change}).encode()
            for change in (
                {"brand": "firefox"},
                {"brand": ["chrome"]},
                {"major": "139"},
                {"major": -1},
                {"major": True},
                {"path": None},
                {"last_used_ms": 1.5},
                {"paired": "yes"},
            )
        ),
        json.dumps({name: value for name, value in GOOD.items() if name != "paired"}).encode(),
    ],
)
def test_damaged_note_is_told_as_a_warning_and_written_anew(profile: Path, content: bytes) -> None:
    (profile / RECORD).write_bytes(content)
    with pytest.raises(DataError, match="is damaged"):
        read_record(profile)
    assert [RECORD in warning for warning in warnings_for(profile, CHROME)] == [True]
    record_use(profile, CHROME, now_ms=5)
    assert read_record(profile) == ProfileRecord(Brand.CHROME, 139, str(CHROME.path), 5, False)
    assert warnings_for(profile, CHROME) == []


def test_note_that_cannot_be_read_or_written_is_told(profile: Path) -> None:
    (profile / RECORD).mkdir()
    with pytest.raises(DataError, match="cannot be read"):
        read_record(profile)
    with pytest.raises(DataError, match="cannot be written"):
        record_use(profile, CHROME, now_ms=1, paired=True)


def test_same_browser_or_a_newer_one_is_nothing_to_fear() -> None:
    for major in (1, 138, 139):
        assert warnings_before(ProfileRecord(Brand.CHROME, major, "", 0, True), CHROME) == []
    assert warnings_before(None, CHROME) == []


def test_older_version_may_lose_the_login() -> None:
    (warning,) = warnings_before(ProfileRecord(Brand.CHROME, 140, "", 0, True), CHROME)
    assert "Google Chrome 140" in warning
    assert "older version 139" in warning


def test_another_brand_may_lose_the_login_and_both_are_named() -> None:
    (warning,) = warnings_before(ProfileRecord(Brand.CHROME, 139, "", 0, True), EDGE)
    assert "Google Chrome 139" in warning
    assert "Microsoft Edge 140" in warning
    assert "`transport.browser` to chrome" in warning
