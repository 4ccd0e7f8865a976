"""The way to WhatsApp: what every transport can do, and what it tells.

A transport never retries by itself and never decides: it sends one message under an id that was
chosen and stored before, says what it knows of the outcome, and hands events to one sink.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal, Protocol

from whatsself_tui.errors import WhatsSelfError


class LinkState(StrEnum):
    """How the transport is connected; `states.TOLD` has a sentence and an advice for each."""

    STOPPED = "stopped"
    STARTING = "starting"
    LOADING = "loading"
    PAIRING = "pairing"
    SYNCING = "syncing"
    READY = "ready"
    OFFLINE = "offline"
    CONFLICT = "conflict"
    BLOCKED = "blocked"
    NEEDS_UPDATE = "needs_update"
    LOGGED_OUT = "logged_out"
    CRASHED = "crashed"


class Outcome(StrEnum):
    """What is known after an attempt to send."""

    SENT = "sent"
    RETRYABLE = "retryable"
    """WhatsApp does not have it, and a later attempt may succeed."""
    PERMANENT = "permanent"
    """WhatsApp does not have it and will not take it (number not on WhatsApp, blocked)."""
    NOT_CONNECTED = "not_connected"
    """Nothing was attempted."""
    UNKNOWN = "unknown"
    """It may have left; only a look-up by id can tell."""


class LookUp(StrEnum):
    """Whether WhatsApp has a message of this id."""

    PRESENT = "present"
    ABSENT = "absent"
    FAILED = "failed"
    """WhatsApp's page has it as one that could not be sent; another try needs another id."""
    PENDING = "pending"
    """WhatsApp's own page has it and has not got it away yet: it may still leave by itself."""
    UNKNOWN = "unknown"
    NOT_CONNECTED = "not_connected"
    """Nobody could be asked; to be asked again once it is connected."""


class DownloadFailed(WhatsSelfError):
    """A medium cannot be had: it is gone, there is no connection, or it is too large."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes out with a message; the message's text is its caption."""

    path: Path
    kind: Literal["image", "document", "audio"]
    mimetype: str
    file_name: str
    """The name the contact sees; never a path."""


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What is known of a received medium without fetching it; all of it foreign text."""

    mimetype: str = ""
    file_name: str = ""
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class SendResult:
    """Outcome of one attempt, with a reason for people where it was not sent."""

    outcome: Outcome
    reason: str = ""
    counts: bool = True
    """Whether a failure says something about WhatsApp's health (the breaker counts it)."""
    id_is_spent: bool = False
    """Whether WhatsApp knows the id as a failed one, so that another try needs another."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message has arrived; at-least-once, the id tells copies apart."""

    wa_id: str
    chat: str
    """Address such as `5511999990001@c.us`; may be a group's."""
    body: str
    written_at_ms: int
    name: str = ""
    kind: str = "text"
    other: str = ""
    """The same person's other address (LID or phone), where WhatsApp tells it."""
    key: str = ""
    """WhatsApp's full id, for catching up and for downloads; empty from the simulator."""
    media: MediaInfo | None = None


@dataclass(frozen=True, slots=True)
class Edited:
    """A received message has another text now."""

    wa_id: str
    body: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Revoked:
    """A received message was taken back by its sender."""

    wa_id: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class SamePerson:
    """WhatsApp says that both addresses are one person's; `chat` is the one it uses itself.

    Two phones are one where a number was written with a digit more or less than WhatsApp's (Brazil's ninth).
    """

    chat: str
    other: str


@dataclass(frozen=True, slots=True)
class TypedByHand:
    """Our own account has a message to this chat that a transport was not asked for, as far as it knows."""

    wa_id: str
    chat: str
    body: str
    written_at_ms: int
    other: str = ""
    """As in Received."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A sent message is with WhatsApp (1), was delivered (2) or read (3)."""

    wa_id: str
    ack: int


@dataclass(frozen=True, slots=True)
class TypingShown:
    """The contact sees that an answer is being written."""

    chat: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The connection is in another state."""

    state: LinkState
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the operator should know that is no state of the connection; it becomes an alert."""

    kind: str
    text: str
    """Empty: it is over."""


Event = Received | Edited | Revoked | SamePerson | TypedByHand | Acknowledged | TypingShown | StateChanged | Notice

Sink = Callable[[Event], Awaitable[None]]


class Outlet(Protocol):
    """The part of a transport by which messages leave."""

    async def send(self, chat: str, text: str, wa_id: str, attachment: Attachment | None = None) -> SendResult:
        """Send once under this id. Cancelled half-way, the outcome is unknown."""
        ...

    async def look_up(self, chat: str, wa_id: str) -> LookUp:
        """Whether WhatsApp has a message of ours with this id."""
        ...

    async def show_typing(self, chat: str, duration_ms: int) -> None:
        """Let the contact see that an answer is being written."""
        ...


class Transport(Outlet, Protocol):
    """One way to WhatsApp."""

    @property
    def kind(self) -> str:
        """Its name in `transport.kind`."""
        ...

    async def start(self, sink: Sink) -> None:
        """Connect; from now on events go to `sink`, the state first."""
        ...

    async def stop(self) -> None:
        """Disconnect; nothing is sent or told any more after it returns."""
        ...

    async def download(self, key: str, limit_bytes: int) -> bytes:
        """The medium of a received message, by its `Received.key`.

        Raises DownloadFailed, also for more than `limit_bytes`.
        """
        ...
