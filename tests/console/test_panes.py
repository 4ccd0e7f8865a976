"""What the panes say, how they scroll, and what they do with little room."""

from __future__ import annotations

from dataclasses import replace

import pytest
from console.pages.console import open_console
from console.scenes import alert, busy_link, message
from support.fake_link import NOW_MS, QUIET_QUEUE, FakeLink

from whatsself_tui.console.panes.alerts import AlertsPane
from whatsself_tui.console.panes.messages import MessagesPane
from whatsself_tui.console.words import WAITS_FOR
from whatsself_tui.store.readings import BreakerReading
from whatsself_tui.store.topics import Topic


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (81, 24), (120, 40)])
async def test_the_first_answers_are_there_without_scrolling(size: tuple[int, int]) -> None:
    async with open_console(busy_link(), size) as page:
        for words in (
            "● CLOSED",
            "12 waiting",
            "Next in 00:04",
            "human pace",
            "7/12",
            "2/2   03:12",
            "✗ ERROR",
            "14:03:22 ← Ana Lima",
            "today 31 in · 28 out · 1 failed",
        ):
            assert words in page.text


@pytest.mark.parametrize(
    ("state", "words"),
    [("closed", "Messages may go out."), ("open", "No message goes out."), ("half_open", "Testing, one by one.")],
)
async def test_the_breaker_says_what_its_state_means(state: str, words: str) -> None:
    link = FakeLink()
    link.breaker = BreakerReading(state, 40, 14, 0.35, 0.25, 20, NOW_MS + 251_000 if state == "open" else None, 2)
    async with open_console(link) as page:
        assert words in page.text
        assert "14 of 40 sends failed" in page.text
        assert ("First test in 04:11 ×2" in page.text) == (state == "open")


@pytest.mark.parametrize("reason", WAITS_FOR)
async def test_the_queue_says_in_words_why_it_waits(reason: str) -> None:
    link = FakeLink()
    waits = reason in ("paused", "offline", "in_flight")
    wakes_at = None if waits else NOW_MS if reason == "nothing" else NOW_MS + 65_000
    link.queue = replace(QUIET_QUEUE, queued=1, waits_for=reason, next_wake_at_ms=wakes_at)
    async with open_console(link, (120, 40)) as page:
        if waits:
            assert f"Held · {WAITS_FOR[reason]}" in page.text
        elif reason == "nothing":
            assert "Next now" in page.text
        else:
            assert "Next in 01:05" in page.text
            assert WAITS_FOR[reason] in page.text


async def test_a_new_robot_says_that_all_is_quiet() -> None:
    async with open_console(FakeLink()) as page:
        for words in (
            "Nothing waits.",
            "No contact used any.",
            "✓ No alerts.",
            "No messages yet.",
            "No sends of late.",
        ):
            assert words in page.text


async def test_messages_of_earlier_days_stand_under_their_day() -> None:
    link = FakeLink()
    link.messages = (message(2, "today"), replace(message(1, "before"), at_ms=NOW_MS - 24 * 3_600_000))
    async with open_console(link) as page:
        lines = page.app.dashboard.query_one("#messages", MessagesPane).plain.split("\n")
    assert "today" in lines[0]
    assert "─── Thursday 20 Nov ───" in lines[1]
    assert "before" in lines[2]


async def test_why_a_message_failed_stands_before_its_text() -> None:
    link = FakeLink()
    link.messages = (replace(message(1, "Olá!", "failed"), note="number is not on WhatsApp"),)
    async with open_console(link, (120, 40)) as page:
        assert "✗ failed      (number is not on WhatsApp) Olá!" in page.text


async def test_whoever_has_scrolled_back_keeps_what_he_reads_in_place() -> None:
    link = FakeLink()
    link.messages = tuple(message(number, f"text {number};") for number in range(40, 0, -1))
    async with open_console(link) as page:
        await page.press("5", *("j",) * 10)
        seen = page.text.splitlines()[15:21]
        assert "text 30;" in seen[0]
        link.change(Topic.MESSAGES, messages=(message(42, "new"), message(41, "new"), *link.messages))
        await page.until(lambda: page.app.dashboard.query_one("#messages", MessagesPane).scroll_offset.y == 12)
        await page.settle()
        assert [line[:60] for line in page.text.splitlines()[15:21]] == [line[:60] for line in seen]
        await page.press("g")
        assert "new" in page.text.splitlines()[15]


@pytest.mark.parametrize(
    ("keys", "first"),
    [
        (["down"], "text 39;"),
        (["j", "j", "k"], "text 39;"),
        (["pagedown"], "text 34;"),
        (["space", "b"], "text 40;"),
        (["G"], "text 7;"),
        (["end", "home"], "text 40;"),
    ],
)
async def test_keys_scroll_the_messages(keys: list[str], first: str) -> None:
    link = FakeLink()
    link.messages = tuple(message(number, f"text {number};") for number in range(40, 0, -1))
    async with open_console(link) as page:
        await page.press("5", *keys)
        assert first in page.text.splitlines()[15]


async def test_a_zoomed_pane_has_the_screen_to_itself_until_escape() -> None:
    async with open_console(busy_link()) as page:
        await page.press("2", "enter")
        assert "2 Queue" in page.text
        assert "3 Limits" not in page.text
        assert "z All panes" in page.keys
        assert "Seu pedido 1042" in page.text
        await page.press("3")
        assert "3 Limits" in page.text
        assert "2 Queue" not in page.text
        await page.press("escape")
        assert "2 Queue" in page.text
        await page.press("escape")
        assert "2 Queue" in page.text


async def test_tab_goes_round_the_panes() -> None:
    async with open_console(busy_link()) as page:
        seen = []
        for _ in range(5):
            await page.press("tab")
            seen.append(page.app.focused.id if page.app.focused else None)
        assert seen == ["breaker", "queue", "limits", "alerts", "messages"]
        await page.press("shift+tab")
        assert page.app.focused is not None
        assert page.app.focused.id == "alerts"


async def test_growing_and_shrinking_keeps_everything_readable() -> None:
    async with open_console(busy_link(), (120, 40)) as page:
        for width, height in ((59, 19), (60, 20), (40, 10), (80, 24), (200, 60), (120, 40)):
            await page.pilot.resize_terminal(width, height)
            await page.settle()
            alerts = page.app.dashboard.query_one("#alerts", AlertsPane)
            assert alerts.is_working == (width >= 60 and height >= 20)
            if alerts.is_working:
                widest = max(len(line) for line in alerts.plain.split("\n"))
                assert widest <= alerts.scrollable_content_region.width


async def test_long_alerts_are_shown_whole() -> None:
    link = FakeLink()
    link.alerts = (alert(1, "word " * 60 + "end."),)
    async with open_console(link) as page:
        await page.press("4", "z")
        assert "end." in page.text
        assert page.text.count("word") == 60
