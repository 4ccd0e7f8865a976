"""The way to WhatsApp: what every transport can do, and what it tells.

A transport never retries by itself and never decides: it sends one message under an id that was
chosen and stored before, says what it knows of the outcome, and hands events to one sink.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class LinkState(StrEnum):
    """How the transport is connected."""

    STOPPED = "stopped"
    STARTING = "starting"
    READY = "ready"
    OFFLINE = "offline"


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
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SendResult:
    """Outcome of one attempt, with a reason for people where it was not sent."""

    outcome: Outcome
    reason: str = ""
    counts: bool = True
    """Whether a failure says something about WhatsApp's health (the breaker counts it)."""


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


@dataclass(frozen=True, slots=True)
class TypedByHand:
    """Our own account has a message to this chat that a transport was not asked for, as far as it knows."""

    wa_id: str
    chat: str
    body: str
    written_at_ms: int


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A sent message was delivered (2) or read (3)."""

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


Event = Received | TypedByHand | Acknowledged | TypingShown | StateChanged

Sink = Callable[[Event], Awaitable[None]]


class Transport(Protocol):
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

    async def send(self, chat: str, text: str, wa_id: str) -> SendResult:
        """Send once under this id. Cancelled half-way, the outcome is unknown."""
        ...

    async def look_up(self, chat: str, wa_id: str) -> LookUp:
        """Whether WhatsApp has a message of ours with this id."""
        ...

    async def show_typing(self, chat: str, duration_ms: int) -> None:
        """Let the contact see that an answer is being written."""
        ...
