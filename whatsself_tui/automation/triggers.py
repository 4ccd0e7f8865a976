"""Which trigger answers a text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from whatsself_tui.automation.folding import fold
from whatsself_tui.automation.model import Catalogue, ContactState, Trigger


@dataclass(frozen=True, slots=True)
class Search:
    """What came of looking for a trigger."""

    trigger: Trigger | None
    """The one that fires."""
    phrase: str
    """The phrase that matched, as the operator wrote it; empty without a trigger."""
    cooling: tuple[str, ...]
    """Names of those before it that matched too but are cooling down for this contact."""


def first_match(catalogue: Catalogue, text: str, state: ContactState, now_ms: int) -> Search:
    """The first trigger in firing order that matches and may answer this contact at `now_ms`."""
    folded = fold(text)
    cooling: list[str] = []
    for trigger in catalogue.triggers:
        phrase = matching_phrase(trigger, folded) if trigger.active else None
        if phrase is None:
            continue
        if not is_cooling(trigger, state, now_ms):
            return Search(trigger, phrase, tuple(cooling))
        cooling.append(trigger.name)
    return Search(None, "", tuple(cooling))


def matching_phrase(trigger: Trigger, folded: str) -> str | None:
    """The trigger's first phrase that matches the folded text, None if none does."""
    for phrase in trigger.phrases:
        wanted = _folded_phrase(phrase)
        if wanted and (wanted == folded or (trigger.kind == "contains" and _has_words(folded, wanted))):
            return phrase
    return None


def is_cooling(trigger: Trigger, state: ContactState, now_ms: int) -> bool:
    """Whether the trigger has answered this contact less than its cool-down ago."""
    fired_ms = state.fired_at_ms.get(trigger.name)
    return fired_ms is not None and trigger.cooldown_s > 0 and now_ms - fired_ms < trigger.cooldown_s * 1000


def _has_words(folded: str, wanted: str) -> bool:
    """Folded words are parted by exactly one blank, so this compares whole words."""
    return f" {wanted} " in f" {folded} "


@lru_cache(maxsize=4096)
def _folded_phrase(phrase: str) -> str:
    """Phrases are compared with every message; only the operator's own texts get in here."""
    return fold(phrase)
