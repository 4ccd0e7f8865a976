"""The WhatsApp screen as an operator meets it: its panes by name, and the QR code as a phone would see it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from console.pages.console import ConsolePage, open_console
from support.fake_link import FakeLink

from whatsself_tui.console.entry_line import EntryLine
from whatsself_tui.console.lines import Lines
from whatsself_tui.console.screens.whatsapp import WhatsAppScreen

#: Colours of a code as the drawn terminal tells them, with all colours and with sixteen.
_INK = {("000000", "ffffff"), ("black", "brightwhite")}


class WhatsAppPage(ConsolePage):
    """The console with its WhatsApp screen open."""

    @property
    def screen(self) -> WhatsAppScreen:
        """The screen itself."""
        assert self.app.whatsapp is not None
        return self.app.whatsapp

    @property
    def is_open(self) -> bool:
        """Whether it is what the operator sees."""
        return self.app.whatsapp is not None and self.app.whatsapp.is_active

    @property
    def focus(self) -> str:
        """What has the focus."""
        return self.app.focused.id or "" if self.app.focused is not None else ""

    @property
    def connection(self) -> str:
        """What is told of the connection, in one line of words."""
        return " ".join(self.screen.query_one("#connection", Lines).plain.split())

    @property
    def link_text(self) -> str:
        """What is told of linking, in one line of words."""
        return " ".join(self.screen.query_one("#link", Lines).plain.split())

    @property
    def qr(self) -> list[str]:
        """The rows that stand on the terminal in black on white, whatever the theme: the QR code and its margin."""
        screen = self._terminal.screen
        lines = ([screen.buffer[y][x] for x in range(screen.columns)] for y in range(screen.lines))
        rows = ("".join(cell.data for cell in line if (cell.fg, cell.bg) in _INK) for line in lines)
        return [row for row in rows if row]

    @property
    def entry(self) -> EntryLine:
        """The line for the phone's number."""
        return self.screen.query_one(EntryLine)

    async def ask_for(self, number: str) -> None:
        """Write a phone's number."""
        if self.focus != "entry":
            await self.press("enter")
        await self.press(*("plus" if char == "+" else "space" if char == " " else char for char in number), "enter")


@asynccontextmanager
async def open_whatsapp(
    link: FakeLink, size: tuple[int, int] = (80, 24), **arguments: Any
) -> AsyncIterator[WhatsAppPage]:
    """A console over `link` in which `9` was pressed."""
    async with open_console(link, size, **arguments) as console:
        page = WhatsAppPage(console.app, link, console.pilot)
        await page.press("9")
        yield page
