"""What all panes share: reading while somebody looks, painting what changed, ageing with the clock."""

from __future__ import annotations

import asyncio
import sqlite3
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, Protocol, TypeVar
from zoneinfo import ZoneInfo

from textual.content import Content
from textual.worker import Worker, WorkerState

from whatsself_tui.console.allowance import Allowance
from whatsself_tui.console.faults import harmless
from whatsself_tui.console.lines import Lines
from whatsself_tui.console.queries import Query
from whatsself_tui.console.words import elapsed
from whatsself_tui.errors import WhatsSelfError
from whatsself_tui.host.logs import logger
from whatsself_tui.robot.link import RobotLink
from whatsself_tui.store.topics import Topic
from whatsself_tui.text import visible

T = TypeVar("T")

#: A failed reading is tried again after this time, if nothing changes before.
RETRY_MS = 5_000

#: Readings that get old by themselves (sliding windows, scheduled messages) are read again after this time.
REREAD_MS = 5_000

_log = logger("console")


@dataclass(frozen=True, slots=True)
class Canvas:
    """What a picture is made for."""

    width: int
    height: int
    now_ms: int
    zone: ZoneInfo


class Source(Protocol):
    """What a pane needs of the console around it."""

    @property
    def link(self) -> RobotLink:
        """The present way to the robot."""
        ...

    @property
    def is_away(self) -> bool:
        """Whether another program has the terminal."""
        ...

    def set_heartbeat(self) -> None:
        """A picture changed: see which is the next to change by mere time."""
        ...


class Pane(Lines, Generic[T], can_focus=True):
    """A framed picture of one reading.

    It reads between its Show and Hide events while its screen is the active one; at all other
    times it only notes that something changed.
    """

    TITLE: ClassVar[str] = ""
    TOPICS: ClassVar[frozenset[Topic]] = frozenset()
    """What it shows depends on these; changed settings concern every pane."""
    AGES_WITHOUT_OWNER: ClassVar[bool] = False
    """Whether its clock goes on when nobody runs the robot; the panes show the last moment somebody did."""

    def __init__(self, source: Source, *, pane_id: str) -> None:
        super().__init__(pane_id=pane_id)
        self.source = source
        self.reading: T | None = None
        self.border_title = Content(self.TITLE) if self.TITLE else None
        self.trouble = ""
        self.read_at_ms = 0
        self._tried_at_ms = 0
        self._drawn_at_ms = 0
        self._shown = False
        self._is_stale = True
        self._is_reading = False
        self._allowance = Allowance(0.0)
        self._later: asyncio.TimerHandle | None = None

    @abstractmethod
    async def question(self, link: RobotLink, now_ms: int) -> Query[T]:
        """What to ask the store by `link` to show the moment `now_ms`."""

    @abstractmethod
    def picture(self, reading: T, canvas: Canvas) -> Sequence[Content]:
        """The lines that show `reading`; foreign text in it goes through `words.fit` or `text.visible`."""

    def has_read(self, reading: T) -> None:
        """A new reading has come."""

    def counts(self, reading: T, now_ms: int) -> bool:
        """Whether the picture changes with every second."""
        return False

    def outdated_at_ms(self, reading: T, read_at_ms: int) -> int | None:
        """When `reading` stops being true though nothing happened; None: never."""
        return None

    @property
    def is_working(self) -> bool:
        """Whether somebody can see it, and there is a robot to see."""
        is_there = self.source.link.state.mode != "starting"
        return self._shown and is_there and self.screen.is_active and not self.source.is_away

    def tell(self, topics: frozenset[Topic]) -> None:
        """Something changed."""
        if topics & self.TOPICS or Topic.CONFIG in topics:
            self._is_stale = True
            self.catch_up()

    def read_anew(self) -> None:
        """Read whatever happened or not, at the next chance."""
        self._is_stale = True
        self.catch_up()

    def catch_up(self) -> None:
        """Read if something changed, somebody looks, and it is not too soon."""
        if not self._is_stale or self._is_reading or self._later or not self.is_working:
            return
        loop = asyncio.get_running_loop()
        wait_s = self._allowance.wait_s(loop.time())
        if wait_s > 0:
            self._later = loop.call_later(wait_s, self._wait_is_over)
            return
        self._allowance.spend(loop.time())
        self._is_stale, self._is_reading = False, True
        self.run_worker(self._read(), group="read", name=f"read {self.id}", exit_on_error=False)

    def beat(self, now_ms: int) -> None:
        """Time has passed: read again what is outdated, repaint what counts."""
        if self.reading is None or self.trouble:
            self.read_anew()
            return
        outdated_at = self.outdated_at_ms(self.reading, self.read_at_ms)
        if outdated_at is not None and outdated_at <= now_ms:
            self.read_anew()
        elif self.counts(self.reading, now_ms):
            self.redraw()

    def due_at_ms(self) -> int | None:
        """When time alone will have changed the picture; None: never, or nobody looks."""
        if not self.is_working or self._is_reading or self._later:
            return None
        if self.trouble:
            return self._tried_at_ms + RETRY_MS
        if self.reading is None or self._is_frozen:
            return None
        times = [self.outdated_at_ms(self.reading, self.read_at_ms)]
        if self.counts(self.reading, self._drawn_at_ms):
            times.append((self._drawn_at_ms // 1000 + 1) * 1000)
        return min((at for at in times if at is not None), default=None)

    @property
    def _is_frozen(self) -> bool:
        return self.source.link.state.owner_lost_at_ms is not None and not self.AGES_WITHOUT_OWNER

    def _picture_time_ms(self) -> int:
        lost_at = self.source.link.state.owner_lost_at_ms
        return self.source.link.now_ms() if lost_at is None or self.AGES_WITHOUT_OWNER else lost_at

    def redraw(self) -> None:
        """Make the picture again from the last reading."""
        now_ms = self._drawn_at_ms = self._picture_time_ms()
        lines: list[Content] = []
        if self.reading is not None:
            region = self.scrollable_content_region
            canvas = Canvas(region.width, region.height, now_ms, self.source.link.settings.business.zone)
            lines.extend(self.picture(self.reading, canvas))
        self.put(self.with_trouble(lines, now_ms))
        self.source.set_heartbeat()

    def with_trouble(self, lines: list[Content], now_ms: int) -> list[Content]:
        """The picture, under a line that tells why it may be old."""
        if not self.trouble:
            return lines
        age = f" This is {elapsed(now_ms - self.read_at_ms)} old." if self.reading is not None else ""
        return [*self._trouble_lines(f"{self.trouble}{age}"), *lines]

    def _trouble_lines(self, trouble: str) -> list[Content]:
        width = max(10, self.scrollable_content_region.width)
        return Content.styled(f"✗ {trouble}", "bold $text-error").wrap(width)

    async def _read(self) -> None:
        link = self.source.link
        now_ms = self._picture_time_ms()
        self._tried_at_ms = link.now_ms()
        try:
            reading = await link.read(await self.question(link, now_ms))
        except (sqlite3.Error, OSError, WhatsSelfError) as error:
            _log.warning("pane_read_failed", pane=self.id, error=type(error).__name__)
            self.trouble = f"Cannot read: {visible(str(error), limit=200)}"
        else:
            self.trouble, self.reading, self.read_at_ms = "", reading, now_ms
            self.has_read(reading)
        finally:
            self._is_reading = False
        self.redraw()
        self.catch_up()

    def _wait_is_over(self) -> None:
        self._later = None
        self.catch_up()

    def on_show(self) -> None:
        """It came into sight."""
        self._shown = True
        self.redraw()
        self.catch_up()

    def on_hide(self) -> None:
        """It went out of sight."""
        self._shown = False
        self.source.set_heartbeat()

    def on_resize(self) -> None:
        """It has another size: the same reading in another picture."""
        self.redraw()

    def on_unmount(self) -> None:
        """It is gone."""
        if self._later is not None:
            self._later.cancel()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A fault in the console itself is told in the pane and does not end the program."""
        if event.state == WorkerState.ERROR and event.worker.error is not None:
            _log.error("pane_failed", pane=self.id, **harmless(event.worker.error))
            self.trouble = f"This pane failed: {type(event.worker.error).__name__}."
            self.reading = None  # perhaps it is what cannot be drawn
            self.redraw()
