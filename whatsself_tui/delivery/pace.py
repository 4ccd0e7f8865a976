"""Human pace: what passes between the decision to send a message and the send.

A person looks at the chat, types, and takes longer for more text. The random numbers are drawn by the
caller, so that a plan is arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Characters that stretch the typing by `STRETCH` of itself.
STRETCH_CHARS = 100
STRETCH = 0.5

#: Longer texts than this many times `STRETCH_CHARS` are typed no longer.
MOST_STRETCHES = 2.0


@dataclass(frozen=True, slots=True)
class Habit:
    """How somebody writes. Raises ValueError for bounds that are negative or the wrong way round."""

    enabled: bool = True
    delay_min_ms: int = 3_000
    delay_max_ms: int = 7_000
    typing_min_ms: int = 1_500
    """For a text of no length; a long one takes twice as long."""
    typing_max_ms: int = 3_500

    def __post_init__(self) -> None:
        _ordered("delay", self.delay_min_ms, self.delay_max_ms)
        _ordered("typing", self.typing_min_ms, self.typing_max_ms)


@dataclass(frozen=True, slots=True)
class Pace:
    """One message's waits; they run together."""

    delay_ms: int
    typing_ms: int
    """How long the contact is shown that somebody types."""

    @property
    def total_ms(self) -> int:
        """From the claim to the send."""
        return max(self.delay_ms, self.typing_ms)


def plan(habit: Habit, text_length: int, u_delay: float, u_typing: float) -> Pace:
    """The waits before a text of `text_length` characters is sent; none with a habit that is not enabled.

    `u_delay` and `u_typing` are random numbers from 0 to 1. Raises ValueError for others, and for a
    negative length.
    """
    if not (0 <= u_delay <= 1 and 0 <= u_typing <= 1):
        raise ValueError(f"random numbers are from 0 to 1, not {u_delay} and {u_typing}")
    if text_length < 0:
        raise ValueError(f"a text has no length of {text_length}")
    if not habit.enabled:
        return Pace(0, 0)
    stretched = 1 + STRETCH * min(text_length / STRETCH_CHARS, MOST_STRETCHES)
    return Pace(
        delay_ms=round(_between(habit.delay_min_ms, habit.delay_max_ms, u_delay)),
        typing_ms=round(_between(habit.typing_min_ms, habit.typing_max_ms, u_typing) * stretched),
    )


def _between(least: int, most: int, u: float) -> float:
    return least + (most - least) * u


def _ordered(name: str, least: int, most: int) -> None:
    if not 0 <= least <= most:
        raise ValueError(f"{name} is from 0 up and its least is not above its most: {least} to {most} ms")
