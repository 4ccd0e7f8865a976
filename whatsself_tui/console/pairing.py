"""Linking with a phone: what a code is worth, and the words for it in the console and on the command line."""

from __future__ import annotations

from typing import Final

#: States in which WhatsApp waits for a phone.
LINKING: Final = frozenset({"pairing", "logged_out"})

#: WhatsApp takes a new QR code after 60 s at the longest; one that is older was not followed by another.
QR_LIFE_MS = 65_000

#: A code to type is taken for 3 min 15 s (wa-js, conn/functions/linkDeviceCodeLifecycle.ts).
PHONE_CODE_LIFE_MS = 195_000

#: Where the phone's camera for QR codes is.
WHERE_TO_SCAN = "WhatsApp → Linked devices → Link a device"

#: Where the phone takes the eight characters.
WHERE_TO_TYPE = f"{WHERE_TO_SCAN} → Link with phone number instead"

#: The file an operator asks for when the terminal is too small.
PNG_NAME = "whatsapp_qr.png"


def dashed(code: str) -> str:
    """Eight characters as the phone shows them: `ABCD-1234`; anything else as it is."""
    return f"{code[:4]}-{code[4:]}" if len(code) == 8 and code.isascii() and code.isalnum() else code


def paired_as(account: str) -> str:
    """Whose robot it is now; it is the operator's own number and shown in full."""
    return f"Paired as +{account}." if account else "Paired."
