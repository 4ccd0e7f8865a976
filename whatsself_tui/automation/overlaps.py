"""Triggers of equal priority that fit the same text: the file's order decides, which few people mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from whatsself_tui.automation.decision import Incoming
from whatsself_tui.automation.model import Trigger
from whatsself_tui.automation.reading import Finding, Path
from whatsself_tui.automation.triggers import ANY_MEDIA, TriggerIndex


def check_overlaps(triggers: Sequence[Trigger], paths: Mapping[str, Path]) -> Iterator[Finding]:
    """A warning for each two triggers of one priority where a phrase of one fits the other too.

    `triggers` in firing order, `paths` where each stands, by name. Each phrase of the file is asked, and
    of two equal patterns the second; that two different patterns fit one text is not looked for.
    """
    index = TriggerIndex(triggers)
    patterns: dict[tuple[int, str], str] = {}
    told: set[frozenset[str]] = set()
    for trigger in triggers:
        for phrase in trigger.phrases if trigger.active else ():
            if trigger.kind == "regex":
                rival = patterns.setdefault((trigger.priority, phrase), trigger.name)
            else:
                rival = _rival(index, trigger, phrase)
            pair = frozenset((trigger.name, rival))
            if rival != trigger.name and pair not in told:
                told.add(pair)
                yield Finding((*paths[trigger.name], trigger.kind), _warning(phrase, rival), warning=True)


def _rival(index: TriggerIndex, trigger: Trigger, phrase: str) -> str:
    """The first other trigger of the same priority that fits what `phrase` fits, or the trigger itself."""
    for match in index.matches(_witness(trigger, phrase)):
        if match.trigger.priority == trigger.priority and match.trigger.name != trigger.name:
            return match.trigger.name
    return trigger.name


def _witness(trigger: Trigger, phrase: str) -> Incoming:
    """A message that `phrase` fits."""
    if trigger.kind == "media":
        return Incoming("", ("image" if phrase == ANY_MEDIA else phrase,))
    return Incoming(phrase)


def _warning(phrase: str, rival: str) -> str:
    return (
        f'"{phrase[:60]}" fits the trigger "{rival}" of the same priority too, and the first in the file answers; '
        "give one of them a higher priority"
    )
