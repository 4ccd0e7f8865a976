"""A terminal that never holds the robot up, and a crash text that tells no secrets.

Textual hands its output to a thread through a queue of 30 writes and blocks the event loop when
that queue is full. A terminal that stops reading (a selection in a legacy console, a sleeping
laptop, a dead link) would so stop everything that shares the loop. Here the writer takes whatever
it is given, at most `MAX_FRAMES_AHEAD` frames of it; further frames are dropped, and one full
repaint follows when the terminal has read what it owed.

This is the only module that leans on Textual's private names. It was written for the version
below; `tests/console/test_elastic.py` notices when what it relies on has changed.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
import threading
from collections import deque
from typing import Any, TextIO

from rich.console import RenderableType
from textual import on
from textual.app import App
from textual.driver import Driver
from textual.drivers._writer_thread import WriterThread
from textual.message import Message
from textual.screen import Screen

if sys.platform == "win32":
    from textual.drivers.windows_driver import WindowsDriver as PlatformDriver
else:
    from textual.drivers.linux_driver import LinuxDriver as PlatformDriver

#: The version of Textual whose private names are used here.
WRITTEN_FOR = "8.2.8"

#: Frames that may wait for the terminal; what comes on top is dropped.
MAX_FRAMES_AHEAD = 8

#: Bytes handed to the operating system at once (the usual size of a pty's buffer).
CHUNK_BYTES = 4096

#: How long leaving may wait for a terminal that does not read.
STOP_WAIT_S = 1.0


class TerminalCaughtUp(Message, bubble=False):
    """The terminal has read all it was given; frames were dropped meanwhile."""


class TerminalLost(Message, bubble=False):
    """Nothing can be written to the terminal any more."""


class ElasticWriter(WriterThread):
    """Writes in a thread of its own; whoever calls it never waits, whatever the terminal does."""

    def __init__(self, file: TextIO, app: App[Any]) -> None:
        super().__init__(file)
        self._out = file
        self._app = app
        self._work = threading.Condition()
        self._waiting: deque[tuple[str, bool]] = deque()
        self._frames_ahead = 0
        self._in_frame = False
        self._frame_is_empty = True
        self._has_dropped = False
        self._stopping = False
        self._abandoned = False

    def begin_frame(self) -> bool:
        """Whether a frame may be written now; if not, it is dropped and a full repaint follows later."""
        with self._work:
            self._in_frame = self._frames_ahead < MAX_FRAMES_AHEAD
            self._frame_is_empty = True
            self._has_dropped |= not self._in_frame
            return self._in_frame

    def end_frame(self) -> None:
        """All of the frame was written; empty ones do not count."""
        with self._work:
            self._in_frame = False
            if not self._frame_is_empty:
                self._waiting.append(("", True))
                self._frames_ahead += 1

    def write(self, text: str) -> None:
        """Take `text` and return at once; after `stop` it is thrown away."""
        with self._work:
            if not self._stopping and text:
                self._waiting.append((text, self._in_frame))
                self._frame_is_empty = False
                self._work.notify()

    def run(self) -> None:
        """Write what waits until `stop`; where the terminal is gone, take no more and tell the app."""
        try:
            while (text := self._next()) is not None:
                self._put_out(text)
        except (OSError, ValueError):
            self.discard()
            tell(self._app, TerminalLost())

    def stop(self) -> None:
        """Throw away frames that wait, write the rest, and give a terminal that does not read `STOP_WAIT_S`."""
        with self._work:
            self._stopping = True
            self._waiting = deque(item for item in self._waiting if not item[1])
            self._work.notify()
        self.join(timeout=STOP_WAIT_S)
        self._abandoned = True

    def discard(self) -> None:
        """Take nothing any more."""
        with self._work:
            self._stopping = True
            self._waiting.clear()

    def _next(self) -> str | None:
        """The next text to write, waiting for one; None to end. An empty text marks the end of a frame."""
        while True:
            with self._work:
                while not self._waiting and not self._stopping and not self._has_dropped:
                    self._work.wait()
                if self._waiting:
                    text, _ = self._waiting.popleft()
                    self._frames_ahead -= not text
                    if text:
                        return text
                    continue
                if self._stopping:
                    return None
                self._has_dropped = False
            tell(self._app, TerminalCaughtUp())

    def _put_out(self, text: str) -> None:
        if sys.platform == "win32":
            self._out.write(text)
            self._out.flush()
            return
        # Straight to the descriptor: a thread caught inside a buffered write would hold the
        # buffer's lock, and the interpreter could not shut down.
        descriptor = self._out.fileno()
        left = memoryview(text.encode(self._out.encoding or "utf-8", "replace"))
        while left and not self._abandoned:
            try:
                left = left[os.write(descriptor, left[:CHUNK_BYTES]) :]
            except BlockingIOError:  # a child process made the shared terminal non-blocking
                select.select([], [descriptor], [], STOP_WAIT_S)


def tell(app: App[Any], message: Message) -> None:
    """Post from a thread; an app whose loop has closed needs to hear nothing."""
    with contextlib.suppress(RuntimeError):
        app.post_message(message)


class ElasticDriver(PlatformDriver):
    """The platform's driver; wherever it makes its writer, it gets an elastic one."""

    _elastic: ElasticWriter | None = None
    _is_watched = False

    def start_application_mode(self) -> None:
        """Take the terminal, and watch it: a hang-up is not seen by a console that writes nothing."""
        super().start_application_mode()  # type: ignore[no-untyped-call]  # without annotations there
        if sys.platform != "win32" and not self._is_watched:
            self._is_watched = True
            threading.Thread(target=self._await_hang_up, name="terminal-watch", daemon=True).start()

    def _await_hang_up(self) -> None:
        if sys.platform != "win32":
            poll = select.poll()
            poll.register(self.fileno, 0)  # no event asked for: only a hang-up or an error is told
            (_, event), *_ = poll.poll()
            if event & (select.POLLHUP | select.POLLERR):  # else this system cannot watch terminals
                tell(self._app, TerminalLost())

    @property
    def _writer_thread(self) -> ElasticWriter | None:
        return self._elastic

    @_writer_thread.setter
    def _writer_thread(self, writer: WriterThread | None) -> None:
        self._elastic = ElasticWriter(self._file, self._app) if writer and self._file else None

    @property
    def writer(self) -> ElasticWriter | None:
        """The present writer; None before the terminal was taken."""
        return self._elastic


class ElasticApp(App[int]):
    """An app whose event loop goes on while its terminal does not read."""

    def get_driver_class(self) -> type[Driver]:
        """The driver with the writer that never blocks."""
        return ElasticDriver

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        writer = self._driver.writer if isinstance(self._driver, ElasticDriver) else None
        if writer is None or renderable is None:
            super()._display(screen, renderable)
        elif writer.begin_frame():
            try:
                super()._display(screen, renderable)
            finally:
                writer.end_frame()
        else:
            self.post_display_hook()

    @on(TerminalCaughtUp)
    def repaint(self) -> None:
        """Write every cell of the screen again."""
        self.refresh(layout=True)

    @on(TerminalLost)
    def terminal_lost(self) -> None:
        """Leave in order: without a terminal nobody can see or steer this console."""
        self.exit(return_code=1)

    def _fatal_error(self) -> None:
        self.panic(self.crashed(sys.exc_info()[1]))

    def crashed(self, error: BaseException | None) -> RenderableType:
        """What to print instead of Textual's traceback, which would show local variables."""
        return f"The console stopped because of an error in itself: {type(error).__name__}."
