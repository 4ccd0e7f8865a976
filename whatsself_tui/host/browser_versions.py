"""Which brand and version a program is, without ever opening its window."""

from __future__ import annotations

import os
import plistlib
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.parsers.expat import ExpatError

from whatsself_tui.host.browser_places import Machine
from whatsself_tui.host.browsers import Brand

#: A snap's first start of the day takes several seconds.
TIMEOUT_S = 20.0

_FOUR_NUMBERS = re.compile(r"\d+(?:\.\d+){3}")

#: What the programs print for `--version`, a channel's name or "for Testing" between the two parts or not.
_PRINTED = re.compile(rf"(Google Chrome|Microsoft Edge|Brave Browser|Chromium)\D*({_FOUR_NUMBERS.pattern})")
_PRINTED_BRANDS = {
    "Google Chrome": Brand.CHROME,
    "Microsoft Edge": Brand.EDGE,
    "Brave Browser": Brand.BRAVE,
    "Chromium": Brand.CHROMIUM,
}

#: Beginnings of the identifiers in an application's Info.plist; channels add a word.
_BUNDLES = {
    "com.google.chrome": Brand.CHROME,
    "com.microsoft.edgemac": Brand.EDGE,
    "com.brave.browser": Brand.BRAVE,
    "org.chromium.chromium": Brand.CHROMIUM,
}

#: Below this it is a brand's own count, as Brave's on macOS, and not Chromium's version.
_LEAST_MAJOR = 60


class NotABrowser(Exception):
    """A program that cannot be driven; the text says why, as the end of a sentence that names it."""


def identify(path: Path, machine: Machine) -> tuple[Brand, str]:
    """Brand and version of the program at `path`. Raises NotABrowser. Blocks; on Linux it runs `--version`."""
    if not os.path.isfile(path):
        raise NotABrowser("is not there")
    if machine.platform == "win32":
        return _on_windows(path, machine)
    if machine.platform == "darwin":
        return _on_macos(path)
    return _on_linux(path, machine)


def _on_windows(path: Path, machine: Machine) -> tuple[Brand, str]:
    brand = _brand_of_program(path)
    versions = _versions_beside(path)
    if not versions:
        versions = _FOUR_NUMBERS.findall(machine.last_run(brand))
    if not versions:
        raise NotABrowser("does not tell its version: there is no folder named like one beside it")
    # An update lies beside what runs until the browser is restarted: new_chrome.exe with its newer folder.
    pick = min if path.with_name(f"new_{path.name}").exists() else max
    return brand, pick(versions, key=_numbers)


def _brand_of_program(path: Path) -> Brand:
    program = path.name.casefold()
    if program == "msedge.exe":
        return Brand.EDGE
    if program == "brave.exe":
        return Brand.BRAVE
    if program in ("chrome.exe", "chromium.exe"):
        chromium = program == "chromium.exe" or "chromium" in (part.casefold() for part in path.parts)
        return Brand.CHROMIUM if chromium else Brand.CHROME
    raise NotABrowser("is not the program of Chrome, Edge, Brave or Chromium")


def _versions_beside(path: Path) -> list[str]:
    """Names of folders (an installation) or manifests (an unpacked archive) that are versions."""
    try:
        names = [entry.name.removesuffix(".manifest") for entry in path.parent.iterdir()]
    except OSError as error:
        raise NotABrowser(f"is in a folder that cannot be listed: {error.strerror or error}") from error
    return [name for name in names if _FOUR_NUMBERS.fullmatch(name)]


def _on_macos(path: Path) -> tuple[Brand, str]:
    contents = path.parent.parent
    try:
        info = plistlib.loads((contents / "Info.plist").read_bytes())
    except (OSError, plistlib.InvalidFileException, ExpatError, ValueError) as error:
        raise NotABrowser("is not inside an application whose Info.plist can be read") from error
    identifier = str(info.get("CFBundleIdentifier", "")).casefold() if isinstance(info, dict) else ""
    brand = next((brand for start, brand in _BUNDLES.items() if identifier.startswith(start)), None)
    if brand is None:
        raise NotABrowser("is not the program of Chrome, Edge, Brave or Chromium")
    named = [str(info.get("CFBundleShortVersionString", ""))]
    frameworks = (folder.name for folder in contents.glob("Frameworks/*.framework/Versions/*"))
    known = [text for text in (*named, *frameworks) if _FOUR_NUMBERS.fullmatch(text)]
    version = next((text for text in known if _numbers(text)[0] >= _LEAST_MAJOR), None)
    if version is None:
        raise NotABrowser("does not tell its version in Info.plist")
    return brand, version


def _on_linux(path: Path, machine: Machine) -> tuple[Brand, str]:
    found = _PRINTED.search(_printed_version(path, machine))
    if found is None:
        raise NotABrowser("does not say `--version` as Chrome, Edge, Brave or Chromium do")
    return _PRINTED_BRANDS[found[1]], found[2]


def _printed_version(path: Path, machine: Machine) -> str:
    """What the program prints, up to 4 KiB. Distributions wrap it in scripts that print on stderr, too."""
    with tempfile.TemporaryFile() as output:  # no pipe: a child left behind would keep it open
        try:
            process = subprocess.Popen(
                [path, "--version"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.DEVNULL,
                env=dict(machine.environment),
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise NotABrowser(f"cannot be run: {getattr(error, 'strerror', None) or error}") from error
        try:
            process.wait(TIMEOUT_S)
        except subprocess.TimeoutExpired as error:
            raise NotABrowser(f"did not tell its version within {TIMEOUT_S:.0f} s") from error
        finally:
            _end(process)
        output.seek(0)
        return output.read(4096).decode("utf-8", "replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End what has not ended, with the children of a wrapper script."""
    if process.poll() is not None:
        return
    if sys.platform == "win32":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))
