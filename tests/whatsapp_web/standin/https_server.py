"""The stand-in behind a real socket, for a browser that another process drives.

The key and the certificate beside this file are throw-away: they name web.whatsapp.com, are signed by nobody, and the
browser of these tests is told to take them.
"""

from __future__ import annotations

import shlex
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from support.wa_js import chromium
from whatsapp_web.standin.backend import Backend

HERE = Path(__file__).parent

_OTHER_ARGUMENTS = """#!/bin/sh
for argument do
    shift
    case $argument in --host-resolver-rules=*) ;; *) set -- "$@" "$argument" ;; esac
done
"""


@contextmanager
def listening(server: Backend) -> Iterator[int]:
    """Answer on a free port of this machine, which is yielded, until the block ends."""
    http = _Server(("127.0.0.1", 0), _handler(server))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(HERE / "throw_away.crt", HERE / "throw_away.key")
    http.socket = context.wrap_socket(http.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield int(http.server_address[1])
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


def write_browser_wrapper(folder: Path, port: int) -> Path:
    """A program like this machine's Chromium, for which WhatsApp Web is at `port` and nothing else exists.

    The caller's own rules for names are left out: which of two the browser would take depends on its packaging.
    """
    wrapper = folder / "chromium-standin"
    switches = (
        f"--host-resolver-rules=MAP web.whatsapp.com:443 127.0.0.1:{port}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        "--ignore-certificate-errors",
    )
    program = shlex.quote(str(chromium()))
    wrapper.write_text(f'{_OTHER_ARGUMENTS}exec {program} "$@" {shlex.join(switches)}\n', encoding="utf-8")
    wrapper.chmod(0o755)
    return wrapper


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that was killed leaves broken connections behind, which is no failure of the test."""


def _handler(server: Backend) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            response = server.respond(self.command, self.path, body)
            self.send_response(response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body)

        do_GET = do_POST = do_HEAD = _answer

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    return Handler
