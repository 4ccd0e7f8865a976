"""What Windows' registry knows of installed browsers; it knows nothing on other systems."""

from __future__ import annotations

import sys
from pathlib import Path

from whatsself_tui.host.browsers import Brand

#: Name of the program under `App Paths`.
_PROGRAMS = {Brand.CHROME: "chrome.exe", Brand.EDGE: "msedge.exe", Brand.BRAVE: "brave.exe", Brand.CHROMIUM: ""}
_APP_PATHS = r"SOFTWARE\Microsoft\Windows\CurrentVersion\App Paths"

#: Key that the browser writes its version to whenever it starts.
_BEACONS = {
    Brand.CHROME: r"Software\Google\Chrome\BLBeacon",
    Brand.EDGE: r"Software\Microsoft\Edge\BLBeacon",
    Brand.BRAVE: r"Software\BraveSoftware\Brave-Browser\BLBeacon",
    Brand.CHROMIUM: r"Software\Chromium\BLBeacon",
}


def programs(brand: Brand) -> list[Path]:
    """Where the brand's program is registered, the user's own first."""
    if not _PROGRAMS[brand]:
        return []
    key = rf"{_APP_PATHS}\{_PROGRAMS[brand]}"
    values = (_value(user, key, "") for user in (True, False))
    return [Path(value.strip().strip('"')) for value in values if value.strip()]


def last_version(brand: Brand) -> str:
    """The version that ran last for this user; empty if none is known."""
    return _value(True, _BEACONS[brand], "version")


def _value(user: bool, key: str, name: str) -> str:
    """A text of the registry; empty where there is none, or no registry."""
    if sys.platform != "win32":
        return ""
    import winreg

    try:
        with winreg.OpenKey(winreg.HKEY_CURRENT_USER if user else winreg.HKEY_LOCAL_MACHINE, key) as opened:
            value, kind = winreg.QueryValueEx(opened, name)
    except OSError:
        return ""  # no such key or value: this browser is not registered
    if kind == winreg.REG_EXPAND_SZ:
        value = winreg.ExpandEnvironmentStrings(value)
    return value if isinstance(value, str) else ""
