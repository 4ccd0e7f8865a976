"""Which browser is used: the one that is set, else the environment's, else the first in its usual place."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from whatsself_tui.host.browser_places import Machine, described, places
from whatsself_tui.host.browser_versions import NotABrowser, identify
from whatsself_tui.host.browsers import NAMES, Brand, Browser, BrowserMissing
from whatsself_tui.text import visible

#: Names a browser as the setting does; the setting goes before it.
ENVIRONMENT = "WHATSSELF_BROWSER"

SETTING = "transport.browser"

_INSTALL = "Install Google Chrome, Microsoft Edge, Brave or Chromium, or name one with `transport.browser`."
_ALLOWED = f"Allowed are {', '.join(Brand)} and the path of such a browser's program."


def find_browser(setting: str, machine: Machine | None = None) -> Browser:
    """The browser to use. `setting` is a brand, a path or a program's name; empty: whichever there is.

    What is named and cannot be used is an error, never a reason to take another one: a login belongs
    to one browser. Blocks, for `--version` is run on Linux. Raises BrowserMissing.
    """
    machine = machine or Machine.this()
    for value, source in ((setting, SETTING), (machine.environment.get(ENVIRONMENT, ""), ENVIRONMENT)):
        if value.strip():
            return _named(value.strip(), source, machine)
    return _first(tuple(Brand), "its usual place", machine)


def find_all(setting: str, machine: Machine | None = None) -> list[Browser]:
    """All that could be used, the one `find_browser` takes first. Blocks."""
    machine = machine or Machine.this()
    found: list[Browser] = []
    with contextlib.suppress(BrowserMissing):  # then the others are the answer
        found.append(find_browser(setting, machine))
    for brand in Brand:
        found += (browser for browser, _ in _usable(brand, "its usual place", machine) if browser is not None)
    kept: dict[str, Browser] = {}
    for browser in found:
        kept.setdefault(_identity(browser.path), browser)
    return list(kept.values())


def _named(value: str, source: str, machine: Machine) -> Browser:
    if value.casefold() in list(Brand):
        return _first((Brand(value.casefold()),), source, machine)
    path = _program(value, machine)
    shown = f"{visible(value, 200)} ({source})"
    if path is None:
        raise BrowserMissing(f"There is no browser {shown}.", _ALLOWED)
    try:
        brand, version = identify(path, machine)
    except NotABrowser as error:
        raise BrowserMissing(f"{shown} {error}.", _ALLOWED) from error
    return Browser(path, brand, version, source)


def _program(value: str, machine: Machine) -> Path | None:
    """A path, an application of macOS, or a name on the PATH."""
    path = Path(value)
    if value.startswith("~"):
        path = machine.home / value[1:].lstrip("/\\")
    if machine.platform == "darwin" and path.suffix == ".app":
        path = path / "Contents" / "MacOS" / path.stem
    if len(path.parts) == 1 and not os.path.isfile(path):
        return machine.on_path(value)
    return path.absolute() if os.path.isfile(path) else None


def _first(brands: tuple[Brand, ...], source: str, machine: Machine) -> Browser:
    refused: list[str] = []
    for brand in brands:
        for browser, reason in _usable(brand, source, machine):
            if browser is not None:
                return browser
            refused.append(reason)
    looked = "; ".join(f"{NAMES[brand]} ({described(machine, brand)})" for brand in brands)
    what = "No browser was found" if len(brands) > 1 else f"{NAMES[brands[0]]} was not found, which {source} asks for"
    found = f" {' '.join(refused)}" if refused else ""
    raise BrowserMissing(f"{what}. Looked for: {looked}.{found}", _INSTALL)


def _usable(brand: Brand, source: str, machine: Machine) -> Iterator[tuple[Browser | None, str]]:
    """What is in the brand's places: a browser, or why the program there is none."""
    seen: set[str] = set()
    for path in places(machine, brand):
        identity = _identity(path)
        if identity in seen or not os.path.isfile(path):
            continue
        seen.add(identity)
        try:
            actual, version = identify(path, machine)
        except NotABrowser as error:
            yield None, f"{path} {error}."
            continue
        if actual is brand:
            yield Browser(path, brand, version, source), ""
        else:
            yield None, f"{path} is {NAMES[actual]}."


def _identity(path: Path) -> str:
    """Equal for two names of one program; all snaps are links to one launcher, which looks at its name."""
    real = os.path.realpath(path)
    return os.path.normcase(path if os.path.basename(real) == "snap" else real)
