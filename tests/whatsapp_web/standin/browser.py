"""One headless browser with the stand-in, the real wa-js and the bridge, as contract tests of the bridge use it."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, async_playwright
from support.wa_js import chromium, wa_js_file
from whatsapp_web.standin.routing import ORIGIN, serve, until
from whatsapp_web.standin.server import FakeWhatsApp

BRIDGE_FOLDER = Path(__file__).parents[3] / "whatsself_tui" / "transport" / "whatsapp_web"
WPP_CONFIG = "window.WPPConfig={disableGoogleAnalytics:true,poweredBy:null,linkPreviewApiServers:[],deviceName:false};"
LOGIN = "standin.device"


class Bridge:
    """A page, the WhatsApp it sees, and what its bridge has told."""

    def __init__(self, context: BrowserContext, page: Page) -> None:
        self.server = FakeWhatsApp()
        self.context = context
        self.page = page
        self.events: list[tuple[str, Any]] = []
        self.errors: list[str] = []

    def heard(self, name: str, data: Any) -> None:
        """The bridge tells something."""
        self.events.append((name, data))
        self.server.happened()

    async def ask(self, name: str, argument: Any = None) -> Any:
        """What the function of the bridge answers."""
        return await self.page.evaluate("([name, argument]) => window.__whatsself[name](argument)", [name, argument])

    async def send(self, bare: str, to: str = "5511933334444@c.us", text: str = "oi", **more: Any) -> Any:
        """Send with a deadline that the stand-in never needs."""
        return await self.ask("send", {"to": to, "bare": bare, "text": text, "deadlineMs": 15_000, **more})

    def told(self, name: str) -> list[Any]:
        """The data of all events of that name."""
        return [data for one, data in self.events if one == name]

    async def until_told(self, name: str, times: int = 1, **expected: Any) -> Any:
        """The data of the `times`-th event of that name with these entries, once it has come."""
        await until(self.server, lambda: len(self._matching(name, expected)) >= times)
        return self._matching(name, expected)[times - 1]

    async def until_status(self, **expected: Any) -> dict[str, Any]:
        """The status, once it has these entries."""
        for _ in range(400):
            status: dict[str, Any] = await self.ask("status")
            if expected.items() <= status.items():
                return status
            await self.until_news()
        raise AssertionError(f"expected {expected}, found {status}")

    async def until_news(self) -> None:
        """Return once the page has told or asked something more: it asks 25 times a second."""
        heard = len(self.events) + self.server.polls
        await until(self.server, lambda: len(self.events) + self.server.polls > heard)

    async def configure(self, **knobs: Any) -> None:
        """Change the server's knobs, and return once the page goes by them: it asks again when it has obeyed."""
        polls = self.server.polls
        self.server.configure(**knobs)
        await until(self.server, lambda: self.server.polls >= polls + 3)

    async def begin(self, server: FakeWhatsApp, *, paired: bool = True, ready: bool = True) -> None:
        """Load a page of another server, with nothing left of the one before; `ready`: wait until it can be used."""
        await self.page.goto(f"{ORIGIN}standin/loader.js")
        self.server = server
        device = server.pair() if paired else None
        await self.page.evaluate(
            "([key, value]) => value ? localStorage.setItem(key, value) : localStorage.removeItem(key)",
            [LOGIN, device],
        )
        await self.load(paired=paired, ready=ready)

    async def load(self, *, paired: bool = True, ready: bool = True) -> None:
        """Load the page anew and forget what was told."""
        self.events.clear()
        self.errors.clear()
        await self.page.goto(ORIGIN)
        if ready:
            await self.until_status(full=True, **({"mode": "MAIN", "info": "NORMAL"} if paired else {}))

    def _matching(self, name: str, expected: dict[str, Any]) -> list[Any]:
        return [data for data in self.told(name) if not expected or expected.items() <= data.items()]


class Pages:
    """A few pages of one browser, each with a WhatsApp and a login of its own.

    wa-js waits most of a second for WhatsApp's modules to settle, so while one page is used the others begin anew.
    """

    PAGES = 3

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._wa_js = wa_js_file()
        self._idle: deque[asyncio.Task[Bridge]] = deque()

    async def prepare(self) -> None:
        """Open them."""
        for _ in range(self.PAGES):
            self._idle.append(asyncio.create_task(_begun(await self._page())))

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Bridge]:
        """A page that is logged in and usable, of a WhatsApp where nothing has happened."""
        bridge = await self._idle.popleft()
        try:
            yield bridge
        finally:
            self._idle.append(asyncio.create_task(_begun(bridge)))

    async def close(self) -> None:
        """Give up those that begin anew."""
        for task in self._idle:
            task.cancel()
        await asyncio.gather(*self._idle, return_exceptions=True)

    async def _page(self) -> Bridge:
        context = await self._browser.new_context()
        bridge = Bridge(context, await context.new_page())
        await serve(context, lambda: bridge.server)
        await context.expose_function("__whatsself_emit", bridge.heard)
        await context.add_init_script(WPP_CONFIG)
        for script in (self._wa_js, *sorted(BRIDGE_FOLDER.glob("bridge*.js"))):
            await context.add_init_script(path=script)
        bridge.page.on("pageerror", lambda error: bridge.errors.append(str(error)))
        return bridge


async def _begun(bridge: Bridge) -> Bridge:
    await bridge.begin(FakeWhatsApp())
    return bridge


@asynccontextmanager
async def browser_pages() -> AsyncIterator[Pages]:
    """One headless browser of this machine for as long as the block lasts."""
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), chromium_sandbox=not as_root)
        pages = Pages(browser)
        try:
            await pages.prepare()
            yield pages
        finally:
            await pages.close()
            await browser.close()
