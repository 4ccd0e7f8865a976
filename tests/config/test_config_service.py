"""Edits come into force, or change nothing and are told."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest
from support.config_room import GOOD_AUTOMATION, GOOD_SETTINGS, ConfigRoom, config_room
from support.fake_clock import FakeClock

from whatsself_tui.config.changes import FieldChange
from whatsself_tui.config.folder import GRACE_S, REST_S
from whatsself_tui.config.service import Applied, CheckOutcome, ConfigService
from whatsself_tui.errors import ConfigError

_LIMIT_30 = FieldChange("settings.toml", "limits.per_minute", "12", "30")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def room(tmp_path: Path, clock: FakeClock) -> ConfigRoom:
    return config_room(tmp_path / "config", clock)


async def _checked(room: ConfigRoom, clock: FakeClock, who: str = "file edit") -> CheckOutcome:
    return await clock.finish(room.service.check(who))


async def _at_once(room: ConfigRoom) -> CheckOutcome:
    """A check while the clock stands still."""
    return await asyncio.wait_for(room.service.check(), timeout=30)


async def test_a_valid_edit_is_in_force_and_told(room: ConfigRoom, clock: FakeClock) -> None:
    before = room.service.current
    room.settings.write_text("[limits]\nper_minute = 30\n")
    outcome = await _checked(room, clock, who="Ana")
    assert outcome == CheckOutcome("applied", (_LIMIT_30,))
    current = room.service.current
    assert (room.per_minute, current.revision, before.revision) == (30, 2, 1)
    assert before.settings.limits.per_minute == 12
    assert room.applied == [Applied(current, (_LIMIT_30,), "Ana", clock.now_ms())]
    assert room.rejected == []
    assert (room.folder / "last-good" / "settings.toml").read_bytes() == room.settings.read_bytes()


async def test_an_edit_of_the_automation_is_in_force(room: ConfigRoom, clock: FakeClock) -> None:
    room.automation.write_text(GOOD_AUTOMATION.replace('"Oi"', '"Olá"'), encoding="utf-8")
    outcome = await _checked(room, clock)
    assert [(change.file, change.field) for change in outcome.changes] == [("automation.toml", "template.menu")]
    assert room.service.current.catalogue.templates["menu"].text == "Olá"


async def test_an_invalid_edit_changes_nothing_and_is_told_once(room: ConfigRoom, clock: FakeClock) -> None:
    before = room.service.current
    room.settings.write_text("[limits]\nper_minute = 0\n")
    outcome = await _checked(room, clock)
    assert outcome.result == "rejected"
    assert [str(problem) for problem in outcome.problems] == [
        "settings.toml:2: limits.per_minute: per_minute is 0; allowed: 1 to 100000"
    ]
    assert room.service.current is before
    assert room.service.problems == outcome.problems
    assert await _checked(room, clock) == CheckOutcome("unchanged", problems=outcome.problems)
    assert (room.rejected, room.applied) == ([outcome.problems], [])
    assert (room.folder / "last-good" / "settings.toml").read_text() == GOOD_SETTINGS


async def test_one_invalid_file_holds_the_other_back(room: ConfigRoom, clock: FakeClock) -> None:
    room.settings.write_text("[limits]\nper_minute = 30\n")
    room.automation.write_text("[[trigger]]\nname = 'x'\n")
    assert (await _checked(room, clock)).result == "rejected"
    assert room.per_minute == 12
    room.automation.write_text(GOOD_AUTOMATION)
    assert (await _checked(room, clock)).changes == (_LIMIT_30,)
    assert room.service.problems == ()


async def test_what_one_file_says_is_checked_against_the_other(room: ConfigRoom, clock: FakeClock) -> None:
    room.settings.write_text("[consent]\nopt_out = ['OI']\n")
    outcome = await _checked(room, clock)
    assert [(problem.file, problem.field) for problem in outcome.problems] == [
        ("automation.toml", "trigger[0].equals[0]")
    ]


async def test_putting_the_file_back_settles_the_problem(room: ConfigRoom, clock: FakeClock) -> None:
    room.settings.write_text("broken")
    await _checked(room, clock)
    room.settings.write_text(GOOD_SETTINGS)
    assert await _checked(room, clock) == CheckOutcome("unchanged")
    assert room.service.problems == ()
    assert [news.changes for news in room.applied] == [()]
    assert room.service.current.revision == 1
    room.settings.write_text("broken")
    await _checked(room, clock)
    assert len(room.rejected) == 2  # the same mistake made again is told again


async def test_a_mistake_made_again_after_another_edit_is_told_again(room: ConfigRoom, clock: FakeClock) -> None:
    for text, result in (("broken", "rejected"), ("[limits]\nper_minute = 30\n", "applied"), ("broken", "rejected")):
        room.settings.write_text(text)
        assert (await _checked(room, clock)).result == result
    assert len(room.rejected) == 2
    assert room.service.problems == room.rejected[0]


async def test_an_edit_of_comments_changes_nothing_and_settles_problems(room: ConfigRoom, clock: FakeClock) -> None:
    room.settings.write_text("broken")
    await _checked(room, clock)
    room.settings.write_text("# a comment\n" + GOOD_SETTINGS)
    assert await _checked(room, clock) == CheckOutcome("applied")
    assert (room.service.problems, room.service.current.revision) == ((), 1)
    assert (room.folder / "last-good" / "settings.toml").read_text().startswith("# a comment")


async def test_a_look_without_a_change_is_cheap_and_silent(room: ConfigRoom, clock: FakeClock) -> None:
    outcome = await _at_once(room)
    assert outcome == CheckOutcome("unchanged")
    os.utime(room.settings)
    assert await _at_once(room) == CheckOutcome("unchanged")
    assert (room.applied, room.rejected) == ([], [])


async def test_a_file_written_in_pieces_counts_when_it_rests(room: ConfigRoom, clock: FakeClock) -> None:
    check = asyncio.create_task(room.service.check())
    room.settings.write_text("[limits]\n")
    await clock.sleepers()
    for piece in ("[limits]\nper_min", "[limits]\nper_minute = 3", "[limits]\nper_minute = 30\n"):
        room.settings.write_text(piece)
        await clock.advance(REST_S)
        await clock.sleepers()
        assert room.per_minute == 12
    assert (await clock.finish(_of(check))).changes == (_LIMIT_30,)
    assert room.rejected == []


async def test_an_emptied_file_is_given_time_to_be_written(room: ConfigRoom, clock: FakeClock) -> None:
    room.settings.write_bytes(b"")
    check = asyncio.create_task(room.service.check())
    await clock.sleepers()
    await clock.advance(REST_S)
    await clock.sleepers()  # empty at both looks, and still waited for
    room.settings.write_text("[limits]\nper_minute = 30\n")
    assert (await clock.finish(_of(check))).result == "applied"
    assert room.rejected == []


async def test_a_file_that_is_gone_is_given_time_to_come_back(room: ConfigRoom, clock: FakeClock) -> None:
    aside = room.settings.with_suffix(".toml~")
    room.settings.rename(aside)
    check = asyncio.create_task(room.service.check())
    await clock.sleepers()
    await clock.advance(REST_S)
    await clock.sleepers()
    aside.rename(room.settings)
    assert await clock.finish(_of(check)) == CheckOutcome("unchanged")
    assert (room.applied, room.rejected) == ([], [])


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\r\n \n"])
async def test_a_file_that_stays_empty_is_a_problem(room: ConfigRoom, clock: FakeClock, content: bytes) -> None:
    started_ms = clock.now_ms()
    room.settings.write_bytes(content)
    outcome = await _checked(room, clock)
    assert [str(problem) for problem in outcome.problems] == ["settings.toml: the file is empty"]
    assert room.per_minute == 12
    assert clock.now_ms() - started_ms == GRACE_S * 1000


async def test_a_file_that_stays_away_is_a_problem_until_it_is_back(room: ConfigRoom, clock: FakeClock) -> None:
    room.settings.unlink()
    room.automation.write_text("[[trigger]]\n")
    outcome = await _checked(room, clock)
    assert outcome.problems[0].message == "the file is missing"
    assert {problem.file for problem in outcome.problems} == {"settings.toml", "automation.toml"}
    room.settings.write_text(GOOD_SETTINGS)
    room.automation.write_text(GOOD_AUTOMATION)
    assert await _checked(room, clock) == CheckOutcome("unchanged")
    assert room.service.problems == ()


async def test_a_folder_in_place_of_a_file_is_a_problem(room: ConfigRoom, clock: FakeClock) -> None:
    room.settings.unlink()
    room.settings.mkdir()
    (problem,) = (await _checked(room, clock)).problems
    assert str(problem) == "settings.toml: the file cannot be read: it is no regular file"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
async def test_a_pipe_in_place_of_a_file_does_not_hold_the_robot_up(room: ConfigRoom, clock: FakeClock) -> None:
    room.settings.unlink()
    if sys.platform != "win32":
        os.mkfifo(room.settings)
    (problem,) = (await _checked(room, clock)).problems
    assert "no regular file" in problem.message


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
async def test_a_link_is_followed(room: ConfigRoom, clock: FakeClock, tmp_path: Path) -> None:
    target = tmp_path / "dotfiles.toml"
    target.write_text("[limits]\nper_minute = 30\n")
    room.settings.unlink()
    room.settings.symlink_to(target)
    assert (await _checked(room, clock)).changes == (_LIMIT_30,)
    target.unlink()
    (problem,) = (await _checked(room, clock)).problems
    assert problem.message == "the file is missing"


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf[limits]\r\nper_minute = 30\r\n", b"[limits]\r\nper_minute = 30"])
async def test_windows_text_files_are_read(room: ConfigRoom, clock: FakeClock, content: bytes) -> None:
    room.settings.write_bytes(content)
    assert (await _checked(room, clock)).changes == (_LIMIT_30,)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"[business]\r\nname = 'Jo\xe3o'\r\n", "settings.toml:2: byte 0xE3 is not UTF-8 text"),
        ("[business]".encode("utf-16"), "settings.toml:1: byte 0xFF is not UTF-8 text"),
        (b"\0" * 500, "settings.toml:1: "),
        (b"#" * 2_000_000, "settings.toml: the file is larger"),
    ],
)
async def test_what_is_no_text_is_told(room: ConfigRoom, clock: FakeClock, content: bytes, problem: str) -> None:
    room.settings.write_bytes(content)
    (told,) = (await _checked(room, clock)).problems
    assert str(told).startswith(problem)
    assert room.per_minute == 12


async def test_overlapping_checks_take_turns(room: ConfigRoom, clock: FakeClock) -> None:
    room.settings.write_text("[limits]\nper_minute = 30\n")

    async def both() -> list[CheckOutcome]:
        return await asyncio.gather(*(room.service.check() for _ in range(5)))

    results = [outcome.result for outcome in await clock.finish(both())]
    assert results == ["applied", "unchanged", "unchanged", "unchanged", "unchanged"]
    assert len(room.applied) == 1


async def test_a_cancelled_check_leaves_the_next_one_to_do_it(room: ConfigRoom, clock: FakeClock) -> None:
    room.settings.write_text("[limits]\nper_minute = 30\n")
    check = asyncio.create_task(room.service.check())
    await clock.sleepers()
    check.cancel()
    await asyncio.gather(check, return_exceptions=True)
    assert room.per_minute == 12
    assert (await _checked(room, clock)).result == "applied"


async def test_a_listener_that_fails_keeps_the_news_from_nobody(room: ConfigRoom, clock: FakeClock) -> None:
    heard: list[str] = []

    async def failing(news: Applied) -> None:
        raise ValueError("the listener's own fault")

    async def last(news: Applied) -> None:
        heard.append(news.who)

    room.service.on_applied(failing)
    room.service.on_applied(last)
    room.settings.write_text("[limits]\nper_minute = 30\n")
    with pytest.raises(ExceptionGroup) as caught:
        await _checked(room, clock)
    assert [str(error) for error in caught.value.exceptions] == ["the listener's own fault"]
    assert (room.per_minute, heard) == (30, ["file edit"])
    assert await _at_once(room) == CheckOutcome("unchanged")


async def test_a_last_good_copy_that_cannot_be_written_is_told_and_tried_again(
    room: ConfigRoom, clock: FakeClock
) -> None:
    copy = room.folder / "last-good" / "settings.toml"
    copy.unlink()
    copy.mkdir()
    room.settings.write_text("[limits]\nper_minute = 30\n")
    outcome = await _checked(room, clock)
    assert (outcome.result, room.per_minute) == ("applied", 30)
    assert [problem.file for problem in room.service.problems] == ["last-good/settings.toml"]
    assert room.rejected == [outcome.problems]
    await _checked(room, clock)
    assert len(room.rejected) == 1
    copy.rmdir()
    await _checked(room, clock)
    assert room.service.problems == ()
    assert copy.read_bytes() == room.settings.read_bytes()


def test_a_start_with_valid_files_puts_them_in_force(room: ConfigRoom, clock: FakeClock) -> None:
    room.settings.write_text("[limits]\nper_minute = 30\n")
    again = room.restarted(clock)
    started = again.service.load()
    assert started == Applied(again.service.current, (_LIMIT_30,), "file edit while stopped", clock.now_ms())
    assert (again.per_minute, again.service.problems) == (30, ())
    assert room.restarted(clock).service.load().changes == ()


async def test_a_start_with_invalid_files_goes_on_with_the_last_good_ones(room: ConfigRoom, clock: FakeClock) -> None:
    room.settings.write_text("[limits]\nper_minute = 30\n")
    await _checked(room, clock)
    room.settings.write_text("[limits]\nper_minute = 0\n")
    room.automation.unlink()
    again = room.restarted(clock)
    again.service.load()
    assert again.per_minute == 30
    assert "oi" in again.service.current.catalogue.triggers[0].phrases
    assert {problem.file for problem in again.service.problems} == {"settings.toml", "automation.toml"}
    assert await _at_once(again) == CheckOutcome("unchanged", problems=again.service.problems)
    again.settings.write_text("[limits]\nper_minute = 40\n")
    again.automation.write_text(GOOD_AUTOMATION)
    assert [change.new for change in (await clock.finish(again.service.check())).changes] == ["40"]


async def test_after_such_a_start_the_last_good_files_put_back_settle_it(room: ConfigRoom, clock: FakeClock) -> None:
    room.settings.write_text("broken")
    again = room.restarted(clock)
    again.service.load()
    again.settings.write_text(GOOD_SETTINGS)
    assert await _at_once(again) == CheckOutcome("unchanged")
    assert again.service.problems == ()
    assert len(again.applied) == 1


def test_a_first_start_with_invalid_files_tells_all_that_is_wrong(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "settings.toml").write_text("[limits]\nper_minute = 0\nper_contact = 0\n")
    service = ConfigService(tmp_path, clock)
    with pytest.raises(ConfigError) as caught:
        service.load()
    assert [(problem.file, problem.line) for problem in caught.value.problems] == [
        ("automation.toml", None),
        ("settings.toml", 2),
        ("settings.toml", 3),
    ]
    assert caught.value.exit_code == 2
    with pytest.raises(RuntimeError):
        _ = service.current


async def _of(task: asyncio.Task[CheckOutcome]) -> CheckOutcome:
    return await task
