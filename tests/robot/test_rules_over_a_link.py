"""Both kinds of link give a console the rules in force, and follow an edit of the files."""

from __future__ import annotations

import asyncio
from pathlib import Path

from robot.test_ownership_and_attaching import attached, eventually, owner
from support.config_room import GOOD_AUTOMATION
from support.fake_clock import FakeClock

from whatsself_tui.automation.decision import Incoming
from whatsself_tui.automation.rehearsal import NEWCOMER, turn
from whatsself_tui.config.files import AUTOMATION_FILE
from whatsself_tui.config.service import Configuration
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.robot.attached import AttachedLink
from whatsself_tui.robot.local import LocalLink
from whatsself_tui.robot.orchestrator import Orchestrator
from whatsself_tui.store.topics import Topic

OTHER = GOOD_AUTOMATION.replace('text = "Oi"', 'text = "Olá"')
BROKEN = GOOD_AUTOMATION.replace('template = "menu"', 'template = "cardapio"')
DOUBTFUL = GOOD_AUTOMATION + '\n[[flow]]\nname = "f"\n[[flow.step]]\nname = "fim"\nend = true\n'


def answers(configuration: Configuration) -> list[str]:
    """What somebody who writes `oi` is answered."""
    played = turn(configuration.rule_book, NEWCOMER, [Incoming("oi")], 0, 0)
    return [answer.text for answer in played.decision.answers]


def save(folder: DataFolder, automation: str) -> None:
    (folder.config / AUTOMATION_FILE).write_text(automation, encoding="utf-8")


async def apply(robot: Orchestrator) -> None:
    """The robot looks at the files and waits until they rest."""
    assert isinstance(robot.clock, FakeClock)
    await robot.clock.finish(robot.config.check())


async def until_answered(link: AttachedLink, text: str) -> None:
    """Wait until the link has noticed the rules that answer so."""
    async with asyncio.timeout(30):
        while answers(await link.configuration()) != [text]:
            await asyncio.to_thread(lambda: None)


async def test_an_attached_console_follows_every_save_and_keeps_to_the_last_good_rules(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    async with owner(folder, "headless") as robot:
        save(folder, GOOD_AUTOMATION)
        await apply(robot)
        async with attached(folder) as (link, _, told):
            first = await link.configuration()
            assert answers(first) == ["Oi"]
            assert await link.configuration() is first

            save(folder, OTHER)
            await apply(robot)
            await until_answered(link, "Olá")
            assert Topic.CONFIG in told
            assert (await link.configuration()).revision > first.revision

            save(folder, BROKEN)
            await eventually(lambda: bool(link.problems))
            assert answers(await link.configuration()) == ["Olá"]
            assert link.problems[0].file == AUTOMATION_FILE

            save(folder, DOUBTFUL)
            await eventually(lambda: not link.problems)
            (warning,) = (await link.configuration()).warnings
            assert "starts this flow" in warning.message


async def test_an_owner_s_console_gets_what_the_robot_goes_by(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    async with owner(folder, "console") as robot:
        link = LocalLink(robot)
        save(folder, OTHER)
        await apply(robot)
        assert await link.configuration() is robot.config.current
        assert answers(await link.configuration()) == ["Olá"]
