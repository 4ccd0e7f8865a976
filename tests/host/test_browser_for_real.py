"""The browser that is installed here: what it calls itself, whom it can ask, and that it is gone afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from whatsself_tui.host import browsers, processes
from whatsself_tui.host.browser_search import find_browser
from whatsself_tui.host.browsers import Browser, BrowserMissing, needs_no_sandbox, resolver_rules, user_agent
from whatsself_tui.host.profile_holder import LOCK, holder_of

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Chrome for Windows writes nothing to a pipe")

#: A browser on a busy machine may take its time to start.
PATIENCE_S = 60


@pytest.fixture(scope="module")
def browser() -> Browser:
    try:
        return find_browser("")
    except BrowserMissing as error:
        if os.environ.get("CI"):
            pytest.fail(str(error), pytrace=False)
        pytest.skip(error.message)


def command(browser: Browser, profile: Path, *arguments: str) -> list[str]:
    sandbox = ["--no-sandbox"] if needs_no_sandbox() else []
    return [
        str(browser.path),
        "--headless",
        "--disable-gpu",
        "--no-first-run",
        *sandbox,
        f"--user-data-dir={profile}",
        *arguments,
    ]


def page(browser: Browser, profile: Path, address: str, *arguments: str) -> str:
    """What the page at an address looks like to the browser."""
    done = subprocess.run(
        command(browser, profile, *arguments, "--dump-dom", address),
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return done.stdout.decode("utf-8", "replace")


@contextmanager
def running(browser: Browser, profile: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The browser once it listens; none of its processes is left afterwards."""
    with subprocess.Popen(
        command(browser, profile, "--remote-debugging-port=0", "about:blank"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stderr is not None
        tree = processes.tree_of(process.pid)
        try:
            assert any(b"DevTools listening" in line for line in process.stderr)
            yield process
        finally:
            tree.end(patience_s=0)


class Listener(BaseHTTPRequestHandler):
    """Answers everything with one word."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<p>reached</p>")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing: standard error is the test's."""


@pytest.fixture
def port() -> Iterator[int]:
    """Of a server on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_user_agent_is_the_browsers_own_without_headless(browser: Browser, tmp_path: Path) -> None:
    shown = page(browser, tmp_path, "data:text/html,<p><script>document.write(navigator.userAgent)</script></p>")
    assert f"{user_agent(browser)}</p>".encode() in shown.replace("HeadlessChrome", "Chrome").encode()


def test_only_the_excluded_names_can_be_asked(
    browser: Browser, tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Every name below `localhost` is this machine to a browser: it stands for WhatsApp's here.
    monkeypatch.setattr(browsers, "ALLOWED_HOSTS", ("*.localhost", "*.whatsapp.net"))
    rules = f"--host-resolver-rules={resolver_rules(pairing=False, proxies={})}"
    reached = [
        "reached" in page(browser, tmp_path, f"http://{host}:{port}/", rules)
        for host in ("web.localhost", "localhost", "127.0.0.1")
    ]
    assert reached == [True, False, False]


def test_tunnels_can_be_asked_while_pairing_alone(
    browser: Browser, tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browsers, "PAIRING_HOSTS", ("cable.localhost", "other.localhost"))
    reached = [
        "reached"
        in page(
            browser,
            tmp_path,
            f"http://cable.localhost:{port}/",
            f"--host-resolver-rules={resolver_rules(pairing=pairing, proxies={})}",
        )
        for pairing in (True, False)
    ]
    assert reached == [True, False]


def test_proxy_is_reached_and_finds_the_names_then(browser: Browser, tmp_path: Path, port: int) -> None:
    proxy = f"http://proxy.localhost:{port}"
    reached = [
        "reached"
        in page(
            browser,
            tmp_path,
            "http://anybody.example/",
            f"--proxy-server={proxy}",
            f"--host-resolver-rules={resolver_rules(pairing=False, proxies=proxies)}",
        )
        for proxies in ({"http": proxy}, {})
    ]
    assert reached == [True, False]


def test_whole_browser_is_found_by_its_profile_weighed_and_ended(browser: Browser, tmp_path: Path) -> None:
    profile = tmp_path / "the profile"
    with running(browser, profile):
        pid = processes.browser_pid(profile)
        assert pid is not None
        tree = processes.tree_of(pid)
        everyone = tree.pids
        assert len(everyone) > 2, "renderers and helpers belong to it"
        assert set(everyone) == set(processes.tree_of(pid).pids)
        weight = processes.memory_mb(pid)
        assert weight is not None
        assert 20 < weight < 5_000
        holder = holder_of(profile)
        assert holder is not None
        assert (holder.pid, holder.ours, holder.host) == (pid, False, "")
        assert tree.end(patience_s=10)
        assert tree.pids == []
        assert not [process for process, _ in processes.using(profile) if process.pid in everyone]
    assert processes.browser_pid(profile) is None
    assert holder_of(profile) is None


def test_killed_browser_holds_nothing_though_its_lock_stays(browser: Browser, tmp_path: Path) -> None:
    with running(browser, tmp_path) as process:
        holder = holder_of(tmp_path)
        assert holder is not None
        tree = processes.tree_of(holder.pid)
        process.kill()
        tree.end(patience_s=10)
    lock = tmp_path / LOCK
    assert lock.is_symlink()
    assert holder_of(tmp_path) is None
    assert lock.is_symlink(), "a lock is only read"
