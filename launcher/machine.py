"""The programs on this machine that the tests need: a browser, npm for wa-js, an SSH server, a terminal multiplexer."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from launcher.checkout import narrate, say

SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Where servers lie that the PATH of a plain user does not name."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A program, and how to find and get it."""

    package: str
    """Its package in Debian, and what it is called to a person."""
    programs: tuple[str, ...]
    """Names it has on the PATH; any will do."""
    places: tuple[str, ...] = ()
    """Where macOS and Windows keep it, off the PATH."""
    on_windows: bool = False
    """Whether the tests use it on Windows too."""


TOOLS = (
    Tool(
        "chromium",
        ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge"),
        (
            "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
            "/Applications/Chromium.app/Contents/MacOS/Chromium",
            "C:/Program Files/Google/Chrome/Application/chrome.exe",
            "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
        ),
        on_windows=True,
    ),
    Tool("npm", ("npm",), on_windows=True),
    Tool("openssh-server", ("sshd",)),
    Tool("tmux", ("tmux",)),
)


def missing_tools() -> list[Tool]:
    """What the tests need here and this machine does not have."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *SYSTEM_FOLDERS])
    needed = [tool for tool in TOOLS if tool.on_windows or sys.platform != "win32"]
    return [tool for tool in needed if not is_here(tool, path)]


def is_here(tool: Tool, path: str) -> bool:
    """Whether the tool is on `path` (spelt like PATH) or in one of its places."""
    return any(shutil.which(name, path=path) for name in tool.programs) or any(
        Path(place).exists() for place in tool.places
    )


def provide_tools() -> None:
    """Find or install what the tests need; where that cannot be done here, say what is missing and go on."""
    missing = missing_tools()
    if missing and may_use_apt():
        apt_install([tool.package for tool in missing])
        missing = missing_tools()
    if missing:
        say(advice([tool.package for tool in missing], sys.platform))


def may_use_apt() -> bool:
    """Whether this is Debian, and we are root."""
    if sys.platform == "win32" or os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    try:
        return platform.freedesktop_os_release()["ID"] == "debian"
    except OSError:
        return False


def apt_install(packages: Sequence[str]) -> None:
    """Install Debian packages; what failed is on stderr and shows in what is missing afterwards."""
    say(f"Installing {', '.join(packages)} with apt.")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    here = Path.cwd()
    narrate(["apt-get", "update"], cwd=here, env=env)
    narrate(["apt-get", "install", "--yes", "--no-install-recommends", *packages], cwd=here, env=env)


def advice(packages: Sequence[str], system: str) -> str:
    """What to install by hand on `system` (as `sys.platform` names it) so that every test can run."""
    names = " ".join(packages)
    how = {
        "linux": f"`sudo apt install {names}`, or what your distribution calls them",
        "darwin": "Google Chrome or Chromium, and `brew install tmux`; an SSH server is part of macOS",
        "win32": "Google Chrome or Microsoft Edge",
    }.get(system, names)
    return f"Missing for some of the tests: {', '.join(packages)}. Install: {how}."
