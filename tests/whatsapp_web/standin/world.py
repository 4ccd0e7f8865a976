"""What exists on WhatsApp's side of the stand-in page: messages, deliveries, the account, and the knobs of a test."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(slots=True)
class Message:
    """A message in the device's local database, or waiting on the server for the device."""

    bare: str
    chat: str
    type: str = "chat"
    body: str = ""
    t: int = 0
    """Seconds since the epoch."""
    from_me: bool = False
    ack: int = 1
    caption: str = ""
    name: str = ""
    author: str = ""
    """In a group: who wrote it."""
    mimetype: str = ""
    """Of a medium; empty for a message without one."""
    file_name: str = ""
    size: int = 0
    is_new: bool = True

    @property
    def key(self) -> str:
        """WhatsApp's full id."""
        author = f"_{self.author}" if self.author else ""
        return f"{str(self.from_me).lower()}_{self.chat}_{self.bare}{author}"

    def row(self) -> dict[str, Any]:
        """As the page reads it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message that reached WhatsApp; the same id arriving twice is there twice."""

    bare: str
    to: str
    text: str
    type: str
    at: float
    """Seconds since the epoch."""
    again: bool = False
    """A page sent it by itself at its start, from its database, where it had not arrived yet."""
    mimetype: str = ""
    file_name: str = ""
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Told:
    """Something the page did that nobody answers: composing, paused, seen."""

    what: str
    chat: str


@dataclass(frozen=True, slots=True)
class Account:
    """Whose WhatsApp it is."""

    phone: str = "5511988887777@c.us"
    lid: str = "900000000000001@lid"
    name: str = "Loja Teste"


@dataclass(slots=True)
class Chat:
    """What the page knows of a conversation at its start."""

    t: int = 0
    unread: int = 0


@dataclass(slots=True)
class Config:
    """Knobs; those of the first block reach a running page with `FakeWhatsApp.configure`."""

    ack_delay_ms: int = 5
    """Between storing a message and handing it to WhatsApp."""
    qr_rotate_ms: int = 20_000
    qr_codes: int = 6
    """After so many the page stops to make new ones."""
    upload_limit_bytes: int = 64 * 1024 * 1024
    clone_media_keys: bool = False
    """Files get a copy of the chosen key, so that who waits for that very object waits for ever."""

    send_result: str = "OK"
    """Anything else is a refusal with ack -1."""
    phone_code: str = "ABCD1234"
    phone_code_error: str = ""
    exists_error: str = ""
    """Set: the question whether a number exists fails with this."""
    drop: tuple[str, ...] = ()
    """Modules that this version of WhatsApp does not have."""
    late: tuple[str, ...] = ()
    """Modules that come with `FakeWhatsApp.load_modules`."""
    csp: str = (
        "default-src 'self'; script-src 'self' 'nonce-{nonce}'; connect-src 'self'; img-src 'self' data: blob:;"
        " media-src 'self' blob:; object-src 'none'; base-uri 'none'"
    )

    def of_the_page(self) -> dict[str, Any]:
        """What the page has to know."""
        names = ("ack_delay_ms", "qr_rotate_ms", "qr_codes", "upload_limit_bytes", "clone_media_keys")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class Response:
    """An answer over HTTP."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
