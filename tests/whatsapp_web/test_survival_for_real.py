"""A real page and a real browser that die, hang, are missing or somebody else's: mended, and nothing goes twice."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from support.wa_js import wa_js_file
from support.waiting import until
from support.whatsapp_room import Room, furnish, paired, robot_on, until_gone
from whatsapp_web.standin.backend import Step
from whatsapp_web.standin.https_server import listening, write_browser_wrapper
from whatsapp_web.standin.server import FakeWhatsApp
from whatsapp_web.standin.world import Delivered, Response

from whatsself_tui.host import processes
from whatsself_tui.host.browsers import needs_no_sandbox
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.host.profile_holder import LOCK, holder_of
from whatsself_tui.transport.whatsapp_web import browser_session, care, wa_js, wa_js_install
from whatsself_tui.transport.whatsapp_web.report import BrowserReading

CUSTOMER = "5511999990001"
CHAT = f"{CUSTOMER}@c.us"
SENT = 2

#: What a running Chromium keeps beside its profile.
LOCKS = (LOCK, "SingletonCookie", "SingletonSocket")


class WatchedWhatsApp(FakeWhatsApp):
    """Also tells what the page has asked for, held back or not."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def respond(self, method: str, path: str, body: bytes) -> Response:
        """As ever, and noted."""
        self.asked.add(path.removeprefix("/standin/"))
        return super().respond(method, path, body)


@pytest.fixture
def whatsapp() -> WatchedWhatsApp:
    """WhatsApp, as far as the robot can tell."""
    return WatchedWhatsApp()


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A data folder whose browser was linked and closed in peace, and the device it is at WhatsApp."""
    folder = tmp_path_factory.mktemp("linked")
    server = FakeWhatsApp()

    async def link(data: DataFolder) -> None:
        async with robot_on(data, server) as room:
            await paired(room)

    with listening(server) as port:
        asyncio.run(link(furnish(folder / "data", write_browser_wrapper(folder, port))))
    assert server.device is not None
    return folder / "data", server.device


@pytest.fixture
def data(tmp_path: Path, whatsapp: WatchedWhatsApp, linked: tuple[Path, str]) -> Iterator[DataFolder]:
    """A linked data folder; of the robot that worked in it no process and no lock is left."""
    folder, whatsapp.device = linked
    shutil.copytree(folder, tmp_path / "data", symlinks=True, ignore=shutil.ignore_patterns("logs"))
    with listening(whatsapp) as port:
        data = furnish(tmp_path / "data", write_browser_wrapper(tmp_path, port))
        yield data
    assert processes.using(data.session) == []
    assert [name for name in LOCKS if (data.session / name).is_symlink()] == []
    assert whatsapp.unknown_requests == []


def program(data: DataFolder) -> Path:
    """The browser that finds this WhatsApp."""
    return data.root.parent / "chromium-standin"


def browser(room: Room) -> BrowserReading:
    """The browser of now."""
    reading = room.reading
    assert reading is not None
    assert reading.browser is not None
    return reading.browser


async def until_sent(room: Room, text: str) -> list[Delivered]:
    """What WhatsApp has got of this text, once the database says that it has left; all under the id stored there."""

    async def stored() -> list[tuple[str, int]]:
        return [(row[0], row[1]) for row in await room.sql("SELECT wa_id, state FROM outbox WHERE body = ?", text)]

    async def done() -> bool:
        return [state for _, state in await stored()] == [SENT]

    await room.until(done)
    ((wa_id, _),) = await stored()
    got = [message for message in room.server.delivered if message.text == text]
    assert {message.bare for message in got} == {wa_id}
    return got


async def until_received(room: Room, text: str) -> None:
    """Return once this text is stored, which it is once."""

    async def done() -> bool:
        return text in await room.inbox()

    await room.until(done)
    assert (await room.inbox()).count(text) == 1


def logged(data: DataFolder, event: str) -> list[dict[str, object]]:
    """The lines about this event in a stopped robot's log."""
    lines = (json.loads(line) for line in (data.logs / "whatsself.jsonl").read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line.get("event") == event]


async def test_a_page_that_dies_is_replaced_and_then_a_browser(data: DataFolder, whatsapp: WatchedWhatsApp) -> None:
    async with robot_on(data, whatsapp) as room:
        await room.until_state("ready")
        first, boots = browser(room), whatsapp.boots
        room.kill("page")
        whatsapp.receive(CHAT, "ninguém ouve")
        await room.until(lambda: whatsapp.boots > boots)
        await until_received(room, "ninguém ouve")
        await room.until_state("ready")
        await room.send(CUSTOMER, "outra página")
        assert len(await until_sent(room, "outra página")) == 1
        assert (browser(room).pid, browser(room).starts) == (first.pid, 1)

        dying, boots = room.browser(), whatsapp.boots
        room.kill()
        await until_gone(dying)
        whatsapp.receive(CHAT, "nem agora")
        await room.until(lambda: whatsapp.boots > boots)
        await until_received(room, "nem agora")
        await room.until_state("ready")
        await room.send(CUSTOMER, "outro navegador")
        assert len(await until_sent(room, "outro navegador")) == 1
        assert browser(room).starts == 2
        assert browser(room).pid != first.pid


@pytest.mark.parametrize(
    ("step", "by_the_page_itself"), [("store", [False]), ("deliver", [True]), ("answer", [False, True])]
)
async def test_a_browser_killed_while_it_sends(
    data: DataFolder, whatsapp: WatchedWhatsApp, step: Step, by_the_page_itself: list[bool]
) -> None:
    held = {
        "store": lambda: "store" in whatsapp.asked,
        "deliver": lambda: "deliver" in whatsapp.asked,
        "answer": lambda: bool(whatsapp.delivered),
    }
    async with robot_on(data, whatsapp) as room:
        await room.until_state("ready")
        whatsapp.hold(step)
        await room.send(CUSTOMER, "no meio")
        await room.until(held[step])
        dying = room.browser()
        room.kill()
        await until_gone(dying)
        whatsapp.release(step)
        got = await until_sent(room, "no meio")
        await room.send(CUSTOMER, "depois")
        assert len(await until_sent(room, "depois")) == 1
        assert [message.again for message in got] == by_the_page_itself
        assert [message.text for message in whatsapp.delivered].count("no meio") == len(got)


async def test_a_network_that_fails_while_it_sends(data: DataFolder, whatsapp: WatchedWhatsApp) -> None:
    async with robot_on(data, whatsapp) as room:
        await room.until_state("ready")
        whatsapp.hold("deliver")
        await room.send(CUSTOMER, "no meio")
        await room.until(lambda: "deliver" in whatsapp.asked)
        whatsapp.offline()
        await room.until_state("offline")
        whatsapp.release("deliver")
        assert whatsapp.delivered == []
        whatsapp.online()
        assert len(await until_sent(room, "no meio")) == 1
        await room.until_state("ready")
        assert browser(room).starts == whatsapp.boots == 1


@pytest.mark.parametrize("sends", [False, True])
async def test_a_page_that_hangs_is_replaced(
    data: DataFolder, whatsapp: WatchedWhatsApp, monkeypatch: pytest.MonkeyPatch, sends: bool
) -> None:
    async with robot_on(data, whatsapp) as room:
        await room.until_state("ready")
        monkeypatch.setattr(care, "ANSWER_S", 2.0)
        monkeypatch.setattr(browser_session, "LOAD_TIMEOUT_S", 3.0)
        boots = whatsapp.boots
        if sends:
            whatsapp.hold("deliver")
            await room.send(CUSTOMER, "no meio")
            await room.until(lambda: "deliver" in whatsapp.asked)
        whatsapp.hang(3_600_000)
        await room.until_state("crashed")
        whatsapp.release("deliver")
        await room.until(lambda: whatsapp.boots > boots)
        await room.until_state("ready")
        if not sends:
            await room.send(CUSTOMER, "no meio")
        assert len(await until_sent(room, "no meio")) == 1


@contextmanager
def opened_by_a_person(data: DataFolder) -> Iterator[subprocess.Popen[bytes]]:
    """A browser on the profile that nobody drives, gone afterwards."""
    arguments = ["--headless", f"--user-data-dir={data.session}", "--no-first-run", "about:blank"]
    sandbox = ["--no-sandbox"] if needs_no_sandbox() else []
    process = subprocess.Popen(
        [program(data), *sandbox, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until(lambda: holder_of(data.session) is not None and (data.session / LOCK).is_symlink())
        yield process
    finally:
        process.terminate()
        process.wait(30)


def locks(data: DataFolder) -> dict[str, str]:
    """Where the lock links of the profile lead."""
    return {name: os.readlink(data.session / name) for name in LOCKS if (data.session / name).is_symlink()}


@pytest.mark.skipif(sys.platform == "win32", reason="the locks are links")
async def test_a_profile_that_a_person_has_open_is_left_alone(data: DataFolder, whatsapp: WatchedWhatsApp) -> None:
    with opened_by_a_person(data) as theirs:
        before = locks(data)
        assert LOCK in before
        async with robot_on(data, whatsapp) as room:
            reading = await room.until_reading(lambda reading: reading.next_try_at_ms)
            assert reading.state == "crashed"
            assert "a browser that somebody opened" in reading.detail
            assert f"(process {theirs.pid})" in reading.detail
            assert "Close that browser" in (await room.alerts())["disconnected"]
            assert theirs.poll() is None
            assert locks(data) == before
            assert whatsapp.boots == 0
            theirs.terminate()
            await asyncio.to_thread(theirs.wait, 30)
            assert (await room.do("connect")).ok
            await room.until_state("ready")
            assert "disconnected" not in await room.alerts()


async def test_a_browser_left_by_a_dead_robot_is_ended(data: DataFolder, whatsapp: WatchedWhatsApp) -> None:
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        await playwright.chromium.launch_persistent_context(
            data.session, executable_path=program(data), headless=True, chromium_sandbox=not needs_no_sandbox()
        )
        holder = await asyncio.to_thread(holder_of, data.session)
        assert holder is not None
        assert holder.ours
        orphan = psutil.Process(holder.pid)
        async with robot_on(data, whatsapp) as room:
            await room.until_state("ready")
            assert not orphan.is_running()
            assert browser(room).pid != holder.pid
            await room.send(CUSTOMER, "sem o órfão")
            assert len(await until_sent(room, "sem o órfão")) == 1


async def test_what_is_not_installed_is_named_and_used_once_it_is(data: DataFolder, whatsapp: WatchedWhatsApp) -> None:
    library, settings = data.bridge / wa_js.FILE, data.settings_file.read_text(encoding="utf-8")
    library.unlink()
    gone = data.root / "nowhere" / "chromium"
    data.settings_file.write_text(settings.replace(str(program(data)), str(gone)), encoding="utf-8")
    async with robot_on(data, whatsapp) as room:
        reading = await room.until_reading(lambda reading: reading.next_try_at_ms)
        assert (reading.state, "is not installed" in reading.detail) == ("crashed", True)
        assert "`whatsself-tui bridge install`" in (await room.alerts())["disconnected"]

        library.write_bytes(wa_js_file().read_bytes()[:-1])
        assert (await room.do("connect")).ok
        reading = await room.until_reading(lambda reading: "SHA-256" in reading.detail)
        assert str(library) in reading.detail
        assert "`whatsself-tui bridge install`" in reading.detail

        wa_js_install.install(data.bridge, wa_js_file())
        assert (await room.do("connect")).ok
        reading = await room.until_reading(lambda reading: str(gone) in reading.detail)
        assert reading.state == "crashed"
        assert str(gone) in (await room.alerts())["disconnected"]

        data.settings_file.write_text(settings, encoding="utf-8")
        await room.robot.config.check()
        await room.until_state("ready")
        assert "disconnected" not in await room.alerts()
        assert whatsapp.boots == 1


async def test_a_backup_is_made_while_no_browser_writes(data: DataFolder, whatsapp: WatchedWhatsApp) -> None:
    async with robot_on(data, whatsapp) as room:
        await room.until_state("ready")
        before = room.browser()
        result = await room.do("backup")
        assert result.ok, result
        assert not before.is_running()
        with zipfile.ZipFile(result.data["path"]) as archive:
            names = archive.namelist()
        assert any(data.session.name in name for name in names)
        assert not any("Singleton" in name for name in names)
        await room.until_state("ready")
        assert browser(room).pid != before.pid
        assert whatsapp.boots == 2
        await room.send(CUSTOMER, "depois da cópia")
        assert len(await until_sent(room, "depois da cópia")) == 1
    assert not {"pairing", "logged_out", "crashed"} & {line["state"] for line in logged(data, "state")}


async def test_a_page_that_takes_too_much_memory_is_loaded_anew_in_a_quiet_moment(
    data: DataFolder, whatsapp: WatchedWhatsApp
) -> None:
    text = data.settings_file.read_text(encoding="utf-8")
    bounded = text.replace("[transport]\n", "[transport]\nbrowser_memory_mb = 50\n")
    data.settings_file.write_text(bounded, encoding="utf-8")
    async with robot_on(data, whatsapp, times=20) as room:
        reading = await room.until_reading(lambda reading: reading.browser and reading.browser.memory_mb)
        assert reading.browser is not None
        assert (reading.browser.memory_mb or 0) > 50
        await room.until(lambda: whatsapp.boots == 2)
        await room.until_state("ready")
        assert browser(room).starts == 1
        await room.send(CUSTOMER, "página leve")
        assert len(await until_sent(room, "página leve")) == 1
    assert [line["reason"] for line in logged(data, "load anew")] == ["memory"]
    assert logged(data, "failed") == []


async def test_a_browser_that_dies_while_it_is_started(
    data: DataFolder, whatsapp: WatchedWhatsApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    find, killed = processes.browser_pid, list[int]()

    def kill_the_first(profile: Path) -> int | None:
        pid = find(profile)
        if pid is not None and not killed:
            killed.append(pid)
            process = psutil.Process(pid)
            process.kill()
            process.wait(30)
        return pid

    monkeypatch.setattr(processes, "browser_pid", kill_the_first)
    async with robot_on(data, whatsapp) as room:
        await room.until_state("ready")
        assert killed
        assert browser(room).pid not in killed
    (failure,) = logged(data, "failed")
    assert "could not be started" in str(failure["detail"])
