"""Points in time as people write them on a command line."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from whatsself_tui.errors import UsageError

_RELATIVE = re.compile(r"\+(\d{1,6})([smhd])")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_when(text: str, now_ms: int, zone: ZoneInfo) -> int:
    """Milliseconds of `2026-11-23T09:00`, `2026-11-23T09:00-03:00`, `09:00` (the next) or `+15m`.

    Without an offset the business's time zone is meant. Raises UsageError for anything else.
    """
    now = datetime.fromtimestamp(now_ms / 1000, zone)
    relative, clock = _RELATIVE.fullmatch(text), _CLOCK.fullmatch(text)
    try:
        if relative:
            moment = now + timedelta(**{_UNITS[relative[2]]: int(relative[1])})
        elif clock:
            moment = now.replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0)
            if moment <= now:
                moment += timedelta(days=1)
        else:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=zone)
        return round(moment.timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{text[:40]!r} is no time.", "Write 2026-11-23T09:00, 09:00, or +15m (s, m, h or d from now)."
        ) from error
