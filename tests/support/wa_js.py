"""The unchanged page library and the browser that tests with a real page need.

Where one cannot be had, a test is skipped on a developer's machine and fails in CI, with the reason.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Final, NoReturn

import pytest

PACKAGE: Final = "@wppconnect/wa-js@4.6.0"
MEMBER: Final = "package/dist/wppconnect-wa.js"
SHA256: Final = "5bfb88027f14a4d8c9e319374e8bb4083201906881cf8c74f75789b32e4106bd"
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@functools.cache
def wa_js_file() -> Path:
    """The dist file, checked: `WHATSSELF_WA_JS`, else a copy from an earlier run, else from an npm client."""
    given = os.environ.get("WHATSSELF_WA_JS")
    if given:
        return _checked(Path(given), "WHATSSELF_WA_JS")
    cached = Path(tempfile.gettempdir()) / f"whatsself-wa-js-{SHA256[:16]}" / "wppconnect-wa.js"
    if not cached.exists():
        _pack(cached)
    return _checked(cached, "the copy of an earlier run")


@functools.cache
def chromium() -> Path:
    """A Chromium or Chrome of this machine: `WHATSSELF_TEST_BROWSER`, else the first on the PATH."""
    given = os.environ.get("WHATSSELF_TEST_BROWSER")
    found = given or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        _give_up(
            f"needs a browser: none of {', '.join(BROWSERS)} is on the PATH, and WHATSSELF_TEST_BROWSER is not set"
        )
    return Path(found)


def _pack(target: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        _give_up(f"needs {PACKAGE}: no npm on the PATH; set WHATSSELF_WA_JS to its {MEMBER}")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        done = subprocess.run(
            [npm, "pack", "--silent", PACKAGE], cwd=folder, capture_output=True, text=True, timeout=120, check=False
        )
        archives = list(Path(folder).glob("*.tgz"))
        if done.returncode or not archives:
            _give_up(f"needs {PACKAGE}: npm could not fetch it: {done.stderr.strip() or done.returncode}")
        with tarfile.open(archives[0]) as archive:
            content = archive.extractfile(MEMBER)
            if content is None:
                _give_up(f"needs {PACKAGE}: the archive has no {MEMBER}")
            unpacked = Path(folder) / target.name
            unpacked.write_bytes(content.read())
            os.replace(unpacked, target)


def _checked(file: Path, source: str) -> Path:
    if not file.is_file():
        _give_up(f"needs {PACKAGE}: {source} names no file: {file}")
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    if found != SHA256:
        _give_up(f"needs {PACKAGE}: {source} is another file: SHA-256 {found}, expected {SHA256}")
    return file


def _give_up(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
