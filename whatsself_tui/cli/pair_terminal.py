"""A code on a plain terminal: drawn in place with its age, or printed once where nothing can be drawn."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import sys
import textwrap
import threading
from collections.abc import Sequence

from whatsself_tui.cli.output import narrate
from whatsself_tui.console import qr_picture
from whatsself_tui.console.big_letters import big

#: Black on white of the 256 colours, which no theme changes; black on black for letters that stand for dark.
_INK, _DARK, _PLAIN = "\x1b[38;5;16;48;5;231m", "\x1b[38;5;16;48;5;16m", "\x1b[0m"

#: Lines above and below a code.
_AROUND = 2

#: Columns and lines of a place that has none: a pipe takes a code of any size.
_BOUNDLESS = (10_000, 10_000)


class CodeTerminal:
    """Standard output while somebody pairs. A context manager: the cursor is hidden and comes back."""

    def __init__(self) -> None:
        self._out = sys.stdout
        self.is_live = self._out.isatty() and os.environ.get("TERM") != "dumb"
        """Whether a code can be drawn in place."""
        self._ascii_only = not _takes(self._out.encoding or "ascii", "▀▄█")
        self._shown: tuple[tuple[str, ...], os.terminal_size] | None = None
        self._footer = ""
        if self.is_live and sys.platform == "win32":
            os.system("")  # an old console takes escape sequences from now on

    def __enter__(self) -> CodeTerminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def room(self) -> tuple[int, int]:
        """Columns and lines a QR code may take."""
        if not self.is_live:
            return _BOUNDLESS
        size = self.size()
        return size.columns, size.lines - _AROUND

    def size(self) -> os.terminal_size:
        """As the terminal tells it itself: what the environment says may be another terminal's."""
        try:
            return os.get_terminal_size(self._out.fileno())
        except OSError:
            return shutil.get_terminal_size()

    def needed(self, text: str) -> tuple[int, int]:
        """Columns and lines of a terminal that shows this QR code. Raises ValueError for one that cannot be drawn."""
        columns, rows = qr_picture.least_size(text, ascii_only=self._ascii_only)
        return columns, rows + _AROUND

    def fits(self, text: str) -> bool:
        """Whether the QR code can be shown. Raises ValueError for one that cannot be drawn."""
        return qr_picture.fits(text, *self.room(), ascii_only=self._ascii_only)

    def qr_rows(self, text: str) -> list[str]:
        """The QR code in this terminal's way: black on white, or light glyphs where no colour can be set."""
        matrix = qr_picture.modules(text)
        zone = qr_picture.roomy_zone(len(matrix), *self.room(), ascii_only=self._ascii_only)
        zone = qr_picture.LEAST_QUIET_ZONE if zone is None else zone
        draw = qr_picture.letters if self._ascii_only else qr_picture.half_blocks
        rows = draw(matrix, zone, glyphs_are_light=not self.is_live)
        return [self._inked(row) for row in rows] if self.is_live else list(rows)

    def letter_rows(self, code: str) -> list[str]:
        """A code to type, large where that is possible, and as it is."""
        large = () if self._ascii_only else big(code, self.room()[0])
        return [*large, code]

    def wrapped(self, text: str) -> list[str]:
        """A text in lines that fit."""
        return textwrap.wrap(text, max(10, self.room()[0]))

    def show(self, rows: Sequence[str], footer: str) -> None:
        """Draw in place; the same rows again only renew the footer. Where nothing can be drawn, print the rows."""
        if not self.is_live:
            self._write("".join(f"{row}\n" for row in rows))
            return
        size = self.size()
        footer = footer[: size.columns - 1]
        if self._shown != (tuple(rows), size):
            self.clear()
            self._write("\x1b[?25l" + "".join(f"{row}\r\n" for row in rows) + footer)
            self._shown = (tuple(rows), size)
        elif footer != self._footer:
            self._write(f"\r\x1b[K{footer}")
        self._footer = footer

    def clear(self) -> None:
        """Take the code away again, so that none stays on the screen; the cursor comes back."""
        if self._shown is None:
            return
        rows, size = self._shown
        self._shown = None
        # After a change of size nobody knows how many lines the code takes: what follows stands below it.
        back = f"\x1b[{len(rows)}A" if size == self.size() else "\r\n"
        self._write(f"\r{back}\x1b[J\x1b[?25h")

    def say(self, text: str) -> None:
        """Tell something; the code is drawn anew below it."""
        self.clear()
        narrate(text)

    def ask(self, prompt: str) -> asyncio.Future[str | None]:
        """A line from the keyboard, without holding the loop up; None at the end of the input."""
        self.clear()
        self._write(prompt)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[str | None] = loop.create_future()

        def put(line: str | None) -> None:
            if not answer.done():
                answer.set_result(line)

        def read() -> None:
            # Straight from the descriptor: a thread inside a buffered read would hold up the end of the program.
            with contextlib.suppress(RuntimeError):  # the loop has been closed meanwhile
                loop.call_soon_threadsafe(put, _line(sys.stdin.fileno()))

        threading.Thread(target=read, name="phone-number", daemon=True).start()
        return answer

    def _inked(self, row: str) -> str:
        if self._ascii_only:
            row = re.sub("#+", lambda dark: f"{_DARK}{dark[0]}{_INK}", row)
        return f"{_INK}{row}{_PLAIN}"

    def _write(self, text: str) -> None:
        encoding = self._out.encoding or "utf-8"
        self._out.write(text.encode(encoding, "replace").decode(encoding))
        self._out.flush()


def _line(descriptor: int) -> str | None:
    try:
        data = os.read(descriptor, 1024)
    except OSError:
        return None
    return data.decode("utf-8", "replace").strip() if data else None


def _takes(encoding: str, text: str) -> bool:
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
