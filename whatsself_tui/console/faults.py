"""Faults of the console itself, written to the log without what they might give away."""

from __future__ import annotations

import re
import traceback

from whatsself_tui.phones import mask
from whatsself_tui.text import visible

_DIGITS = re.compile(r"\d{8,}")


def harmless(error: BaseException | None) -> dict[str, str]:
    """An error for the log: where it happened without local variables, phone numbers masked."""
    if error is None:
        return {}
    message = _DIGITS.sub(lambda digits: mask(digits[0]), visible(str(error), limit=300))
    frames = "".join(traceback.format_tb(error.__traceback__))
    return {"error": type(error).__name__, "message": message, "frames": frames}
