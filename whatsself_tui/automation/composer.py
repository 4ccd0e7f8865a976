"""Writes the answers of one decision: picks the variant, fills the placeholders, notes what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from whatsself_tui.automation.decision import Answer, ContactState, Window
from whatsself_tui.automation.model import TRIGGER_PRIORITY
from whatsself_tui.automation.rulebook import RuleBook
from whatsself_tui.automation.templates import pick, render, variables


class Composer:
    """Collects `answers`, `warnings` and the `variants` that were picked."""

    def __init__(self, book: RuleBook, state: ContactState, now_ms: int, randomness: int) -> None:
        self._book = book
        self._state = state
        self._now_ms = now_ms
        self._randomness = randomness
        self._values: dict[str, str] | None = None
        self.answers: list[Answer] = []
        self.warnings: list[str] = []
        self.variants: dict[str, int] = {}

    def say(
        self,
        text: str,
        source: str,
        label: str,
        *,
        collected: Mapping[str, str] | None = None,
        priority: int = TRIGGER_PRIORITY,
        window: Window = "reply",
    ) -> bool:
        """Add `text` with its placeholders filled; False, with a warning, if nothing is left of it.

        `collected` are the answers a flow has; `label` is how warnings call the text.
        """
        values = self._variables() if "{{" in text else {}
        rendered = render(text, {**values, **collected} if collected else values, label)
        self.warnings.extend(rendered.warnings)
        if rendered.text:
            self.answers.append(Answer(rendered.text, source, priority, window))
        return bool(rendered.text)

    def say_template(self, name: str, source: str, collected: Mapping[str, str] | None = None) -> bool:
        """Add one of a template's texts, not the one this contact got last if there is another."""
        texts = self._book.catalogue.templates[name].texts
        last = self.variants.get(name, self._state.last_variants.get(name))
        index, self._randomness = pick(len(texts), self._randomness, last)
        said = self.say(texts[index], source, f"template {name}", collected=collected)
        if said and len(texts) > 1:
            self.variants[name] = index
        return said

    def _variables(self) -> dict[str, str]:
        if self._values is None:
            now = datetime.fromtimestamp(self._now_ms / 1000, self._book.hours.zone)
            self._values = variables(self._state, self._book.business, now)
        return self._values
