"""One browser with one page of WhatsApp Web: opened, asked, loaded anew, and gone for certain after `close`.

Playwright is imported when a browser is opened, so that nobody else pays for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from whatsself_tui.errors import WhatsSelfError
from whatsself_tui.host import processes
from whatsself_tui.host.browsers import Browser, needs_no_sandbox, resolver_rules, user_agent

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Page, Playwright

URL = "https://web.whatsapp.com/"

#: The page's own numbers to a statistics service, its previews of links and its advertising are switched off.
#: wa-js reads this once, when it is loaded.
_CONFIG = (
    "window.WPPConfig={disableGoogleAnalytics:true,poweredBy:null,linkPreviewApiServers:[],deviceName:false,"
    "linkPreview:false};"
)

#: The bridge's scripts, in the order in which they build on each other.
BRIDGE_FILES = ("bridge.js", "bridge_reading.js", "bridge_sending.js")

#: The bridge's name in the page, and the function through which it tells events.
BRIDGE, EMIT = "__whatsself", "__whatsself_emit"

#: The page script's function, null without the script; what it throws comes back as `{thrown}`.
_CALL = f"""async ([name, argument]) => {{
  if (!window.{BRIDGE}) return null;
  try {{
    return await window.{BRIDGE}[name](argument);
  }} catch (error) {{
    return {{ thrown: String(error) }};
  }}
}}"""

_NETWORK_ERROR = re.compile(r"net::ERR_\w+")

LAUNCH_TIMEOUT_S = 60.0
LOAD_TIMEOUT_S = 60.0
CLOSE_TIMEOUT_S = 10.0

Gone = Literal["page", "browser"]


class PageError(WhatsSelfError):
    """The page did not answer: it is gone, it hangs, or it is not WhatsApp's."""


class ScriptFailed(PageError):
    """The page lives, and lacks something that the question needs: WhatsApp has changed it."""


class PageHangs(PageError):
    """The page has not answered in time; loading it anew would wait for it just as long."""


class NoNetwork(PageError):
    """WhatsApp Web could not be loaded for want of a connection."""


class BrowserFailed(WhatsSelfError):
    """The browser could not be started."""


@dataclass(frozen=True, slots=True)
class Launch:
    """How a browser is started."""

    browser: Browser
    profile: Path
    headless: bool
    pairing: bool
    """Whether a passkey may have to be asked of a phone."""
    wa_js: str
    """The verified library's text."""
    log_file: Path
    """Takes what Playwright's own process says; a console draws on the terminal it would say it to."""


class BrowserSession:
    """Events of the page go to `on_event` in the order in which they happened; what dies to `on_gone`."""

    def __init__(self, launch: Launch, on_event: Callable[[str, Any], None], on_gone: Callable[[Gone], None]) -> None:
        self.launch = launch
        self.pid: int | None = None
        """The browser's main process, once it runs."""
        self._on_event = on_event
        self._on_gone = on_gone
        self._playwright: Playwright | None = None
        self._context: BrowserContext | None = None
        self._page: Page | None = None
        self._tree: processes.ProcessTree | None = None
        self._closing = False

    async def open(self) -> None:
        """Start the browser with everything in place, no page loaded yet. Raises BrowserFailed."""
        from playwright.async_api import Error, async_playwright

        try:
            with _stderr_to(self.launch.log_file):
                self._playwright = await async_playwright().start()
            self._context = await self._started(self._playwright)
            await self._furnish(self._context)
        except (Error, OSError, TimeoutError) as error:
            await self.close()
            raise BrowserFailed(f"{self.launch.browser.name} could not be started: {_first_line(error)}") from error

    async def _furnish(self, context: BrowserContext) -> None:
        """Let it be watched, and every page in it have the scripts. Raises playwright's Error if it dies meanwhile."""
        await asyncio.to_thread(self._remember_processes)
        context.on("close", lambda _: self._gone("browser"))
        await context.expose_function(EMIT, self._on_event)
        bridge = [resources.files(__package__).joinpath(name).read_text(encoding="utf-8") for name in BRIDGE_FILES]
        for script in (_CONFIG, self.launch.wa_js, *bridge):
            await context.add_init_script(script)
        self._take(context.pages[0] if context.pages else await context.new_page())

    async def _started(self, playwright: Playwright) -> BrowserContext:
        launch = self.launch
        return await playwright.chromium.launch_persistent_context(
            launch.profile,
            executable_path=launch.browser.path,
            headless=launch.headless,
            user_agent=user_agent(launch.browser),
            chromium_sandbox=not needs_no_sandbox(),
            args=[
                "--disable-blink-features=AutomationControlled",
                f"--host-resolver-rules={resolver_rules(pairing=launch.pairing)}",
            ],
            ignore_default_args=["--enable-automation"],
            no_viewport=not launch.headless,
            accept_downloads=False,
            # Closing is this class's: two who close at once make Playwright kill, and the last writes are lost.
            handle_sigint=False,
            handle_sigterm=False,
            handle_sighup=False,
            timeout=LAUNCH_TIMEOUT_S * 1000,
        )

    async def load(self) -> None:
        """Load WhatsApp Web, anew if it is there. Raises PageError, NoNetwork for want of a connection."""
        from playwright.async_api import Error

        try:
            await self._require_page().goto(URL, wait_until="domcontentloaded", timeout=LOAD_TIMEOUT_S * 1000)
        except Error as error:
            network = _NETWORK_ERROR.search(str(error))
            if network is not None:
                raise NoNetwork(f"WhatsApp Web cannot be reached ({network[0]}).") from error
            raise PageError(f"WhatsApp Web could not be loaded: {_first_line(error)}") from error

    async def new_page(self) -> None:
        """Put another page in the place of the one that has failed. Raises PageError."""
        from playwright.async_api import Error

        if self._context is None:
            raise PageError("There is no browser.")
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                former, page = self._page, await self._context.new_page()
                self._take(page)
                if former is not None:
                    await former.close()
        except (Error, TimeoutError) as error:
            raise PageError(f"No new page could be opened: {_first_line(error)}") from error

    async def call(self, name: str, argument: Any = None, *, timeout_s: float) -> Any:
        """What the page script's function answers, plain JSON; None if the script is not there.

        Raises PageError: PageHangs without an answer in time, when what was asked may be done all the same, and
        ScriptFailed if the page cannot do it.
        """
        from playwright.async_api import Error

        try:
            async with asyncio.timeout(timeout_s):
                answer = await self._require_page().evaluate(_CALL, [name, argument])
        except TimeoutError as error:
            raise PageHangs(f"WhatsApp's page did not answer {name} within {timeout_s:.0f} s.") from error
        except Error as error:
            raise PageError(f"WhatsApp's page failed at {name}: {_first_line(error)}") from error
        if isinstance(answer, dict) and "thrown" in answer:
            raise ScriptFailed(f"WhatsApp's page cannot do {name}: {str(answer['thrown'])[:200]}")
        return answer

    async def close(self) -> None:
        """Close the browser; when this returns, none of its processes is left."""
        self._closing = True
        context, playwright = self._context, self._playwright
        self._context = self._playwright = self._page = None
        if self._tree is None:  # it failed half-way
            await asyncio.to_thread(self._remember_processes)
        if context is not None:
            await _within(context.close())
        if playwright is not None:
            await _within(playwright.stop())
        if self._tree is not None:
            await asyncio.to_thread(self._tree.end, patience_s=CLOSE_TIMEOUT_S)

    def _remember_processes(self) -> None:
        """From now on: once it has gone its pid may be another program's, and its children cannot be told any more."""
        self.pid = processes.browser_pid(self.launch.profile)
        self._tree = None if self.pid is None else processes.tree_of(self.pid)

    def _require_page(self) -> Page:
        if self._page is None:
            raise PageError("There is no browser.")
        return self._page

    def _take(self, page: Page) -> None:
        self._page = page
        page.on("crash", lambda crashed: self._gone("page") if crashed is self._page else None)

    def _gone(self, what: Gone) -> None:
        if not self._closing:
            self._on_gone(what)


async def _within(closing: Awaitable[None]) -> None:
    """Give something time to close; what does not is ended with its processes."""
    from playwright.async_api import Error

    with contextlib.suppress(Error, TimeoutError, OSError):
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await closing


@contextlib.contextmanager
def _stderr_to(log_file: Path) -> Iterator[None]:
    """Playwright's process inherits what `sys.stderr` is at its start."""
    with log_file.open("a", encoding="utf-8") as file, contextlib.redirect_stderr(file):
        yield


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
