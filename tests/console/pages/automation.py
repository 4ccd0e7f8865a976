"""The automation screen as an operator meets it: its parts by name, and a customer to write as."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from console.pages.console import ConsolePage, open_console
from support.fake_link import FakeLink
from textual.events import Paste

from whatsself_tui.console.entry_line import EntryLine
from whatsself_tui.console.lines import Lines
from whatsself_tui.console.screens.automation import AutomationScreen


class AutomationPage(ConsolePage):
    """The console with its automation screen open."""

    @property
    def screen(self) -> AutomationScreen:
        """The screen itself."""
        assert self.app.automation is not None
        return self.app.automation

    @property
    def is_open(self) -> bool:
        """Whether it is what the operator sees."""
        return self.app.automation is not None and self.app.automation.is_active

    @property
    def focus(self) -> str:
        """What has the focus."""
        return self.app.focused.id or "" if self.app.focused is not None else ""

    def part(self, name: str) -> Lines:
        """`rules`, `details`, `conversation` or `decisions`."""
        return self.screen.query_one(f"#{name}", Lines)

    @property
    def rules(self) -> list[str]:
        """The lines of the list, whether they are in sight or not."""
        return self.part("rules").plain.split("\n")

    @property
    def selected(self) -> str:
        """The selected line, without the pointer and surplus blanks."""
        (line,) = (line for line in self.rules if line.startswith("▸"))
        return " ".join(line.removeprefix("▸").split())

    @property
    def details(self) -> str:
        """All that is told of the selected entry, its title first."""
        return f"{self.part('details').border_title}\n{self.part('details').plain}"

    @property
    def conversation(self) -> list[str]:
        """The trial: `> ` the customer, `< ` the robot, `- ` a remark; without times."""
        signs = {"customer": ">", "robot": "<", "nobody": "-"}
        return [f"{signs[line.who]} {line.text}" for line in self.screen.trial.lines]

    @property
    def decision(self) -> str:
        """What was decided in the last turn, in one line of words."""
        return " ".join(self.part("decisions").plain.split())

    @property
    def entry(self) -> EntryLine:
        """The line that is written in."""
        return self.screen.query_one(EntryLine)

    async def paste(self, text: str) -> None:
        """The terminal hands over a clipboard."""
        self.app.post_message(Paste(text))
        await self.settle()

    async def say(self, *texts: str) -> None:
        """Write messages as the customer."""
        if self.focus != "entry":
            await self.press("w")
        for text in texts:
            await self.paste(text)
            await self.press("enter")


@asynccontextmanager
async def open_automation(
    link: FakeLink, size: tuple[int, int] = (80, 24), **arguments: Any
) -> AsyncIterator[AutomationPage]:
    """A console over `link` in which `t` was pressed."""
    async with open_console(link, size, **arguments) as console:
        page = AutomationPage(console.app, link, console.pilot)
        await page.press("t")
        yield page
