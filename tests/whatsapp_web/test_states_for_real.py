"""Every state of the connection on a real page: what is told in it, what ends it, and what is never told at all."""

from __future__ import annotations

import json
import shutil
import socket
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.whatsapp_room import Room, paired, robot_on, until_gone
from whatsapp_web.standin.https_server import write_browser_wrapper
from whatsapp_web.standin.server import FakeWhatsApp

from whatsself_tui.host import processes
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.host.profile import read_record
from whatsself_tui.host.profile_holder import LOCK
from whatsself_tui.robot.whatsapp_reading import WhatsAppReading
from whatsself_tui.transport.whatsapp_web.report import PairingCode

CUSTOMER = "5511999990001"
CHAT = f"{CUSTOMER}@c.us"
QUEUED, SENT = 0, 2

RULES = """
[[template]]
name = "resposta"
text = "Chegou o segredo de volta"

[[trigger]]
name = "segredo"
contains = "segredo"
template = "resposta"
"""


@pytest.fixture(autouse=True)
def _clean(data: DataFolder, whatsapp: FakeWhatsApp) -> Iterator[None]:
    """Of a robot that has stopped no process, no lock and no code is left; the page asked only for what it has."""
    yield
    assert processes.using(data.session) == []
    assert not (data.session / LOCK).is_symlink()
    assert not data.whatsapp.exists()
    assert whatsapp.unknown_requests == []


def now(room: Room) -> WhatsAppReading:
    """What consoles are told; only once something was."""
    reading = room.reading
    assert reading is not None
    return reading


async def until_qr(room: Room, *but: str) -> PairingCode:
    """A QR code that is none of these."""
    reading = await room.until_reading(lambda reading: reading.qr is not None and reading.qr.text not in but)
    assert reading.qr is not None
    return reading.qr


async def until_stored_as_sent(room: Room, text: str) -> None:
    """Return once the database says that this text has left."""

    async def done() -> bool:
        return any(body == text and state == SENT for body, state, _ in await room.outbox())

    await room.until(done)


async def until_sent(room: Room, text: str) -> None:
    """Return once this text has left, and WhatsApp has it once."""
    await until_stored_as_sent(room, text)
    assert [message.text for message in room.server.delivered].count(text) == 1


async def until_received(room: Room, text: str) -> None:
    """Return once this text is stored."""

    async def done() -> bool:
        return text in await room.inbox()

    await room.until(done)


async def until_alert(room: Room, kind: str) -> str:
    """The text of an alert, once it stands."""

    async def standing() -> str:
        return (await room.alerts()).get(kind, "")

    return await room.until(standing)


async def until_taken_over(room: Room, times: int) -> None:
    """Return once the login was taken back that often."""
    await room.until(lambda: room.server.takeovers == times)


def states_of_the_last_run(data: DataFolder) -> list[str]:
    """The connection's states since the last start, in their order, by a stopped robot's log."""
    lines = [json.loads(line) for line in (data.logs / "whatsself.jsonl").read_text(encoding="utf-8").splitlines()]
    states = [line["state"] for line in lines if line["event"] == "state"]
    return states[max(at for at, state in enumerate(states) if state == "starting") :]


def is_paired(data: DataFolder) -> bool:
    """Whether the profile is noted to hold a login."""
    record = read_record(data.session)
    return record is not None and record.paired


async def test_codes_are_shown_exchanged_and_used(data: DataFolder, whatsapp: FakeWhatsApp) -> None:
    async with robot_on(data, whatsapp) as room:
        first = await until_qr(room)
        assert await room.state() == "pairing"
        assert "whatsself-tui pair" in await until_alert(room, "pairing_needed")
        assert not is_paired(data)
        if sys.platform != "win32":
            modes = [stat.S_IMODE(path.stat().st_mode) for path in (data.session, data.whatsapp)]
            assert modes == [0o700, 0o600]

        whatsapp.rotate_code()
        second = await until_qr(room, first.text)
        assert second.since_ms > first.since_ms

        whatsapp.idle_code()
        assert (await room.until_reading(lambda reading: reading.qr is None)).state == "pairing"
        assert (await room.do("pair_qr")).ok
        await until_qr(room, first.text, second.text)

        whatsapp.scan()
        await room.until_state("ready")
        reading = await room.until_reading(lambda reading: reading.state == "ready")
        assert (reading.account, reading.qr, reading.missing) == (whatsapp.account.phone.split("@")[0], None, ())
        assert reading.bridge_version
        assert not {"pairing_needed", "disconnected", "blocked"} & set(await room.alerts())
        assert is_paired(data)
        refused = await room.do("pair_qr")
        assert (refused.ok, "waits for no code" in refused.message) == (False, True)


async def test_a_phone_is_linked_by_letters(data: DataFolder, whatsapp: FakeWhatsApp) -> None:
    async with robot_on(data, whatsapp) as room:
        await until_qr(room)
        whatsapp.cfg.phone_code_error = "rate-overlimit"
        refused = await room.do("pair_code", phone=CUSTOMER)
        assert (refused.ok, "rate-overlimit" in refused.message) == (False, True)
        reading = await room.until_reading(lambda reading: reading.phone_code_error)
        assert "rate-overlimit" in reading.phone_code_error

        whatsapp.cfg.phone_code_error = ""
        assert (await room.do("pair_code", phone="+55 (11) 99999-0001")).ok
        reading = await room.until_reading(lambda reading: reading.phone_code)
        assert reading.phone_code is not None
        assert reading.phone_code.text.replace("-", "") == whatsapp.cfg.phone_code
        assert (reading.phone_code_for, reading.phone_code_error) == (CUSTOMER, "")
        assert whatsapp.asked_codes == [CUSTOMER, CUSTOMER]

        whatsapp.phone_code_event("force_manual_refresh")
        reading = await room.until_reading(lambda reading: reading.phone_code is None)
        assert "expired" in reading.phone_code_error
        assert (await room.do("pair_qr")).ok
        await room.until_reading(lambda reading: (reading.phone_code_for, reading.phone_code_error) == ("", ""))
        assert (await room.do("pair_code", phone="12")).exit_code == 2

        whatsapp.scan()
        await room.until_state("ready")


async def test_a_restart_needs_no_code_and_tells_nothing_private(data: DataFolder, whatsapp: FakeWhatsApp) -> None:
    (data.config / "automation.toml").write_text(RULES, encoding="utf-8")
    with data.settings_file.open("a", encoding="utf-8") as file:
        file.write('[logs]\nlevel = "debug"\n')
    async with robot_on(data, whatsapp) as room:
        await paired(room)
    async with robot_on(data, whatsapp) as room:
        await room.until_state("ready")
        whatsapp.receive(CHAT, "qual é o segredo?", name="Zuleica Abrantes")
        await until_sent(room, "Chegou o segredo de volta")
        await room.send(CUSTOMER, "aviso confidencial")
        await until_sent(room, "aviso confidencial")
    states = states_of_the_last_run(data)
    assert "ready" in states
    assert not {"pairing", "logged_out", "crashed"} & set(states)
    told = "".join(path.read_text(encoding="utf-8") for path in data.logs.iterdir())
    for private in ("segredo", "confidencial", "Zuleica", CUSTOMER, whatsapp.account.phone.split("@")[0]):
        assert private not in told

    shutil.rmtree(data.session)
    async with robot_on(data, whatsapp) as room:
        await room.until_state("logged_out")
        await until_qr(room)
        assert "pairing_needed" in await room.alerts()
        whatsapp.scan()
        await room.until_state("ready")


async def test_a_page_that_comes_in_pieces_or_lacks_some(data: DataFolder, whatsapp: FakeWhatsApp) -> None:
    whatsapp.cfg.late = ("WAWebStreamModel", "WAWebSocketModel")
    whatsapp.cfg.drop = ("WAWebOpaqueData",)
    async with robot_on(data, whatsapp) as room:
        await room.until_state("loading")
        await room.until(lambda: whatsapp.polls)
        assert await room.state() == "loading"
        whatsapp.load_modules()
        await paired(room)
        text = await until_alert(room, "bridge_incomplete")
        assert "whatsapp.OpaqueData" in text
        assert "whatsapp.OpaqueData" in now(room).missing
        await room.send(CUSTOMER, "sem anexo")
        await until_sent(room, "sem anexo")


async def test_without_a_connection_messages_wait_and_an_old_page_is_loaded_anew(
    data: DataFolder, whatsapp: FakeWhatsApp
) -> None:
    async with robot_on(data, whatsapp) as room:
        await paired(room)
        whatsapp.offline()
        await room.until_state("offline")
        assert "Check the network" in (await room.alerts())["disconnected"]
        await room.send(CUSTOMER, "sem rede")
        whatsapp.receive(CHAT, "enquanto isso")
        assert (await room.outbox())[0][1] == QUEUED
        whatsapp.online()
        await until_sent(room, "sem rede")
        await until_received(room, "enquanto isso")
        await room.until_state("ready")
        assert "disconnected" not in await room.alerts()

        boots = whatsapp.boots
        whatsapp.needs_update()
        await room.until(lambda: whatsapp.boots > boots)
        await room.until_state("ready")
        await room.send(CUSTOMER, "página nova")
        await until_sent(room, "página nova")
        browser = now(room).browser
        assert browser is not None
        assert browser.starts == 1


async def test_a_login_used_elsewhere_is_taken_back_three_times_an_hour(
    data: DataFolder, whatsapp: FakeWhatsApp
) -> None:
    async with robot_on(data, whatsapp) as room:
        await paired(room)
        for times in (1, 2, 3):
            whatsapp.conflict()
            await room.until_state("conflict")
            assert "disconnected" in await room.alerts()
            await until_taken_over(room, times)
            await room.until_state("ready")
            assert "disconnected" not in await room.alerts()

        whatsapp.conflict()
        await room.until_reading(lambda reading: "taken back 3 times" in reading.detail)
        await room.until_state("conflict")
        assert "taken back 3 times" in await until_alert(room, "disconnected")
        assert (await room.do("connect")).ok
        await until_taken_over(room, 4)
        await room.until_state("ready")
        await room.send(CUSTOMER, "de volta")
        await until_sent(room, "de volta")


async def test_a_login_used_elsewhere_at_the_start(data: DataFolder, whatsapp: FakeWhatsApp) -> None:
    async with robot_on(data, whatsapp) as room:
        await paired(room)
    whatsapp.conflict()
    async with robot_on(data, whatsapp) as room:
        await room.until_state("conflict")
        await until_taken_over(room, 1)
        await room.send(CUSTOMER, "aqui de novo")
        await until_sent(room, "aqui de novo")


async def test_without_any_way_to_whatsapp_it_is_tried_again(
    data: DataFolder, whatsapp: FakeWhatsApp, tmp_path: Path
) -> None:
    (tmp_path / "nowhere").mkdir()
    nowhere = write_browser_wrapper(tmp_path / "nowhere", a_port_where_nobody_listens())
    text = data.settings_file.read_text(encoding="utf-8")
    data.settings_file.write_text(text.replace(str(tmp_path / nowhere.name), str(nowhere)), encoding="utf-8")
    async with robot_on(data, whatsapp) as room:
        await room.until_state("offline")
        assert "cannot be reached (net::ERR_" in await until_alert(room, "disconnected")
        data.settings_file.write_text(text, encoding="utf-8")
        await room.robot.config.check()
        await until_qr(room)
        assert "disconnected" not in await room.alerts()


def a_port_where_nobody_listens() -> int:
    """Of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


async def test_a_login_that_the_phone_ends_is_made_anew(data: DataFolder, whatsapp: FakeWhatsApp) -> None:
    async with robot_on(data, whatsapp) as room:
        await paired(room)
        whatsapp.logout("unknown_companion")
        await room.until_state("logged_out")
        reading = await room.until_reading(lambda reading: reading.qr)
        assert reading.state == "logged_out"
        assert "unknown_companion" in reading.detail
        assert "pairing_needed" in await room.alerts()
        assert not is_paired(data)
        await room.send(CUSTOMER, "espera o login")
        whatsapp.scan()
        await until_sent(room, "espera o login")
        assert "pairing_needed" not in await room.alerts()


async def test_a_blocked_number_is_left_alone_until_the_operator_resumes(
    data: DataFolder, whatsapp: FakeWhatsApp
) -> None:
    async with robot_on(data, whatsapp) as room:
        await paired(room)
        browser = room.browser()
        whatsapp.ban()
        await room.until_state("blocked")
        assert "queue resume" in (await room.alerts())["blocked"]
        assert await room.sql("SELECT paused FROM robot") == [(1,)]
        await until_gone(browser)

        boots = whatsapp.boots
        assert (await room.do("resume")).ok
        await room.until(lambda: whatsapp.boots == boots + 1)
        await room.until_state("blocked")
        assert await room.sql("SELECT paused FROM robot") == [(1,)]
    boots, polls = whatsapp.boots, whatsapp.polls
    async with robot_on(data, whatsapp) as room:
        await room.until_state("blocked")
        assert "blocked" in await room.alerts()
        await room.send(CUSTOMER, "depois do bloqueio")
        assert processes.using(data.session) == []
        assert (whatsapp.boots, whatsapp.polls) == (boots, polls)
        whatsapp.unban()
        assert (await room.do("resume")).ok
        await room.until_state("ready")
        await until_sent(room, "depois do bloqueio")
        assert "blocked" not in await room.alerts()


async def test_the_way_to_whatsapp_is_exchanged_while_it_runs(data: DataFolder, whatsapp: FakeWhatsApp) -> None:
    async with robot_on(data, whatsapp) as room:
        await paired(room)
        await room.do("pause")
        await room.send(CUSTOMER, "pausado")
        whatsapp.receive(CHAT, "recebido em pausa")
        await until_received(room, "recebido em pausa")
        assert await room.outbox() == [("pausado", QUEUED, 0)]
        await room.do("resume")
        await until_sent(room, "pausado")

        browser, text = room.browser(), data.settings_file.read_text(encoding="utf-8")
        data.settings_file.write_text(text.replace('kind = "whatsapp_web"', 'kind = "simulator"'), encoding="utf-8")
        await room.robot.config.check()
        await room.until_state("ready")
        assert await room.sql("SELECT transport_kind FROM robot") == [("simulator",)]
        assert not browser.is_running()
        await room.send(CUSTOMER, "ao simulador")
        await until_stored_as_sent(room, "ao simulador")
        assert "ao simulador" in (data.simulator / "received.jsonl").read_text(encoding="utf-8")

        data.settings_file.write_text(text, encoding="utf-8")
        await room.robot.config.check()
        await room.until(lambda: whatsapp.boots == 2)
        await room.until_state("ready")
        await room.send(CUSTOMER, "de novo ao WhatsApp")
        await until_sent(room, "de novo ao WhatsApp")
        assert [message.text for message in whatsapp.delivered] == ["pausado", "de novo ao WhatsApp"]
    assert not {"pairing", "logged_out"} & set(states_of_the_last_run(data))
