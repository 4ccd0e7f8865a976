"""The automation: what rules are in force, and a customer to try them with."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.content import Content
from textual.events import DescendantFocus
from textual.notifications import SeverityLevel

from whatsself_tui.console.entry_line import EntryLine
from whatsself_tui.console.lines import Lines
from whatsself_tui.console.pane import Source
from whatsself_tui.console.panes.rules import RulesPane
from whatsself_tui.console.panes.top_line import TopLine
from whatsself_tui.console.queries import RulesReading
from whatsself_tui.console.rule_details import details, title
from whatsself_tui.console.rule_places import place_of
from whatsself_tui.console.rule_rows import Entry
from whatsself_tui.console.screens.board import Board
from whatsself_tui.console.sheet import Sheet
from whatsself_tui.console.trial import Trial
from whatsself_tui.console.trial_pictures import conversation, decisions
from whatsself_tui.errors import WhatsSelfError
from whatsself_tui.store.topics import Topic

#: 128 bits are what the rules take for picking the variants of templates.
_RANDOM_BITS = 128


class Console(Source, Protocol):
    """What the screen needs of the console around it."""

    def tell(self, text: str, severity: SeverityLevel = "information") -> None:
        """Show a toast."""
        ...

    def show_state(self) -> None:
        """What can be done has changed."""
        ...


class AutomationScreen(Board):
    """Rules and details above, a trial conversation and its decisions below.

    Where there is no room for both, the trial takes the place of the rules while it has the focus.
    """

    AUTO_FOCUS = "#rules"
    BINDINGS = [  # noqa: RUF012
        # Before everything else: letters that come right behind it are text already, and must not act as keys.
        Binding("w", "write", "Try it", show=False, priority=True),
        Binding("enter", "open", "Open", show=False),
        Binding("escape", "back", "Back", show=False),
    ]

    def __init__(self, console: Console, top_line: TopLine) -> None:
        super().__init__(console, top_line)
        self._around = console
        self._rules = RulesPane(console, pane_id="rules", selected=self._show_details)
        self._details = Sheet("2 Details", pane_id="details")
        self._conversation = Sheet("3 Conversation", pane_id="conversation", follows=True)
        self._decisions = Sheet("4 Decision", pane_id="decisions")
        self._entry_line = EntryLine("as a customer", "w: try the rules; nothing is stored or sent", entry_id="entry")
        self._shown: Entry | None = None
        self._opened_from_list = False
        self._turns = asyncio.Lock()
        self.trial = Trial()

    def compose(self) -> ComposeResult:
        """Top line, the two halves, the line to write in, keys; and the gate for small terminals."""
        yield self.top_line
        with Container(id="boards"):
            with Container(id="rulebook", classes="half"):
                yield self._rules
                yield self._details
            with Container(id="trial", classes="half"):
                yield self._conversation
                yield self._decisions
        yield self._entry_line
        yield self.key_bar
        yield self.gate

    def on_mount(self) -> None:
        """The trial may have begun before."""
        self._show_trial()

    @property
    def panes(self) -> Sequence[Lines]:
        """Rules, details, conversation, decision."""
        return (self._rules, self._details, self._conversation, self._decisions)

    @property
    def is_typing(self) -> bool:
        """Whether letters are written instead of being keys."""
        return self.focused is self._entry_line

    # Rules and details.

    def place_to_edit(self, folder: Path) -> tuple[Path, int | None]:
        """File and line (from 1, None if unknown) of what is selected. Blocks."""
        return place_of(self._rules.entry, folder)

    def _show_details(self, reading: RulesReading, entry: Entry | None) -> None:
        def picture(width: int) -> Sequence[Content]:
            return details(reading, entry, width)

        self._details.border_title = Content(f"2 {title(entry)}")
        if entry == self._shown:
            self._details.show_again(picture)
        else:
            self._details.show(picture)
        self._shown = entry

    # The trial.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The letter that leads to the line is text in it."""
        return action != "write" or not self.is_typing

    def action_write(self) -> None:
        """Go to the line to write in."""
        self.zoom(None)
        self.set_focus(self._entry_line, scroll_visible=False)

    def begin_anew(self) -> None:
        """The customer becomes somebody who never wrote."""
        self.trial.begin_anew()
        self._show_trial()

    def tell(self, topics: frozenset[Topic]) -> None:
        """Changed rules are told in the conversation, too."""
        super().tell(topics)
        if Topic.CONFIG in topics and self.trial.lines and self.is_active:
            self.app.run_worker(self._follow(), group="try", name="try", exit_on_error=False)

    @on(EntryLine.Sent)
    def sent(self, event: EntryLine.Sent) -> None:
        """The customer wrote."""
        self.app.run_worker(self._turn(event.text), group="try", name="try", exit_on_error=False)

    @on(EntryLine.TooLong)
    def too_long(self) -> None:
        """Say that something is missing."""
        self._around.tell("That is longer than a message may be; the rest was left out.", "warning")

    async def _turn(self, text: str) -> None:
        async with self._turns:
            link = self.source.link
            try:
                configuration = await link.configuration()
            except WhatsSelfError as error:
                self._around.tell(str(error), "warning")
                return
            self.trial.write(text, configuration, link.now_ms(), secrets.randbits(_RANDOM_BITS))
            self._show_trial()

    async def _follow(self) -> None:
        async with self._turns:
            link = self.source.link
            if self.trial.follow(await link.configuration(), link.now_ms()):
                self._show_trial()

    def _show_trial(self) -> None:
        zone = self.source.link.settings.business.zone
        self._conversation.show(lambda width: conversation(self.trial, zone, width))
        self._decisions.show(lambda width: decisions(self.trial, zone, width))
        self._around.show_state()

    # Focus.

    def zoom(self, pane: Lines | None) -> None:
        """Show `pane` alone, and nothing of the half it is not in; None: all of them."""
        super().zoom(pane)
        self._opened_from_list &= pane is not None
        for half in self.query(".half"):
            half.set_class(pane is not None and pane.parent is half, "-zoom")

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Show the half that has the focus; what keys mean depends on it."""
        self.set_class(event.widget in (self._conversation, self._decisions, self._entry_line), "-trying")
        self._around.show_state()

    def action_focus_pane(self, number: int) -> None:
        """Go to a pane, bringing its half forward."""
        if number <= len(self.panes):
            self.set_class(number > 2, "-trying")
            super().action_focus_pane(number)

    async def action_open(self) -> None:
        """Show all of what is selected; in another pane, zoom that."""
        if self._opened_from_list:
            await self.action_back()
        elif self.is_zoomed or self.focused is not self._rules:
            await self.run_action("app.act('zoom')")
        else:
            self.zoom(self._details)
            self._opened_from_list = True
            self._details.focus(scroll_visible=False)
            self._around.show_state()

    async def action_back(self) -> None:
        """Leave the zoom, then the trial, then the screen."""
        if self.is_zoomed:
            shown = self._rules if self._opened_from_list else self.focused
            self.zoom(None)
        elif self.has_class("-trying"):
            self.set_class(False, "-trying")
            shown = self._rules
        else:
            await self.run_action("app.act('automation')")
            return
        if shown is not None:
            shown.focus(scroll_visible=False)
        self._around.show_state()
