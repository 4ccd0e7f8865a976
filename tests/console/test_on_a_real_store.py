"""The panes over a real database: the queries hold, and what the store tells is enough to keep the screen right."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from console.pages.console import open_console
from support.fake_link import FakeLink
from support.queue_world import QueueWorld, queue_world

from whatsself_tui.store import state
from whatsself_tui.store.topics import Topic

T = TypeVar("T")


class StoreLink(FakeLink):
    """A link whose readings come from a store."""

    def __init__(self, world: QueueWorld) -> None:
        super().__init__()
        self._world = world

    def now_ms(self) -> int:
        return self._world.clock.now_ms()

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        return await self._world.store.read(query)

    def listen(self, callback: Callable[[frozenset[Topic]], None]) -> Callable[[], None]:
        return self._world.store.listen(callback)


async def test_a_new_database(tmp_path: Path) -> None:
    async with queue_world(tmp_path) as world, open_console(StoreLink(world)) as page:
        for words in ("● CLOSED", "Nothing waits.", "0/12", "No alerts.", "No messages yet.", "today 0 in · 0 out"):
            assert words in page.text
        assert "Cannot read" not in page.text
        assert "failed" not in page.text


async def test_from_the_queue_to_the_conversation(tmp_path: Path) -> None:
    async with queue_world(tmp_path) as world, open_console(StoreLink(world), (120, 40)) as page:
        assert "simulator stopped" in page.top
        await world.store.write(lambda tx: state.set_transport(tx, "simulator", "ready", ""))
        await page.until(lambda: "simulator ready" in page.top)
        await world.say(1, "first [b]text[/b]")
        await world.say(1, "second text")
        await world.say(1, "third text")
        await page.until(lambda: "3 waiting" in page.text)
        assert await world.send_next()
        await page.until(lambda: "✓ sent" in page.text and "first [b]text[/b]" in page.text)
        assert await world.send_next()
        await page.until(lambda: "2/2   05:00" in page.text and "1 waiting" in page.text)
        await page.until(lambda: "Next in 05:00" in page.text and "today 0 in · 2 out" in page.text)
        await world.clock.advance(180)
        page.app.beat()
        await page.until(lambda: "2/2   02:00" in page.text and "Next in 02:00" in page.text)
        await world.clock.advance(120)
        page.app.beat()
        await page.until(lambda: "No contact used any." in page.text and "Next now" in page.text)
