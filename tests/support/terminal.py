"""A program on a pseudo-terminal, and what a person would see there."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

import pexpect
import pyte

#: Sequences pyte 0.8 does not know; it would print them.
_UNKNOWN = re.compile(
    r"\x1b\[[<=>][0-9;:]*[A-Za-z]|\x1b\[\?[0-9;]*\$[a-z]|\x1bP.*?\x1b\\|\x1b\]\d+;.*?(?:\x07|\x1b\\)", re.S
)

PATIENCE_S = 60.0


class Terminal:
    """A terminal of a given size with one program in it."""

    def __init__(
        self, argv: Sequence[str], columns: int = 80, rows: int = 24, env: dict[str, str] | None = None
    ) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.Stream(self._screen)
        self.child = pexpect.spawn(
            argv[0], list(argv[1:]), dimensions=(rows, columns), env=env, encoding="utf-8", codec_errors="replace"
        )

    def text(self) -> str:
        """The screen as lines."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def wait_for(self, *texts: str) -> None:
        """Return once all `texts` are on the screen together; AssertionError if they never are."""
        give_up_at = time.monotonic() + PATIENCE_S
        while not all(text in self.text() for text in texts):
            assert time.monotonic() < give_up_at, f"{texts} never appeared:\n{self.text()}"
            assert self._pump(), f"the program ended before {texts} appeared:\n{self.text()}"

    def send(self, keys: str) -> None:
        """Press keys."""
        self.child.send(keys)

    def exit_code(self) -> int | None:
        """Its exit code, once it has ended by itself."""
        while self._pump():
            pass
        self.child.close()
        code: int | None = self.child.exitstatus
        return code

    def cut(self) -> None:
        """The link is gone: the terminal disappears without a word."""
        self.child.kill(9)
        self.child.close(force=True)

    def _pump(self) -> bool:
        try:
            data = self.child.read_nonblocking(65_536, timeout=0.2)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self._stream.feed(_UNKNOWN.sub("", data))
        return True
