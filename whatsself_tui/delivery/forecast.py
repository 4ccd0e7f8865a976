"""When answers would go: the limits, the human pace and the order of the queue, worked out ahead.

Two courses are followed: one in which every random wait is the shortest, one in which it is the longest.
What nobody can know beforehand stays out: other contacts' messages, failures, the time a send takes, and
a waiting message that gains a class after `Limits.aging_ms`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from whatsself_tui.delivery.limits import MINUTE_MS, Limits, free_at
from whatsself_tui.delivery.pace import Habit, plan

Bound = Literal["", "contact", "minute"]
"""What a message waits for beside its turn: the contact's window, or that of all contacts."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message in the queue of one contact."""

    number: int
    """Tells it apart from the others."""
    length: int
    """Characters of its text."""
    priority: int
    queued_at_ms: int
    exempt: bool = False
    """Whether only the window of all contacts bounds it. All others are replies."""


@dataclass(frozen=True, slots=True)
class Departure:
    """When one message would be sent."""

    number: int
    earliest_ms: int
    latest_ms: int
    bound: Bound
    """What holds it back at the latest; empty for nothing but its pace and those before it."""


@dataclass(frozen=True, slots=True)
class _Course:
    """One way it can go."""

    luck: float
    """Every random number: 0 for the shortest waits, 1 for the longest."""
    to_contact: tuple[int, ...]
    """Times of the sends to the contact, the last one last; no more than the window's limit are looked at."""
    to_all: tuple[int, ...]
    waiting: tuple[Waiting, ...] = ()
    free_ms: int = 0
    """When the last one was sent: one message is prepared at a time."""


class Outlook:
    """What becomes of one contact's answers, turn by turn."""

    def __init__(
        self, limits: Limits, habit: Habit, to_contact: Iterable[int] = (), to_all: Iterable[int] = ()
    ) -> None:
        """`to_contact` and `to_all` are the times of sends before, in milliseconds; the second has the first too."""
        self._limits = limits
        self._habit = habit
        sends = tuple(sorted(to_contact)), tuple(sorted(to_all))
        self._courses = tuple(_Course(luck, *sends) for luck in (0.0, 1.0))

    def answer(self, answers: Sequence[Waiting], now_ms: int, *, cancel: bool = False) -> tuple[Departure, ...]:
        """When `answers`, decided at `now_ms`, go if nothing else comes, in their order.

        `now_ms` is not before that of the last call. `cancel`: what still waits from earlier calls is taken out.
        """
        self._courses = tuple(self._until(course, now_ms) for course in self._courses)
        if cancel:
            self._courses = tuple(replace(course, waiting=()) for course in self._courses)
        self._courses = tuple(replace(course, waiting=(*course.waiting, *answers)) for course in self._courses)
        quick, slow = (
            {message.number: (sent_ms, bound) for message, sent_ms, bound, _ in self._sends(course)}
            for course in self._courses
        )
        return tuple(
            Departure(answer.number, quick[answer.number][0], slow[answer.number][0], slow[answer.number][1])
            for answer in answers
        )

    def _until(self, course: _Course, now_ms: int) -> _Course:
        """The course with everything sent that is sent by `now_ms`."""
        for _, sent_ms, _, after in self._sends(course):
            if sent_ms > now_ms:
                break
            course = after
        return course

    def _sends(self, course: _Course) -> Iterator[tuple[Waiting, int, Bound, _Course]]:
        """(message, when it is sent, what bound it, the course from there) until nothing waits."""
        while course.waiting:
            eligible_ms, bound, message = self._next(course)
            pace = plan(self._habit, message.length, course.luck, course.luck)
            sent_ms = max(course.free_ms, eligible_ms) + pace.total_ms
            if eligible_ms <= max(course.free_ms, message.queued_at_ms):
                bound = ""
            course = replace(
                course,
                to_contact=(*course.to_contact, sent_ms)[-self._limits.per_contact_reply :],
                to_all=(*course.to_all, sent_ms)[-self._limits.per_minute :],
                waiting=tuple(other for other in course.waiting if other.number != message.number),
                free_ms=sent_ms,
            )
            yield message, sent_ms, bound, course

    def _next(self, course: _Course) -> tuple[int, Bound, Waiting]:
        """(when it may go, what bounds it, message): the most urgent of those that may go first."""
        heads: dict[int, Waiting] = {}
        for message in course.waiting:
            heads.setdefault(message.priority, message)
        chances = [(*self._eligible(course, message), message) for message in heads.values()]
        begin_ms = max(course.free_ms, min(eligible_ms for eligible_ms, _, _ in chances))
        ready = [chance for chance in chances if chance[0] <= begin_ms]
        return max(ready, key=lambda chance: chance[2].priority)

    def _eligible(self, course: _Course, message: Waiting) -> tuple[int, Bound]:
        limits = self._limits
        minute_ms = _window(course.to_all, limits.per_minute, MINUTE_MS)
        reply_ms = _window(course.to_contact, limits.per_contact_reply, limits.contact_window_ms)
        contact_ms = 0 if message.exempt else reply_ms
        bound: Bound = "contact" if contact_ms > minute_ms else "minute"
        return max(message.queued_at_ms, minute_ms, contact_ms), bound


def _window(sends: Sequence[int], limit: int, window_ms: int) -> int:
    """When a window admits one more send."""
    return free_at(sends[-limit] if len(sends) >= limit else None, window_ms)
