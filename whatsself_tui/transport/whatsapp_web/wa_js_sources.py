"""Where wa-js is had from: a file, an npm client, or a public mirror of npm packages.

What they give is bounded in size and time, and not yet verified.
"""

from __future__ import annotations

import http.client
import io
import os
import stat
import subprocess
import tarfile
import tempfile
import urllib.error
import urllib.request
import zlib
from dataclasses import dataclass
from pathlib import Path

from whatsself_tui.clock import SystemClock
from whatsself_tui.text import visible
from whatsself_tui.transport.whatsapp_web.wa_js import FILE, LICENCE_FILE, PACKAGE, VERSION

#: Public mirrors of npm packages that serve single files; the first that has the right one is taken.
MIRRORS = (
    f"https://cdn.jsdelivr.net/npm/{PACKAGE}@{VERSION}/dist/",
    f"https://unpkg.com/{PACKAGE}@{VERSION}/dist/",
)

#: Nothing larger is read: the package has 0.3 MB packed and 2 MB unpacked.
MAX_FILE_BYTES = 8 * 1024**2
MAX_UNPACKED_BYTES = 64 * 1024**2

#: For a server to say something, and for all it has to say.
ANSWER_TIMEOUT_S = 20.0
DOWNLOAD_TIMEOUT_S = 120.0
NPM_TIMEOUT_S = 120.0

_GZIP = b"\x1f\x8b"
_CHUNK_BYTES = 65_536


class Unavailable(Exception):
    """A source that does not have it; the text says why."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a source has; not yet verified."""

    script: bytes
    licence: bytes | None
    """None from a source without the licence text beside the script."""


def from_file(path: Path) -> Content:
    """A script, with the licence text beside it, or an npm package, told apart by content.

    Raises FileNotFoundError, Unavailable.
    """
    content = _read(path)
    if content.startswith(_GZIP):
        return unpacked(content)
    try:
        licence = _read(path.with_name(LICENCE_FILE))
    except (FileNotFoundError, Unavailable):
        return Content(content, None)
    return Content(content, licence)


def unpacked(package: bytes) -> Content:
    """The two files out of an npm package (.tgz), in memory; no name in it becomes a path. Raises Unavailable."""
    try:
        unzip = zlib.decompressobj(wbits=31)
        archive = unzip.decompress(package, MAX_UNPACKED_BYTES)
        if not unzip.eof:
            raise Unavailable(f"the package is cut off, or has more than {MAX_UNPACKED_BYTES} bytes unpacked")
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as members:
            script, licence = (_member(members, f"package/dist/{name}") for name in (FILE, LICENCE_FILE))
    except (tarfile.TarError, zlib.error, EOFError, ValueError, OSError) as error:
        raise Unavailable("it is no npm package that can be read") from error
    if script is None:
        raise Unavailable(f"the package has no dist/{FILE}")
    return Content(script, licence)


def _member(archive: tarfile.TarFile, name: str) -> bytes | None:
    """An ordinary file of that very name."""
    try:
        member = archive.getmember(name)
    except KeyError:
        return None
    file = archive.extractfile(member) if member.isreg() else None
    if file is None or member.size > MAX_FILE_BYTES:
        return None
    return file.read(MAX_FILE_BYTES)


def from_npm(npm: str) -> Content:
    """What an npm client fetches, by its own settings of registry and proxy. Raises Unavailable."""
    # npm.cmd's children may outlive a timeout for a while and keep the folder open on Windows.
    with tempfile.TemporaryDirectory(prefix="whatsself-npm-", ignore_cleanup_errors=True) as scratch:
        command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--ignore-scripts", "--no-audit", "--no-update-notifier"]
        with tempfile.TemporaryFile() as output:  # no pipe, for the same reason
            try:
                done = subprocess.run(
                    command,
                    cwd=scratch,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    timeout=NPM_TIMEOUT_S,
                    check=False,
                )
            except subprocess.TimeoutExpired as error:
                raise Unavailable(f"no answer within {NPM_TIMEOUT_S:.0f} s") from error
            except OSError as error:
                raise Unavailable(f"{npm} cannot be run: {error.strerror or error}") from error
            if done.returncode != 0:
                output.seek(0)
                raise Unavailable(f"exit code {done.returncode}, {_last_words(output.read(_CHUNK_BYTES))}")
        packages = sorted(Path(scratch).glob("*.tgz"))
        if not packages:
            raise Unavailable("it fetched no package")
        return from_file(packages[0])


def _last_words(output: bytes) -> str:
    """The line of npm's output that says why, as one harmless line."""
    lines = [line.strip() for line in output.decode("utf-8", "replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("npm error") and "complete log" not in line]
    return visible(" ".join(errors[:3]) or (lines[-1] if lines else "it said nothing"), 300).rstrip(".")


def from_mirror(address: str) -> Content:
    """The two files below an address. Raises Unavailable."""
    return Content(_download(address + FILE), _download(address + LICENCE_FILE))


def _download(address: str) -> bytes:
    clock = SystemClock()
    give_up_at = clock.monotonic_s() + DOWNLOAD_TIMEOUT_S
    headers = {"User-Agent": "whatsself-tui", "Accept-Encoding": "identity"}
    content = bytearray()
    try:
        request = urllib.request.Request(address, headers=headers)
        with urllib.request.urlopen(request, timeout=ANSWER_TIMEOUT_S) as answer:
            while chunk := answer.read1(_CHUNK_BYTES):
                content += chunk
                if len(content) > MAX_FILE_BYTES:
                    raise Unavailable(f"it sent more than {MAX_FILE_BYTES} bytes")
                if clock.monotonic_s() > give_up_at:
                    raise Unavailable(f"it was not done within {DOWNLOAD_TIMEOUT_S:.0f} s")
    except urllib.error.HTTPError as error:
        raise Unavailable(f"it answered {error.code} {visible(error.reason, 100)}") from error
    except urllib.error.URLError as error:
        raise Unavailable(f"it cannot be reached: {visible(str(error.reason), 200)}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unavailable(f"the download failed: {visible(str(error) or type(error).__name__, 200)}") from error
    return bytes(content)


def _read(path: Path) -> bytes:
    """An ordinary file of bounded size. Raises FileNotFoundError, Unavailable."""
    try:
        # Opening a pipe would wait for somebody to write to it.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise Unavailable("it is no ordinary file")
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Unavailable(f"it cannot be read: {error.strerror or error}") from error
    if len(content) > MAX_FILE_BYTES:
        raise Unavailable(f"it has more than {MAX_FILE_BYTES} bytes")
    return content
