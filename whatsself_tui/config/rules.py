"""From the two files to the rules the robot goes by."""

from __future__ import annotations

from functools import lru_cache

from whatsself_tui.automation import holiday_calendar
from whatsself_tui.automation.decision import Business, ConsentRules
from whatsself_tui.automation.hours import OpeningHours, parse_holidays, parse_hours
from whatsself_tui.automation.model import Catalogue
from whatsself_tui.automation.rulebook import AnswerRules, RuleBook
from whatsself_tui.config.schema import BusinessSettings, Settings

_HOUR_MS = 3_600_000
_MINUTE_MS = 60_000


@lru_cache(maxsize=4)
def opening_hours(business: BusinessSettings) -> OpeningHours:
    """When the business is open, with the calendars of its holidays loaded."""
    days, calendars = parse_holidays(business.holidays)
    for calendar in calendars:
        holiday_calendar.load(calendar)
    return OpeningHours(business.zone, parse_hours(business.hours), days, calendars)


def rule_book(settings: Settings, catalogue: Catalogue) -> RuleBook:
    """The rules of a valid configuration, with everything read that they need.

    With national holidays that takes about a second the first time; no message should have to wait for it.
    """
    business, consent, answers = settings.business, settings.consent, settings.answers
    book = RuleBook(
        catalogue=catalogue,
        business=Business(business.name),
        hours=opening_hours(business),
        consent=ConsentRules(consent.opt_out, consent.opt_in, consent.opt_out_text, consent.opt_in_text),
        answering=AnswerRules(
            handover_after=answers.handover_after,
            handover_text=answers.handover_text,
            outside_hours=answers.outside_hours,
            max_age_ms=answers.max_age_h * _HOUR_MS,
            pause_on_human_ms=answers.pause_on_human_min * _MINUTE_MS,
        ),
        welcome_text=settings.welcome.text if settings.welcome.enabled else "",
        away_text=settings.away.text if settings.away.enabled else "",
    )
    book.prepare()
    return book
