"""What strangers write stays text: in every pane, in toasts, in the top line."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from console.pages.console import open_console
from console.scenes import HOSTILE, alert, hostile_link
from support.fake_link import FakeLink

from whatsself_tui.config.schema import BusinessSettings
from whatsself_tui.console.pane import Pane
from whatsself_tui.robot.link import LinkState
from whatsself_tui.store.topics import Topic

#: What may stand on a line: no control character, no direction override, no lone surrogate.
HARMLESS = re.compile("[^\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]*")

#: A part of each text as it has to appear.
SEEN = {
    "markup": "[red]x[/]",
    "link": "[@cli",
    "escape": "a␛[2J",
    "override": "abc⟨RLO",
    "long": "yyyyyyy",
    "surrogate": "\ufffdlone\ufffd",
    "lines": "one↵two↵",
    "marks": "Z\u0301\u0301\u0301",
    "wide": "漢字漢",
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_every_pane_shows_it_as_harmless_text(name: str) -> None:
    link = hostile_link(HOSTILE[name])
    async with open_console(link, (120, 40)) as page:
        readers = list(page.app.dashboard.readers())
        assert len(readers) == 6
        for reader in readers:
            assert isinstance(reader, Pane)
            assert SEEN[name].casefold() in reader.plain.casefold(), reader.id
            for line in reader.plain.split("\n"):
                assert HARMLESS.fullmatch(line), (reader.id, line[:80])
        assert page.app.is_running


@pytest.mark.parametrize("name", ["markup", "link", "escape", "wide"])
async def test_panes_full_of_it_can_be_zoomed_scrolled_and_clicked(name: str) -> None:
    link = hostile_link(HOSTILE[name])
    async with open_console(link, (60, 20)) as page:
        for pane in range(1, 6):
            await page.press(str(pane), "z", "j", "k")
            for x, y in ((3, 2), (21, 3)):
                await page.pilot.click(offset=(x, y))
            await page.press("z")
            assert page.app.is_running
            assert len(page.app.screen_stack) == 1
            assert page.top.strip()


@pytest.mark.parametrize("name", HOSTILE)
async def test_the_terminal_gets_no_sequence_of_it(name: str) -> None:
    plain, hostile = FakeLink(), FakeLink()
    shape = re.compile(r"\x1b\][^\x07\x1b]*[\x07\x1b]|\x1b\[[0-9;?]*[JSTnc]|[\x00-\x06\x08-\x1a\x7f\x9b]")
    found = []
    for link, text in ((plain, "harmless"), (hostile, HOSTILE[name])):
        async with open_console(link, (120, 40), notifications=True) as page:
            before = len(page.sent)
            link.change(*Topic, alerts=(alert(1, text),), messages=hostile_link(text).messages)
            await page.until(lambda: "ERROR" in page.text)
            page.app.tell(text, "warning")
            await page.settle()
            found.append(set(shape.findall(page.sent[before:])))
    assert found[0] == found[1]


@pytest.mark.parametrize("name", HOSTILE)
async def test_names_of_the_business_and_of_the_owner(name: str) -> None:
    text = HOSTILE[name][:100].encode("utf-8", "replace").decode()
    link = FakeLink("attached")
    link._settings = link.settings.model_copy(update={"business": BusinessSettings(name=text)})
    owner = link.state.owner
    assert owner is not None
    link._state = LinkState("attached", replace(owner, mode=text), None)
    async with open_console(link, (120, 40)) as page:
        assert HARMLESS.fullmatch(page.top)
        assert "ATTACHED" in page.top
        assert "4242" in page.top
