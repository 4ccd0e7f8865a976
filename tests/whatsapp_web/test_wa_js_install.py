"""Installing wa-js: from a file, npm or a mirror; whatever they send, only the right bytes are ever written."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
import sys
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from whatsself_tui.errors import DataError, UsageError
from whatsself_tui.transport.whatsapp_web import wa_js, wa_js_sources
from whatsself_tui.transport.whatsapp_web.wa_js import FILE, LICENCE_FILE, PACKAGE, VERSION, is_licence, status, verify
from whatsself_tui.transport.whatsapp_web.wa_js_install import install
from whatsself_tui.transport.whatsapp_web.wa_js_sources import MIRRORS, Unavailable, from_npm

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="runs shell scripts")

SCRIPT = b"(()=>{window.WPP={}})()"
LICENCE = b"Apache-2.0 and others"
MEMBERS = {f"package/dist/{FILE}": SCRIPT, f"package/dist/{LICENCE_FILE}": LICENCE, "package/package.json": b"{}"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The place to install to, and small files in the place of the pinned ones."""
    monkeypatch.setattr(wa_js, "SIZE", len(SCRIPT))
    monkeypatch.setattr(wa_js, "SHA256", hashlib.sha256(SCRIPT).hexdigest())
    monkeypatch.setattr(wa_js, "LICENCE_SHA256", hashlib.sha256(LICENCE).hexdigest())
    return tmp_path / "data" / "bridge"


def package(members: dict[str, bytes]) -> bytes:
    """An npm package."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return data.getvalue()


def links(kind: bytes) -> bytes:
    """A package whose script is a link to a file of this machine."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        member = tarfile.TarInfo(f"package/dist/{FILE}")
        member.type, member.linkname = kind, "/etc/passwd"
        archive.addfile(member)
    return data.getvalue()


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def there(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


# --- From a file -----------------------------------------------------------------------------------------------------


def test_npm_package_brings_the_script_and_its_licences_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    source = put(tmp_path / "download.bin", package(MEMBERS | {"../../evil": b"x", "/evil": b"x"}))
    installed = install(folder, source)
    assert installed.path == folder / FILE
    assert there(folder) == {FILE: SCRIPT, LICENCE_FILE: LICENCE}
    assert status(folder).state == "ok"


def test_script_alone_is_enough_and_takes_the_licences_along_that_lie_beside_it(folder: Path, tmp_path: Path) -> None:
    source = put(tmp_path / "renamed.js", SCRIPT)
    assert "licence text was not there" in install(folder, source).how
    assert there(folder) == {FILE: SCRIPT}
    put(tmp_path / LICENCE_FILE, b"something else")
    assert "licence text was not there" in install(folder, source).how
    put(tmp_path / LICENCE_FILE, LICENCE)
    assert "licence text" not in install(folder, source).how
    assert there(folder) == {FILE: SCRIPT, LICENCE_FILE: LICENCE}


def test_other_version_is_refused_with_both_checksums_and_what_was_there_stays(folder: Path, tmp_path: Path) -> None:
    install(folder, put(tmp_path / "good.js", SCRIPT))
    other = SCRIPT + b"// 4.7.0"
    for name, content in (("other.js", other), ("other.tgz", package(MEMBERS | {f"package/dist/{FILE}": other}))):
        with pytest.raises(DataError, match="was not installed") as told:
            install(folder, put(tmp_path / name, content))
        assert hashlib.sha256(SCRIPT).hexdigest() in told.value.message
        assert hashlib.sha256(other).hexdigest() in told.value.message
    assert there(folder) == {FILE: SCRIPT}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x1f\x8b",
        b"\x1f\x8b\x08 no gzip at all",
        gzip.compress(b"no archive"),
        gzip.compress(b""),
        package(MEMBERS)[:-20],
        package({"package/package.json": b"{}"}),
        package({FILE: SCRIPT, f"package/dist/x/../{FILE}": SCRIPT}),
        links(tarfile.SYMTYPE),
        links(tarfile.LNKTYPE),
        links(tarfile.CHRTYPE),
        links(tarfile.DIRTYPE),
    ],
)
def test_file_that_is_neither_is_refused_and_nothing_written(folder: Path, tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DataError, match="was not installed"):
        install(folder, put(tmp_path / "odd.tgz", content))
    assert there(folder) == {}


def test_package_that_unpacks_without_end_is_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wa_js_sources, "MAX_UNPACKED_BYTES", 100_000)
    bomb = put(tmp_path / "bomb.tgz", gzip.compress(bytes(10_000_000)))
    with pytest.raises(DataError, match="100000 bytes unpacked"):
        install(folder, bomb)


def test_file_that_is_too_large_is_not_read_to_its_end(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wa_js_sources, "MAX_FILE_BYTES", 1_000)
    with pytest.raises(DataError, match="more than 1000 bytes"):
        install(folder, put(tmp_path / "large.js", bytes(1_001)))
    with pytest.raises(DataError, match="has no dist"):
        install(folder, put(tmp_path / "large.tgz", package({f"package/dist/{FILE}": bytes(1_001)})))


def test_file_that_is_not_there_is_a_mistake_in_the_command(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no file .*missing\.tgz"):
        install(folder, tmp_path / "missing.tgz")


@posix_only
def test_folder_or_pipe_is_no_file(folder: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for source in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(DataError, match="no ordinary file"):
            install(folder, source)


def test_place_that_cannot_be_written_is_told(folder: Path, tmp_path: Path) -> None:
    put(tmp_path / "data", b"a file in the way")
    with pytest.raises(DataError, match="cannot be written"):
        install(folder, put(tmp_path / "good.js", SCRIPT))


# --- From npm --------------------------------------------------------------------------------------------------------


def npm(tmp_path: Path, text: str) -> str:
    """A pretended npm client."""
    program = put(tmp_path / "npm", f"#!/bin/sh\n{text}\n".encode())
    program.chmod(0o755)
    return str(program)


@posix_only
def test_npm_is_asked_for_the_pinned_version_and_runs_nothing_of_it(folder: Path, tmp_path: Path) -> None:
    tgz = put(tmp_path / "registry.tgz", package(MEMBERS))
    program = npm(tmp_path, f'echo "$@" > {tmp_path}/asked; cp {tgz} wppconnect-wa-js-4.6.0.tgz')
    assert "from npm" in install(folder, npm=program, mirrors=()).how
    assert there(folder) == {FILE: SCRIPT, LICENCE_FILE: LICENCE}
    asked = (tmp_path / "asked").read_text().split()
    assert asked[:2] == ["pack", f"{PACKAGE}@{VERSION}"]
    assert "--ignore-scripts" in asked


@posix_only
@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "echo npm error code ENOTFOUND >&2; echo npm error network is down >&2; exit 1",
            "ENOTFOUND npm error network",
        ),
        ("exit 7", "exit code 7, it said nothing"),
        ("printf '\\033[31mred\\n'; exit 1", "␛[31mred"),
        ("exit 0", "it fetched no package"),
        ("echo x > x.tgz", "it is not wa-js"),
        ("exec cat never", "No such file"),
    ],
)
def test_npm_that_fails_is_told(folder: Path, tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(DataError, match="could not be fetched") as error:
        install(folder, npm=npm(tmp_path, text), mirrors=())
    assert told in error.value.message
    assert there(folder) == {}


@posix_only
def test_npm_that_hangs_is_given_up(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wa_js_sources, "NPM_TIMEOUT_S", 0.05)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="npm: no answer within"):
        install(folder, npm=npm(tmp_path, f"exec cat {tmp_path}/pipe"), mirrors=())


def test_npm_that_cannot_be_run_is_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be run"):
        install(folder, npm=str(tmp_path / "nowhere" / "npm"), mirrors=())


def test_real_package_is_the_pinned_one() -> None:
    """The checksums of this program are those of what npm has; not told where npm has no network."""
    program = shutil.which("npm")
    if program is None:
        pytest.skip("no npm client")
    try:
        content = from_npm(program)
    except Unavailable as error:
        pytest.skip(f"npm: {error}")
    verify(content.script)
    assert len(content.script) == wa_js.SIZE
    assert content.licence is not None
    assert is_licence(content.licence)


# --- From a mirror ---------------------------------------------------------------------------------------------------


@dataclass
class Mirror:
    """A server of files."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    length: int | None = None
    """What it says to be the length of all; None: the truth."""


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    told = Mirror(files={f"/dist/{FILE}": SCRIPT, f"/dist/{LICENCE_FILE}": LICENCE})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.asked.append(self.path)
            content = told.files.get(self.path)
            self.send_response(200 if content is not None else 404)
            self.send_header("Content-Length", str(len(content or b"") if told.length is None else told.length))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nothing: standard error is the test's."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        told.address = f"http://127.0.0.1:{server.server_port}/dist/"
        yield told
        server.shutdown()
        thread.join()


def test_mirror_brings_the_script_and_its_licences(folder: Path, mirror: Mirror) -> None:
    assert mirror.address in install(folder, npm="", mirrors=[mirror.address]).how
    assert there(folder) == {FILE: SCRIPT, LICENCE_FILE: LICENCE}


def test_mirrors_are_public_encrypted_and_name_the_pinned_version() -> None:
    assert len(MIRRORS) == 2
    assert all(address.startswith("https://") and f"{PACKAGE}@{VERSION}/dist/" in address for address in MIRRORS)


def test_next_mirror_is_tried_and_all_failures_are_told(folder: Path, mirror: Mirror) -> None:
    missing = mirror.address.replace("/dist/", "/nothing/")
    assert install(folder, npm="", mirrors=[missing, mirror.address]).path.exists()
    (folder / FILE).unlink()
    mirror.files[f"/dist/{FILE}"] = b"<html>something else</html>"
    with pytest.raises(DataError) as told:
        install(folder, npm="", mirrors=[missing, mirror.address, "http://127.0.0.1:1/", "http://[broken/"])
    for part in (
        "npm: there is no npm",
        "answered 404",
        "found 27 bytes",
        "127.0.0.1:1",
        "cannot be reached",
        "broken",
    ):
        assert part in told.value.message
    assert f"npm pack {PACKAGE}@{VERSION}" in told.value.advice
    assert "--from" in told.value.advice
    assert not (folder / FILE).exists()


def test_damaged_script_stays_until_the_right_one_is_there(folder: Path, mirror: Mirror) -> None:
    put(folder / FILE, b"damaged")
    with pytest.raises(DataError):
        install(folder, npm="", mirrors=[])
    assert there(folder) == {FILE: b"damaged"}
    install(folder, npm="", mirrors=[mirror.address])
    assert status(folder).state == "ok"


def test_what_is_right_is_not_fetched_again(folder: Path, mirror: Mirror) -> None:
    put(folder / FILE, SCRIPT)
    assert "already" in install(folder, npm="", mirrors=[mirror.address]).how
    assert mirror.asked == []


@pytest.mark.parametrize("content", [SCRIPT[:-1], b""])
def test_download_that_is_cut_off_is_not_installed(folder: Path, mirror: Mirror, content: bytes) -> None:
    mirror.files[f"/dist/{FILE}"] = content
    mirror.length = len(SCRIPT)
    with pytest.raises(DataError, match=f"found {len(content)} bytes"):
        install(folder, npm="", mirrors=[mirror.address])
    assert there(folder) == {}


def test_download_without_end_is_given_up(folder: Path, mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wa_js_sources, "MAX_FILE_BYTES", len(SCRIPT))
    mirror.files[f"/dist/{FILE}"] = SCRIPT + b"!"
    with pytest.raises(DataError, match=f"it sent more than {len(SCRIPT)} bytes"):
        install(folder, npm="", mirrors=[mirror.address])


def test_slow_download_is_given_up(folder: Path, mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wa_js_sources, "DOWNLOAD_TIMEOUT_S", -1.0)
    with pytest.raises(DataError, match="it was not done within"):
        install(folder, npm="", mirrors=[mirror.address])
