"""How each action of the table is done."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from textual.app import SuspendNotSupported

from whatsself_tui.console import editor, queries
from whatsself_tui.console.pairing_deeds import PAIRING_DEEDS
from whatsself_tui.console.palette import ActionPalette
from whatsself_tui.console.panes.queue import waiting_words
from whatsself_tui.console.screens.confirm import ConfirmScreen
from whatsself_tui.console.screens.help import HelpScreen
from whatsself_tui.errors import UsageError, WhatsSelfError

if TYPE_CHECKING:
    from whatsself_tui.console.app import WhatsSelfApp


async def pause(console: WhatsSelfApp) -> None:
    """Stop or go on sending."""
    await console.carry_out("resume" if console.action_state.paused else "pause", {})


async def acknowledge(console: WhatsSelfApp) -> None:
    """Mark the selected alert, or the newest one, as seen."""
    alert = console.dashboard.selected_alert
    if alert is None:
        console.tell("There is no alert to acknowledge.", "warning")
    elif alert.acknowledged_at_ms is not None:
        console.tell("That alert is acknowledged already.", "warning")
    else:
        await console.carry_out("alert_ack", {"id": alert.id})


async def take_over(console: WhatsSelfApp) -> None:
    """Become the owner; somebody else may have been faster."""
    if console.take_over is None:
        raise RuntimeError("taking over was not offered")
    former = console.link
    try:
        link = await console.take_over()
    except (WhatsSelfError, OSError) as error:
        console.tell(f"The robot could not be taken over: {error}", "error")
        return
    console.link_changed(link)
    console.tell("This console is the owner now: the robot runs here.")
    await former.aclose()


async def zoom(console: WhatsSelfApp) -> None:
    """Give the focused pane the whole screen, or bring the others back."""
    console.board.toggle_zoom()


async def automation(console: WhatsSelfApp) -> None:
    """Open the automation screen, or go back."""
    console.toggle_automation()


async def try_rules(console: WhatsSelfApp) -> None:
    """Write as a customer."""
    if console.automation is not None:
        console.automation.action_write()


async def begin_anew(console: WhatsSelfApp) -> None:
    """Forget the trial."""
    if console.automation is not None:
        console.automation.begin_anew()


async def edit(console: WhatsSelfApp) -> None:
    """Open the settings, or what is selected, in an editor; the robot goes on meanwhile."""
    settings_file = console.settings_file
    if settings_file is None:
        raise RuntimeError("no settings file was given")
    file: Path = settings_file
    line: int | None = None
    if console.automation is not None and console.board is console.automation:
        file, line = await asyncio.to_thread(console.automation.place_to_edit, settings_file.parent)
    place = f"{file}, line {line}," if line else str(file)
    by_hand = f"Open {place} in any editor; what you save applies at once."
    try:
        command = editor.choose(os.environ, sys.platform, shutil.which)
    except UsageError as error:
        console.tell(f"{error} {by_hand}", "warning")
        return
    try:
        told = await _with_terminal(console, command, file, line)
    except SuspendNotSupported:
        told = f"This terminal cannot be lent to an editor. {by_hand}"
    if told:
        console.tell(told, "warning")


async def _with_terminal(console: WhatsSelfApp, command: list[str], file: Path, line: int | None) -> str:
    """Run the editor with the terminal to itself; returns what went wrong, in a sentence."""
    with console.suspend(), console.batch_update():
        console.set_away(True)
        # Nothing may leave this block by an exception: Textual would not take the terminal back.
        try:
            code = await editor.run(command, file, line)
            return "" if code == 0 else f"The editor ended with code {code}."
        except OSError as error:
            return f"The editor could not be started: {error}"
        finally:
            console.set_away(False)


async def show_help(console: WhatsSelfApp) -> None:
    """Open the help, or close it."""
    if isinstance(console.screen, HelpScreen):
        console.screen.dismiss()
    else:
        console.push_screen(HelpScreen())


async def palette(console: WhatsSelfApp) -> None:
    """Open the list of all actions."""
    if not isinstance(console.screen, ActionPalette):
        console.push_screen(ActionPalette())


async def repaint(console: WhatsSelfApp) -> None:
    """Write every cell again."""
    console.repaint()


async def leave(console: WhatsSelfApp) -> None:
    """Quit; an owner with messages waiting asks first, because the robot stops with it."""
    if console.link.state.mode == "owner" and not console.is_demo:
        consequence = await _what_waits(console)
        if consequence and not await console.push_screen_wait(
            ConfirmScreen("Stop the robot and quit?", consequence, "Quit")
        ):
            return
    console.exit(0)


async def _what_waits(console: WhatsSelfApp) -> str:
    """What an owner leaves behind, in a sentence; empty if nothing waits."""
    link = console.link
    try:
        reading = await link.read(queries.queue(link.settings, link.now_ms()))
    except (sqlite3.Error, OSError, WhatsSelfError) as error:
        return f"The queue cannot be read ({type(error).__name__}); what waits in it stays there."
    count = reading.queued + reading.sending
    if count == 0:
        return ""
    them = "it stays" if count == 1 else "they stay"
    go = "goes" if count == 1 else "go"
    return f"{waiting_words(count)}; {them} in the queue and {go} out when the robot runs again."


#: Action id → what does it.
DEEDS: Final[dict[str, Callable[[WhatsSelfApp], Awaitable[None]]]] = {
    "take_over": take_over,
    "pause": pause,
    "acknowledge": acknowledge,
    "automation": automation,
    "try": try_rules,
    "begin_anew": begin_anew,
    "zoom": zoom,
    "edit": edit,
    "help": show_help,
    "palette": palette,
    "repaint": repaint,
    "quit": leave,
    **PAIRING_DEEDS,
}
