"""Phone numbers and WhatsApp addresses: read, write, mask.

A contact is addressed as `5511999990001@c.us` (by phone) or `77000@lid` (WhatsApp's private id).
"""

from __future__ import annotations

import re

from whatsself_tui.errors import UsageError

_SEPARATORS = re.compile(r"[\s().\-/\u00a0\u2010-\u2015\u202f\u2011]+")
_DIGITS = re.compile(r"[0-9]{8,15}")
_LID = re.compile(r"[0-9]{1,20}@lid")


def parse_phone(text: str) -> str:
    """E.164 digits of a number as people write it, `+55 (11) 99999-0001` → `5511999990001`.

    Raises UsageError for anything that is not 8 to 15 digits (ITU-T E.164) with the country code.
    """
    cleaned = _SEPARATORS.sub("", text.strip()).removesuffix("@c.us").removeprefix("+")
    if not (cleaned.isascii() and _DIGITS.fullmatch(cleaned)) or cleaned.startswith("0"):
        raise UsageError(
            f"{text[:40]!r} is not a phone number.",
            "Write it with its country code, 8 to 15 digits, for example 5511999990001.",
        )
    return cleaned


def address(phone: str | None, lid: str | None) -> str:
    """Where to send to: the LID where it is known (WhatsApp prefers it), else the phone."""
    if lid:
        return lid
    if phone:
        return f"{phone}@c.us"
    raise ValueError("a contact has a phone or a LID")


def split_address(chat: str) -> tuple[str | None, str | None]:
    """(phone, lid) of a personal chat's address, one of them None; raises ValueError for another."""
    if _LID.fullmatch(chat):
        return None, chat
    user, _, server = chat.partition("@")
    if server in ("c.us", "s.whatsapp.net", "") and user.isascii() and _DIGITS.fullmatch(user):
        return user, None
    raise ValueError(f"not a personal chat: {chat[:60]!r}")


def is_personal(chat: str) -> bool:
    """Whether the chat is one person's: no group, broadcast, newsletter or status."""
    try:
        split_address(chat)
    except ValueError:
        return False
    return True


def mask(identity: str) -> str:
    """For logs and reports: `5511999990001` → `5511*****0001`; a short one loses its middle too."""
    user, at, server = identity.partition("@")
    keep = 4 if len(user) >= 12 else 2
    hidden = f"{user[:keep]}{'*' * max(3, len(user) - 2 * keep)}{user[-keep:]}"
    return f"{hidden}{at}{server}"
