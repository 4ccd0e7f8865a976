"""What happens when an operator acts."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from console.pages.console import ConsolePage, open_console
from console.scenes import alert, busy_link, message
from support.fake_link import NOW_MS, QUIET_QUEUE, FakeLink

from whatsself_tui.errors import FolderOwned
from whatsself_tui.robot.link import CommandResult
from whatsself_tui.store.topics import Topic

WAITS = "12 messages wait; they stay in the queue and go out when the robot runs again."


def is_running(page: ConsolePage) -> bool:
    return page.app.is_running


async def test_pause_and_resume_with_one_key() -> None:
    link = FakeLink()
    async with open_console(link) as page:
        await page.press("p")
        assert "PAUSED" in page.top
        assert "p Resume" in page.keys
        await page.press("p")
        assert "RUNNING" in page.top
        assert "p Pause" in page.keys
    assert link.commands == [("pause", {}), ("resume", {})]


async def test_a_refused_command_is_told() -> None:
    class Refusing(FakeLink):
        async def execute(self, name: str, args: object) -> CommandResult:
            return CommandResult(False, "Not while [b]a backup[/b] runs.", {}, exit_code=1)

    async with open_console(Refusing(), notifications=True) as page:
        await page.press("p")
        await page.until(lambda: "Not while [b]a backup[/b] runs." in page.text)
        assert "RUNNING" in page.top


async def test_a_command_that_fails_in_the_console_does_not_end_it() -> None:
    class Broken(FakeLink):
        async def execute(self, name: str, args: object) -> CommandResult:
            raise ZeroDivisionError

    async with open_console(Broken(), (120, 40), notifications=True) as page:
        await page.press("p")
        await page.until(lambda: "ZeroDivisionError" in page.text)
        assert is_running(page)


class TestAcknowledging:
    async def test_the_newest_alert_from_anywhere(self) -> None:
        link = FakeLink()
        link.alerts = (alert(3), alert(2), alert(1))
        async with open_console(link) as page:
            await page.press("a", "a")
        assert link.commands == [("alert_ack", {"id": 3}), ("alert_ack", {"id": 2})]

    async def test_the_selected_one_in_the_pane(self) -> None:
        link = FakeLink()
        link.alerts = (alert(3), alert(2), alert(1))
        async with open_console(link, (120, 40)) as page:
            await page.press("4", "j", "down", "k", "a")
            assert link.commands == [("alert_ack", {"id": 2})]
            assert "✓ SEEN" in page.text

    async def test_one_acknowledged_before_says_so(self) -> None:
        link = FakeLink()
        link.alerts = (alert(2), replace(alert(1), acknowledged_at_ms=NOW_MS))
        async with open_console(link, (120, 40), notifications=True) as page:
            await page.press("4", "G", "a")
            await page.until(lambda: "acknowledged already" in page.text)
        assert link.commands == []

    async def test_the_selection_stays_on_its_alert_when_others_come(self) -> None:
        link = FakeLink()
        link.alerts = (alert(2), alert(1))
        async with open_console(link, (120, 40)) as page:
            await page.press("4", "j")
            link.change(Topic.ALERTS, alerts=(alert(3), alert(2), alert(1)))
            await page.settle()
            await page.press("a")
        assert link.commands == [("alert_ack", {"id": 1})]

    async def test_a_selected_alert_out_of_sight_is_scrolled_to(self) -> None:
        link = FakeLink()
        link.alerts = tuple(alert(number, f"Alert number {number}.") for number in range(20, 0, -1))
        async with open_console(link) as page:
            assert "Alert number 1." not in page.text
            await page.press("4", "G")
            await page.until(lambda: "Alert number 1." in page.text)


class TestQuitting:
    async def test_an_owner_with_messages_waiting_is_asked_and_cancel_is_in_focus(self) -> None:
        link = FakeLink()
        link.queue = replace(QUIET_QUEUE, queued=11, sending=1)
        async with open_console(link, (120, 40)) as page:
            await page.press("q")
            await page.until(lambda: WAITS in joined(page))
            await page.press("enter")
            await page.until(lambda: page.app.dashboard.is_active)
            assert is_running(page)

    @pytest.mark.parametrize("key", ["q", "ctrl+q", "escape", "n"])
    async def test_the_starting_key_never_confirms(self, key: str) -> None:
        link = FakeLink()
        link.queue = replace(QUIET_QUEUE, queued=12)
        async with open_console(link) as page:
            await page.press("q")
            await page.until(lambda: "12 messages wait" in page.text)
            await page.press(key)
            assert is_running(page)

    async def test_yes_quits_with_zero(self) -> None:
        link = FakeLink()
        link.queue = replace(QUIET_QUEUE, queued=1)
        async with open_console(link) as page:
            await page.press("ctrl+q")
            await page.until(lambda: "1 message waits; it stays in the queue and goes out" in joined(page))
            await page.pilot.press("y")
            await page.until(lambda: not is_running(page))
            assert page.app.return_code == 0
        assert link.listeners == 0
        assert not link.is_closed, "the caller closes the link"

    async def test_the_other_button_can_be_reached_and_pressed(self) -> None:
        link = FakeLink()
        link.queue = replace(QUIET_QUEUE, queued=1)
        async with open_console(link) as page:
            await page.press("q")
            await page.until(lambda: "Cancel" in page.text)
            await page.pilot.press("right", "enter")
            await page.until(lambda: not is_running(page))

    async def test_a_queue_that_cannot_be_read_asks_too(self) -> None:
        link = FakeLink()
        async with open_console(link) as page:
            link.fault = sqlite3.OperationalError("no")
            await page.press("q")
            await page.until(lambda: "The queue cannot be read (OperationalError)" in page.text)

    @pytest.mark.parametrize("case", ["nothing waits", "attached", "demo"])
    async def test_nothing_to_lose_nothing_to_ask(self, case: str) -> None:
        link = FakeLink("attached" if case == "attached" else "owner")
        link.queue = replace(QUIET_QUEUE, queued=0 if case == "nothing waits" else 12)
        async with open_console(link, demo=case == "demo") as page:
            await page.pilot.press("q")
            await page.until(lambda: not is_running(page))
            assert page.app.return_code == 0

    async def test_ctrl_q_quits_from_the_help_too(self) -> None:
        async with open_console(FakeLink("attached")) as page:
            await page.press("question_mark")
            await page.pilot.press("ctrl+q")
            await page.until(lambda: not is_running(page))

    async def test_a_signal_can_end_it_under_an_open_question(self) -> None:
        link = FakeLink()
        link.queue = replace(QUIET_QUEUE, queued=12)
        async with open_console(link) as page:
            await page.press("q")
            await page.until(lambda: "Cancel" in page.text)
            page.app.exit(return_code=143)
            await page.until(lambda: not is_running(page))
            assert page.app.return_code == 143


class TestTakingOver:
    async def test_it_swaps_the_link_and_shows_the_new_one(self) -> None:
        former, new = FakeLink("attached"), busy_link()

        async def take_over() -> FakeLink:
            return new

        async with open_console(former, (120, 40), take_over=take_over) as page:
            former.lose_owner()
            await page.settle()
            await page.press("o")
            await page.until(lambda: " OWNER   simulator ready" in page.top and "12 waiting" in page.text)
            assert "This console is the owner now" in page.text
            assert page.text.count("One message to Bruno") == 1, "what is known is no news"
            assert page.app.link is new
            assert former.is_closed
            assert former.listeners == 0
            new.change(Topic.MESSAGES, messages=(message(1, "from the new one"),))
            await page.until(lambda: "from the new one" in page.text)
            await page.press("p")
        assert new.commands == [("pause", {})]
        assert not new.is_closed

    async def test_somebody_was_faster(self) -> None:
        link = FakeLink("attached")

        async def take_over() -> FakeLink:
            raise FolderOwned("Process 99 runs the robot.")

        async with open_console(link, (120, 40), take_over=take_over, notifications=True) as page:
            link.lose_owner()
            await page.settle()
            await page.press("o")
            await page.until(lambda: "could not be taken over: Process 99 runs the robot." in joined(page))
            assert "NO OWNER" in page.top
            assert not link.is_closed

    async def test_pressing_twice_takes_over_once(self) -> None:
        link, started, calls = FakeLink("attached"), asyncio.Event(), []

        async def take_over() -> FakeLink:
            calls.append(1)
            await started.wait()
            return FakeLink()

        async with open_console(link, take_over=take_over) as page:
            link.lose_owner()
            await page.settle()
            await page.press("o", "o")
            started.set()
            await page.until(lambda: page.app.link is not link)
        assert calls == [1]

    @pytest.mark.parametrize("read_only", [True, False])
    async def test_not_offered(self, read_only: bool) -> None:
        link = FakeLink("attached")
        async with open_console(link, read_only=read_only) as page:
            link.lose_owner()
            await page.settle()
            await page.press("o")
            assert page.app.link is link


class TestEditing:
    async def test_a_terminal_that_cannot_be_lent_names_the_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("EDITOR", os.devnull)
        monkeypatch.setattr("shutil.which", lambda name: name)
        file = tmp_path / "settings.toml"
        async with open_console(FakeLink(), (120, 40), settings_file=file, notifications=True) as page:
            await page.press("e")
            await page.until(lambda: "cannot be lent" in page.text)
            assert file.name in joined(page)
            assert is_running(page)

    async def test_no_editor_names_the_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        async with open_console(
            FakeLink(), (120, 40), settings_file=tmp_path / "settings.toml", notifications=True
        ) as page:
            await page.press("e")
            await page.until(lambda: "No editor is installed here." in page.text)
            assert "settings.toml" in joined(page)


async def test_repaint_writes_every_line_again() -> None:
    async with open_console(busy_link()) as page:
        written = page.written
        await page.press("ctrl+l")
        assert page.written - written > 5_000


async def test_help_opens_and_closes() -> None:
    async with open_console(FakeLink()) as page:
        for opening, closing in (("question_mark", "question_mark"), ("f1", "escape"), ("question_mark", "q")):
            await page.press(opening)
            assert "Become the owner" in page.text
            await page.press(closing)
            assert "Become the owner" not in page.text
        assert is_running(page)


def joined(page: ConsolePage) -> str:
    """The screen's words in one line, frames and bars left out."""
    return " ".join("".join(char for char in page.text if char not in "│▌╭╮╰╯─█▸").split())
