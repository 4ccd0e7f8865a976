"""What the page tells, checked and put into the robot's words. All of it is foreign: nothing is taken on trust."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from whatsself_tui.phones import is_personal
from whatsself_tui.transport.base import (
    Acknowledged,
    Edited,
    Event,
    MediaInfo,
    Received,
    Revoked,
    TypedByHand,
)

#: WhatsApp's types of messages that people write → kinds as the rules know them. All others are ignored:
#: notices of the system, calls, keys, reactions, polls' votes.
KINDS = {
    "chat": "text",
    "image": "image",
    "video": "video",
    "ptv": "video",
    "gif": "video",
    "audio": "audio",
    "ptt": "audio",
    "document": "document",
    "sticker": "sticker",
    "location": "location",
    "vcard": "contact",
    "multi_vcard": "contact",
    "poll_creation": "poll",
    "list_response": "text",
    "buttons_response": "text",
    "template_button_reply": "text",
    "interactive": "text",
    "order": "order",
    "product": "order",
}

#: WhatsApp's own limit for a text, in characters; a page that tells more tells nonsense.
MAX_TEXT = 65_536

#: Longest id, address or name that is believed.
_MAX_NAME = 200


def events_of(message: Mapping[str, Any]) -> Iterator[Event]:
    """A message of the page, new or found while catching up: none for what is no person's or nobody wrote."""
    wa_id, chat = _short(message.get("bare")), _short(message.get("chat"))
    kind = KINDS.get(_short(message.get("type")))
    if not wa_id or kind is None or message.get("group") or message.get("broadcast") or not is_personal(chat):
        return
    other = _address(message.get("other"))
    body = _text(message.get("text"))
    written_at_ms = _time_ms(message.get("t"))
    if message.get("fromMe") is True:
        yield TypedByHand(wa_id, chat, body or f"[{kind}]", written_at_ms, other)
        yield from acknowledged(message)
        return
    yield Received(
        wa_id=wa_id,
        chat=chat,
        body=body,
        written_at_ms=written_at_ms,
        name=_short(message.get("name")),
        kind=kind,
        other=other,
        key=_short(message.get("key")),
        media=_media(message.get("media")),
    )


def acknowledged(ack: Mapping[str, Any]) -> Iterator[Event]:
    """How far a message of ours is; nothing for one that has not left."""
    wa_id, level = _short(ack.get("bare")), ack.get("ack")
    if wa_id and isinstance(level, int) and level >= 1:
        yield Acknowledged(wa_id, min(level, 3))


def edited(change: Mapping[str, Any], now_ms: int) -> Iterator[Event]:
    """Another text of a message that a contact wrote."""
    wa_id = _short(change.get("bare"))
    if wa_id and change.get("fromMe") is not True:
        yield Edited(wa_id, _text(change.get("text")), _time_ms(change.get("t")) or now_ms)


def revoked(change: Mapping[str, Any], now_ms: int) -> Iterator[Event]:
    """A message that a contact took back."""
    wa_id = _short(change.get("bare"))
    if wa_id and change.get("fromMe") is not True:
        yield Revoked(wa_id, now_ms)


def _media(value: object) -> MediaInfo | None:
    if not isinstance(value, Mapping):
        return None
    size = value.get("size")
    return MediaInfo(
        _short(value.get("mimetype")), _short(value.get("name")), size if isinstance(size, int) and size >= 0 else None
    )


def _address(value: object) -> str:
    chat = _short(value)
    return chat if chat and is_personal(chat) else ""


def _time_ms(value: object) -> int:
    """Milliseconds of the page's seconds; 0 for anything else."""
    return round(value * 1000) if isinstance(value, int | float) and 0 < value < 1e11 else 0


def _text(value: object) -> str:
    return value[:MAX_TEXT] if isinstance(value, str) else ""


def _short(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= _MAX_NAME else ""
