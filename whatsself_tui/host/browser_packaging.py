"""Browsers in a cage of their distribution's: what a snap or a flatpak cannot do with our profile."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from whatsself_tui.host.browsers import Browser

Packaging = Literal["snap", "flatpak", ""]

#: A wrapper script names the program it starts within this many bytes.
_SCRIPT_HEAD_BYTES = 8_192


def packaging_of(path: Path) -> Packaging:
    """How the program is packaged, told by its path, or by what a small script in its place starts."""
    script = ""
    try:
        with path.open("rb") as file:
            head = file.read(_SCRIPT_HEAD_BYTES)
    except OSError:
        head = b""  # what cannot be read cannot be run either, and the start of the browser tells that
    if head.startswith(b"#!"):
        script = head.decode("utf-8", "replace")
    if "/snap/" in path.as_posix() or "/snap/bin/" in script:
        return "snap"
    return "flatpak" if "/flatpak/" in path.as_posix() or "flatpak run" in script else ""


def cautions(browser: Browser, profile: Path, home: Path | None = None) -> list[str]:
    """What is to be feared of this browser with this profile, as sentences."""
    packaging = packaging_of(browser.path)
    if packaging == "flatpak":
        return [
            f"{browser.path} is a flatpak, which programs outside of it can hardly drive."
            " Install the browser from its maker or your distribution if it does not start."
        ]
    if packaging == "snap" and not _open_to_snaps(profile, home or Path.home()):
        return [
            f"{browser.path} is a snap, which can use no profile outside of your home folder and none below a folder"
            f" whose name begins with a dot, such as {profile}. Name another data folder with --data-dir,"
            " or install Google Chrome or Microsoft Edge."
        ]
    return []


def _open_to_snaps(profile: Path, home: Path) -> bool:
    """Whether a snap may write there: below the home folder and hidden nowhere."""
    try:
        below = profile.resolve().relative_to(home.resolve())
    except ValueError:
        return False
    return bool(below.parts) and not below.parts[0].startswith(".")
