"""Times, states and texts as a person reads them: pure functions, single-width glyphs only."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from rich.cells import cell_len, set_cell_size

from whatsself_tui.text import visible

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

#: Breaker state → (glyph, style, what it means for the robot).
BREAKER: Final = {
    "closed": ("●", "$text-success", "Messages may go out."),
    "open": ("■", "$text-error", "No message goes out."),
    "half_open": ("▲", "$text-warning", "Testing, one by one."),
}

#: Breaker mode → what the operator has decided.
MODES: Final = {
    "forced_open": "Kept open by the operator.",
    "forced_closed": "Kept closed by the operator.",
    "metrics_only": "Only measures.",
}

#: Why the next message waits (`QueueReading.waits_for`).
WAITS_FOR: Final = {
    "nothing": "its turn has come",
    "paused": "the robot is paused",
    "offline": "WhatsApp is not connected",
    "breaker": "the breaker is open",
    "minute_limit": "limit of all contacts",
    "contact_limit": "its contact's limit",
    "schedule": "scheduled for later",
    "pace": "human pace",
    "new_contacts": "today's new contacts",
    "hours": "business hours",
    "retry": "pause before a retry",
    "in_flight": "a send is under way",
}

#: Transport state → (word, style).
TRANSPORT: Final = {
    "ready": ("ready", "$text-success"),
    "starting": ("starting", "$text-warning"),
    "stopped": ("stopped", "$text-warning"),
    "offline": ("OFFLINE", "$text-error"),
    "loading": ("loading", "$text-warning"),
    "pairing": ("NOT LINKED", "$text-warning"),
    "syncing": ("syncing", "$text-warning"),
    "conflict": ("CONFLICT", "$text-error"),
    "blocked": ("BLOCKED", "$text-error"),
    "needs_update": ("NEEDS UPDATE", "$text-error"),
    "logged_out": ("LOGGED OUT", "$text-error"),
    "crashed": ("CRASHED", "$text-error"),
}

#: Status of a message → (glyph, word, style, what it means).
STATUS: Final = {
    "pending": ("…", "pending", "$text-warning", "arrived, the rules have not decided yet"),
    "handled": ("·", "handled", "$text-muted", "arrived, the rules have decided"),
    "sending": ("…", "sending", "$text-warning", "handed to WhatsApp, no answer yet"),
    "sent": ("✓", "sent", "$foreground", "WhatsApp has taken it"),
    "delivered": ("✓", "delivered", "$text-success", "it is on the contact's phone"),
    "read": ("✓", "read", "$text-success", "the contact has opened it"),
    "failed": ("✗", "failed", "$text-error", "it will not go out by itself; the reason stands beside it"),
    "cancelled": ("✗", "cancelled", "$text-muted", "taken out of the queue before it was sent"),
    "unconfirmed": ("?", "unconfirmed", "$text-error", "nobody knows whether it arrived; you decide"),
}

#: Rule of the automation → what it is about.
RULES: Final = {
    "opt_out": "Opt-out keyword",
    "revoked": "Taken back",
    "opt_in": "Opt-in keyword",
    "opted_out": "Opted out",
    "handed_over": "Left to a person",
    "closed": "Closed",
    "welcome": "First contact",
    "flow": "In a flow",
    "trigger": "Trigger",
    "cooling": "Trigger, silent for now",
    "fallback": "Nothing matched too often",
    "unmatched": "Nothing matched",
    "too_old": "Too old",
    "human": "A person typed",
    "expired": "Time of the flow was up",
    "empty": "No text",
}


def countdown(left_ms: int) -> str:
    """Time left as `mm:ss`, from an hour on as `1h 02m`, later in days; part of a second counts as a whole one."""
    seconds = max(0, -(-left_ms // 1000))
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24}d {hours % 24:02}h"
    return f"{hours}h {minutes:02}m" if hours else f"{minutes:02}:{seconds:02}"


def elapsed(passed_ms: int) -> str:
    """Time passed, in the largest unit that says enough: `12 s`, `4 min`, `3 h`, `2 d`."""
    seconds = max(0, passed_ms) // 1000
    for limit, size, unit in ((60, 1, "s"), (3600, 60, "min"), (48 * 3600, 3600, "h")):
        if seconds < limit:
            return f"{seconds // size} {unit}"
    return f"{seconds // 86400} d"


def time_of_day(at_ms: int, zone: ZoneInfo) -> str:
    """`14:03:22` in the business's time zone."""
    return datetime.fromtimestamp(at_ms / 1000, zone).strftime("%H:%M:%S")


def day_of(at_ms: int, zone: ZoneInfo) -> date:
    """The day it was for the business."""
    return datetime.fromtimestamp(at_ms / 1000, zone).date()


def next_day_ms(at_ms: int, zone: ZoneInfo) -> int:
    """When the business's next day begins."""
    tomorrow = day_of(at_ms, zone) + timedelta(days=1)
    return round(datetime.combine(tomorrow, time.min, tzinfo=zone).timestamp() * 1000)


def day_words(day: date) -> str:
    """`Friday 21 Nov`."""
    return f"{_WEEKDAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]}"


def moment(at_ms: int, now_ms: int, zone: ZoneInfo) -> str:
    """`14:03` today, `21 Nov` on another day."""
    at = datetime.fromtimestamp(at_ms / 1000, zone)
    return at.strftime("%H:%M") if at.date() == day_of(now_ms, zone) else f"{at.day} {_MONTHS[at.month - 1]}"


def fit(text: str, width: int) -> str:
    """Foreign `text`, made harmless, in exactly `width` cells: cut with an ellipsis or filled up."""
    shown = visible(text, limit=max(1, width) * 4)
    if cell_len(shown) > width:
        shown = set_cell_size(shown, max(0, width - 1)) + "…" if width else ""
    return set_cell_size(shown, width)


def gauge(share: float, width: int, mark: float | None = None) -> str:
    """A bar of `width` cells, `share` (0 to 1) of it full, with a line at `mark`."""
    full = min(width, max(0, round(share * width)))
    if share > 0:
        full = max(full, 1)
    bar = "█" * full + "─" * (width - full)
    if mark is None or not 0 < mark < 1:
        return bar
    at = min(width - 1, round(mark * width))
    return f"{bar[:at]}│{bar[at + 1 :]}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 message`, `2 messages`."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def span(seconds: int) -> str:
    """A length of time, exact and short: `45s`, `1m 30s`, `24h`, `3d 2h`."""
    if seconds < 48 * 3600:
        parts = ((seconds // 3600, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s"))
    else:
        parts = ((seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "m"))
    return " ".join(f"{count}{unit}" for count, unit in parts if count) or "0s"
