"""The program as processes on a real page: linked, asked, stopped, killed, and what is left of it each time."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from support.cli import PATIENCE_S, PROGRAM, cli, cli_json, environment, headless
from support.qr_reading import inside, of_half_blocks, of_text
from support.waiting import until
from support.whatsapp_room import furnish
from whatsapp_web.standin.https_server import listening, write_browser_wrapper
from whatsapp_web.standin.server import FakeWhatsApp

from whatsself_tui.config.files import ensure_files
from whatsself_tui.host import processes
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.robot.whatsapp_reading import read_whatsapp

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands for the browser")

CUSTOMER = "5511999990001"
SENT = 2


@pytest.fixture
def whatsapp() -> FakeWhatsApp:
    """WhatsApp, as far as the program can tell."""
    return FakeWhatsApp()


@pytest.fixture
def data(tmp_path: Path, whatsapp: FakeWhatsApp) -> Iterator[DataFolder]:
    """A data folder whose browser finds this WhatsApp, and nothing else."""
    with listening(whatsapp) as port:
        yield furnish(tmp_path / "data", write_browser_wrapper(tmp_path, port))
    assert processes.using(tmp_path / "data" / "whatsapp_session") == []
    assert whatsapp.unknown_requests == []


def state(data: DataFolder) -> str:
    """Of the connection, as the robot tells it; empty before."""
    reading = read_whatsapp(data)
    return reading.state if reading else ""


def no_browser(data: DataFolder) -> bool:
    """Whether no process uses the profile."""
    return processes.using(data.session) == []


def rows(data: DataFolder) -> list[tuple[str, str, int]]:
    """(text, id, state) of everything that was queued."""
    with closing(sqlite3.connect(data.database)) as connection:
        return connection.execute("SELECT body, wa_id, state FROM outbox ORDER BY id").fetchall()


def until_all_sent(data: DataFolder) -> None:
    """Return once the database says that everything has left."""
    until(lambda: {state for _, _, state in rows(data)} == {SENT})


@contextmanager
def running(data: DataFolder, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command with a session of its own, as a terminal's, but without the terminal; gone afterwards."""
    process = subprocess.Popen(
        [*PROGRAM, "--data-dir", str(data.root), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_pair_links_by_itself_and_leaves_a_login_behind(data: DataFolder, whatsapp: FakeWhatsApp) -> None:
    ensure_files(data.config)
    with running(data, "pair") as process:
        until(lambda: (reading := read_whatsapp(data)) is not None and reading.qr is not None)
        reading = read_whatsapp(data)
        assert reading is not None
        assert reading.qr is not None
        beside = cli(data.root, "status", "--json")
        assert b'"mode": "pairing"' in beside.stdout
        whatsapp.scan()
        output, narration = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, narration.decode()
    first, *drawn, last = output.decode().splitlines()
    assert "Linked devices" in first
    assert inside(of_half_blocks(drawn, glyphs_are_light=True))[0] == of_text(reading.qr.text)
    assert last == f"Paired as +{whatsapp.account.phone.split('@')[0]}."
    assert "waits to be linked" in narration.decode()
    assert no_browser(data)
    assert not data.whatsapp.exists()

    done = cli(data.root, "connect")
    assert (done.returncode, "No robot runs" in done.stderr.decode()) == (3, True)
    again = cli(data.root, "pair")
    assert (again.returncode, b"linked before" in again.stdout, whatsapp.boots) == (0, True, 2)
    assert no_browser(data)


def test_a_conversation_and_an_orderly_end(data: DataFolder, whatsapp: FakeWhatsApp) -> None:
    with headless(data.root) as robot:
        until(lambda: state(data) == "pairing")
        status = cli_json(data.root, "status")
        assert (status["transport"]["kind"], status["transport"]["state"]) == ("whatsapp_web", "pairing")
        assert [alert["kind"] for alert in status["alerts"] if alert["kind"] == "pairing_needed"]
        assert cli(data.root, "send", CUSTOMER, "espera o telefone").returncode == 0
        assert whatsapp.delivered == []
        whatsapp.scan()
        until_all_sent(data)
        assert cli(data.root, "send", CUSTOMER, "logo depois").returncode == 0
        until_all_sent(data)
        assert cli(data.root, "connect").returncode == 0
        assert cli_json(data.root, "status")["transport"]["state"] == "ready"
        assert robot.stop() == 0
        assert no_browser(data)
        assert not data.whatsapp.exists()
    assert [message.text for message in whatsapp.delivered] == ["espera o telefone", "logo depois"]
    assert cli_json(data.root, "status")["transport"]["state"] == "stopped"


def test_a_robot_killed_while_it_sends(data: DataFolder, whatsapp: FakeWhatsApp) -> None:
    with headless(data.root) as robot:
        until(lambda: state(data) == "pairing")
        whatsapp.scan()
        until(lambda: state(data) == "ready")
        robot.stop()
    boots = whatsapp.boots
    with headless(data.root) as robot:
        until(lambda: state(data) == "ready")
        whatsapp.hold("answer")
        assert cli(data.root, "send", CUSTOMER, "no meio").returncode == 0
        until(lambda: whatsapp.delivered)
        assert not no_browser(data)
        robot.kill()
        until(lambda: no_browser(data), patience_s=15)
    assert cli(data.root, "send", CUSTOMER, "enquanto ninguém lê").returncode == 0
    whatsapp.release("answer")
    with headless(data.root) as robot:
        until_all_sent(data)
        assert state(data) == "ready"
        assert robot.stop() == 0
    assert whatsapp.boots == boots + 2
    first = [message for message in whatsapp.delivered if not message.again]
    assert [(message.text, message.bare) for message in first] == [(text, wa_id) for text, wa_id, _ in rows(data)]
    assert {message.text for message in whatsapp.delivered if message.again} <= {"no meio"}
    log = (data.logs / "whatsself.jsonl").read_text(encoding="utf-8")
    assert log.count('"state": "pairing"') == 1


def test_ctrl_c_that_reaches_every_process_keeps_the_login(data: DataFolder, whatsapp: FakeWhatsApp) -> None:
    ensure_files(data.config)
    with running(data, "pair") as process:
        until(lambda: state(data) == "pairing")
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 130
        assert no_browser(data)
    for boots in (2, 3):
        with running(data, "run", "--headless") as process:
            if whatsapp.device is None:
                until(lambda: state(data) == "pairing")
                whatsapp.scan()
            until(lambda: state(data) == "ready")
            assert whatsapp.boots == boots
            os.killpg(process.pid, signal.SIGINT)
            process.communicate(timeout=PATIENCE_S)
            assert process.returncode == 130
            assert no_browser(data)
            assert not data.whatsapp.exists()
