"""A terminal that does not read, on a real pseudo terminal: the robot in the same loop must not notice."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("pseudo terminals of this kind are not there", allow_module_level=True)

from console.pages.reporting_terminal import ReportingTerminal

#: A minute of the robot's clock. Each message paints the whole screen (10 kB and more): ten times
#: what the terminal and Textual's own queue of 30 writes would hold.
MESSAGES, STEP_MS = 400, 150

Start = Callable[..., ReportingTerminal]


@pytest.fixture
def start() -> Iterator[Start]:
    terminals: list[ReportingTerminal] = []

    def start(*args: str, **env: str) -> ReportingTerminal:
        env["TEXTUAL_FPS"] = "500"
        terminals.append(ReportingTerminal("console.console_on_a_terminal", args, env))
        return terminals[-1]

    yield start
    for terminal in terminals:
        terminal.close()


def test_messages_go_on_for_a_minute_while_nobody_reads_and_one_repaint_follows(start: Start) -> None:
    terminal = start(str(MESSAGES), str(STEP_MS))
    terminal.wait_for_report(str(MESSAGES))
    terminal.read_until(lambda text: f"text {MESSAGES}" in text)
    for title in ("Breaker", "Queue", "Limits", "Alerts", "Messages", "ATTACHED"):
        assert title in terminal.text
    assert terminal.received < MESSAGES * 10_000 / 10
    terminal.press("q")
    assert terminal.drain() == 0


def test_a_console_whose_terminal_does_not_read_can_be_left(start: Start) -> None:
    terminal = start(str(MESSAGES), str(STEP_MS))
    terminal.wait_for_report(str(MESSAGES))
    terminal.press("q")
    terminal.wait_for_report("left")
    assert terminal.wait() == 0


def test_a_console_whose_terminal_is_gone_ends_in_order(start: Start) -> None:
    terminal = start("1", "1000")
    terminal.read_until(lambda text: "text 1" in text)
    terminal.hang_up()
    terminal.wait_for_report("left")
    assert terminal.wait() == 1


def test_the_robot_goes_on_while_an_editor_has_the_terminal(start: Start, tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    editor = tmp_path / "editor.py"
    editor.write_text("import sys\nprint('EDITING', flush=True)\nopen(sys.argv[1], 'w').write(input())\n")
    terminal = start(str(10 * MESSAGES), str(STEP_MS), str(settings), EDITOR=f"{sys.executable} {editor}")
    terminal.read_until(lambda text: "Breaker" in text)
    terminal.press("e")
    terminal.read_until(lambda text: "EDITING" in text)
    sent = terminal.last_report()
    terminal.wait_for_report(str(sent + MESSAGES))
    terminal.press("per_minute = 6\n")
    terminal.read_until(lambda text: "Breaker" in text and newest_message(text) > sent + MESSAGES)
    assert "EDITING" not in terminal.text
    assert settings.read_text() == "per_minute = 6"
    terminal.press("q")
    assert terminal.drain() == 0


def newest_message(text: str) -> int:
    return max((int(number) for number in re.findall(r"text (\d+)", text)), default=0)
