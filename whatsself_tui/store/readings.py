"""What a reader gets: frozen values, times in wall-clock milliseconds, texts as they were stored.

Texts and names in here are foreign: whoever shows them passes them through `text.visible`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["warning", "error"]
HealthLevel = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class RobotReading:
    """Whether the robot sends, and how it is connected."""

    paused: bool
    transport_kind: str
    """`simulator` or `whatsapp_web`."""
    transport_state: str
    """`stopped`, `starting`, `ready` or `offline`; more with `whatsapp_web`."""
    transport_detail: str
    """One sentence for the operator; may be empty."""


@dataclass(frozen=True, slots=True)
class BreakerChange:
    """One change of the breaker's state or mode."""

    at_ms: int
    from_state: str
    to_state: str
    cause: str


@dataclass(frozen=True, slots=True)
class BreakerReading:
    """The circuit breaker as it is stored."""

    state: str
    """`closed`, `open` or `half_open`."""
    attempts: int
    """Outcomes in the window."""
    failures: int
    failure_rate: float
    """failures / attempts, 0.0 without attempts."""
    opens_at: float
    """Failure rate at which it opens."""
    min_attempts: int
    """Outcomes needed before it can open."""
    closes_at_ms: int | None
    """When an open breaker lets the first probe through; None unless open."""
    multiplier: int
    mode: str = "auto"
    """`auto`, or what the operator chose: `forced_open`, `forced_closed`, `metrics_only`."""
    probes: int = 0
    """Test sends answered since it is half open."""
    probes_needed: int = 10
    window_s: int = 300
    """How long an outcome counts."""
    transitions: tuple[BreakerChange, ...] = ()
    """The last changes, the newest first."""


@dataclass(frozen=True, slots=True)
class WaitingMessage:
    """The head of a lane: the next message of one contact."""

    id: int
    contact: str
    """Display name, else phone, else LID."""
    address: str
    """Phone digits or LID."""
    priority: int
    body: str
    eligible_at_ms: int | None
    """When its own limits let it go; None while another message to the contact is in flight."""


@dataclass(frozen=True, slots=True)
class QueueReading:
    """The backlog, counted without scanning it."""

    queued: int
    """All that wait, the scheduled ones included."""
    scheduled: int
    """Those whose `not_before` has not come."""
    sending: int
    dead: int
    unconfirmed: int
    by_priority: tuple[tuple[int, int], ...]
    """(priority, queued), higher priority first, only those above zero."""
    oldest_waiting_since_ms: int | None
    """Since when the oldest message that may already go waits; None if none does."""
    next_wake_at_ms: int | None
    """When the next message may go; None with nothing queued, or while paused or offline."""
    waits_for: str
    """What holds the next message up: `nothing`, `empty` (no message), `paused`, `offline`, `breaker`, `pace`,
    `minute_limit`, `contact_limit`, `new_contacts`, `hours`, `schedule`, `retry` or `in_flight`."""
    next_up: tuple[WaitingMessage, ...]
    """Heads of the lanes that can go first, at most 20."""


@dataclass(frozen=True, slots=True)
class ContactLimitReading:
    """One contact's share of the sliding window."""

    contact: str
    address: str
    used: int
    limit: int
    reply_limit: int
    free_at_ms: int | None
    """When the next message that is no reply may go; None if now."""


@dataclass(frozen=True, slots=True)
class LimitsReading:
    """Both sliding windows."""

    minute_used: int
    minute_limit: int
    minute_free_at_ms: int | None
    """When the window of all contacts admits the next send; None if now."""
    contacts: tuple[ContactLimitReading, ...]
    """Contacts with sends inside the window, the fullest first, at most 50."""
    new_contacts_used: int = 0
    """People who never wrote and got their first message today."""
    new_contacts_limit: int = 0
    """How many of them a day may have; 0 without a limit."""


@dataclass(frozen=True, slots=True)
class AlertReading:
    """A condition that holds, or held until `cleared_at_ms`."""

    id: int
    kind: str
    """`config_rejected`, `backlog_high`, `oldest_too_old`, `disconnected`, `unconfirmed`, `dead_letters`,
    `breaker_open`, `clock_jumped`, `restored`, `inbound_failed`, `account_changed` or `part_failed`."""
    severity: Severity
    text: str
    """What is wrong and what to do about it."""
    raised_at_ms: int
    cleared_at_ms: int | None
    acknowledged_at_ms: int | None


@dataclass(frozen=True, slots=True)
class MessageReading:
    """A message of either direction, as the conversation shows it."""

    key: str
    """Unique over both directions: `in:12` or `out:7`."""
    direction: Literal["in", "out"]
    at_ms: int
    """Arrived (inbound); sent, failed or claimed (outbound)."""
    contact: str
    address: str
    body: str
    status: str
    """`pending`, `handled` (in); `sending`, `sent`, `delivered`, `read`, `failed`, `cancelled`, `unconfirmed` (out)."""
    note: str
    """Inbound: the rule that decided. Outbound: the reason of a failure, or where it came from."""
    kind: str = "text"
    """Inbound: `text`, `image`, `audio`, …; `body` says it, too, and the name of the file."""
    edited: bool = False
    """Inbound: its sender has changed it; `body` is the newest text."""
    revoked: bool = False
    """Inbound: its sender has taken it back."""
    mimetype: str | None = None
    """Inbound: of its medium, empty if unknown; None without a medium."""
    file_name: str = ""
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class TodayReading:
    """Counters of the business's present day."""

    day: str
    """ISO date in the business's time zone."""
    counters: tuple[tuple[str, int], ...]
    """(name, n) of every counter in `store/tally.py`, in its order, zeros included."""


@dataclass(frozen=True, slots=True)
class HealthReading:
    """One line of the robot's health."""

    name: str
    """`whatsapp`, `robot`, `database`, `disk` or `configuration`."""
    level: HealthLevel
    text: str
    advice: str
    """What to do; empty when ok."""
