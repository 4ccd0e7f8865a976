"""The automation screen and its files: mistakes, the editor at their lines, changes while it is hidden."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from console.automation_scenes import BAKERY, PROBLEMS, bakery_link, rejected_link
from console.pages.automation import open_automation
from console.pages.console import open_console
from support.automation_room import catalogue
from support.fake_link import FakeLink

from whatsself_tui.automation.model import Catalogue
from whatsself_tui.errors import Problem
from whatsself_tui.store.topics import Topic


class TestProblems:
    async def test_they_come_first_and_say_what_is_in_force(self) -> None:
        async with open_automation(rejected_link(), (120, 40)) as page:
            assert page.rules[0].startswith("2 problems: rejected; the last good rules are in force")
            text = " ".join(page.part("rules").plain.split())
            for problem in PROBLEMS:
                assert f"{problem.file}:{problem.line} {problem.field}: {problem.message}" in text
            assert "1 warning: doubtful, but in force" in text
            assert page.selected == "✗ automation.toml:22"
            assert "CONFIG REJECTED" in page.top
            assert "the last good rules stay in force" in " ".join(page.details.split())
            assert "Triggers 5" in page.text

    async def test_a_rejected_save_jumps_to_its_first_problem_and_a_right_one_back(self) -> None:
        link = bakery_link()
        async with open_automation(link) as page:
            await page.press("G")
            link.reject_configuration(*PROBLEMS)
            await page.until(lambda: "2 problems" in page.text)
            assert page.selected == "✗ automation.toml:22"
            assert "▸" in page.text
            link.reject_configuration(PROBLEMS[1])
            await page.until(lambda: "1 problem:" in page.text)
            assert page.selected == "✗ automation.toml:41"
            link.apply_rules(catalogue(BAKERY))
            await page.until(lambda: "problem" not in page.text)
            assert page.selected.startswith("└ anotado")


class TestEditing:
    """A test's terminal cannot be lent to an editor; the console then names what it would have opened."""

    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setenv("EDITOR", os.devnull)
        monkeypatch.setattr("shutil.which", lambda name: name)
        (tmp_path / "automation.toml").write_text(BAKERY, encoding="utf-8")
        return tmp_path

    async def offered(self, link: FakeLink, folder: Path, *keys: str) -> str:
        """What the console says it would open."""
        file = folder / "settings.toml"
        async with open_automation(link, (120, 40), settings_file=file, notifications=True) as page:
            await page.press(*keys, "e")
            await page.until(lambda: "cannot be lent" in page.text)
            alerts = page.app.dashboard.query_one("#alerts")
            await page.press("t")
            await page.until(lambda: "cannot be lent" in getattr(alerts, "plain", ""))
            said = " ".join(str(getattr(alerts, "plain", "")).split())
        return said.replace(" ", "")

    @pytest.mark.parametrize(
        ("keys", "header", "name"),
        [
            ((), "[[trigger]]", "pedido"),
            (("j",), "[[trigger]]", "cardapio"),
            (("j",) * 5, "[[template]]", "menu"),
            (("G",), "[[flow.step]]", "anotado"),
            (("G", "k", "k", "k"), "[[flow]]", "pedido"),
        ],
    )
    async def test_e_opens_the_line_of_what_is_selected(
        self, folder: Path, keys: tuple[str, ...], header: str, name: str
    ) -> None:
        said = await self.offered(bakery_link(), folder, *keys)
        found = re.search(r"automation\.toml,line(\d+),", said)
        assert found, said
        lines = BAKERY.split("\n")
        assert lines[int(found[1]) - 1] == header
        assert lines[int(found[1])] == f'name = "{name}"'

    async def test_e_opens_the_line_of_the_selected_problem(self, folder: Path) -> None:
        assert "automation.toml,line22," in await self.offered(rejected_link(), folder)
        assert "automation.toml,line41," in await self.offered(rejected_link(), folder, "j")

    async def test_a_problem_of_the_other_file(self, folder: Path) -> None:
        link = bakery_link()
        link.reject_configuration(Problem("settings.toml", 7, "limits.per_minute", "must be at least 1"))
        assert "settings.toml,line7," in await self.offered(link, folder)

    async def test_a_file_that_cannot_be_parsed_opens_at_its_first_mistake(self, folder: Path) -> None:
        (folder / "automation.toml").write_text('[[template]]\nname = "a\n', encoding="utf-8")
        assert "automation.toml,line2," in await self.offered(bakery_link(), folder)

    async def test_a_file_that_is_gone_or_lacks_the_entry_opens_without_a_line(self, folder: Path) -> None:
        (folder / "automation.toml").write_text("", encoding="utf-8")
        assert "automation.tomlinanyeditor" in await self.offered(bakery_link(), folder)
        (folder / "automation.toml").unlink()
        assert "automation.tomlinanyeditor" in await self.offered(bakery_link(), folder)

    async def test_on_the_dashboard_it_is_the_settings(self, folder: Path) -> None:
        async with open_console(
            bakery_link(), (120, 40), settings_file=folder / "settings.toml", notifications=True
        ) as page:
            await page.press("e")
            await page.until(lambda: "cannot be lent" in page.text)
            assert "settings.toml" in "".join(char for char in page.text if char not in "│▌ \n")


class TestQuiet:
    async def test_hidden_it_asks_nothing_and_catches_up_when_it_is_opened(self) -> None:
        link = bakery_link()
        async with open_automation(link) as page:
            await page.press("t")
            queries = link.queries.copy()
            link.apply_rules(Catalogue())
            link.change(*Topic)
            await page.settle()
            assert "rules" not in link.queries - queries
            assert "Triggers 5" in "\n".join(page.rules)
            await page.press("t")
            await page.until(lambda: "Triggers 0" in page.text)
            assert (link.queries - queries)["rules"] == 1

    async def test_the_dashboard_behind_it_asks_nothing(self) -> None:
        link = bakery_link()
        async with open_automation(link) as page:
            queries = link.queries.copy()
            link.change(*Topic)
            await page.settle()
            assert dict(link.queries - queries) == {"situation": 1, "rules": 1}

    async def test_the_list_asks_nothing_while_the_trial_has_its_place(self) -> None:
        link = bakery_link()
        async with open_automation(link) as page:
            await page.say("oi")
            queries = link.queries.copy()
            link.change(*Topic)
            await page.settle()
            assert dict(link.queries - queries) == {"situation": 1}
            await page.press("escape")
            assert (link.queries - queries)["rules"] == 1

    async def test_when_nothing_happens_nothing_is_written(self) -> None:
        link = bakery_link()
        async with open_automation(link) as page:
            await page.say("quero um pedido")
            written, queries = page.written, link.queries.copy()
            for _ in range(20):
                await page.tick()
            link.change(*Topic)
            await page.settle()
            assert page.written == written
            assert dict(link.queries - queries) == {"situation": 1}

    async def test_at_midnight_the_counts_are_read_again(self) -> None:
        link = bakery_link()
        async with open_automation(link) as page:
            link.fired = {}
            await page.tick(10 * 3_600_000)
            await page.until(lambda: not any(line.split()[-1:] == ["12"] for line in page.rules))
