"""What a page needs in each state: a code shown, a login taken back, missed messages fetched, a reload in time."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Mapping
from dataclasses import replace

from whatsself_tui.clock import Clock
from whatsself_tui.host import processes
from whatsself_tui.host.browsers import can_show_window
from whatsself_tui.host.logs import logger
from whatsself_tui.phones import split_address
from whatsself_tui.transport.base import LinkState
from whatsself_tui.transport.states import sentence
from whatsself_tui.transport.whatsapp_web import takeover
from whatsself_tui.transport.whatsapp_web.attendant import AnotherBrowser, Failure, Parked
from whatsself_tui.transport.whatsapp_web.browser_session import BrowserSession, ScriptFailed
from whatsself_tui.transport.whatsapp_web.machine import PageStatus, judge
from whatsself_tui.transport.whatsapp_web.mailbox import Mailbox, Memory
from whatsself_tui.transport.whatsapp_web.preparing import Options, note_use
from whatsself_tui.transport.whatsapp_web.sending import Sender
from whatsself_tui.transport.whatsapp_web.standing import PAIRING, Standing
from whatsself_tui.transport.whatsapp_web.watchdog import Remedy

log = logger("whatsapp")

#: A connected page proves this often that it lives; one that changes is looked at more often.
PROOF_S = 30.0
CHANGING_S = 2.0

#: A page that has not answered by then hangs.
ANSWER_S = 15.0

#: How long a page may load, fetch the conversations of a phone, or be without a connection.
LOADING_S = 120.0
SYNCING_S = 1800.0
OFFLINE_S = 600.0

#: What could not be fetched, or stored, is tried again after this long.
AGAIN_S = 5.0

#: Even while every message comes with an event, the conversations are compared this often.
COMPARE_S = 900.0

#: The browser's memory is measured this often.
MEASURE_S = 300.0

#: Nothing was sent or received for so long: a moment to load the page anew. It is waited for so long.
QUIET_S = 60.0
QUIET_PATIENCE_S = 3600.0

#: Memory is freed this seldom, however little it helps; a page that needs as much again within hours of having been
#: loaded anew gets another browser.
RELIEF_PAUSE_S = 1800.0
RELOAD_HELPS_S = 6 * 3600.0


class Care:
    """Looks at one page after another; see `attendant.Nurse`."""

    def __init__(
        self, options: Options, clock: Clock, memory: Memory, mailbox: Mailbox, standing: Standing, sender: Sender
    ) -> None:
        self._options = options
        self._clock = clock
        self._memory = memory
        self._mailbox = mailbox
        self._standing = standing
        self._sender = sender
        self._account: str | None = None
        self._taken_s: list[float] = []
        self._take_now = False
        self._banned = False
        self._logout_reason = ""
        self._relieved_s = self._reloaded_s = -math.inf
        self._noted_login: bool | None = None
        self.begin()
        self.loaded()

    def begin(self) -> None:
        """Another browser or page; nothing is loaded in it yet."""
        self._state_since_s = self._clock.monotonic_s()
        self._compared_s = self._measured_s = -math.inf
        self._over_memory_s: float | None = None

    def loaded(self) -> None:
        """The page begins anew, and so does what is known of it."""
        self._loaded_s = self._clock.monotonic_s()
        self._probed, self._noted_login, self._acks_known = False, None, False
        self._mailbox.fall_behind()

    def take_over_now(self) -> None:
        """The operator wants the login here, and takes responsibility for a ban that is over."""
        self._take_now = True
        self._banned = False

    def banned(self) -> None:
        """WhatsApp has told that the account may not send for some time."""
        self._banned = True

    def logged_out(self, reason: str) -> None:
        """WhatsApp has ended the login."""
        self._logout_reason = reason

    async def look(self, session: BrowserSession) -> float:
        """Ask the page how it is, and do what its state needs; returns seconds until the next look."""
        if self._account is None:
            self._account = await self._memory.account()
            self._standing.update(account=self._account)
        answer = await session.call("status", timeout_s=ANSWER_S)
        status = PageStatus.of(answer) if isinstance(answer, Mapping) else PageStatus()
        if status.version:
            self._standing.update(bridge_version=status.version)
        state = LinkState.BLOCKED if self._banned else judge(status, paired=bool(self._account))
        if state is not self._standing.state and state is not LinkState.READY:
            self._state_since_s = self._clock.monotonic_s()
        if state is LinkState.READY:
            return await self._when_ready(session, status)
        self._mailbox.fall_behind()
        if state in PAIRING:
            return await self._when_pairing(session, status, state)
        if state is LinkState.CONFLICT:
            return await self._when_in_conflict(session)
        if state is LinkState.BLOCKED:
            await self._standing.enter(state)
            raise Parked(sentence(state))
        return await self._when_on_the_way(session, state, status)

    async def _when_on_the_way(self, session: BrowserSession, state: LinkState, status: PageStatus) -> float:
        """Loading, syncing, offline or outdated: wait, but not for ever."""
        await self._standing.enter(state, _detail(state, status))
        now_s = self._clock.monotonic_s()
        if state is LinkState.NEEDS_UPDATE:
            if not self._sender.is_busy:
                raise Failure(Remedy.RELOAD, sentence(state), state)
        elif state is LinkState.LOADING and now_s - self._loaded_s > LOADING_S:
            raise Failure(Remedy.RELOAD, f"WhatsApp Web did not load within {LOADING_S:.0f} s.")
        elif state is LinkState.SYNCING and now_s - self._state_since_s > SYNCING_S:
            raise Failure(Remedy.RELOAD, f"WhatsApp fetched conversations for {SYNCING_S / 60:.0f} min without an end.")
        elif state is LinkState.OFFLINE and now_s - max(self._state_since_s, self._loaded_s) > OFFLINE_S:
            await self._load_anew(session, "no connection for ten minutes")
        return CHANGING_S

    async def _when_pairing(self, session: BrowserSession, status: PageStatus, state: LinkState) -> float:
        if self._noted_login is not False:
            await asyncio.to_thread(note_use, session.launch, self._clock.now_ms(), paired=False)
            self._noted_login = False
            was_paired = session.launch.headless and not session.launch.pairing
            if was_paired and self._options.headless == "auto" and can_show_window():
                raise AnotherBrowser("a window for pairing")
        told = ""
        if state is LinkState.LOGGED_OUT and self._logout_reason:
            told = f"WhatsApp has ended the login of this computer ({self._logout_reason})."
        await self._standing.enter(state, told)
        self._standing.show_qr(None if status.idle else await session.call("qr", timeout_s=ANSWER_S))
        return CHANGING_S

    async def _when_in_conflict(self, session: BrowserSession) -> float:
        now_s = self._clock.monotonic_s()
        due_s = 0.0 if self._take_now else takeover.due_in_s(self._taken_s, self._state_since_s, now_s)
        if due_s is None:
            too_often = f"{sentence(LinkState.CONFLICT)} It was taken back {takeover.MOST} times within an hour."
            await self._standing.enter(LinkState.CONFLICT, too_often)
            return CHANGING_S
        await self._standing.enter(LinkState.CONFLICT)
        if due_s > 0:
            return min(due_s, CHANGING_S)
        if not self._take_now:
            self._taken_s = [*self._taken_s[-takeover.MOST + 1 :], now_s]
        self._take_now, self._state_since_s = False, now_s
        log.info("take over")
        await session.call("takeOver", timeout_s=ANSWER_S)
        return CHANGING_S

    async def _when_ready(self, session: BrowserSession, status: PageStatus) -> float:
        self._logout_reason, self._take_now = "", False
        await self._note_login(session, status)
        await self._probe(session)
        now_s = self._clock.monotonic_s()
        if self._mailbox.is_behind or now_s - self._compared_s >= COMPARE_S:
            if self._standing.state is not LinkState.READY:
                await self._standing.enter(LinkState.SYNCING, "Fetching what came meanwhile.")
            await self._catch_up(session)
        if self._standing.state is not LinkState.READY:
            self._state_since_s = self._clock.monotonic_s()
        await self._standing.enter(LinkState.READY)
        if not self._acks_known:
            self._acks_known = True
            with contextlib.suppress(ScriptFailed):  # only what is shown of messages that have left suffers
                await self._mailbox.refresh_acks(session)
        await self._tend(session, status)
        return AGAIN_S if self._mailbox.is_behind else PROOF_S

    async def _catch_up(self, session: BrowserSession) -> None:
        """A page that cannot list conversations any more still tells what comes, and sends."""
        self._compared_s = self._clock.monotonic_s()
        try:
            looked_at = await self._mailbox.catch_up(session)
        except ScriptFailed as error:
            log.error("not caught up", error=str(error))
            return
        log.info("caught up", messages=looked_at, complete=not self._mailbox.is_behind)

    async def _note_login(self, session: BrowserSession, status: PageStatus) -> None:
        if self._noted_login or status.me is None:
            return
        phone, _ = split_address(status.me)
        if phone and phone != self._account:
            await self._memory.paired_as(phone)
            self._account = phone
            self._standing.update(account=phone)
        await asyncio.to_thread(note_use, session.launch, self._clock.now_ms(), paired=True)
        self._noted_login = True

    async def _probe(self, session: BrowserSession) -> None:
        """Once for each load: does the page still have everything the bridge needs?"""
        if self._probed:
            return
        answer = await session.call("missing", timeout_s=ANSWER_S)
        missing = tuple(str(name)[:100] for name in answer[:50]) if isinstance(answer, list) else ()
        self._probed = True
        self._standing.update(missing=missing)
        text = (
            f"WhatsApp Web has changed: {', '.join(missing)} is missing. What does not need it goes on;"
            " look for a newer version of this program, or of wa-js (`bridge status`)."
        )
        await self._standing.notice("bridge_incomplete", text if missing else "")

    async def _tend(self, session: BrowserSession, status: PageStatus) -> None:
        """What a connected browser needs from time to time."""
        now_s = self._clock.monotonic_s()
        if now_s - self._measured_s >= MEASURE_S:
            self._measured_s = now_s
            await self._measure(session, now_s)
        is_quiet = not self._sender.is_busy and now_s - self._mailbox.last_at_s >= QUIET_S
        rested = is_quiet and now_s - self._state_since_s >= QUIET_S and not status.syncing
        if rested and not session.launch.headless and self._options.headless == "auto":
            raise AnotherBrowser("paired: no window is needed any more")
        over_s = self._over_memory_s
        if over_s is not None and (is_quiet or (now_s - over_s >= QUIET_PATIENCE_S and not self._sender.is_busy)):
            await self._free_memory(session, now_s)

    async def _free_memory(self, session: BrowserSession, now_s: float) -> None:
        if now_s - self._relieved_s < RELIEF_PAUSE_S:
            return
        self._over_memory_s, self._relieved_s, self._measured_s = None, now_s, now_s
        if now_s - self._reloaded_s < RELOAD_HELPS_S:
            self._reloaded_s = -math.inf
            raise AnotherBrowser("memory")
        self._reloaded_s = now_s
        await self._load_anew(session, "memory")

    async def _measure(self, session: BrowserSession, now_s: float) -> None:
        memory_mb = None if session.pid is None else await asyncio.to_thread(processes.memory_mb, session.pid)
        browser = self._standing.reading.browser
        if browser is not None:
            self._standing.update(browser=replace(browser, memory_mb=memory_mb))
        is_over = bool(self._options.memory_mb and memory_mb and memory_mb > self._options.memory_mb)
        if not is_over:
            self._over_memory_s = None
        elif self._over_memory_s is None:
            self._over_memory_s = now_s

    async def _load_anew(self, session: BrowserSession, reason: str) -> None:
        log.info("load anew", reason=reason)
        self.loaded()
        await session.load()


def _detail(state: LinkState, status: PageStatus) -> str:
    if state is LinkState.OFFLINE and status.mode == "PROXYBLOCK":
        return "This network does not let WhatsApp Web through."
    return ""
