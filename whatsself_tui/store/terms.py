"""The settings as the rules of delivery want them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from whatsself_tui.delivery.circuit import Policy
from whatsself_tui.delivery.limits import Limits
from whatsself_tui.delivery.pace import Habit

if TYPE_CHECKING:
    from whatsself_tui.config.schema import Settings


def limits_of(settings: Settings) -> Limits:
    """How much may be sent, in the business's days and hours."""
    # Loaded with the settings themselves, not before: the console draws its first frame without them.
    from whatsself_tui.automation.hours import opens_at_ms
    from whatsself_tui.config.rules import opening_hours

    return Limits(
        per_minute=settings.limits.per_minute,
        per_contact=settings.limits.per_contact,
        per_contact_reply=settings.limits.per_contact_reply,
        contact_window_ms=settings.limits.contact_window_s * 1000,
        aging_ms=settings.queue.aging_s * 1000,
        daily_new_contacts=settings.limits.daily_new_contacts,
        zone=settings.business.zone,
        opens_at=partial(opens_at_ms, opening_hours(settings.business)),
    )


def habit_of(settings: Settings) -> Habit:
    """How long a person takes before each send."""
    pace = settings.pace
    return Habit(pace.enabled, pace.delay_min_ms, pace.delay_max_ms, pace.typing_min_ms, pace.typing_max_ms)


def policy_of(settings: Settings) -> Policy:
    """When the breaker opens, and how it closes again."""
    breaker = settings.breaker
    return Policy(
        window_ms=breaker.window_s * 1000,
        window_attempts=breaker.window_attempts,
        min_attempts=breaker.min_attempts,
        fail_rate=breaker.fail_rate,
        cooldown_initial_ms=breaker.cooldown_initial_s * 1000,
        cooldown_max_ms=breaker.cooldown_max_s * 1000,
        probe_interval_ms=breaker.probe_interval_s * 1000,
        probe_samples=breaker.probe_samples,
        probe_success=breaker.probe_success,
        # A full round of test sends four times over, and far more than one send can take.
        probe_lost_ms=max(600_000, breaker.probe_interval_s * breaker.probe_samples * 4_000),
    )
