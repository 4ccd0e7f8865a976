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
    """WhatsApp's full id of the last message received; may be empty."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The last message of a conversation that the robot has stored."""

    key: str
    written_at_ms: int


@dataclass(frozen=True, slots=True)
class Gap:
    """What to ask of one conversation: everything after `after`, or without it everything since `since_s`."""

    chat: str
    after: str | None
    since_s: float


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
    for chat in chats:
        known = seen.get(chat.chat) or seen.get(chat.other)
        if known is not None:
            if chat.last_key != known.key and chat.last_s + SLACK_S >= known.written_at_ms / 1000:
                found.append((chat.last_s, Gap(chat.chat, known.key, known.written_at_ms / 1000 - SLACK_S)))
        elif caught_up_at_ms is not None and chat.last_s + SLACK_S >= caught_up_at_ms / 1000:
            found.append((chat.last_s, Gap(chat.chat, None, caught_up_at_ms / 1000 - SLACK_S)))
    return [gap for _, gap in sorted(found, key=lambda entry: entry[0])]


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
