"""From the files in force to the rules the robot goes by."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from support.config_room import config_room
from support.fake_clock import FakeClock

from whatsself_tui.automation.decision import Business
from whatsself_tui.automation.hours import OpeningHours, is_open
from whatsself_tui.automation.model import Catalogue
from whatsself_tui.automation.rulebook import AnswerRules
from whatsself_tui.config.changes import catalogue_changes
from whatsself_tui.config.files import read_automation
from whatsself_tui.config.rules import rule_book
from whatsself_tui.config.schema import Settings


def test_the_defaults() -> None:
    book = rule_book(Settings(), Catalogue())
    settings = Settings()
    workday = ((540, 1_080),)
    assert book.hours == OpeningHours(settings.business.zone, (workday,) * 5 + ((), ()))
    assert book.business == Business("Minha Loja")
    assert book.answering == AnswerRules(3, settings.answers.handover_text, "answer", 12 * 3_600_000, 3_600_000)
    assert (book.welcome_text, book.away_text) == ("", "")
    assert book.consent.opt_out == settings.consent.opt_out


def test_settings_reach_the_rules() -> None:
    settings = Settings.model_validate(
        {
            "business": {"name": "Bar", "time_zone": "UTC", "hours": ["sab 18:00-02:00"], "holidays": ["2026-12-24"]},
            "answers": {"max_age_h": 1, "handover_after": 0, "pause_on_human_min": 0, "outside_hours": "silent"},
            "welcome": {"enabled": True, "text": "Oi"},
            "away": {"enabled": True, "text": "Fechado"},
        }
    )
    book = rule_book(settings, Catalogue())
    assert book.hours.week[5] == ((1_080, 1_560),)
    assert book.hours.holidays == {date(2026, 12, 24)}
    assert not is_open(book.hours, 0)
    assert book.answering == AnswerRules(0, settings.answers.handover_text, "silent", 3_600_000, 0)
    assert (book.welcome_text, book.away_text) == ("Oi", "Fechado")


async def test_the_rules_and_warnings_in_force_follow_the_files(tmp_path: Path) -> None:
    clock = FakeClock()
    room = config_room(tmp_path / "config", clock)
    before = room.service.current
    assert before.warnings == ()
    assert before.rule_book.catalogue is before.catalogue
    text = room.automation.read_text()
    twin = '[[trigger]]\nname = "b"\nequals = "oi"\ntemplate = "menu"\n'
    room.automation.write_text(text + twin)
    await clock.finish(room.service.check())
    now = room.service.current
    assert [trigger.name for trigger in now.rule_book.catalogue.triggers] == ["oi", "b"]
    assert [(warning.line, warning.field) for warning in now.warnings] == [(8, "trigger[0].equals")]
    assert room.service.problems == ()


FLOW = """
[[template]]
name = "t"
text = "Oi"
[[trigger]]
name = "a"
equals = "oi"
flow = "f"
[[flow]]
name = "f"
[[flow.step]]
name = "um"
ask = "t"
[[flow.step]]
name = "dois"
end = true
"""


def changed(new: str) -> list[tuple[str, str, str]]:
    old, now = (read_automation(text.encode()).value for text in (FLOW, new))
    assert old is not None
    assert now is not None
    return [(change.field, change.old, change.new) for change in catalogue_changes(old, now)]


def test_changes_of_flows_are_recorded_by_step() -> None:
    assert changed(FLOW) == []
    ((field, was, now),) = changed(FLOW.replace("end = true", 'end = "t"'))
    assert field == "flow.f"
    assert '"step.dois"' in was
    assert '"step.um"' not in was + now
    assert '"template": "t"' in now
    assert changed(FLOW.replace('text = "Oi"', 'text = "Oi"\nvariants = ["Olá"]')) == [
        ("template.t", "{}", '{"variants": ["Olá"]}')
    ]
    assert [field for field, _, _ in changed(FLOW.replace('name = "um"', 'name = "one"'))] == ["flow.f"]
