"""The WhatsApp screen: the state in words, the QR code and its age, linking by number, and what may not be done."""

from __future__ import annotations

import stat
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from console.automation_scenes import bakery_link
from console.pages.console import open_console
from console.pages.whatsapp import WhatsAppPage, open_whatsapp
from console.pairing_scenes import (
    ALL_STATES,
    CHROME,
    QR_TEXT,
    READY,
    WhatsAppLink,
    connected,
    crashed,
    in_conflict,
    linking,
    page_changed,
    with_phone_code,
)
from console.scenes import HOSTILE, alert
from rich.cells import cell_len
from support.fake_link import NOW_MS, FakeLink
from support.qr_reading import inside, of_half_blocks, of_png, of_text

from whatsself_tui.console.lines import Lines
from whatsself_tui.console.pairing import PNG_NAME
from whatsself_tui.console.words import TRANSPORT
from whatsself_tui.robot.whatsapp_reading import BrowserReading, PairingCode
from whatsself_tui.store.topics import Topic
from whatsself_tui.transport.base import LinkState
from whatsself_tui.transport.states import TOLD

LARGE = (120, 40)
SIZES = [(60, 20), (80, 24), (81, 24), (120, 40)]
OTHER_QR = QR_TEXT[::-1]


def assert_shows_code(page: WhatsAppPage, text: str) -> None:
    """The terminal shows the very code, with margin enough for a phone."""
    code, margin = inside(of_half_blocks(page.qr))
    assert code == of_text(text)
    assert margin >= 2


def settings_file(root: Path) -> Path:
    """As the console is given it."""
    (root / "config").mkdir()
    return root / "config" / "settings.toml"


class TestComingAndGoing:
    @pytest.mark.parametrize("back", ["9", "escape"])
    async def test_9_opens_it_and_9_and_escape_go_back(self, back: str) -> None:
        async with open_whatsapp(connected()) as page:
            assert page.is_open
            assert "9 Back" in page.keys
            await page.press(back)
            assert page.app.dashboard.is_active
            assert "9 WhatsApp" in page.keys

    async def test_it_opens_over_the_automation_and_each_key_finds_its_screen(self) -> None:
        link = bakery_link()
        async with open_console(WhatsAppLink(READY), LARGE) as console:
            page = WhatsAppPage(console.app, link, console.pilot)
            await page.press("t", "9")
            assert page.is_open
            await page.press("9")
            assert "1 Rules" in page.text
            await page.press("9", "t")
            assert "1 Rules" in page.text
            await page.press("t")
            assert page.app.dashboard.is_active

    async def test_the_palette_and_the_help_name_it(self) -> None:
        async with open_console(connected(), LARGE) as console:
            await console.press("question_mark")
            assert "WhatsApp. The connection: its state" in console.text
            await console.press("escape", "ctrl+p")
            await console.press(*"qr code")
            await console.until(lambda: "A phone is linked on the WhatsApp screen: press 9." in console.text)

    async def test_alerts_are_not_acknowledged_unseen(self) -> None:
        link = connected()
        link.alerts = (alert(1),)
        async with open_whatsapp(link, LARGE, notifications=True) as page:
            await page.press("a")
            await page.until(lambda: "The alerts are on the dashboard." in page.text)
        assert link.commands == []

    @pytest.mark.parametrize("size", SIZES)
    @pytest.mark.parametrize("scene", [linking, with_phone_code, crashed, in_conflict, page_changed, connected])
    async def test_everything_fits(self, scene: Callable[[], WhatsAppLink], size: tuple[int, int]) -> None:
        async with open_whatsapp(scene(), size) as page:
            for name in ("#connection", "#link"):
                part = page.screen.query_one(name, Lines)
                widest = max(cell_len(line) for line in part.plain.split("\n"))
                assert 0 < widest <= part.scrollable_content_region.width
            assert " ? Help " in page.keys
            assert " q Quit " in page.keys

    async def test_too_small_a_terminal_says_what_is_needed(self) -> None:
        async with open_whatsapp(linking(), (59, 24)) as page:
            assert "59 x 24" in page.text
            assert "NOT LINKED" not in page.text


class TestConnection:
    @pytest.mark.parametrize("state", ALL_STATES)
    async def test_every_state_has_a_word_a_sentence_and_an_advice(self, state: str) -> None:
        sentence, advice = TOLD[LinkState(state)]
        async with open_whatsapp(WhatsAppLink(replace(READY, state=state)), LARGE) as page:
            assert TRANSPORT[state][0].upper() in page.connection
            assert TRANSPORT[state][0] in page.top
            assert sentence in page.connection
            assert "since 13:03" in page.connection
            assert advice in page.connection or state in ("pairing", "logged_out")

    async def test_account_browser_and_page(self) -> None:
        async with open_whatsapp(connected(), LARGE) as page:
            for words in ("account +5511987654321", "Google Chrome 142.0.7444.60, without a", "412 MB", "wa-js 4.6.0"):
                assert words in page.connection

    async def test_what_the_page_lacks_is_named(self) -> None:
        async with open_whatsapp(page_changed()) as page:
            assert "missing chat.sendTextMessage, whatsapp.MsgKey. WhatsApp's page has changed." in page.connection

    async def test_the_next_try_is_counted_down(self) -> None:
        async with open_whatsapp(crashed()) as page:
            assert "Next try in 00:41" in page.connection
            await page.tick(2_000)
            assert "Next try in 00:39" in page.connection
            assert "The browser ended by itself (exit code 133)." in page.connection

    async def test_a_robot_that_has_told_nothing_yet_shows_what_the_store_knows(self) -> None:
        async with open_whatsapp(WhatsAppLink(None)) as page:
            assert "STARTING" in page.connection
            assert "The browser is being started." in page.connection

    async def test_a_state_of_another_version_is_shown_as_it_is(self) -> None:
        async with open_whatsapp(WhatsAppLink(replace(READY, state="moon_phase", detail="It waits for it."))) as page:
            assert "MOON PHASE" in page.connection
            assert "It waits for it." in page.connection

    async def test_the_simulator_says_so_and_what_to_write(self) -> None:
        link = WhatsAppLink(None)
        link.robot = FakeLink().robot
        link._settings = FakeLink().settings
        async with open_whatsapp(link, LARGE) as page:
            assert "SIMULATOR" in page.connection
            assert 'kind = "whatsapp_web" under [transport] in settings.toml' in page.connection
            assert page.link_text == "A simulated phone needs no linking."

    async def test_settings_that_wait_for_a_new_start_are_told(self) -> None:
        link = WhatsAppLink(None)
        link.robot = FakeLink().robot
        async with open_whatsapp(link, LARGE) as page:
            assert "asks for whatsapp_web already" in page.connection

    @pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
    async def test_nothing_the_page_says_is_taken_for_markup_or_escape_sequences(self, text: str) -> None:
        reading = replace(
            READY,
            detail=text,
            account=text,
            bridge_version=text,
            missing=(text,),
            browser=BrowserReading(text, text, 1, True, None, 2),
        )
        async with open_whatsapp(WhatsAppLink(reading)) as page:
            assert "This pane failed" not in page.text
            assert "\x1b[2J" not in page.connection
            assert "\u202e" not in page.connection


class TestQrCode:
    @pytest.mark.parametrize("colours", ["truecolor", ""])
    async def test_it_is_the_code_and_dark_on_light_whatever_the_theme(
        self, monkeypatch: pytest.MonkeyPatch, colours: str
    ) -> None:
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.setenv("COLORTERM", colours)
        async with open_whatsapp(linking(), LARGE) as page:
            assert_shows_code(page, QR_TEXT)
            assert "code is 12 s old" in page.link_text

    async def test_a_new_one_takes_its_place_at_once(self) -> None:
        link = linking()
        async with open_whatsapp(link, LARGE) as page:
            link.tell(qr=PairingCode(OTHER_QR, NOW_MS))
            await page.until(lambda: "code is 0 s old" in page.link_text)
            await page.settle()
            assert_shows_code(page, OTHER_QR)

    async def test_its_age_ticks_and_nothing_else_is_painted(self) -> None:
        async with open_whatsapp(linking(), LARGE) as page:
            before = page.written
            await page.tick()
            assert "code is 13 s old" in page.text
            assert page.written - before < 600
            assert page.app.heartbeat.is_running

    async def test_an_expired_one_is_taken_away_and_time_stands_still(self) -> None:
        async with open_whatsapp(linking(), LARGE) as page:
            await page.tick(54_000)
            assert page.qr == []
            assert "expired – press n for a new one" in page.link_text
            assert not page.app.heartbeat.is_running

    async def test_n_asks_for_a_new_one(self) -> None:
        link = linking()
        async with open_whatsapp(link, LARGE) as page:
            await page.press("n")
        assert link.commands == [("pair_qr", {})]

    async def test_without_room_it_says_how_much_it_needs(self) -> None:
        async with open_whatsapp(linking()) as page:
            await page.press("c")
            assert page.qr == []
            assert "The QR code needs 61 x 32 cells; this is 76 x 12." in page.link_text
            assert "With 13 rows more in the terminal, z shows it." in page.link_text
            await page.resize(80, 37)
            assert "Press z: this pane alone has room for it." in page.link_text
            await page.press("z")
            assert_shows_code(page, QR_TEXT)

    async def test_the_numbers_it_names_are_enough(self) -> None:
        async with open_whatsapp(linking(), (60, 20)) as page:
            await page.press("c")
            assert "With 5 columns and 17 rows more in the terminal, z shows it." in page.link_text
            await page.resize(65, 37)
            await page.press("z")
            assert_shows_code(page, QR_TEXT)

    async def test_a_terminal_that_grows_shows_it_by_itself(self) -> None:
        async with open_whatsapp(linking()) as page:
            assert "Write the number" in page.link_text
            await page.resize(120, 40)
            assert_shows_code(page, QR_TEXT)
            assert not page.entry.visible

    @pytest.mark.parametrize("text", ["", "x" * 5_000, "\ud800"])
    async def test_what_cannot_be_drawn_is_told(self, text: str) -> None:
        async with open_whatsapp(linking(qr=PairingCode(text, NOW_MS)), LARGE) as page:
            if page.screen.action_state.way == "phone":
                await page.press("c")
            assert "cannot be shown" in page.link_text


class TestSaving:
    async def test_the_picture_is_this_user_s_alone_and_replaced_each_time(self, tmp_path: Path) -> None:
        link, file = linking(), tmp_path / PNG_NAME
        async with open_whatsapp(link, LARGE, settings_file=settings_file(tmp_path), notifications=True) as page:
            for text in (QR_TEXT, OTHER_QR):
                link.tell(qr=PairingCode(text, NOW_MS))
                await page.settle()
                await page.press("s")
                await page.until(file.exists)
                assert inside(of_png(file.read_bytes()))[0] == of_text(text)
                if sys.platform != "win32":
                    assert stat.S_IMODE(file.stat().st_mode) == 0o600
            told = " ".join(notice.text for notice in page.app.dashboard._alerts._notices)
            assert f"Saved in {file}." in told

    async def test_a_folder_that_cannot_be_written_is_told(self, tmp_path: Path) -> None:
        missing = tmp_path / "gone" / "config" / "settings.toml"
        async with open_whatsapp(linking(), LARGE, settings_file=missing, notifications=True) as page:
            await page.press("s")
            await page.until(lambda: "The QR code cannot be written" in page.text)

    async def test_without_a_code_there_is_nothing_to_save(self, tmp_path: Path) -> None:
        async with open_whatsapp(
            with_phone_code(), LARGE, settings_file=settings_file(tmp_path), notifications=True
        ) as page:
            await page.press("s")
            await page.until(lambda: "There is no QR code now." in page.text)
        assert not (tmp_path / PNG_NAME).exists()


class TestByNumber:
    async def test_where_the_qr_code_has_no_room_the_number_is_asked_for(self) -> None:
        link = linking()
        async with open_whatsapp(link) as page:
            assert page.entry.visible
            await page.ask_for("+55 11 98765-4321")
            assert link.commands == [("pair_code", {"phone": "5511987654321"})]
            link.tell(phone_code=PairingCode("K7MW2QXD", NOW_MS), phone_code_for="5511987654321", qr=None)
            await page.until(lambda: "K7MW-2QXD" in page.text)
            assert "Type this on the phone 5511987654321:" in page.link_text
            assert "Link with phone number instead" in page.link_text
            await page.tick(8_000)
            assert "code is 8 s old" in page.link_text

    async def test_while_whatsapp_is_asked_it_says_so_and_takes_no_second_request(self) -> None:
        link = linking()
        async with open_whatsapp(link, notifications=True) as page:
            link.gate.clear()
            await page.ask_for("5511987654321")
            assert page.link_text == "Asking WhatsApp for a code for +5511987654321 …"
            await page.ask_for("5511987654322")
            await page.until(lambda: "A code is being asked for already." in page.text)
            link.gate.set()
            await page.settle()
            assert len(link.commands) == 1
            assert "Write the number" in page.link_text

    async def test_its_first_digit_begins_it(self) -> None:
        link = linking()
        async with open_whatsapp(link) as page:
            await page.press(*"5511987654321", "enter")
            await page.settle()
        assert link.commands == [("pair_code", {"phone": "5511987654321"})]

    async def test_a_number_that_is_none_never_leaves_the_console(self) -> None:
        link = linking()
        async with open_whatsapp(link) as page:
            await page.ask_for("12")
            assert "'12' is not a phone number." in page.link_text
            assert "Press enter to ask again." in page.link_text
        assert link.commands == []

    async def test_why_whatsapp_gave_none_is_told(self) -> None:
        link = linking()
        link.refusal = "WhatsApp takes no more requests [b]for now."
        async with open_whatsapp(link) as page:
            await page.ask_for("5511987654321")
            assert "✗ WhatsApp takes no more requests [b]for now." in page.link_text
            link.refusal = ""
            await page.ask_for("5511987654321")
            link.tell(phone_code=PairingCode("K7MW2QXD", NOW_MS))
            await page.until(lambda: "K7MW-2QXD" in page.text)

    async def test_an_error_that_comes_later_is_told_too(self) -> None:
        async with open_whatsapp(linking(phone_code_error="The phone number is unknown.")) as page:
            assert "✗ The phone number is unknown." in page.link_text

    async def test_a_code_that_has_expired_is_told_and_not_shown_large(self) -> None:
        async with open_whatsapp(with_phone_code()) as page:
            await page.tick(200_000)
            assert "The code K7MW-2QXD has expired" in page.link_text
            assert "█" not in page.link_text

    @pytest.mark.parametrize("code", ["short", "[b]x[/b]", "ABCD\x1b[2J", "é" * 8])
    async def test_characters_of_any_kind_are_shown_harmless(self, code: str) -> None:
        async with open_whatsapp(linking(qr=None, phone_code=PairingCode(code, NOW_MS))) as page:
            assert "code is 0 s old" in page.link_text
            assert "\x1b" not in page.link_text

    async def test_letters_and_digits_are_text_while_the_number_is_written(self) -> None:
        async with open_whatsapp(linking()) as page:
            await page.press("enter", "9", "n", "p")
            assert page.entry.text == "9np"
            assert page.is_open
            assert page.link.commands == []
            assert "enter Send" in page.keys
            await page.press("escape")
            assert page.focus == "link"
            await page.press("escape")
            assert not page.is_open

    async def test_c_goes_between_both_ways_and_n_does_not_spoil_waiting_characters(self) -> None:
        link = with_phone_code()
        async with open_whatsapp(link, LARGE, notifications=True) as page:
            assert "K7MW-2QXD" in page.text
            await page.press("n")
            await page.until(lambda: "Press c for the QR code first." in page.text)
            assert link.commands == []
            await page.press("c")
            assert "The eight characters are worth nothing then." in page.link_text
            await page.press("n")
            assert link.commands == [("pair_qr", {})]


class TestTheEndOfIt:
    async def test_it_says_as_whom_and_stays_open(self) -> None:
        link = linking()
        async with open_whatsapp(link) as page:
            await page.press("enter", "5")
            link.tell(state="syncing", qr=None, account="5511987654321")
            await page.until(lambda: "✓ Paired as +5511987654321." in page.text)
            await page.settle()
            assert page.is_open
            assert not page.entry.visible
            assert page.focus == "link"
            assert "SYNCING" in page.connection
            link.tell(state="ready")
            await page.until(lambda: "READY" in page.connection)

    async def test_a_choice_belongs_to_one_linking(self) -> None:
        link = linking()
        async with open_whatsapp(link, LARGE) as page:
            await page.press("c")
            assert page.entry.visible
            link.tell(state="ready", qr=None)
            await page.until(lambda: "READY" in page.connection)
            link.tell(state="logged_out", qr=PairingCode(QR_TEXT, NOW_MS))
            await page.until(lambda: page.qr)
            assert "LOGGED OUT" in page.connection


class TestReconnecting:
    async def test_r_tries_at_once(self) -> None:
        link = crashed()
        async with open_whatsapp(link) as page:
            await page.press("r")
            await page.until(lambda: link.commands)
        assert link.commands == [("connect", {})]

    async def test_another_place_is_only_closed_after_a_question(self) -> None:
        link = in_conflict()
        async with open_whatsapp(link) as page:
            await page.press("r")
            await page.until(lambda: "Take WhatsApp over here?" in page.text)
            await page.press("enter")
            assert link.commands == []
            await page.press("r")
            await page.until(lambda: "Take WhatsApp over here?" in page.text)
            await page.press("y")
            await page.until(lambda: link.commands)
        assert link.commands == [("connect", {})]

    @pytest.mark.parametrize(
        ("scene", "reason"),
        [(connected, "WhatsApp is connected."), (linking, "WhatsApp is there and waits for a phone.")],
    )
    async def test_where_there_is_nothing_to_do_it_says_so(
        self, scene: Callable[[], WhatsAppLink], reason: str
    ) -> None:
        link = scene()
        async with open_whatsapp(link, LARGE, notifications=True) as page:
            await page.press("r")
            await page.until(lambda: reason in page.text)
        assert link.commands == []


class TestWhoMayNotLink:
    @pytest.mark.parametrize("size", SIZES)
    async def test_read_only_shows_no_code_of_either_kind_and_no_key(self, size: tuple[int, int]) -> None:
        for link in (linking(), with_phone_code()):
            async with open_whatsapp(link, size, read_only=True) as page:
                assert page.qr == []
                assert "K7MW" not in page.sent
                assert "a code is a key to the account" in page.link_text
                assert not page.entry.visible
                for key in ("c New", "n New", "s Save", "r Connect"):
                    assert key not in page.keys
                await page.press("n", "s", "r", "c", "enter")
                assert link.commands == []

    async def test_without_an_owner_no_code_is_left_standing(self) -> None:
        link = linking()
        async with open_whatsapp(link, LARGE) as page:
            assert page.qr
            link.lose_owner()
            await page.until(lambda: "Nobody runs the robot now" in page.text)
            assert page.qr == []
            assert "STOPPED" in page.connection
            await page.press("n")
        assert link.commands == []

    async def test_an_attached_console_links_through_the_owner(self) -> None:
        link = WhatsAppLink(linking().whatsapp, "attached")
        async with open_whatsapp(link, LARGE) as page:
            assert_shows_code(page, QR_TEXT)
            await page.press("n")
        assert link.commands == [("pair_qr", {})]


class TestNothingInVain:
    async def test_hidden_it_reads_nothing_and_wakes_nobody(self) -> None:
        link = linking()
        async with open_whatsapp(link, LARGE) as page:
            await page.press("9")
            before = link.queries["whatsapp"]
            for age_ms in range(5):
                link.tell(qr=PairingCode(OTHER_QR, NOW_MS - age_ms))
                await page.settle()
            assert link.queries["whatsapp"] == before
            assert page.screen.due_at_ms() is None
            await page.press("9")
            assert_shows_code(page, OTHER_QR)

    async def test_before_it_is_opened_it_is_not_there(self) -> None:
        async with open_console(linking()) as console:
            assert console.app.whatsapp is None
            assert "whatsapp" not in console.link.queries

    async def test_connected_it_waits_for_changes_alone(self) -> None:
        async with open_whatsapp(connected()) as page:
            assert not page.app.heartbeat.is_running

    async def test_what_does_not_concern_it_is_not_read(self) -> None:
        link = connected()
        async with open_whatsapp(link) as page:
            before = link.queries["whatsapp"]
            link.change(Topic.MESSAGES, Topic.QUEUE)
            await page.settle()
            assert link.queries["whatsapp"] == before

    async def test_another_memory_reading_is_shown(self) -> None:
        link = connected()
        async with open_whatsapp(link, LARGE) as page:
            link.tell(browser=replace(CHROME, memory_mb=1_234, starts=3))
            await page.until(lambda: "1,234 MB, 3 starts" in page.connection)
