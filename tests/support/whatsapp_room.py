"""The unchanged robot on the stand-in of WhatsApp Web: a real browser, the real wa-js, the real database."""

from __future__ import annotations

import asyncio
import random
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar, overload

import psutil
from support.hasty_clock import HastyClock
from support.wa_js import wa_js_file
from whatsapp_web.standin.server import FakeWhatsApp

from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.robot.link import CommandResult
from whatsself_tui.robot.local import LocalLink
from whatsself_tui.robot.orchestrator import Orchestrator
from whatsself_tui.robot.whatsapp_reading import WhatsAppReading, read_whatsapp
from whatsself_tui.store import views
from whatsself_tui.transport.whatsapp_web import wa_js

T = TypeVar("T")

SETTINGS = """
[transport]
kind = "whatsapp_web"
browser = "{browser}"
headless = "always"
[limits]
per_minute = 100
per_contact = 20
per_contact_reply = 60
contact_window_s = 1
[pace]
enabled = false
[answers]
debounce_ms = 0
"""

#: Whoever writes of an order is answered, each message once.
ORDERS = """
[[template]]
name = "anotado"
text = "anotado"

[[trigger]]
name = "pedido"
contains = "pedido"
template = "anotado"
"""

#: Longest wait for anything in these tests, in real seconds.
PATIENCE_S = 60.0


def furnish(folder: Path, browser: Path, settings: str = "") -> DataFolder:
    """A data folder with wa-js installed and settings that name the stand-in's browser."""
    data = DataFolder(folder)
    data.config.mkdir(parents=True, exist_ok=True)
    data.settings_file.write_text(SETTINGS.format(browser=browser) + settings, encoding="utf-8")
    data.bridge.mkdir(exist_ok=True)
    shutil.copy(wa_js_file(), data.bridge / wa_js.FILE)
    return data


def change(data: DataFolder, old: str, new: str) -> None:
    """Other settings before the start."""
    text = data.settings_file.read_text(encoding="utf-8")
    assert old in text
    data.settings_file.write_text(text.replace(old, new, 1), encoding="utf-8")


class Room:
    """A robot at work, and the WhatsApp it is connected to."""

    def __init__(self, robot: Orchestrator, server: FakeWhatsApp) -> None:
        self.robot = robot
        self.server = server
        self.link = LocalLink(robot)

    @overload
    async def until(self, condition: Callable[[], Awaitable[T]], patience_s: float = PATIENCE_S) -> T: ...

    @overload
    async def until(self, condition: Callable[[], T], patience_s: float = PATIENCE_S) -> T: ...

    async def until(self, condition: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
        """What `condition` gives once it is true; looked at whenever the server or the database changed."""
        changed = asyncio.Event()
        loop = asyncio.get_running_loop()

        def server_changed() -> None:
            loop.call_soon_threadsafe(changed.set)

        self.server.on_change.append(server_changed)
        stop = self.link.listen(lambda _: changed.set())
        try:
            async with asyncio.timeout(patience_s):
                while True:
                    changed.clear()
                    holds = condition()
                    if value := (await holds if isinstance(holds, Awaitable) else holds):
                        return value
                    await changed.wait()
        except TimeoutError:
            raise AssertionError(f"it never held; {await self.told()}") from None
        finally:
            stop()
            self.server.on_change.remove(server_changed)

    async def told(self) -> str:
        """What there is to say of a test that waits in vain."""
        state = await self.sql("SELECT transport_state, transport_detail FROM robot")
        counts = await self.sql("SELECT state, count(*) FROM outbox GROUP BY state")
        unsent = await self.sql("SELECT * FROM outbox WHERE state <> 2 ORDER BY id LIMIT 5")
        received = await self.sql("SELECT state, count(*) FROM inbox GROUP BY state")
        return f"state {state}, outbox {counts}, not sent {unsent}, inbox {received}, reading {self.reading}"

    async def sql(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of the robot's database."""
        return await self.link.read(lambda connection: connection.execute(query, values).fetchall())

    async def state(self) -> str:
        """Of the connection, as it is stored."""
        return str((await self.sql("SELECT transport_state FROM robot"))[0][0])

    async def is_in(self, *states: str) -> bool:
        """Whether the connection is in one of these states."""
        return await self.state() in states

    async def until_state(self, *states: str, patience_s: float = PATIENCE_S) -> None:
        """Return once the connection is in one of these states."""
        await self.until(lambda: self.is_in(*states), patience_s)

    @property
    def reading(self) -> WhatsAppReading | None:
        """What consoles are told."""
        return read_whatsapp(self.robot.folder)

    async def until_reading(self, holds: Callable[[WhatsAppReading], object]) -> WhatsAppReading:
        """What consoles are told, once this holds of it."""
        found = []

        def look() -> bool:
            reading = self.reading
            if reading is None or not holds(reading):
                return False
            found.append(reading)
            return True

        await self.until(look)
        return found[-1]

    async def outbox(self) -> list[tuple[Any, ...]]:
        """(text, state, ack) of the outgoing messages: states 0 queued, 1 sending, 2 sent, 3 dead, 5 unconfirmed."""
        return await self.sql("SELECT body, state, ack FROM outbox ORDER BY id")

    async def inbox(self) -> list[str]:
        """Texts of what was received, in the order in which it was stored."""
        return [row[0] for row in await self.sql("SELECT body FROM inbox ORDER BY id")]

    async def alerts(self) -> dict[str, str]:
        """The alerts that stand: kind → text."""
        return {alert.kind: alert.text for alert in await self.link.read(views.read_alerts)}

    async def do(self, command: str, **args: Any) -> CommandResult:
        """A command of the operator."""
        return await self.link.execute(command, args)

    async def send(self, phone: str, text: str, **args: Any) -> None:
        """Queue a message."""
        result = await self.do("send", phone=phone, text=text, **args)
        assert result.ok, result

    def browser(self) -> psutil.Process:
        """The browser's main process."""
        reading = self.reading
        assert reading is not None
        assert reading.browser is not None
        return psutil.Process(reading.browser.pid)

    def kill(self, which: str = "browser") -> None:
        """Kill the browser, or the process of its page, without any notice."""
        main = self.browser()
        if which == "browser":
            main.send_signal(signal.SIGKILL)
            return
        for child in main.children(recursive=True):
            if "--type=renderer" in child.cmdline():
                child.send_signal(signal.SIGKILL)


@asynccontextmanager
async def robot_on(data: DataFolder, server: FakeWhatsApp, *, times: float = 10.0) -> AsyncIterator[Room]:
    """The robot of a furnished folder, running."""
    robot = Orchestrator(data, HastyClock(times), mode="headless", rng=random.Random(1))
    await robot.open()
    try:
        await robot.start()
        yield Room(robot, server)
    finally:
        await robot.close()


async def until_gone(process: psutil.Process) -> None:
    """Return once it has ended; fails if it does not."""
    await asyncio.to_thread(process.wait, 30)


async def paired(room: Room, **options: Mapping[str, Any]) -> None:
    """Scan the code, and wait until the robot is connected."""
    await room.until_state("pairing", "logged_out")
    room.server.scan()
    await room.until_state("ready")
