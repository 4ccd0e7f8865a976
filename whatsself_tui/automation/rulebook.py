"""All the rules in force: the catalogue and the settings that decide with it, prepared once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from whatsself_tui.automation.consent import folded_keywords
from whatsself_tui.automation.decision import Business, ConsentRules
from whatsself_tui.automation.hours import OpeningHours
from whatsself_tui.automation.model import Catalogue
from whatsself_tui.automation.triggers import TriggerIndex


@dataclass(frozen=True, slots=True)
class AnswerRules:
    """When the robot leaves a contact to a person, or to silence."""

    handover_after: int = 3
    """Messages in a row that nothing matched after which a person takes over; 0 = never."""
    handover_text: str = ""
    """What the contact is told then."""
    outside_hours: Literal["answer", "silent"] = "answer"
    max_age_ms: int = 12 * 3_600_000
    """Older messages are recorded and not answered."""
    pause_on_human_ms: int = 60 * 60_000
    """How long the robot is silent after a person typed on the phone; 0 = it goes on."""


@dataclass(frozen=True)
class RuleBook:
    """What `run_rules` goes by. Make one for each configuration and keep it: it prepares the triggers."""

    catalogue: Catalogue
    business: Business
    hours: OpeningHours
    """Its zone is also that of dates, times and greetings."""
    consent: ConsentRules
    answering: AnswerRules = AnswerRules()
    welcome_text: str = ""
    """For the first contact; empty for none."""
    away_text: str = ""
    """For whoever writes while it is closed; empty for none."""

    def prepare(self) -> None:
        """Do now what would otherwise be done for the first message."""
        _ = self.triggers, self.opt_out, self.opt_in

    @cached_property
    def triggers(self) -> TriggerIndex:
        """The triggers, ready to be asked."""
        return TriggerIndex(self.catalogue.triggers)

    @cached_property
    def opt_out(self) -> frozenset[str]:
        """The folded keywords that withdraw consent."""
        return folded_keywords(self.consent.opt_out)

    @cached_property
    def opt_in(self) -> frozenset[str]:
        """The folded keywords that give it back."""
        return folded_keywords(self.consent.opt_in)
