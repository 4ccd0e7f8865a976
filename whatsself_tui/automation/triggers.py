"""Which trigger answers a message: all of them asked at once, the first in firing order answers."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from whatsself_tui.automation.decision import ContactState, Incoming
from whatsself_tui.automation.folding import fold
from whatsself_tui.automation.model import Trigger
from whatsself_tui.automation.patterns import Pattern, Union, encode

ANY_MEDIA = "any"
"""The phrase of a `media` trigger that takes every kind but text."""

_CHUNK = 128
"""Patterns tried together; a message that matches none of them costs as much as one."""

Place = tuple[int, int]
"""Rank of a trigger in firing order, and of a phrase in it."""


@dataclass(frozen=True, slots=True)
class Match:
    """A trigger that fits a message."""

    trigger: Trigger
    phrase: str
    """Its first phrase that does, as the operator wrote it."""


@dataclass(frozen=True, slots=True)
class Search:
    """What came of looking for a trigger."""

    match: Match | None
    """The one that fires."""
    cooling: tuple[str, ...]
    """Names of those before it that matched too but are cooling down for this contact."""


class TriggerIndex:
    """Active triggers by what they look for, so that a message is compared with few of them."""

    def __init__(self, triggers: Iterable[Trigger]) -> None:
        """`triggers` in firing order; patterns have to compile (ValueError)."""
        self._triggers = tuple(trigger for trigger in triggers if trigger.active)
        self._equals: dict[str, list[Place]] = defaultdict(list)
        self._numbers: dict[str, list[Place]] = defaultdict(list)
        self._media: dict[str, list[Place]] = defaultdict(list)
        self._contains: dict[str, list[tuple[Place, str]]] = defaultdict(list)
        """By their first word; with blanks around, to be looked for in a text with blanks around."""
        regexes: list[tuple[Place, Pattern]] = []
        for rank, trigger in enumerate(self._triggers):
            for number, phrase in enumerate(trigger.phrases):
                if trigger.kind == "regex":
                    regexes.append(((rank, number), Pattern(phrase)))
                else:
                    self._add((rank, number), trigger, phrase)
        chunks = (regexes[start : start + _CHUNK] for start in range(0, len(regexes), _CHUNK))
        self._regexes = [(Union([pattern for _, pattern in chunk]), chunk) for chunk in chunks]

    def _add(self, place: Place, trigger: Trigger, phrase: str) -> None:
        if trigger.kind == "media":
            self._media[phrase].append(place)
        elif trigger.kind == "number":
            self._numbers[phrase].append(place)
        elif folded := fold(phrase):
            if trigger.kind == "equals":
                self._equals[folded].append(place)
            else:
                self._contains[folded.partition(" ")[0]].append((place, f" {folded} "))

    def matches(self, message: Incoming) -> Iterator[Match]:
        """Every active trigger that fits `message`, in firing order."""
        text = message.text
        folded = fold(text)
        places = sorted(self._media_places(message.kinds) + self._word_places(folded))
        last = -1
        for rank, number in heapq.merge(places, self._regex_places(text, folded)) if self._regexes else places:
            if rank != last:
                last = rank
                trigger = self._triggers[rank]
                yield Match(trigger, trigger.phrases[number])

    def _media_places(self, kinds: Iterable[str]) -> list[Place]:
        if not self._media:
            return []
        wanted = set(kinds) - {"text"}
        return [place for kind in (*wanted, ANY_MEDIA) if wanted for place in self._media.get(kind, ())]

    def _word_places(self, folded: str) -> list[Place]:
        """Places of phrases and numbers that fit a folded text."""
        places = [*self._equals.get(folded, ()), *self._numbers.get(folded, ())]
        if self._contains:
            padded = f" {folded} "
            for word in self._contains.keys() & set(folded.split()):
                places.extend(place for place, wanted in self._contains[word] if wanted in padded)
        return places

    def _regex_places(self, text: str, folded: str) -> Iterator[Place]:
        """Places of patterns found in the text as it was written, or as it is compared elsewhere."""
        if not text:
            return
        forms = {encode(text), encode(folded)}
        for union, chunk in self._regexes:
            likely = [form for form in forms if union.may_be_in(form)]
            if likely:
                yield from (place for place, pattern in chunk if any(map(pattern.found_in, likely)))


def first_match(index: TriggerIndex, message: Incoming, state: ContactState, now_ms: int) -> Search:
    """The first trigger in firing order that matches and may answer this contact at `now_ms`."""
    cooling: list[str] = []
    for match in index.matches(message):
        if not is_cooling(match.trigger, state, now_ms):
            return Search(match, tuple(cooling))
        cooling.append(match.trigger.name)
    return Search(None, tuple(cooling))


def is_cooling(trigger: Trigger, state: ContactState, now_ms: int) -> bool:
    """Whether the trigger has answered this contact less than its cool-down ago."""
    fired_ms = state.fired_at_ms.get(trigger.name)
    return fired_ms is not None and trigger.cooldown_s > 0 and now_ms - fired_ms < trigger.cooldown_s * 1000
