"""What happens in every life that is cut short: who writes, what is sent, what the phone refuses.

Each text is sent at most once by intent, so the receiving side's log alone tells what was lost and
what came twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from support.queue_world import chat

from whatsself_tui.delivery.limits import Limits

#: Small enough that all windows bind within this scenario.
LIMITS = Limits(per_minute=6, per_contact=2, per_contact_reply=3, contact_window_ms=50_000)

SETTINGS = f"""\
[simulator]
latency_ms = 7
[limits]
per_minute = {LIMITS.per_minute}
per_contact = {LIMITS.per_contact}
per_contact_reply = {LIMITS.per_contact_reply}
contact_window_s = {LIMITS.contact_window_ms // 1000}
[pace]
delay_min_ms = 0
delay_max_ms = 300
typing_min_ms = 300
typing_max_ms = 600
[answers]
debounce_ms = 0
[queue]
backlog_alert = 6
[consent]
opt_out = ["PARAR"]
opt_out_text = "opted out"
[logs]
level = "error"
"""

#: Markers in a text: what the phone does with it, the first time it is asked in its life.
REFUSED = "(refused)"
SILENT_ACCEPTED = "(accepted, no answer)"
SILENT_REFUSED = "(refused, no answer)"


@dataclass(frozen=True, slots=True)
class Send:
    """A person has a message sent."""

    key: str
    person: int
    text: str
    priority: int = 5
    after_s: int | None = None
    """Not before this many seconds from now."""


@dataclass(frozen=True, slots=True)
class Arrive:
    """A contact writes; the robot answers once, with `answer`."""

    key: str
    person: int
    text: str
    answer: str


Event = Send | Arrive

EVENTS: tuple[Event, ...] = (
    Send("s1", 0, "first to A"),
    Send("s2", 0, f"second to A {REFUSED}"),
    Send("s3", 1, "first to B", priority=3),
    Send("s4", 0, "third to A"),
    Arrive("i1", 0, "question 1", "answer 1"),
    Send("s5", 1, "urgent to B", priority=8),
    Send("s6", 2, f"first to C {SILENT_ACCEPTED}"),
    Send("s7", 1, "second to B", priority=3),
    Send("s8", 2, f"second to C {SILENT_REFUSED}"),
    Send("s9", 3, "scheduled for D", after_s=100),
    Arrive("i2", 0, "question 2", f"answer 2 {REFUSED}"),
    Send("s10", 2, "third to C"),
    Arrive("i3", 4, "Parar!", "opted out"),
    Send("s11", 1, "third to B", priority=3),
    Send("s12", 0, "urgent to A", priority=10),
)

#: The one person whose phone tells that a message was delivered and read.
READER = 2

#: Every text that has to arrive, once.
EXPECTED = tuple(event.text if isinstance(event, Send) else event.answer for event in EVENTS)


def automation() -> str:
    """A template and a trigger for each question."""
    parts = []
    for event in EVENTS:
        if isinstance(event, Arrive) and event.text.startswith("question"):
            parts.append(f'[[template]]\nname = "{event.key}"\ntext = "{event.answer}"\n')
            parts.append(f'[[trigger]]\nname = "{event.key}"\nequals = "{event.text}"\ntemplate = "{event.key}"\n')
    return "\n".join(parts)


def furnish(folder: Path) -> None:
    """Make a new data folder with this configuration."""
    config = folder / "config"
    config.mkdir(parents=True)
    (config / "settings.toml").write_text(SETTINGS, encoding="utf-8")
    (config / "automation.toml").write_text(automation(), encoding="utf-8")


def address(event: Event) -> str:
    """The chat an event belongs to."""
    return chat(event.person)


def phone(event: Event) -> str:
    """The same as a phone number."""
    return address(event).split("@")[0]
