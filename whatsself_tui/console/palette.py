"""The list of all actions to search in; what makes no sense now is listed with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.widgets import Input

from whatsself_tui.console.actions import ACTIONS, Action, key_name, reason_against

if TYPE_CHECKING:
    from whatsself_tui.console.app import WhatsSelfApp


class ActionsProvider(Provider):
    """Offers the actions of the table."""

    async def discover(self) -> Hits:
        """All of them."""
        for action, title, help_text in self._entries():
            yield DiscoveryHit(title, partial(self._console.action_act, action.id), text=title, help=help_text)

    async def search(self, query: str) -> Hits:
        """Those that match."""
        matcher = self.matcher(query)
        for action, title, help_text in self._entries():
            score = matcher.match(title)
            if score > 0:
                act = partial(self._console.action_act, action.id)
                yield Hit(score, matcher.highlight(title), act, text=title, help=help_text)

    @property
    def _console(self) -> WhatsSelfApp:
        return cast("WhatsSelfApp", self.app)

    def _entries(self) -> Iterator[tuple[Action, str, str]]:
        state = self._console.action_state
        for action in ACTIONS:
            if action.id == "palette":
                continue
            reason = reason_against(action, state)
            title = f"{action.title}  ({key_name(action.keys[0])})"
            yield action, title, action.help if reason is None else f"Not now: {reason}"


class ActionPalette(CommandPalette):
    """Textual's palette with these actions alone and a cursor that stands still."""

    def __init__(self) -> None:
        super().__init__([ActionsProvider], placeholder="What do you want to do?")

    def on_mount(self) -> None:
        """A blinking cursor would write to the terminal twice a second."""
        self.query_one(Input).cursor_blink = False
