"""Keeps one browser with WhatsApp Web alive: opens it, looks at it, mends it, and begins again when nothing helps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from whatsself_tui.clock import Clock
from whatsself_tui.errors import WhatsSelfError
from whatsself_tui.host.logs import logger
from whatsself_tui.transport.base import LinkState
from whatsself_tui.transport.whatsapp_web import watchdog
from whatsself_tui.transport.whatsapp_web.browser_session import (
    BrowserFailed,
    BrowserSession,
    Gone,
    Launch,
    NoNetwork,
    PageError,
    PageHangs,
)
from whatsself_tui.transport.whatsapp_web.preparing import Options, Prepared, note_use
from whatsself_tui.transport.whatsapp_web.report import BrowserReading
from whatsself_tui.transport.whatsapp_web.standing import Standing
from whatsself_tui.transport.whatsapp_web.watchdog import Remedy

log = logger("whatsapp")

#: Without a connection it is loaded again after this long.
NO_NETWORK_PAUSE_S = 20.0

#: After a failure of the robot's own, such as a database that refuses.
OWN_TROUBLE_PAUSE_S = 5.0

OpenSession = Callable[[Launch, Callable[[str, Any], None], Callable[[Gone], None]], BrowserSession]
MakeReady = Callable[[Options, bool], Prepared]
"""See `preparing.prepare`."""


class Failure(Exception):
    """The page or the browser has failed; `least` is the mildest remedy that can help."""

    def __init__(self, least: Remedy, detail: str, state: LinkState = LinkState.CRASHED) -> None:
        super().__init__(detail)
        self.least = least
        self.detail = detail
        self.state = state


class AnotherBrowser(Exception):
    """Nothing is wrong, but another browser is wanted: with a window, without one, or with less memory."""


class Parked(Exception):
    """Nothing may be tried until the operator says so."""


class Nurse(Protocol):
    """Knows what a page needs; see `care.Care`."""

    def begin(self) -> None:
        """Another browser or page, nothing loaded yet."""
        ...

    def loaded(self) -> None:
        """WhatsApp Web is being loaded, anew perhaps."""
        ...

    async def look(self, session: BrowserSession) -> float:
        """Look, and do what is to be done; returns seconds until the next look.

        Raises Failure, AnotherBrowser, Parked, PageError.
        """
        ...


class Attendant:
    """One browser after another, each as long as it lives."""

    def __init__(
        self,
        options: Options,
        clock: Clock,
        standing: Standing,
        nurse: Nurse,
        on_event: Callable[[str, Any], None],
        open_session: OpenSession,
        make_ready: MakeReady,
    ) -> None:
        self._options = options
        self._clock = clock
        self._standing = standing
        self._nurse = nurse
        self._on_event = on_event
        self._open_session = open_session
        self._make_ready = make_ready
        self._ladder = watchdog.Ladder()
        self._gone: Gone | None = None
        self._hint = asyncio.Event()
        self._now = asyncio.Event()
        self._window_failed = False
        self._starts = 0
        self._died_of = ""
        self._is_loaded = False
        self.session: BrowserSession | None = None
        """The browser of now."""

    def hint(self) -> None:
        """Something may have changed: look at once."""
        self._hint.set()

    def connect_now(self) -> None:
        """The operator wants it tried at once, whatever has failed before."""
        self._ladder = watchdog.Ladder()
        self._now.set()
        self._hint.set()

    async def run(self) -> None:
        """Until cancelled; then no process of the browser is left."""
        while True:
            try:
                pause_s = await self._one_browser()
            except Parked:
                await self._now.wait()
                continue
            if pause_s:
                self._standing.update(next_try_at_ms=self._clock.now_ms() + round(pause_s * 1000))
                await self._clock.wait(self._now, pause_s)
                self._standing.update(next_try_at_ms=None)

    async def _one_browser(self) -> float:
        """Open a browser and stay with it to its end; returns seconds to wait before the next one."""
        try:
            await self._open()
            assert self.session is not None
            return await self._attend(self.session)
        except AnotherBrowser as planned:
            log.info("another browser", reason=str(planned))
            return 0.0
        except WhatsSelfError as error:
            return (await self._failed(Failure(Remedy.NEW_BROWSER, str(error))))[1]
        finally:
            session, self.session = self.session, None
            self._standing.update(browser=None)
            if session is not None:
                await _to_the_end(session.close())

    async def _open(self) -> None:
        self._gone = None
        await self._standing.enter(LinkState.STARTING)
        prepared = await asyncio.to_thread(self._make_ready, self._options, self._window_failed)
        launch = prepared.launch
        self.session = session = self._open_session(launch, self._heard, self._lost)
        try:
            await session.open()
        except BrowserFailed:
            self._window_failed = not launch.headless and self._options.headless == "auto"
            raise
        self._starts += 1
        log.info("browser", name=launch.browser.name, version=launch.browser.version, headless=launch.headless)
        self._standing.update(
            browser=BrowserReading(
                launch.browser.name, launch.browser.version, session.pid or 0, launch.headless, None, self._starts
            )
        )
        await asyncio.to_thread(note_use, launch, self._clock.now_ms())
        await self._standing.notice("browser", " ".join(prepared.warnings))
        if self._died_of:
            text = f"The browser was started again ({self._starts - 1} times since the robot was): {self._died_of}"
            await self._standing.notice("browser_restarted", text)
            self._died_of = ""
        self._nurse.begin()

    async def _attend(self, session: BrowserSession) -> float:
        wait_s = await self._load(session)
        while True:
            if not self._hint.is_set():
                await self._clock.wait(self._hint, wait_s)
            self._hint.clear()
            try:
                self._require_life()
                wait_s = await (self._nurse.look(session) if self._is_loaded else self._load(session))
                self._follow()
            except AnotherBrowser:
                raise
            except Parked:
                self._now.clear()
                raise
            except NoNetwork as error:
                wait_s = await self._without_network(error)
            except (Failure, PageError) as error:
                failure = error if isinstance(error, Failure) else Failure(_least(error), str(error))
                remedy, pause_s = await self._failed(failure)
                if remedy is Remedy.NEW_BROWSER:
                    return pause_s
                wait_s = await self._mend(session, remedy)
            except Exception as error:  # ours, such as a database that refuses: the browser has done nothing
                log.exception("look failed", error=type(error).__name__)
                wait_s = OWN_TROUBLE_PAUSE_S

    def _require_life(self) -> None:
        gone, self._gone = self._gone, None
        if gone == "browser":
            raise Failure(Remedy.NEW_BROWSER, "The browser was closed or has crashed.")
        if gone == "page":
            raise Failure(Remedy.NEW_PAGE, "WhatsApp's page has crashed.")

    def _follow(self) -> None:
        if self._standing.state is LinkState.READY:
            self._ladder = watchdog.well(self._ladder, self._clock.monotonic_s())
        else:
            self._ladder = watchdog.unwell(self._ladder)

    async def _failed(self, failure: Failure) -> tuple[Remedy, float]:
        self._now.clear()  # what the operator wanted before this failure has been tried
        self._ladder, remedy, pause_s = watchdog.failed(self._ladder, failure.least)
        log.warning("failed", detail=failure.detail, remedy=remedy.name.lower(), pause_s=round(pause_s))
        if remedy is Remedy.NEW_BROWSER and self._starts:
            self._died_of = failure.detail
        await self._standing.enter(failure.state, failure.detail)
        return remedy, pause_s

    async def _mend(self, session: BrowserSession, remedy: Remedy) -> float:
        try:
            if remedy is Remedy.NEW_PAGE:
                await session.new_page()
                self._nurse.begin()
            return await self._load(session)
        except PageError as error:
            log.warning("not mended", remedy=remedy.name.lower(), error=str(error))
            self.hint()  # the next look fails too, and the remedy after this one follows
            return 0.0

    async def _load(self, session: BrowserSession) -> float:
        """Load the page; returns seconds until it is worth a look. Raises PageError."""
        self._nurse.loaded()
        try:
            await session.load()
        except NoNetwork as error:
            return await self._without_network(error)
        self._is_loaded = True
        await self._standing.enter(LinkState.LOADING)
        return 0.5

    async def _without_network(self, error: NoNetwork) -> float:
        """There is no page to look at: after a while it is loaded again."""
        self._is_loaded = False
        await self._standing.enter(LinkState.OFFLINE, str(error))
        return NO_NETWORK_PAUSE_S

    def _heard(self, name: str, data: Any = None) -> None:
        self._on_event(name, data)

    def _lost(self, what: Gone) -> None:
        self._gone = what if self._gone != "browser" else "browser"
        self._hint.set()


async def _to_the_end(closing: Coroutine[Any, Any, None]) -> None:
    """Who is cancelled meanwhile waits all the same: half a close leaves processes behind."""
    task = asyncio.ensure_future(closing)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise


def _least(error: PageError) -> Remedy:
    return Remedy.NEW_PAGE if isinstance(error, PageHangs) else Remedy.RELOAD
