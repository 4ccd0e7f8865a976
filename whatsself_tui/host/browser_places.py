"""Where Chromium-family browsers usually are, on a machine that tests can make up."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from whatsself_tui.host import browser_registry
from whatsself_tui.host.browsers import Brand

#: Below Program Files and a user's local application data.
_WINDOWS = {
    Brand.CHROME: "Google/Chrome/Application/chrome.exe",
    Brand.EDGE: "Microsoft/Edge/Application/msedge.exe",
    Brand.BRAVE: "BraveSoftware/Brave-Browser/Application/brave.exe",
    Brand.CHROMIUM: "Chromium/Application/chrome.exe",
}
_WINDOWS_FOLDERS = ("PROGRAMFILES", "PROGRAMW6432", "PROGRAMFILES(X86)", "LOCALAPPDATA")

#: Names of the applications below /Applications, and of the program in each.
_MACOS = {
    Brand.CHROME: "Google Chrome",
    Brand.EDGE: "Microsoft Edge",
    Brand.BRAVE: "Brave Browser",
    Brand.CHROMIUM: "Chromium",
}

#: Programs on the PATH, and where packages put them when a service's PATH is short.
_LINUX_NAMES = {
    Brand.CHROME: ("google-chrome", "google-chrome-stable"),
    Brand.EDGE: ("microsoft-edge", "microsoft-edge-stable"),
    Brand.BRAVE: ("brave-browser", "brave-browser-stable", "brave"),
    Brand.CHROMIUM: ("chromium", "chromium-browser"),
}
_LINUX_PATHS = {
    Brand.CHROME: ("opt/google/chrome/google-chrome",),
    Brand.EDGE: ("opt/microsoft/msedge/microsoft-edge",),
    Brand.BRAVE: ("opt/brave.com/brave/brave-browser",),
    Brand.CHROMIUM: ("usr/bin/chromium", "usr/bin/chromium-browser", "snap/bin/chromium"),
}


@dataclass(frozen=True, slots=True)
class Machine:
    """What a search looks at; `Machine.this()` is the real one."""

    platform: str
    """As `sys.platform`."""
    environment: Mapping[str, str]
    home: Path
    root: Path = Path("/")
    """Folder that absolute places are below."""
    registered: Callable[[Brand], list[Path]] = browser_registry.programs
    """What Windows' registry says where a brand's program is; empty elsewhere."""
    last_run: Callable[[Brand], str] = browser_registry.last_version
    """The version of a brand that ran last by Windows' registry; empty elsewhere."""

    @classmethod
    def this(cls) -> Machine:
        """The machine this process runs on."""
        return cls(sys.platform, dict(os.environ), Path.home())

    def on_path(self, name: str) -> Path | None:
        """A program by its name."""
        found = shutil.which(name, path=self.environment.get("PATH", ""))
        return Path(found) if found else None


def places(machine: Machine, brand: Brand) -> Iterator[Path]:
    """Where `brand` may be, the likeliest first; not every place is there."""
    if machine.platform == "win32":
        for variable in _WINDOWS_FOLDERS:
            if folder := machine.environment.get(variable):
                yield Path(folder, _WINDOWS[brand])
        yield from machine.registered(brand)
    elif machine.platform == "darwin":
        for applications in (machine.root / "Applications", machine.home / "Applications"):
            yield applications / f"{_MACOS[brand]}.app" / "Contents" / "MacOS" / _MACOS[brand]
    else:
        for name in _LINUX_NAMES[brand]:
            if (found := machine.on_path(name)) is not None:
                yield found
        yield from (machine.root / path for path in _LINUX_PATHS[brand])


def described(machine: Machine, brand: Brand) -> str:
    """The same in words, for a person whose browser was not found."""
    if machine.platform == "win32":
        return f"{_WINDOWS[brand]} below Program Files and your local application data, and the registry"
    if machine.platform == "darwin":
        return f"{_MACOS[brand]}.app in /Applications and ~/Applications"
    return ", ".join((*_LINUX_NAMES[brand], *(f"/{path}" for path in _LINUX_PATHS[brand])))
