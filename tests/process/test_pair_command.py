"""`pair` and `connect` beside a running robot: codes on a terminal and in a pipe, numbers, ends and exit codes."""

from __future__ import annotations

import argparse
import os
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.cli import PATIENCE_S, PROGRAM, cli, environment, settings
from support.linking_owner import LinkingOwner, linking_owner
from support.qr_reading import inside, of_half_blocks, of_letters, of_png, of_text
from support.waiting import until

from whatsself_tui.cli import pair
from whatsself_tui.clock import Clock
from whatsself_tui.config.files import ensure_files
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.host.ownership import is_owned, read_owner
from whatsself_tui.robot.link import CommandResult
from whatsself_tui.robot.whatsapp_reading import WhatsAppReading, read_whatsapp, write_whatsapp
from whatsself_tui.transport.base import LinkState
from whatsself_tui.transport.states import TOLD

if TYPE_CHECKING:
    from support.terminal import Terminal

QR = "2@" + "Ab3/" * 22 + "," + ",".join("kX7+" * 11 for _ in range(3)) + ",1"
OTHER_QR = QR.swapcase()

ON_A_TERMINAL = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")


@contextmanager
def piped(owner: LinkingOwner, *arguments: str, **changes: str) -> Iterator[subprocess.Popen[bytes]]:
    """`pair` without a terminal, gone afterwards."""
    process = subprocess.Popen(
        [*PROGRAM, "--data-dir", str(owner.folder.root), "pair", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**environment(), **changes},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def said(process: subprocess.Popen[bytes]) -> tuple[str, str]:
    """All of its output and narration, at its end."""
    output, narration = process.communicate(timeout=PATIENCE_S)
    return output.decode(), narration.decode()


def holds(file: Path, text: str) -> bool:
    """Whether the picture file is there and is this very code."""
    return file.exists() and inside(of_png(file.read_bytes()))[0] == of_text(text)


def shows(terminal: Terminal, text: str) -> bool:
    """Whether this very code stands on the terminal in black on white."""
    assert terminal._pump(), terminal.text()
    screen = terminal._screen
    lines = ([screen.buffer[y][x] for x in range(screen.columns)] for y in range(screen.lines))
    rows = ["".join(cell.data for cell in line if (cell.fg, cell.bg) == ("000000", "ffffff")) for line in lines]
    rows = [row for row in rows if row]
    is_whole = bool(rows) and len({len(row) for row in rows}) == 1 and any(row.strip() for row in rows)
    return is_whole and inside(of_half_blocks(rows))[0] == of_text(text)


class TestWithoutATerminal:
    def test_each_new_code_is_printed_once_and_written_into_the_file(self, tmp_path: Path) -> None:
        file = tmp_path / "code.png"
        with linking_owner(tmp_path / "data") as owner:
            owner.tell("pairing", qr=owner.code(QR))
            with piped(owner, "--png", str(file)) as process:
                for text in (QR, OTHER_QR):
                    owner.tell("pairing", qr=owner.code(text))
                    until(partial(holds, file, text))
                owner.tell("syncing")
                owner.tell("ready", account="5511987654321")
                output, narration = said(process)
        assert process.returncode == 0
        lines = output.splitlines()
        assert lines[-1] == "Paired as +5511987654321."
        starts = [number for number, text in enumerate(lines) if "Linked devices" in text]
        ends = [*starts[1:], len(lines) - 1]
        drawn = [of_half_blocks(lines[a + 1 : b], glyphs_are_light=True) for a, b in zip(starts, ends, strict=True)]
        assert [inside(matrix)[0] for matrix in drawn] == [of_text(QR), of_text(OTHER_QR)]
        assert "\x1b" not in output
        assert narration.count("waits to be linked") == 1
        assert f"The QR code is in {file}" in narration
        if sys.platform != "win32":
            assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_where_no_blocks_can_be_printed_letters_are(self, tmp_path: Path) -> None:
        with linking_owner(tmp_path) as owner:
            owner.tell("pairing", qr=owner.code(QR))
            with piped(owner, PYTHONUTF8="0", PYTHONIOENCODING="ascii") as process:
                assert process.stdout is not None
                lines = [process.stdout.readline().decode("ascii").rstrip("\n")]
                while "##" not in lines[-1]:
                    lines.append(process.stdout.readline().decode("ascii").rstrip("\n"))
                side = len(lines[-1]) // 2
                rows = [lines[-1], *(process.stdout.readline().decode("ascii").rstrip("\n") for _ in range(side - 1))]
        assert inside(of_letters(rows, glyphs_are_light=True))[0] == of_text(QR)

    def test_a_phone_is_linked_by_eight_characters(self, tmp_path: Path) -> None:
        with linking_owner(tmp_path) as owner:
            owner.tell("logged_out", qr=owner.code(QR))
            with piped(owner, "--phone", "+55 11 98765-4321") as process:
                assert owner.answer(True, "WhatsApp was asked.") == ("pair_code", {"phone": "5511987654321"})
                owner.tell("logged_out", phone_code=owner.code("K7MW2QXD"), phone_code_for="5511987654321")
                output_so_far = process.stdout
                assert output_so_far is not None
                until(lambda: b"K7MW-2QXD" in output_so_far.readline())
                owner.tell("ready", account="5511987654321")
                output, narration = said(process)
        assert (process.returncode, output.splitlines()[-1]) == (0, "Paired as +5511987654321.")
        assert "WhatsApp has ended the login of this computer." in narration

    @pytest.mark.parametrize("later", [False, True])
    def test_a_refusal_is_told_and_is_the_end(self, tmp_path: Path, later: bool) -> None:
        with linking_owner(tmp_path) as owner:
            owner.tell("pairing")
            with piped(owner, "--phone", "5511987654321") as process:
                owner.answer(later, "Too many requests; try in an hour.")
                if later:
                    owner.tell("pairing", phone_code_error="Too many requests; try in an hour.")
                _, narration = said(process)
        assert process.returncode == 1
        assert "Too many requests; try in an hour." in narration

    @pytest.mark.parametrize("state", ["blocked", "needs_update", "conflict"])
    def test_a_state_that_nobody_here_can_end_is_told_with_its_advice(self, tmp_path: Path, state: str) -> None:
        with linking_owner(tmp_path) as owner:
            owner.tell(state, "A detail.")
            done = cli(tmp_path, "pair")
        assert done.returncode == 1
        for words in (*TOLD[LinkState(state)], "A detail."):
            assert words in done.stderr.decode()

    def test_a_linked_robot_says_so(self, tmp_path: Path) -> None:
        with linking_owner(tmp_path) as owner:
            owner.tell("ready", account="5511987654321")
            done = cli(tmp_path, "pair")
        assert done.returncode == 0
        assert done.stdout.decode() == (
            "Paired as +5511987654321. It was linked before; nothing has to be done.\n".replace("\n", os.linesep)
        )

    def test_a_code_that_nobody_scanned_is_renewed(self, tmp_path: Path) -> None:
        with linking_owner(tmp_path) as owner:
            owner.tell("pairing", qr=owner.code(QR, age_ms=70_000))
            with piped(owner) as process:
                assert owner.answer(True, "Asked.") == ("pair_qr", {})
                owner.tell("pairing", qr=owner.code(OTHER_QR))
                owner.tell("ready")
                output, narration = said(process)
        assert "expired" in narration
        assert output.splitlines()[-1] == "Paired."

    def test_but_not_for_ever(self, tmp_path: Path) -> None:
        with linking_owner(tmp_path) as owner:
            owner.tell("pairing", qr=owner.code(QR, age_ms=70_000))
            with piped(owner) as process:
                for number in range(5):
                    assert owner.answer(True, "Asked.")[0] == "pair_qr"
                    owner.tell("pairing", qr=owner.code(f"{QR}{number}", age_ms=70_000))
                _, narration = said(process)
        assert process.returncode == 1
        assert "Nobody scanned a code." in narration

    def test_a_robot_that_goes_away_is_told(self, tmp_path: Path) -> None:
        with linking_owner(tmp_path) as owner:
            owner.tell("pairing", qr=owner.code(QR))
            with piped(owner) as process:
                assert process.stdout is not None
                process.stdout.readline()
                owner.go()
                _, narration = said(process)
        assert process.returncode == 3
        assert "went away" in narration


@ON_A_TERMINAL
class TestOnATerminal:
    def test_the_code_is_drawn_in_place_and_taken_away_at_the_end(self, tmp_path: Path) -> None:
        from support.terminal import Terminal

        with linking_owner(tmp_path) as owner:
            owner.tell("pairing", qr=owner.code(QR))
            terminal = Terminal([*PROGRAM, "--data-dir", str(tmp_path), "pair"], 100, 40, environment())
            for text in (QR, OTHER_QR):
                owner.tell("pairing", qr=owner.code(text))
                until(partial(shows, terminal, text))
            assert terminal.text().count("Linked devices") == 1, "in place"
            assert "old. Ctrl+C ends this." in terminal.text()
            owner.tell("syncing")
            terminal.wait_for("WhatsApp is fetching the conversations.")
            assert "█" not in terminal.text()
            owner.tell("ready", account="5511987654321")
            assert terminal.exit_code() == 0
            assert "Paired as +5511987654321." in terminal.text()
            assert not terminal._screen.cursor.hidden

    def test_where_it_does_not_fit_the_number_is_asked_for(self, tmp_path: Path) -> None:
        from support.terminal import Terminal

        with linking_owner(tmp_path) as owner:
            owner.tell("pairing", qr=owner.code(QR))
            terminal = Terminal([*PROGRAM, "--data-dir", str(tmp_path), "pair"], 80, 24, environment())
            terminal.wait_for("needs a terminal of 57 x 31; this one is 80 x 24", "country code:")
            terminal.send("12\r")
            terminal.wait_for("'12' is not a phone number.")
            terminal.send("5511987654321\r")
            terminal.wait_for("Asking WhatsApp for a code for +5511987654321.")
            assert owner.answer(False, "Too many requests.")[0] == "pair_code"
            terminal.wait_for("Too many requests.")
            terminal.send("5511987654322\r")
            assert owner.answer(True, "Asked.") == ("pair_code", {"phone": "5511987654322"})
            owner.tell("pairing", phone_code=owner.code("K7MW2QXD"), phone_code_for="5511987654322")
            terminal.wait_for("K7MW-2QXD", "Link with phone number instead")
            terminal.send("\x03")
            assert terminal.exit_code() == 130
            assert "K7MW" not in terminal.text()
            assert not terminal._screen.cursor.hidden

    def test_with_a_file_nothing_is_asked(self, tmp_path: Path) -> None:
        from support.terminal import Terminal

        with linking_owner(tmp_path / "data") as owner:
            owner.tell("pairing", qr=owner.code(QR))
            command = [*PROGRAM, "--data-dir", str(tmp_path / "data"), "pair", "--png", str(tmp_path / "c.png")]
            terminal = Terminal(command, 80, 24, environment())
            terminal.wait_for("The QR code is in", "needs a terminal of")
            owner.tell("ready")
            assert terminal.exit_code() == 0
            assert "country code" not in terminal.text()


class OwnRobot:
    """What `pair` needs of an orchestrator; it is linked at once."""

    def __init__(self, folder: DataFolder, clock: Clock, *, mode: str) -> None:
        self.folder, self.mode = folder, mode
        self.calls: list[str] = []
        robots.append(self)

    async def open(self) -> None:
        self.owner = LinkingOwner(self.folder.root)
        self.calls.append("open")

    async def start(self) -> None:
        assert read_whatsapp(self.folder) is None, "what a former robot told would be believed"
        self.calls.append("start")
        self.owner.tell("pairing", qr=self.owner.code(QR, age_ms=70_000))

    async def execute(self, name: str, args: Mapping[str, Any]) -> CommandResult:
        self.calls.append(name)
        self.owner.tell("ready", account="5511987654321")
        return CommandResult(True, "Asked.", {})

    async def close(self) -> None:
        self.calls.append("close")
        self.owner.go()


robots: list[OwnRobot] = []


def test_without_a_robot_the_connection_is_made_here_and_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("whatsself_tui.robot.orchestrator.Orchestrator", OwnRobot)
    monkeypatch.setattr(pair, "on_stop", lambda callback: None)
    monkeypatch.setattr(pair, "read_verified", lambda folder: "")
    folder = DataFolder(tmp_path)
    LinkingOwner(tmp_path).go()
    write_whatsapp(folder, WhatsAppReading("ready", "", 0, "5500000000000"))
    assert pair.pair(folder, argparse.Namespace(phone=None, png=None)) == 0
    (robot,) = robots
    assert (robot.mode, robot.calls) == ("pairing", ["open", "start", "pair_qr", "close"])
    assert capsys.readouterr().out.endswith("Paired as +5511987654321.\n")
    assert not is_owned(folder)
    assert read_owner(folder) is None


class TestUsage:
    def test_a_library_that_is_missing_is_named_with_the_command_for_it(self, tmp_path: Path) -> None:
        settings(tmp_path, '[transport]\nkind = "whatsapp_web"\n')
        done = cli(tmp_path, "pair")
        assert done.returncode == 1
        assert "bridge install" in done.stderr.decode()

    def test_with_the_simulator_there_is_nothing_to_link(self, tmp_path: Path) -> None:
        done = cli(tmp_path, "pair")
        assert done.returncode == 2
        assert 'kind = "whatsapp_web" under [transport]' in done.stderr.decode()

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [(["--phone", "12"], "is not a phone number"), (["--phone", ""], "is not a phone number")],
    )
    def test_a_number_that_is_none(self, tmp_path: Path, arguments: list[str], words: str) -> None:
        done = cli(tmp_path, "pair", *arguments)
        assert (done.returncode, words in done.stderr.decode()) == (2, True)

    def test_a_picture_in_no_folder(self, tmp_path: Path) -> None:
        for file in (tmp_path / "gone" / "code.png", tmp_path):
            done = cli(tmp_path, "pair", "--png", str(file))
            assert (done.returncode, "cannot be written" in done.stderr.decode()) == (2, True)

    def test_settings_that_were_rejected_are_named(self, tmp_path: Path) -> None:
        settings(tmp_path, '[transport]\nkind = "whatsapp_wep"\n')
        ensure_files(tmp_path / "config")
        done = cli(tmp_path, "pair")
        assert done.returncode == 2
        assert "settings.toml:2" in done.stderr.decode()


class TestConnect:
    def test_without_a_robot(self, tmp_path: Path) -> None:
        done = cli(tmp_path, "connect")
        assert done.returncode == 3
        assert "No robot runs" in done.stderr.decode()

    @pytest.mark.parametrize("ok", [True, False])
    def test_the_robot_s_answer_is_printed(self, tmp_path: Path, ok: bool) -> None:
        with linking_owner(tmp_path) as owner:
            process = subprocess.Popen(
                [*PROGRAM, "--data-dir", str(tmp_path), "connect"],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment(),
            )
            assert owner.answer(ok, "That is the answer.") == ("connect", {})
            output, narration = said(process)
        assert process.returncode == (0 if ok else 1)
        assert "That is the answer." in (output if ok else narration)
