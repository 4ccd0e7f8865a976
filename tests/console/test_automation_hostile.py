"""Hostile text in the rules and in a trial stays text."""

from __future__ import annotations

import re

import pytest
from console.pages.automation import open_automation
from console.scenes import HOSTILE
from console.test_hostile_text import HARMLESS
from support.fake_link import FakeLink

from whatsself_tui.automation.model import Catalogue, Flow, Step, Template, Trigger
from whatsself_tui.console.prose import LONGEST
from whatsself_tui.errors import Problem


def hostile_rules(text: str) -> Catalogue:
    """Rules whose every text is `text`, as no file could have them."""
    short = text[:60]
    steps = (
        Step(short, "ask", short, next="b", answers=((short, "b"),), save=short, invalid=short, give_up="b"),
        Step("b", "handover", short),
    )
    return Catalogue(
        {short: Template(short, text, (text,))},
        (Trigger(short, "equals", (text, "oi"), short, flow=short),),
        {short: Flow(short, steps)},
    )


@pytest.mark.parametrize("name", HOSTILE)
class TestHostileText:
    async def test_in_the_rules_it_is_harmless(self, name: str) -> None:
        text = HOSTILE[name]
        link = FakeLink()
        link.apply_rules(hostile_rules(text), Problem("automation.toml", 3, text[:60], text[:300]))
        link.reject_configuration(Problem("automation.toml", 2, text[:60], text[:300]))
        async with open_automation(link, (120, 40)) as page:
            for _ in range(9):
                for part in ("rules", "details"):
                    for line in page.part(part).plain.split("\n"):
                        assert HARMLESS.fullmatch(line), (part, line[:80])
                assert HARMLESS.fullmatch(page.details.split("\n")[0])
                await page.press("j")
            await page.pilot.click(offset=(12, 3))
            await page.pilot.click(offset=(90, 4))
            assert page.is_open

    async def test_as_a_customer_it_is_harmless_and_reaches_the_rules_whole(self, name: str) -> None:
        text = HOSTILE[name][:LONGEST]
        link = FakeLink()
        link.apply_rules(hostile_rules("oi"))
        async with open_automation(link, (120, 40)) as page:
            before = len(page.sent)
            await page.say("oi", text)
            assert page.screen.trial.told[0].texts == (text.replace("\r\n", "\n"),)
            for part in ("conversation", "decisions"):
                for line in page.part(part).plain.split("\n"):
                    assert HARMLESS.fullmatch(line), (part, line[:80])
            await page.paste(text)
            assert HARMLESS.fullmatch(page.entry.render().plain)
            for x in range(2, 40, 6):
                await page.pilot.click(offset=(x, 24))
            assert page.is_open
            assert not re.search(r"\x1b\]0;owned|\x1b\[2J\x1b", page.sent[before:])
