"""A customer tries the rules on the automation screen."""

from __future__ import annotations

from pathlib import Path

import pytest
from console.automation_scenes import BAKERY, PROBLEMS, bakery_link
from console.pages.automation import AutomationPage, open_automation
from console.pages.console import open_console
from rich.cells import cell_len
from support.automation_room import catalogue
from support.fake_clock import FakeClock
from support.fake_link import NOW_MS, FakeLink

from whatsself_tui.automation.model import Catalogue, Template, Trigger
from whatsself_tui.console.prose import LONGEST
from whatsself_tui.robot.starting import StartingLink

SIZES = [(60, 20), (80, 24), (81, 24), (120, 40)]


class TestTrying:
    async def test_an_order_from_the_first_word_to_a_person(self) -> None:
        link = bakery_link()
        async with open_automation(link) as page:
            await page.say("Oi!", "quero pão")
            assert "wrong answer 1 of 3" in page.decision
            await page.say("2")
            assert "In flow pedido [nome] cep anotado" in page.decision
            await page.say("Ana Lima")
            assert "nome [cep] anotado" in page.decision
            assert "cliente = Ana Lima" in page.decision
            await page.say("01310100", "e aí?")
            assert page.conversation == [
                "> Oi!",
                "< Como podemos ajudar?\n1 – Cardápio\n2 – Fazer um pedido\n3 – Falar com uma pessoa",
                "> quero pão",
                "< Responda com 1, 2 ou 3, por favor.",
                "> 2",
                "< Vamos ao pedido! Qual é o seu nome?",
                "> Ana Lima",
                "< Prazer, Ana Lima! Qual é o CEP da entrega?",
                "> 01310100",
                "< Anotado! Ana Lima, 01310-100. Uma pessoa confirma o pedido por aqui.",
                "> e aí?",
                "- no answer",
            ]
            assert page.decision.startswith("▸ Left to a person The contact is left to a person")
        assert link.commands == []
        assert set(link.queries) <= {"situation", "breaker", "queue", "limits", "alerts", "messages", "rules"}

    async def test_the_decision_says_which_rules_were_passed_over_and_why(self) -> None:
        async with open_automation(bakery_link()) as page:
            await page.say("qual o preço?")
            assert page.decision.startswith('▸ Trigger Trigger "cardapio" fires: contains "preço".')
            assert 'trigger "cardapio" is silent for 90 s, until 14:04:52' in page.decision
            assert "Answers • trigger:cardapio" in page.decision
            assert "Opt-out keyword: the text is no opt-out keyword" in page.decision
            assert "In a flow: the contact is in no flow" in page.decision

    @pytest.mark.parametrize("size", SIZES)
    async def test_customer_left_robot_right(self, size: tuple[int, int]) -> None:
        async with open_automation(bakery_link(), size) as page:
            await page.say("valeu", "quanto custa")
            lines = page.part("conversation").plain.split("\n")
            width = page.part("conversation").scrollable_content_region.width
            (asked,) = (line for line in lines if "quanto custa" in line)
            assert asked.startswith("▌quanto custa")
            answers = [line for line in lines if line.endswith("▐")]
            assert answers
            assert all(cell_len(line) == width and line.startswith("  ") for line in answers)
            assert "quanto custa" in page.text

    async def test_time_is_the_robot_s(self) -> None:
        link = bakery_link()
        async with open_automation(link) as page:
            await page.say("preço", "preço")
            assert page.conversation[-1] == "- no answer"
            assert "Cooling down for this contact: cardapio." in page.decision
            link.pass_time(90_000)
            await page.say("preço", "oi")
            assert page.conversation[-3].startswith("< Pão na chapa")
            link.pass_time(3_600_000)
            await page.say("3")
            assert "▸ Time of the flow was up" in page.decision
            assert page.conversation[-1] == "- no answer"

    async def test_ctrl_r_begins_anew_as_a_newcomer(self) -> None:
        async with open_automation(bakery_link()) as page:
            await page.say("parar", "oi")
            assert page.decision.startswith("▸ Opted out")
            await page.press("ctrl+r")
            assert page.conversation == []
            assert "Write below as a customer would." in page.text
            await page.say("oi")
            assert page.conversation[1].startswith("< Como podemos ajudar?")

    async def test_from_the_next_turn_on_it_goes_by_what_was_saved(self) -> None:
        link = bakery_link()
        async with open_automation(link) as page:
            await page.say("preço")
            link.apply_rules(catalogue(BAKERY.replace("R$ 6,00", "R$ 7,00")))
            await page.until(lambda: page.conversation[-1] == "- the rules have changed")
            link.pass_time(90_000)
            await page.say("preço")
            assert page.conversation[-1].startswith("< Pão na chapa R$ 7,00")

    async def test_a_rejected_save_changes_nothing_in_the_trial(self) -> None:
        link = bakery_link()
        async with open_automation(link) as page:
            await page.say("oi")
            link.reject_configuration(*PROBLEMS)
            await page.settle()
            await page.say("3")
            assert page.conversation[-2:] == ["> 3", "< Combinado! Alguém da equipe já responde por aqui."]
            assert "- the rules have changed" not in page.conversation

    async def test_a_customer_inside_a_flow_whose_step_is_gone_leaves_it(self) -> None:
        link = bakery_link()
        async with open_automation(link) as page:
            await page.say("quero um pedido", "Ana")
            assert "[cep]" in page.decision
            link.apply_rules(catalogue(BAKERY.replace('name = "cep"\nask', 'name = "endereço"\nask')))
            await page.settle()
            await page.say("01310100")
            assert 'the step "cep" of the flow "pedido" is no longer in the file' in page.decision
            assert "In flow" not in page.decision

    async def test_pictures_and_their_captions(self) -> None:
        link = FakeLink()
        link.apply_rules(
            Catalogue(
                {"t": Template("t", "Recebido.")},
                (Trigger("foto", "media", ("image",), "t"), Trigger("x", "equals", ("oi",), "t")),
            )
        )
        async with open_automation(link) as page:
            for text, rule in (("[image]", "foto"), ("[image] oi", "foto"), ("[audio] oi", "x"), ("[any]", "")):
                await page.say(text)
                assert (f'Trigger "{rule}" fires' in page.decision) == bool(rule)

    async def test_keycap_digits_reach_the_rules_as_they_were_pasted(self) -> None:
        async with open_automation(bakery_link()) as page:
            await page.say("oi", "2\ufe0f\u20e3")
            assert page.conversation[-1] == "< Vamos ao pedido! Qual é o seu nome?"

    async def test_what_was_sent_comes_back_with_the_arrows(self) -> None:
        async with open_automation(bakery_link()) as page:
            await page.say("um", "dois")
            await page.press("x", "up", "up")
            assert page.entry.text == "um"
            await page.press("down")
            assert page.entry.text == "dois"
            await page.press("down")
            assert page.entry.text == "x"

    async def test_a_robot_that_is_being_started_says_so(self) -> None:
        async with open_console(FakeLink(), (120, 40), notifications=True) as console:
            console.app.link_changed(StartingLink(FakeClock(NOW_MS)))
            page = AutomationPage(console.app, console.link, console.pilot)
            await page.press("t")
            await page.say("oi")
            await page.until(lambda: "The robot is being started." in page.text)
            assert page.conversation == []

    async def test_reading_only_one_may_try_but_not_edit(self) -> None:
        link = bakery_link("attached")
        async with open_automation(
            link, (120, 40), read_only=True, settings_file=Path("settings.toml"), notifications=True
        ) as page:
            assert "e Edit" not in page.keys
            await page.press("e")
            await page.until(lambda: "This console is read-only." in page.text)
            await page.say("oi")
            assert page.conversation[1].startswith("< Como podemos")
        assert link.commands == []


class TestTheLineToWriteIn:
    @pytest.mark.parametrize(
        ("keys", "text"),
        [
            (["a", "b", "left", "c"], "acb"),
            (["a", "b", "backspace", "c"], "ac"),
            (["a", "b", "home", "delete"], "b"),
            (["a", "b", "home", "right", "x", "end", "y"], "axby"),
            (["a", "space", "b", "ctrl+u", "c"], "c"),
            (["left", "backspace", "delete", "a"], "a"),
        ],
    )
    async def test_keys(self, keys: list[str], text: str) -> None:
        async with open_automation(bakery_link()) as page:
            await page.press("w", *keys)
            assert page.entry.text == text
            assert f"▸ {text}" in page.text

    async def test_a_long_text_shows_its_end(self) -> None:
        async with open_automation(bakery_link(), (60, 20)) as page:
            await page.press("w")
            await page.paste("x" * 200 + "END")
            assert "xEND" in page.text
            await page.press("home")
            assert "xEND" not in page.text

    async def test_several_lines_are_one_message(self) -> None:
        async with open_automation(bakery_link()) as page:
            await page.press("w")
            await page.paste("oi\r\ntudo\rbem")
            assert "oi↵tudo↵bem" in page.text
            await page.press("enter")
            assert page.conversation[0] == "> oi\ntudo\nbem"

    async def test_blanks_alone_are_no_message(self) -> None:
        async with open_automation(bakery_link()) as page:
            await page.say("  \n ")
            assert page.conversation == []

    async def test_more_than_a_message_may_hold_is_told(self) -> None:
        async with open_automation(bakery_link(), (120, 40), notifications=True) as page:
            await page.press("w")
            await page.paste("y" * (LONGEST + 1))
            await page.until(lambda: "That is longer than a message" in page.text)
            assert len(page.entry.text) == LONGEST
            await page.press("enter")
            assert page.conversation[0] == "> " + "y" * LONGEST
            assert f"{LONGEST:,} characters in all" in page.part("conversation").plain
