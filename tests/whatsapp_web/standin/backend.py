"""What the stand-in's server keeps, and how it answers each request of the page."""

from __future__ import annotations

import base64
import itertools
import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from whatsapp_web.standin.world import Account, Chat, Config, Delivered, Message, Response, Told

HERE = Path(__file__).parent
SCRIPTS = ("loader.js", "store.js", "traffic.js", "modules.js", "page.js")

Step = Literal["store", "deliver", "answer"]
Mode = Literal["MAIN", "CONFLICT", "TOS_BLOCK"]


class Backend:
    """One account at WhatsApp, with at most one linked browser; every request of the page ends in `respond`."""

    def __init__(self, config: Config | None = None) -> None:
        self.cfg = config or Config()
        self.account = Account()
        self.device: str | None = None
        """The login: a browser is paired if its profile holds the same."""
        self.mode: Mode = "MAIN"
        self.network = True
        self.local: dict[str, Message] = {}
        """The device's local database, by full id."""
        self.waiting: list[Message] = []
        """Messages on the server that the device has not fetched yet."""
        self.chats: dict[str, Chat] = {}
        self.contacts: dict[str, dict[str, Any]] = {}
        self.links: dict[str, str] = {}
        """Phone address → LID."""
        self.exists: dict[str, tuple[str, str] | None] = {}
        """Asked address → (address, LID or empty) of who answers to it; None: nobody. Others exist as asked."""
        self.media: dict[str, bytes] = {}
        self.delivered: list[Delivered] = []
        self.told: list[Told] = []
        self.asked_exists: list[str] = []
        self.asked_codes: list[str] = []
        self.takeovers = 0
        self.modules_came = False
        """Whether the modules of `cfg.late` are there by now."""
        self.boots = 0
        self.polls = 0
        """How often a page asked for orders: it grows while a page lives."""
        self.foreign_requests: list[str] = []
        """Addresses outside https://web.whatsapp.com/ that the browser asked for."""
        self.unknown_requests: list[str] = []
        self.on_change: list[Callable[[], None]] = []
        """Called after every request and control, from whatever thread it came."""
        self._held: set[Step] = set()
        self._answers: dict[str, dict[str, Any]] = {}
        self._orders: list[dict[str, Any]] = []
        self._lock = threading.RLock()
        self._ids = itertools.count(1)

    def respond(self, method: str, path: str, body: bytes) -> Response:
        """The answer to one request of the page; `path` without the host."""
        with self._lock:
            response = self._respond(method, path.partition("?")[0], body)
        self.happened()
        return response

    def _respond(self, method: str, path: str, body: bytes) -> Response:
        if method == "GET" and path == "/":
            return self._page()
        if path == "/favicon.ico":
            return Response(204)
        name = path.removeprefix("/standin/")
        if method == "GET" and name in SCRIPTS:
            return _ok("text/javascript; charset=utf-8", (HERE / name).read_bytes())
        content = self.media.get(name.removeprefix("media/"))
        if method == "GET" and name.startswith("media/"):
            return _ok("application/octet-stream", content) if content is not None else Response(404)
        answer = getattr(self, f"_on_{name}", None) if method == "POST" else None
        if answer is None:
            self.unknown_requests.append(f"{method} {path}")
            return Response(404)
        return _ok("application/json", json.dumps(answer(json.loads(body or b"{}"))).encode())

    def _page(self) -> Response:
        nonce = secrets.token_urlsafe(12)
        page = {"config": self.cfg.of_the_page(), "drop": self.cfg.drop, "late": self.cfg.late}
        scripts = "".join(f'<script nonce="{nonce}" src="/standin/{name}"></script>' for name in SCRIPTS)
        html = (
            "<!doctype html><html><head><meta charset='utf-8'><title>WhatsApp</title></head><body>"
            f'<script nonce="{nonce}">window.StandinPage = {json.dumps(page)};</script>{scripts}</body></html>'
        )
        headers = {
            "content-type": "text/html; charset=utf-8",
            "content-security-policy": self.cfg.csp.format(nonce=nonce),
            "cache-control": "no-store",
        }
        return Response(200, headers, html.encode())

    def _on_boot(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.boots += 1
        paired = self.device is not None and asked["device"] == self.device
        return {
            "seq": len(self._orders),
            "online": self.network,
            "config": self.cfg.of_the_page(),
            "modules_came": self.modules_came,
            "mode": self.mode,
            "account": asdict(self.account) if paired else None,
            **self._known(),
            "waiting": self._fetch() if paired and self.network and self.mode == "MAIN" else [],
        }

    def _on_orders(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.polls += 1
        orders = self._orders[asked["after"] :]
        if asked["online"] and self.network and self.device is not None:
            seq = len(self._orders)
            orders = orders + [{"seq": seq, "name": "message", "row": row, "silent": False} for row in self._fetch()]
        return {"orders": orders}

    def _on_store(self, asked: dict[str, Any]) -> dict[str, Any]:
        if "store" in self._held:
            return {"wait": True}
        row = dict(asked["row"])
        for name in ("again", "base64"):
            row.pop(name, None)
        message = Message(**{**row, "is_new": False})
        known = self.local.get(message.key)
        if known is None or known.ack < 1:
            self._file(message)
        return {}

    def _on_deliver(self, asked: dict[str, Any]) -> dict[str, Any]:
        if "deliver" in self._held:
            return {"wait": True}
        if asked["attempt"] not in self._answers:
            self._answers[asked["attempt"]] = self._take(asked["row"])
        if "answer" in self._held:
            return {"wait": True}
        answer = self._answers[asked["attempt"]]
        row = asked["row"]
        message = next(one for one in self.local.values() if one.from_me and one.bare == row["bare"])
        message.ack = max(message.ack, answer["ack"]) if answer["ack"] > 0 else answer["ack"]
        return answer

    def _take(self, row: dict[str, Any]) -> dict[str, Any]:
        if self.cfg.send_result != "OK":
            return {"result": self.cfg.send_result, "ack": -1}
        content = base64.b64decode(row.get("base64", ""))
        if content:
            self.media[row["bare"]] = content
        self.delivered.append(
            Delivered(
                bare=row["bare"],
                to=row["chat"],
                text=row["caption"] or row["body"],
                type=row["type"],
                at=time.time(),
                again=bool(row.get("again")),
                mimetype=row["mimetype"],
                file_name=row["file_name"],
                data=content,
            )
        )
        return {"result": "OK", "ack": 1}

    def _on_told(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.told.append(Told(asked["what"], asked["chat"]))
        return {}

    def _on_exists(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.asked_exists.append(asked["wid"])
        if self.cfg.exists_error:
            return {"error": self.cfg.exists_error}
        found = self.exists.get(asked["wid"], (asked["wid"], self.links.get(asked["wid"], "")))
        return {"wid": None} if found is None else {"wid": found[0], "lid": found[1]}

    def _on_phone_code(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.asked_codes.append(asked["phone"])
        return {"error": self.cfg.phone_code_error} if self.cfg.phone_code_error else {"code": self.cfg.phone_code}

    def _on_takeover(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.takeovers += 1
        self.mode = "MAIN"
        return {}

    def _on_logout(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.log_out("user_initiated")
        return {}

    def _order(self, name: str, **data: Any) -> None:
        with self._lock:
            self._orders.append({"seq": len(self._orders) + 1, "name": name, **data})
        self.happened()

    def log_out(self, reason: str) -> None:
        """The login is over; the page is told why."""
        with self._lock:
            self.device = None
            self._order("logout", reason=reason)

    def _enter(self, mode: Mode, order: str) -> None:
        with self._lock:
            self.mode = mode
            self._order(order)

    def happened(self) -> None:
        """Let those who wait look again."""
        for tell in tuple(self.on_change):
            tell()

    def _known(self) -> dict[str, Any]:
        """What a page finds in its local database when it starts."""
        return {
            "links": list(self.links.items()),
            "contacts": [{"id": address, **attributes} for address, attributes in self.contacts.items()],
            "chats": [{"id": address, **asdict(chat)} for address, chat in self.chats.items()],
            "messages": [message.row() for message in self.local.values()],
        }

    def _fetch(self) -> list[dict[str, Any]]:
        """Hand over what waits; from now on it is in the local database."""
        fetched, self.waiting = self.waiting, []
        for message in fetched:
            self._file(message)
        return [message.row() for message in fetched]

    def _file(self, message: Message) -> None:
        chat = self.chats.setdefault(message.chat, Chat())
        if message.key not in self.local and not message.from_me:
            chat.unread += 1
        chat.t = max(chat.t, message.t)
        self.local[message.key] = message

    def _chat_of(self, address: str) -> str:
        lid = self.links.get(address, "")
        return lid if address not in self.chats and lid in self.chats else address

    def _find(self, key: str) -> Message:
        return self.local[key] if key in self.local else next(one for one in self.waiting if one.key == key)

    def _amend(self, key: str, **changes: Any) -> None:
        message = self._find(key)
        for name, value in changes.items():
            setattr(message, name, value)


def _ok(mimetype: str, content: bytes) -> Response:
    return Response(200, {"content-type": mimetype}, content)
