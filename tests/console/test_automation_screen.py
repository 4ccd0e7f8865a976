"""The automation screen: what rules are in force, and the way around in them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from console.automation_scenes import BAKERY, bakery_link
from console.pages.automation import open_automation
from console.pages.console import open_console
from console.scenes import alert
from console.test_on_a_real_store import StoreLink
from rich.cells import cell_len
from support.automation_room import catalogue
from support.fake_link import FakeLink
from support.queue_world import queue_world
from textual.events import Key

from whatsself_tui.store import tally
from whatsself_tui.store.database import Tx
from whatsself_tui.store.topics import Topic

SIZES = [(60, 20), (80, 24), (81, 24), (120, 40)]


class TestComingAndGoing:
    async def test_t_opens_it_and_t_and_escape_go_back(self) -> None:
        async with open_automation(bakery_link()) as page:
            for key in ("t", "escape"):
                assert page.is_open
                assert "t Dashboard" in page.keys
                await page.press(key)
                assert page.app.dashboard.is_active
                assert "t Rules" in page.keys
                await page.press("t")

    async def test_it_is_where_it_was_when_it_is_opened_again(self) -> None:
        async with open_automation(bakery_link()) as page:
            await page.press("j", "j")
            await page.say("valeu")
            await page.press("escape", "escape", "t")
            assert page.selected.startswith("10 natal")
            assert page.conversation[0] == "> valeu"

    async def test_the_palette_and_the_help_name_it(self) -> None:
        async with open_console(bakery_link(), (120, 40)) as console:
            await console.press("question_mark")
            assert "Automation. Triggers, templates and flows" in console.text
            await console.press("escape", "ctrl+p")
            await console.press(*"automation")
            await console.until(lambda: "Acknowledge an alert" not in console.text)
            await console.pilot.press("enter")
            await console.until(lambda: "1 Rules" in console.text)

    async def test_the_palette_leads_back_too(self) -> None:
        async with open_automation(bakery_link(), (120, 40)) as page:
            await page.press("ctrl+p")
            await page.press(*"automation")
            await page.until(lambda: "Acknowledge an alert" not in page.text)
            await page.pilot.press("enter")
            await page.until(lambda: page.app.dashboard.is_active)

    async def test_the_top_line_and_pausing_work_there(self) -> None:
        link = bakery_link()
        async with open_automation(link) as page:
            await page.press("p")
            assert "PAUSED" in page.top
            assert "p Resume" in page.keys
        assert link.commands == [("pause", {})]

    async def test_alerts_are_not_acknowledged_unseen(self) -> None:
        link = bakery_link()
        link.alerts = (alert(1),)
        async with open_automation(link, (120, 40), notifications=True) as page:
            await page.press("a")
            await page.until(lambda: "The alerts are on the dashboard." in page.text)
        assert link.commands == []

    @pytest.mark.parametrize("size", SIZES)
    async def test_everything_fits(self, size: tuple[int, int]) -> None:
        async with open_automation(bakery_link(), size) as page:
            await page.say("quero um pedido")
            await page.press("escape")
            for number, name in enumerate(("rules", "details", "conversation", "decisions"), start=1):
                await page.press(str(number))
                part = page.part(name)
                widest = max(cell_len(line) for line in part.plain.split("\n"))
                assert 0 < widest <= part.scrollable_content_region.width

    async def test_too_small_a_terminal_says_what_is_needed(self) -> None:
        async with open_automation(bakery_link(), (59, 24)) as page:
            assert "59 x 24" in page.text
            assert "Triggers" not in page.text


class TestRules:
    async def test_triggers_by_priority_with_all_that_matters(self) -> None:
        async with open_automation(bakery_link()) as page:
            start = page.rules.index(next(line for line in page.rules if line.startswith("Triggers 5")))
            rows = [" ".join(line.replace("▸", " ").split()) for line in page.rules[start + 1 : start + 6]]
            assert rows == [
                "20 pedido contains pedido, encomenda ·",
                "10 cardapio contains cardápio, preço, quan… 1m 30s 12",
                "10 natal regex panetone|natal off",
                "0 menu equals oi, olá, bom dia, boa… ·",
                "0 agradecimento equals obrigado, obrigada, v… 3",
            ]

    async def test_flows_are_trees(self) -> None:
        async with open_automation(bakery_link(), (120, 40)) as page:
            start = page.rules.index(next(line for line in page.rules if line.startswith("Flows 2")))
            rows = [" ".join(line.split()) for line in page.rules[start + 1 :]]
            assert rows[0].startswith("menu 4 steps")
            assert rows[0].endswith(" 41")
            assert rows[1].startswith("├ escolha ask 1 → cardapio")
            assert rows[1].endswith("1h")
            assert rows[2:5] == [
                "├ cardapio end the flow ends",
                "├ pedido jump → flow pedido",
                "└ pessoa handover → a person",
            ]
            assert rows[5].startswith("pedido 3 steps, asks for cliente, cep")
            assert rows[-1] == "└ anotado handover → a person"

    async def test_variants_are_counted(self) -> None:
        async with open_automation(bakery_link()) as page:
            (row,) = (line for line in page.rules if "Nós que agradecemos" in line)
            assert row.split()[-1] == "2"

    async def test_no_rules_at_all(self) -> None:
        async with open_automation(FakeLink()) as page:
            assert "Triggers 0" in page.text
            assert "There are no rules yet." in page.details
            await page.press("j", "enter", "escape")
            assert page.is_open

    async def test_counts_come_from_the_database(self, tmp_path: Path) -> None:
        async with queue_world(tmp_path) as world:
            link = StoreLink(world)
            link.apply_rules(catalogue(BAKERY))

            def answered(tx: Tx) -> None:
                tally.decided(tx, "trigger", ["trigger:pedido", "flow:pedido/nome"])
                tx.touch(Topic.MESSAGES)

            async with open_automation(link) as page:
                assert page.selected.endswith(" ·")
                await world.store.write(answered)
                await page.until(lambda: page.selected.endswith(" 1"))
                assert any(line.startswith("  pedido  ") and line.endswith(" 1") for line in page.rules)

    async def test_counts_follow_what_is_answered(self) -> None:
        link = bakery_link()
        async with open_automation(link) as page:
            link.change(Topic.MESSAGES, fired={"trigger:pedido": 1_234})
            await page.until(lambda: page.selected.endswith(" 1234"))
            assert "answered 1234 times" in page.details


class TestSelection:
    @pytest.mark.parametrize(
        ("keys", "selected"),
        [
            ([], "20 pedido"),
            (["j"], "10 cardapio"),
            (["down", "down", "k"], "10 cardapio"),
            (["G"], "└ anotado"),
            (["end", "home"], "20 pedido"),
            (["pagedown"], "agradecimento Nós"),
            (["space", "b"], "20 pedido"),
            (["up"], "20 pedido"),
        ],
    )
    async def test_keys_move_it_and_it_stays_in_sight(self, keys: list[str], selected: str) -> None:
        async with open_automation(bakery_link()) as page:
            await page.press(*keys)
            assert page.selected.startswith(selected)
            assert "▸" in page.text

    async def test_a_click_selects(self) -> None:
        async with open_automation(bakery_link()) as page:
            await page.pilot.click(offset=(20, 5))
            await page.settle()
            assert page.selected.startswith("10 natal")
            assert "Trigger natal" in page.details

    async def test_what_is_selected_is_told_in_full(self) -> None:
        async with open_automation(bakery_link()) as page:
            assert "2 Trigger pedido" in page.details
            assert "begins     flow pedido" in page.details
            await page.press("j", "j")
            assert "it never answers: active = false" in page.details
            await page.press("j", "j", "j")
            assert "Template menu" in page.details
            assert "1 – Cardápio\n2 – Fazer um pedido\n3 – Falar com uma pessoa" in page.details
            assert "menu › escolha" in page.details
            await page.press("j", "j", "j")
            assert "Text 2 of 2" in page.details
            assert "Imagina! Até logo" in page.details

    async def test_a_step_tells_its_ways(self) -> None:
        async with open_automation(bakery_link()) as page:
            await page.press("G", "k")
            details = " ".join(page.details.split())
            for words in (
                "Step pedido › cep",
                "asks template pedido cep Prazer, {{cliente}}! Qual é o CEP da entrega?",
                "answer a CEP of eight digits → anotado",
                "kept as {{cep}}",
                "wrong at 3 wrong answers → anotado",
                "says then template cep errado",
                "time-out 24h, then the flow ends",
            ):
                assert words in details

    async def test_enter_opens_it_and_escape_goes_back_to_the_list(self) -> None:
        async with open_automation(bakery_link()) as page:
            for back in ("escape", "enter"):
                await page.press("G", "k", "enter")
                assert "1 Rules" not in page.text
                assert "says then" in page.text
                assert page.focus == "details"
                await page.press(back)
                assert "1 Rules" in page.text
                assert page.focus == "rules"
            assert page.is_open

    async def test_it_stays_on_its_rule_when_others_come_and_goes_to_a_neighbour_when_it_is_gone(self) -> None:
        link = bakery_link()
        async with open_automation(link) as page:
            await page.press("j")
            more = '[[trigger]]\nname = "novo"\nequals = "novo"\ntemplate = "cardapio"\npriority = 99\n'
            link.apply_rules(catalogue(BAKERY + more))
            await page.until(lambda: "Triggers 6" in page.text)
            assert page.selected.startswith("10 cardapio")
            rules = catalogue(BAKERY)
            others = tuple(trigger for trigger in rules.triggers if trigger.name != "cardapio")
            link.apply_rules(replace(rules, triggers=others))
            await page.until(lambda: "Triggers 4" in page.text)
            assert page.selected.startswith("0 menu") or page.selected.startswith("10 natal")


class TestFocus:
    async def test_tab_goes_from_the_rules_into_the_trial_and_escape_back(self) -> None:
        async with open_automation(bakery_link()) as page:
            seen = [page.focus]
            for _ in range(4):
                await page.press("tab")
                seen.append(page.focus)
            assert seen == ["rules", "details", "entry", "conversation", "decisions"]
            await page.press("escape")
            assert page.focus == "rules"
            assert page.is_open

    async def test_a_tall_terminal_shows_all_of_it(self) -> None:
        async with open_automation(bakery_link(), (120, 40)) as page:
            seen = [page.focus]
            for _ in range(5):
                await page.press("tab")
                seen.append(page.focus)
            assert seen == ["rules", "details", "conversation", "decisions", "entry", "rules"]
            for title in ("1 Rules", "2 Trigger", "3 Conversation", "4 Decision"):
                assert title in page.text

    @pytest.mark.parametrize("size", SIZES)
    async def test_digits_go_to_the_panes(self, size: tuple[int, int]) -> None:
        async with open_automation(bakery_link(), size) as page:
            for number, name in ((3, "conversation"), (1, "rules"), (4, "decisions"), (2, "details")):
                await page.press(str(number))
                assert page.focus == name
                assert f" {number} " in page.text
            await page.press("5")
            assert page.focus == "details"

    @pytest.mark.parametrize("size", SIZES)
    async def test_each_pane_can_have_the_screen(self, size: tuple[int, int]) -> None:
        async with open_automation(bakery_link(), size) as page:
            for number, name in ((1, "rules"), (2, "details"), (3, "conversation"), (4, "decisions")):
                await page.press(str(number), "z")
                assert page.part(name).size.height > size[1] - 7
                assert "z All panes" in page.keys or size[0] < 80
                await page.press("z")
                assert page.focus == name

    async def test_letters_are_text_while_one_writes_and_the_keys_say_so(self) -> None:
        link = bakery_link()
        async with open_automation(link) as page:
            await page.press("w", *"ptzeq1?")
            assert page.entry.text == "ptzeq1?"
            assert "enter Send" in page.keys
            assert "^r Begin anew" not in page.keys
            for key in (" p ", " t ", " q ", " ? "):
                assert key not in page.keys
            for key in ("F1 Help", "^q Quit", "^p Actions"):
                assert key in page.keys
        assert link.commands == []

    async def test_letters_right_behind_the_key_are_text_already(self) -> None:
        link = bakery_link()
        async with open_automation(link) as page:
            for letter in "wpqwz":
                page.app.post_message(Key(letter, letter))
            await page.until(lambda: page.entry.text == "pqwz")
        assert link.commands == []
