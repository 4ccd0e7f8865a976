"""How the actions of the WhatsApp screen are done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from whatsself_tui.console.pairing import PNG_NAME
from whatsself_tui.console.screens.confirm import ConfirmScreen
from whatsself_tui.host.atomic import write_atomic

if TYPE_CHECKING:
    from whatsself_tui.console.app import WhatsSelfApp


async def whatsapp(console: WhatsSelfApp) -> None:
    """Open the WhatsApp screen, or go back."""
    console.toggle_whatsapp()


async def other_way(console: WhatsSelfApp) -> None:
    """Link by the phone's number, or by the QR code again."""
    if console.whatsapp is not None:
        pane = console.whatsapp.link_pane
        pane.choose("phone" if pane.way == "qr" else "qr")


async def new_code(console: WhatsSelfApp) -> None:
    """Ask for another QR code; it comes with the next reading."""
    await console.carry_out("pair_qr", {})


async def save_code(console: WhatsSelfApp) -> None:
    """Write the QR code into the data folder, readable by this user only."""
    from whatsself_tui.console.qr_picture import png  # the first frame does without

    screen = console.whatsapp
    text = screen.link_pane.qr_text if screen is not None else None
    if screen is None or screen.folder is None or text is None:
        console.tell("There is no QR code now.", "warning")
        return
    file = screen.folder.root / PNG_NAME
    try:
        await asyncio.to_thread(lambda: write_atomic(file, png(text)))
    except (OSError, ValueError) as error:
        console.tell(f"The QR code cannot be written to {file}: {error}", "error")
        return
    console.tell(f"Saved in {file}. Scan it before WhatsApp shows the next one.")


async def reconnect(console: WhatsSelfApp) -> None:
    """Connect now; whoever has WhatsApp Web open elsewhere is only thrown out after a question."""
    screen = console.whatsapp
    if screen is not None and screen.action_state.state == "conflict":
        consequence = (
            "WhatsApp Web is open somewhere else with this very login, perhaps by another robot."
            " It is closed there, and this robot goes on."
        )
        if not await console.push_screen_wait(ConfirmScreen("Take WhatsApp over here?", consequence, "Take over")):
            return
    await console.carry_out("connect", {})


#: Action id → what does it.
PAIRING_DEEDS: Final[dict[str, Callable[[WhatsSelfApp], Awaitable[None]]]] = {
    "whatsapp": whatsapp,
    "other_way": other_way,
    "new_code": new_code,
    "save_code": save_code,
    "reconnect": reconnect,
}
