"""One table makes keys, footer, palette and help; what makes no sense says why."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import pytest
from console.pages.console import open_console
from console.scenes import alert, busy_link
from support.fake_link import FakeLink
from textual.binding import BindingsMap

from whatsself_tui.console.actions import ACTIONS, BETWEEN_PANES, MOVES, ActionState, find, reason_against
from whatsself_tui.console.deeds import DEEDS
from whatsself_tui.console.key_bar import key_line
from whatsself_tui.console.screens.confirm import ConfirmScreen
from whatsself_tui.console.screens.help import page
from whatsself_tui.store.topics import Topic

#: What every terminal can send and tell apart (a legacy console over SSH included).
SENDABLE = re.compile(
    r"[a-zA-Z0-9]|question_mark|f([1-9]|10)|up|down|left|right|pageup|pagedown|home|end|space|tab|shift\+tab|enter"
    r"|escape|ctrl\+[a-gk-lnp-z]"
)

ROWS = [(row.title, row.keys) for row in ACTIONS] + [(row.title, row.keys) for row in (*MOVES, *BETWEEN_PANES)]

IDLE = ActionState(paused=False, has_settings_file=True, unacknowledged=1)


def test_no_key_means_two_things() -> None:
    keys = Counter(key for _, keys in ROWS for key in keys)
    keys.update("12345")
    assert [key for key, count in keys.items() if count > 1] == []


def test_every_key_reaches_the_console_from_every_terminal() -> None:
    for name, keys in ROWS:
        for key in keys:
            assert SENDABLE.fullmatch(key), key
        if any(re.fullmatch(r"f\d+", key) for key in keys):
            assert any(not re.fullmatch(r"f\d+", key) for key in keys), name


def test_every_action_is_done_by_something_and_nothing_is_done_without_one() -> None:
    assert set(DEEDS) == {action.id for action in ACTIONS}
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)


def test_the_key_that_confirms_is_not_one_that_starts() -> None:
    bindings = BindingsMap(ConfirmScreen.BINDINGS)
    confirming = {key for key, binding in bindings if binding.action == "answer(True)"}
    asking = {key for action in ACTIONS if action.danger == "asks" for key in action.keys}
    assert confirming == {"y"}
    assert asking == {"q", "ctrl+q", "r"}
    assert confirming.isdisjoint(asking)


@pytest.mark.parametrize(
    ("action_id", "state", "reason"),
    [
        ("pause", IDLE, None),
        ("pause", replace(IDLE, paused=None), "not known yet"),
        ("pause", replace(IDLE, read_only=True), "read-only"),
        ("pause", replace(IDLE, mode="attached", has_owner=False), "Nobody runs"),
        ("pause", replace(IDLE, busy=frozenset({"pause"})), "under way"),
        ("acknowledge", IDLE, None),
        ("acknowledge", replace(IDLE, unacknowledged=0), "no alert"),
        ("acknowledge", replace(IDLE, read_only=True), "read-only"),
        ("acknowledge", replace(IDLE, on_automation=True), "on the dashboard"),
        ("try", IDLE, "on the automation screen"),
        ("try", replace(IDLE, on_automation=True, read_only=True), None),
        ("begin_anew", IDLE, "on the automation screen"),
        ("begin_anew", replace(IDLE, on_automation=True), "written nothing yet"),
        ("begin_anew", replace(IDLE, on_automation=True, has_trial=True), None),
        ("edit", IDLE, None),
        ("edit", replace(IDLE, has_settings_file=False), "no settings file"),
        ("edit", replace(IDLE, read_only=True), "read-only"),
        ("take_over", IDLE, "owner already"),
        ("take_over", replace(IDLE, mode="attached"), "Another process"),
        ("take_over", replace(IDLE, mode="attached", has_owner=False), "cannot run"),
        ("take_over", replace(IDLE, mode="attached", has_owner=False, may_take_over=True), None),
        ("take_over", replace(IDLE, mode="attached", has_owner=False, may_take_over=True, read_only=True), "read-only"),
        ("quit", replace(IDLE, read_only=True), None),
        ("help", replace(IDLE, read_only=True), None),
    ],
)
def test_reasons(action_id: str, state: ActionState, reason: str | None) -> None:
    found = reason_against(find(action_id), state)
    if reason is None:
        assert found is None
    else:
        assert reason in (found or "")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_footer_fits_and_always_names_help_and_quit(width: int) -> None:
    for state in (IDLE, replace(IDLE, paused=True, zoomed=True), replace(IDLE, read_only=True)):
        line = key_line(state, width)
        assert line.cell_length <= width
        assert " ? Help " in line.plain
        assert " q Quit " in line.plain


def test_the_footer_follows_the_state() -> None:
    assert " p Pause " in key_line(IDLE, 120).plain
    assert " p Resume " in key_line(replace(IDLE, paused=True), 120).plain
    assert "Pause" not in key_line(replace(IDLE, read_only=True), 120).plain
    assert " z All panes " in key_line(replace(IDLE, zoomed=True), 120).plain
    assert "Take over" not in key_line(IDLE, 120).plain


@pytest.mark.parametrize("width", [60, 80, 120])
def test_while_one_writes_the_footer_names_no_key_that_is_text(width: int) -> None:
    line = key_line(replace(IDLE, on_automation=True, typing=True, has_trial=True), width)
    keys = line.plain.split()[::2]
    assert line.cell_length <= width
    assert {"enter", "esc", "^r", "F1", "^q"} <= set(line.plain.split())
    assert all(len(key) > 1 for key in keys)


@pytest.mark.parametrize("width", [56, 76, 94])
def test_the_help_names_every_action_and_fits(width: int) -> None:
    lines = page(width)
    text = " ".join(" ".join(line.plain.split()) for line in lines)
    assert max(line.cell_length for line in lines) <= width
    for action in ACTIONS:
        assert f"{action.title}. {action.help}" in text


async def test_a_disabled_action_says_why_in_a_toast_that_stays_in_the_alerts() -> None:
    link = FakeLink()
    async with open_console(link, (120, 40), notifications=True, read_only=True) as page:
        await page.press("p")
        await page.until(lambda: page.text.count("This console is read-only.") == 2)
        assert link.commands == []


async def test_the_palette_lists_all_actions_with_reasons_and_does_the_chosen_one() -> None:
    link = busy_link()
    async with open_console(link, (120, 40)) as page:
        await page.press("ctrl+p")
        await page.until(lambda: "Pause or resume the robot" in page.text)
        assert "Not now: This console is the owner already." in page.text
        assert "Not now: This console was given no settings file." in page.text
        await page.press(*"resume")
        await page.until(lambda: "Acknowledge an alert" not in page.text)
        await page.press("enter")
        await page.until(lambda: link.commands)
        assert link.commands == [("pause", {})]


async def test_ctrl_c_names_the_way_out() -> None:
    async with open_console(FakeLink(), notifications=True) as page:
        await page.press("ctrl+c")
        await page.until(lambda: "Press q to quit." in page.text)
        assert page.app.is_running


async def test_a_click_on_the_footer_does_what_the_key_does() -> None:
    link = FakeLink()
    async with open_console(link) as page:
        await page.pilot.click("#keys", offset=(page.keys.index("Pause"), 0))
        await page.settle()
        assert link.commands == [("pause", {})]


async def test_new_alerts_are_told_once_in_a_toast() -> None:
    link = FakeLink()
    link.alerts = (alert(1, "Known before."),)
    async with open_console(link, (120, 40), notifications=True) as page:
        link.change(Topic.ALERTS, alerts=(alert(2, "The phone is offline [b]now."), alert(1, "Known before.")))
        await page.until(lambda: page.text.count("The phone is offline [b]now.") >= 2)
        assert page.text.count("Known before.") == 1
