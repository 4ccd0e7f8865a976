"""Who runs the robot, whether it sends, how old the picture is: always in words, at every width."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest
from console.pages.console import open_console
from console.scenes import alert, busy_link, rejected_problem, troubled_link
from rich.cells import cell_len
from support.fake_link import NOW_MS, FakeLink

from whatsself_tui.console.panes.top_line import Part, fitted
from whatsself_tui.store.readings import BreakerReading, RobotReading
from whatsself_tui.store.topics import Topic

SIZES = [(60, 20), (80, 24), (81, 24), (120, 40)]


@pytest.mark.parametrize("size", SIZES)
async def test_an_owner_that_runs(size: tuple[int, int]) -> None:
    async with open_console(FakeLink(), size) as page:
        for words in ("OWNER", "ready", "RUNNING", "breaker CLOSED", "live"):
            assert words in page.top


@pytest.mark.parametrize("size", SIZES)
async def test_an_attached_console_says_to_whom(size: tuple[int, int]) -> None:
    async with open_console(busy_link("attached"), size) as page:
        for words in ("ATTACHED", "4242", "ready", "RUNNING", "breaker CLOSED", "live"):
            assert words in page.top
        assert " OWNER" not in page.top


@pytest.mark.parametrize("size", SIZES)
async def test_everything_wrong_at_once(size: tuple[int, int]) -> None:
    link = troubled_link()
    link.reject_configuration(rejected_problem())
    async with open_console(link, size) as page:
        for words in ("OWNER", "OFFLINE", "PAUSED", "CONFIG", "live"):
            assert words in page.top


async def test_a_lost_owner_is_told_at_once_with_the_age_of_the_data_and_an_offer() -> None:
    link = busy_link("attached")

    async def take_over() -> FakeLink:
        return FakeLink()

    async with open_console(link, (120, 40), take_over=take_over) as page:
        before = page.text
        link.lose_owner()
        await page.settle()
        assert "NO OWNER – last data 0 s old – press o to take over" in page.top
        await page.tick(12_000)
        assert "NO OWNER – last data 12 s old – press o to take over" in page.top
        assert "RUNNING" not in page.top
        for line in ("Next in 00:04", "Oldest waits 03:12", "Oi! Vocês entregam no sábado?"):
            assert line in before
            assert line in page.text
        assert page.app.heartbeat.is_running


async def test_a_lost_owner_without_a_way_to_take_over_makes_no_offer() -> None:
    link = busy_link("attached")
    async with open_console(link, (120, 40)) as page:
        link.lose_owner()
        await page.settle()
        assert "NO OWNER – last data 0 s old" in page.top
        assert "take over" not in page.text


async def test_another_owner_is_told_and_time_goes_on() -> None:
    link = busy_link("attached")
    async with open_console(link, notifications=True) as page:
        link.lose_owner()
        await page.settle()
        link.find_owner(pid=777)
        await page.settle()
        assert "ATTACHED to pid 777" in page.top
        await page.until(lambda: "The robot runs again" in page.text)
        await page.tick()
        await page.until(lambda: "Next in 00:03" in page.text)


async def test_a_rejected_configuration_comes_and_goes() -> None:
    link = FakeLink()
    async with open_console(link) as page:
        link.reject_configuration(rejected_problem())
        await page.settle()
        assert "CONFIG REJECTED" in page.top
        link.reject_configuration()
        await page.settle()
        assert "CONFIG" not in page.top


async def test_unacknowledged_alerts_are_counted() -> None:
    link = FakeLink()
    async with open_console(link, (120, 40)) as page:
        assert "alert" not in page.top
        link.change(Topic.ALERTS, alerts=(alert(1), alert(2), replace(alert(3), acknowledged_at_ms=NOW_MS)))
        await page.settle()
        assert "▲ 2 alerts" in page.top


async def test_a_store_that_cannot_be_read_is_told_with_the_age_of_the_data() -> None:
    link = FakeLink()
    async with open_console(link) as page:
        link.fault = sqlite3.OperationalError("disk I/O error")
        link.change(Topic.ROBOT)
        await page.until(lambda: "CANNOT READ, 0 s old" in page.top)
        assert "live" not in page.top
        assert "OWNER" in page.top


async def test_badges_of_a_demonstration_that_is_read_only() -> None:
    async with open_console(FakeLink(), (120, 40), demo=True, read_only=True) as page:
        assert "DEMO" in page.top
        assert "READ-ONLY" in page.top


async def test_states_nobody_knows_yet_are_shown_as_they_are() -> None:
    link = FakeLink()
    link.robot = RobotReading(False, "whatsapp_web", "pairing_needed", "")
    link.breaker = BreakerReading("forced_open", 0, 0, 0.0, 0.25, 20, None, 1)
    async with open_console(link, (120, 40)) as page:
        assert "whatsapp web pairing needed" in page.top
        assert "breaker FORCED OPEN" in page.top


@pytest.mark.parametrize("width", range(1, 60))
def test_parts_are_shortened_in_their_order(width: int) -> None:
    parts = [Part(("first part", "first", ""), "", (2, 4)), Part(("KEPT",), ""), Part(("last part", "last"), "", (1,))]
    text = fitted(parts, width).plain
    assert "KEPT" in text
    assert cell_len(text) <= max(width, len("KEPT  last"))
    if width >= len("first part  KEPT  last part"):
        assert text == "first part  KEPT  last part"
    elif width >= len("first part  KEPT  last"):
        assert text == "first part  KEPT  last"
    elif width >= len("first  KEPT  last"):
        assert text == "first  KEPT  last"
    else:
        assert text == "KEPT  last"
