"""Which conversations have something the robot may not have seen: pure rules over the page's list of chats.

While the browser was closed, messages came without an event; a person who reads on the phone clears "unread".
So a chat is looked into when its last message is newer than what was seen of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from whatsself_tui.phones import is_personal

#: WhatsApp's times are whole seconds, and messages of one second come in any order.
SLACK_S = 60

#: Messages asked for at a time.
BATCH = 200


@dataclass(frozen=True, slots=True)
class Chat:
    """A conversation as the page lists it."""

    chat: str
    other: str
    """The same person's other address; may be empty."""
    last_s: float
    """When the last message was written, ours included."""
    last_key: str
    """WhatsApp's full id of the last message, in some of its versions of the last one received; may be empty."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How far a conversation is known without a gap.

    Only catching up moves it: an event may come while the message before it came without one.
    """

    key: str
    """Of the last message received then, WhatsApp's full id."""
    written_at_ms: int
    """When the last message was written then, ours included."""


@dataclass(frozen=True, slots=True)
class Gap:
    """What to ask of one conversation: everything after `after`, or without it everything since `since_s`."""

    chat: str
    after: str | None
    since_s: float
    reaches: Seen | None = None
    """How far it is known once this is filled; None if it has no message to begin from the next time."""


def chats_of(answer: object) -> list[Chat]:
    """The page's list, without what is no person's."""
    if not isinstance(answer, list):
        return []
    return [chat for entry in answer if isinstance(entry, dict) for chat in _chat(entry)]


def gaps(chats: Sequence[Chat], seen: Mapping[str, Seen], caught_up_at_ms: int | None) -> list[Gap]:
    """The conversations to look into, the most recent last.

    `seen` is by address; `caught_up_at_ms` when everything was seen the last time. None before the first:
    what was written before the robot was there is history, and nobody expects a robot to answer it.
    """
    found = []
    for chat in sorted(chats, key=lambda chat: chat.last_s):
        known = seen.get(chat.chat) or seen.get(chat.other)
        reaches = Seen(chat.last_key, round(chat.last_s * 1000)) if chat.last_key else None
        if known is not None:
            if known != reaches:
                found.append(Gap(chat.chat, known.key, known.written_at_ms / 1000 - SLACK_S, reaches))
        elif caught_up_at_ms is not None and chat.last_s + SLACK_S >= caught_up_at_ms / 1000:
            found.append(Gap(chat.chat, None, caught_up_at_ms / 1000 - SLACK_S, reaches))
    return found


def _chat(entry: Mapping[str, Any]) -> list[Chat]:
    chat, other, last, key = (entry.get(name) for name in ("chat", "other", "t", "lastKey"))
    if not isinstance(chat, str) or not is_personal(chat):
        return []
    return [
        Chat(
            chat,
            other if isinstance(other, str) and is_personal(other) else "",
            float(last) if isinstance(last, int | float) else 0.0,
            key if isinstance(key, str) else "",
        )
    ]
