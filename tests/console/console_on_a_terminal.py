"""A console with a robot in its event loop, run on a terminal by the tests; it reports over a pipe."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from support.fake_link import FakeLink

from whatsself_tui.console.app import WhatsSelfApp
from whatsself_tui.store.readings import MessageReading
from whatsself_tui.store.topics import Topic


class FramedApp(WhatsSelfApp):
    """Counts the frames it has made, whether they were written or dropped."""

    def __init__(self, link: FakeLink, settings_file: Path | None) -> None:
        super().__init__(link, settings_file=settings_file)
        self.frame_made = asyncio.Event()

    def post_display_hook(self) -> None:
        self.frame_made.set()

    def set_away(self, is_away: bool) -> None:
        super().set_away(is_away)
        self.frame_made.set()


async def robot(link: FakeLink, app: FramedApp, report_to: int, messages: int, step_ms: int) -> None:
    """Send a message every `step_ms` of the link's clock, and make the console paint all of itself each time."""
    await app.frame_made.wait()
    for number in range(1, messages + 1):
        link.pass_time(step_ms)
        message = MessageReading(f"out:{number}", "out", link.now_ms(), "Ana", "5511", f"text {number}", "sent", "")
        link.change(Topic.MESSAGES, messages=(message, *link.messages[:20]))
        if not app.is_away:  # an editor has the terminal: no frames are made
            app.frame_made.clear()
            app.refresh(layout=True)
            await app.frame_made.wait()
        os.write(report_to, f"{number} ".encode())
        await asyncio.sleep(0)


async def main(report_to: int, messages: int, step_ms: int, settings_file: Path | None) -> int:
    link = FakeLink("attached")
    app = FramedApp(link, settings_file)
    work = asyncio.create_task(robot(link, app, report_to, messages, step_ms))
    await app.run_async()
    work.cancel()
    os.write(report_to, b"left ")
    return app.return_code or 0


if __name__ == "__main__":
    file = Path(sys.argv[4]) if len(sys.argv) > 4 else None
    sys.exit(asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), file)))
