"""What state the connection is in, read off WhatsApp's own page: one pure function.

Events of the page only say "look again": on a restart with a saved login, for one, WhatsApp tells nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from whatsself_tui.transport.base import LinkState

#: Modes of the page's stream in which WhatsApp refuses the account itself.
_REFUSED = frozenset({"TOS_BLOCK", "SMB_TOS_BLOCK"})


@dataclass(frozen=True, slots=True)
class PageStatus:
    """What the page says of itself; everything in it may be missing while it loads."""

    injected: bool = False
    full: bool = False
    """Whether wa-js is complete; that says nothing of the login."""
    authenticated: bool = False
    mode: str | None = None
    """Of the stream: QR, MAIN, SYNCING, OFFLINE, CONFLICT, PROXYBLOCK, TOS_BLOCK, SMB_TOS_BLOCK, DEPRECATED_VERSION."""
    info: str | None = None
    """OFFLINE, OPENING, PAIRING, SYNCING, RESUMING, CONNECTING or NORMAL."""
    me: str | None = None
    idle: bool = False
    """Whether the page has stopped to make new QR codes."""
    needs_update: bool = False
    syncing: bool = False
    """Whether the conversations of the phone are being fetched."""
    version: str = ""
    """Of wa-js."""

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> PageStatus:
        """From the page script's `status()`; what has another type than expected counts as missing."""
        return cls(
            injected=answer.get("injected") is True,
            full=answer.get("full") is True,
            authenticated=answer.get("authenticated") is True,
            mode=_text(answer.get("mode")),
            info=_text(answer.get("info")),
            me=_text(answer.get("me")),
            idle=answer.get("idle") is True,
            needs_update=answer.get("needsUpdate") is True,
            syncing=answer.get("syncing") is True,
            version=_text(answer.get("wajs")) or "",
        )


def judge(page: PageStatus, *, paired: bool) -> LinkState:
    """The state of a page that answers. `paired`: this profile was logged in before.

    Connected and usable is only who is logged in, in mode MAIN, with a stream that is NORMAL.
    """
    if page.mode is None or not page.injected:
        return LinkState.LOADING
    if page.mode in _REFUSED:
        return LinkState.BLOCKED
    if page.mode == "DEPRECATED_VERSION" or page.needs_update:
        return LinkState.NEEDS_UPDATE
    if page.mode == "CONFLICT":
        return LinkState.CONFLICT
    if page.mode == "QR":
        return LinkState.LOGGED_OUT if paired else LinkState.PAIRING
    if page.mode in ("OFFLINE", "PROXYBLOCK"):
        return LinkState.OFFLINE
    if not page.authenticated:
        return LinkState.LOADING
    if page.mode == "SYNCING":
        return LinkState.SYNCING
    if not page.full:
        return LinkState.LOADING
    return LinkState.READY if page.info == "NORMAL" else LinkState.OFFLINE


def _text(value: object) -> str | None:
    return value[:200] if isinstance(value, str) else None
