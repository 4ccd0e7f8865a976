"""Panes read only while somebody looks, and the terminal gets only what changed."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import Counter
from dataclasses import replace

import pytest
from console.pages.console import ConsolePage, open_console
from console.scenes import busy_link, message
from support.fake_link import NOW_MS, QUIET_BREAKER, FakeLink

from whatsself_tui.console.allowance import BURST
from whatsself_tui.console.lines import Lines
from whatsself_tui.store.topics import Topic

EVERYTHING = tuple(Topic)
PANES = ("breaker", "queue", "limits", "alerts", "messages")


def queries_of(link: FakeLink, since: Counter[str]) -> dict[str, int]:
    return dict(link.queries - since)


async def test_each_pane_reads_once_at_the_start() -> None:
    link = busy_link()
    async with open_console(link):
        assert set(link.queries) == {"situation", *PANES}
        assert max(link.queries.values()) == 1


async def test_a_quiet_robot_costs_no_byte_no_query_and_no_timer() -> None:
    link = FakeLink()
    async with open_console(link) as page:
        written, queries = page.written, link.queries.copy()
        for _ in range(30):
            await page.tick()
        assert page.written == written
        assert queries_of(link, queries) == {}
        assert page.app.dashboard.due_at_ms() == midnight_ms()


async def test_changes_that_change_nothing_on_the_screen_write_nothing() -> None:
    link = busy_link()
    async with open_console(link) as page:
        written, queries = page.written, link.queries.copy()
        link.change(*EVERYTHING)
        await page.settle()
        assert queries_of(link, queries) == dict.fromkeys(("situation", *PANES), 1)
        assert page.written == written


async def test_one_changed_line_writes_one_line() -> None:
    link = busy_link()
    async with open_console(link) as page:
        written = page.written
        changed = (replace(link.messages[0], body="all new"), *link.messages[1:])
        link.change(Topic.MESSAGES, messages=changed)
        await page.until(lambda: "all new" in page.text)
        assert 0 < page.written - written < 600


@pytest.mark.parametrize("covered_by", ["question_mark", "ctrl+p", "q"])
async def test_covered_panes_ask_and_write_nothing_and_catch_up_afterwards(covered_by: str) -> None:
    link = busy_link()
    async with open_console(link) as page:
        await page.press(covered_by)
        await page.until(lambda: not page.app.dashboard.is_active)
        await page.settle()
        written, queries = page.written, link.queries.copy()
        for number in range(5):
            link.change(*EVERYTHING, messages=(message(number, f"covered {number}"), *link.messages))
            await page.tick()
        assert queries_of(link, queries) == {}
        assert page.written == written
        await page.press("escape")
        await page.until(lambda: "covered 4" in page.text)
        assert queries_of(link, queries) == dict.fromkeys(("situation", *PANES), 1)


@pytest.mark.parametrize(("number", "shown"), list(enumerate(PANES, start=1)))
async def test_zoomed_away_panes_do_not_ask(number: int, shown: str) -> None:
    link = busy_link()
    async with open_console(link) as page:
        await page.press(str(number), "z")
        queries = link.queries.copy()
        link.change(*EVERYTHING)
        await page.settle()
        assert queries_of(link, queries) == {"situation": 1, shown: 1}
        await page.press("z")
        assert queries_of(link, queries) == dict.fromkeys(("situation", *PANES), 1)


async def test_a_pane_shown_again_with_nothing_new_does_not_ask() -> None:
    link = busy_link()
    async with open_console(link) as page:
        queries = link.queries.copy()
        await page.press("z", "z")
        assert queries_of(link, queries) == {}


async def test_below_the_least_size_nothing_asks() -> None:
    link = busy_link()
    async with open_console(link, size=(59, 24)) as page:
        assert "59 x 24" in page.text
        assert "60 x 20" in page.text
        queries = link.queries.copy()
        link.change(*EVERYTHING)
        await page.settle()
        assert queries_of(link, queries) == {}


async def test_while_an_editor_has_the_terminal_nothing_asks() -> None:
    link = busy_link()
    async with open_console(link) as page:
        page.app.set_away(True)
        queries = link.queries.copy()
        link.change(*EVERYTHING, messages=(message(1, "meanwhile"),))
        await page.tick()
        assert queries_of(link, queries) == {}
        page.app.set_away(False)
        await page.until(lambda: "meanwhile" in page.text)


async def test_a_change_shows_without_any_timer() -> None:
    link = FakeLink()
    async with open_console(link) as page:
        page.app.heartbeat.stop()
        link.change(Topic.MESSAGES, messages=(message(1, "just sent"),))
        await page.settle()
        assert "just sent" in page.text


async def test_a_sent_message_appears_in_under_200_ms() -> None:
    link = busy_link()
    async with open_console(link) as page:
        times = []
        for number in range(BURST):
            began = time.perf_counter()
            link.change(*EVERYTHING, messages=(message(number, f"sent {number}"), *link.messages))
            await page.drawn(f"sent {number}")
            times.append(time.perf_counter() - began)
        assert min(times) < 0.2


async def test_a_burst_of_changes_is_read_a_few_times_and_ends_with_the_last() -> None:
    link = FakeLink()
    async with open_console(link) as page:
        queries = link.queries.copy()
        for number in range(200):
            link.change(Topic.MESSAGES, messages=(message(number, f"burst {number}."),))
            await asyncio.sleep(0)
        await page.until(lambda: "burst 199." in page.text)
        assert queries_of(link, queries)["messages"] <= BURST + 1


async def test_a_change_during_a_reading_is_read_afterwards() -> None:
    link = FakeLink()
    async with open_console(link) as page:
        link.gate.clear()
        link.change(Topic.MESSAGES, messages=(message(1, "first"),))
        await page.settle()
        link.change(Topic.MESSAGES, messages=(message(2, "second"),))
        await page.settle()
        link.gate.set()
        await page.until(lambda: "second" in page.text)


async def test_a_failed_reading_is_told_in_its_pane_and_keeps_the_last_data() -> None:
    link = busy_link()
    async with open_console(link) as page:
        link.fault = sqlite3.OperationalError("database is [b]locked")
        link.change(Topic.MESSAGES)
        await page.until(lambda: "Cannot read" in page.text)
        assert "database is [b]locked" in page.text
        assert "João Pereira" in page.text
        assert "CLOSED" in page.text
        link.fault = None
        await page.tick(4_000)
        assert "Cannot read" in page.text
        await page.tick(1_000)
        await page.until(lambda: "Cannot read" not in page.text)


async def test_a_fault_of_the_console_itself_stays_in_the_pane() -> None:
    link = busy_link()
    async with open_console(link) as page:
        link.fault = KeyError("5511999990001")
        link.change(Topic.LIMITS)
        limits = page.app.dashboard.query_one("#limits", Lines)
        await page.until(lambda: "This pane failed: KeyError." in " ".join(limits.plain.split()))
        assert "5511999990001" not in page.text
        link.fault = None
        link.change(Topic.LIMITS)
        await page.tick(5_000)
        await page.until(lambda: "This pane failed" not in page.text)


async def test_countdowns_follow_the_clock_and_end_in_a_reading() -> None:
    link = FakeLink()
    link.breaker = replace(QUIET_BREAKER, state="open", closes_at_ms=NOW_MS + 2_000)
    async with open_console(link) as page:
        assert "First test in 00:02" in page.text
        queries = link.queries.copy()
        await page.tick()
        assert "First test in 00:01" in page.text
        assert queries_of(link, queries) == {}
        link.breaker = replace(link.breaker, state="half_open", closes_at_ms=None)
        await page.tick()
        await page.until(lambda: "HALF OPEN" in page.text)


async def test_a_window_that_opens_by_mere_time_is_read_at_that_moment() -> None:
    link = busy_link()
    async with open_console(link) as page:
        await show_limits(page)
        queries = link.queries.copy()
        await page.tick(6_999)
        assert "00:01" in page.text
        await page.tick(1)
        assert queries_of(link, queries)["limits"] == 1


async def show_limits(page: ConsolePage) -> None:
    await page.press("3", "z")


def midnight_ms() -> int:
    """The end of NOW's day in São Paulo, three hours behind UTC."""
    day = 86_400_000
    return (NOW_MS - 3 * 3_600_000) // day * day + day + 3 * 3_600_000
