"""Snaps and flatpaks: what they cannot do is told before it fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from whatsself_tui.host.browser_packaging import cautions, packaging_of
from whatsself_tui.host.browsers import Brand, Browser


def wrapper(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_packaging_is_told_by_the_place_or_by_what_a_wrapper_starts(tmp_path: Path) -> None:
    snap = wrapper(tmp_path / "chromium-browser", '#!/bin/sh\nexec /snap/bin/chromium "$@"\n')
    flatpak = wrapper(tmp_path / "chrome", '#!/bin/sh\nexec flatpak run com.google.Chrome "$@"\n')
    plain = wrapper(tmp_path / "google-chrome", '#!/bin/sh\nexec /opt/google/chrome/chrome "$@"\n')
    program = wrapper(tmp_path / "program", "\x7fELF says /snap/bin/ somewhere")
    assert [packaging_of(path) for path in (snap, flatpak, plain, program)] == ["snap", "flatpak", "", ""]
    assert packaging_of(Path("/snap/bin/chromium")) == "snap"
    assert packaging_of(Path("/var/lib/flatpak/exports/bin/com.google.Chrome")) == "flatpak"


@pytest.mark.parametrize(
    ("profile", "fears"),
    [
        ("home/robot/whatsapp_session", False),
        ("home/.local/share/whatsself/whatsapp_session", True),
        ("srv/robot/whatsapp_session", True),
    ],
)
def test_snap_needs_a_profile_in_sight_below_the_home_folder(tmp_path: Path, profile: str, fears: bool) -> None:
    browser = Browser(Path("/snap/bin/chromium"), Brand.CHROMIUM, "140.0.7339.80")
    told = cautions(browser, tmp_path / profile, tmp_path / "home")
    assert bool(told) is fears
    assert all("is a snap" in sentence and "--data-dir" in sentence for sentence in told)


def test_flatpak_is_always_cautioned_against_and_an_ordinary_program_never(tmp_path: Path) -> None:
    flatpak = Browser(Path("/var/lib/flatpak/exports/bin/org.chromium.Chromium"), Brand.CHROMIUM, "140.0.7339.80")
    plain = Browser(tmp_path / "chromium", Brand.CHROMIUM, "140.0.7339.80")
    assert len(cautions(flatpak, tmp_path / "p", tmp_path)) == 1
    assert cautions(plain, Path("/srv/p"), tmp_path) == []
