"""Following a robot until a phone is linked: codes are shown and renewed, every state is told once."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

from whatsself_tui.cli.output import line
from whatsself_tui.cli.pair_terminal import CodeTerminal
from whatsself_tui.clock import Clock
from whatsself_tui.console.pairing import (
    LINKING,
    PHONE_CODE_LIFE_MS,
    QR_LIFE_MS,
    WHERE_TO_SCAN,
    WHERE_TO_TYPE,
    dashed,
    paired_as,
)
from whatsself_tui.console.qr_picture import png
from whatsself_tui.console.words import elapsed
from whatsself_tui.errors import DataError, RobotNotRunning, UsageError, WhatsSelfError
from whatsself_tui.host.atomic import write_atomic
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.host.ownership import is_owned
from whatsself_tui.phones import parse_phone
from whatsself_tui.robot.link import CommandResult
from whatsself_tui.robot.whatsapp_reading import PairingCode, WhatsAppReading, read_whatsapp
from whatsself_tui.text import visible
from whatsself_tui.transport import states
from whatsself_tui.transport.base import LinkState

#: How often it is looked what the robot tells.
LOOK_S = 0.2

#: How often, meanwhile, the owner's life is checked.
CHECK_OWNER_S = 1.0

#: A robot that has told nothing of WhatsApp by then does not talk to it.
PATIENCE_S = 20.0

#: How often WhatsApp is asked to go on showing codes that nobody scans; each time it shows some for two minutes.
MOST_RENEWALS = 5

#: States that only a person can end, here or on the phone.
_HOPELESS: Final = frozenset({LinkState.BLOCKED, LinkState.NEEDS_UPDATE, LinkState.CONFLICT})

Ask = Callable[[str, Mapping[str, Any]], Awaitable[CommandResult]]


class Pairing:
    """Follows what the robot tells until a phone is linked, or nobody can say when."""

    def __init__(
        self,
        folder: DataFolder,
        clock: Clock,
        ask: Ask,
        terminal: CodeTerminal,
        phone: str,
        file: Path | None,
        *,
        is_own: bool = False,
    ) -> None:
        """`phone`: link by eight characters, not by QR code; `file`: where the QR code's picture goes."""
        self._folder = folder
        self._clock = clock
        self._ask = ask
        self._terminal = terminal
        self._phone = phone
        self._file = file
        self._is_own = is_own
        self._number_is_typed = False
        self._prompt: asyncio.Future[str | None] | None = None
        self._asked = self._was_linking = self._told_size = False
        self._told_state = ""
        self._shown = self._saved = self._renewed = ""
        self._renewals = 0

    async def run(self, stopped: asyncio.Event) -> int | None:
        """The exit code; None if `stopped` was set."""
        began = checked = self._clock.monotonic_s()
        told_anything = False
        while not stopped.is_set():
            reading = read_whatsapp(self._folder)
            now_s = self._clock.monotonic_s()
            if reading is not None:
                told_anything = True
                code = await self._follow(reading)
                if code is not None:
                    return code
            elif not told_anything and now_s - began >= PATIENCE_S:
                advice = "If it was started with the simulator, start it again."
                raise WhatsSelfError("The running robot tells nothing of WhatsApp.", advice)
            if not self._is_own and now_s - checked >= CHECK_OWNER_S:
                checked = now_s
                if not is_owned(self._folder):
                    raise RobotNotRunning("The robot went away before a phone was linked.", "Run `pair` again.")
            await self._clock.wait(stopped, LOOK_S)
        return None

    async def _follow(self, reading: WhatsAppReading) -> int | None:
        """Tell what is new; the exit code where this is the end."""
        if reading.state == LinkState.READY:
            self._terminal.clear()
            told = paired_as(visible(reading.account, limit=20))
            line(told if self._was_linking else f"{told} It was linked before; nothing has to be done.")
            return 0
        self._tell_state(reading)
        if reading.state in _HOPELESS:
            return 1
        if reading.state not in LINKING:
            self._terminal.clear()
            return None
        self._was_linking = True
        try:
            return await self._link(reading)
        except ValueError as error:
            raise WhatsSelfError(f"WhatsApp's QR code cannot be shown: {error}.", "Try --phone.") from error

    def _tell_state(self, reading: WhatsAppReading) -> None:
        if reading.state == self._told_state:
            return
        self._told_state = reading.state
        known = reading.state in LinkState._value2member_map_
        texts = [states.sentence(LinkState(reading.state)) if known else "", reading.detail]
        if reading.state not in LINKING:  # how to link is what all the rest of the output says
            texts.append(states.advice(reading.state))
        self._terminal.say(" ".join(visible(text) for text in dict.fromkeys(texts) if text))

    # While WhatsApp waits for a phone.

    async def _link(self, reading: WhatsAppReading) -> int | None:
        if reading.qr is not None:
            self._save(reading.qr)
        if self._prompt is not None and self._prompt.done():
            self._take_number(self._prompt.result())
        if self._phone and not self._asked:
            return await self._ask_for_code()
        if self._phone and reading.phone_code_error:
            return self._refused(reading.phone_code_error)
        if reading.qr is not None and not self._phone:
            return await self._show_qr(reading.qr)
        if reading.phone_code is not None:
            return await self._show_letters(reading.phone_code, reading.phone_code_for)
        return None

    async def _show_qr(self, code: PairingCode) -> int | None:
        age_ms = self._clock.now_ms() - code.since_ms
        if age_ms > QR_LIFE_MS:
            return await self._renew(code)
        if not self._terminal.fits(code.text):
            self._no_room(code)
        elif self._terminal.is_live or self._shown != code.text:
            self._shown = code.text
            self._terminal.show(
                [WHERE_TO_SCAN, *self._terminal.qr_rows(code.text)],
                _footer(age_ms),
            )
        return None

    async def _renew(self, code: PairingCode) -> int | None:
        """WhatsApp has stopped showing new codes because nobody scans them: ask for more, but not for ever."""
        if self._renewed == code.text:
            return None
        self._renewed = code.text
        if self._renewals == MOST_RENEWALS:
            self._terminal.say("Nobody scanned a code. Run `pair` again when the phone is at hand.")
            return 1
        self._renewals += 1
        result = await self._ask("pair_qr", {})
        self._terminal.say(result.message if not result.ok else "The code has expired; WhatsApp was asked for another.")
        return None if result.ok else 1

    def _no_room(self, code: PairingCode) -> None:
        """Say how much is missing, and ask for the number where somebody can type it."""
        if not self._told_size:
            self._told_size = True
            columns, lines = self._terminal.needed(code.text)
            size = self._terminal.size()
            self._terminal.say(
                f"The QR code needs a terminal of {columns} x {lines}; this one is {size.columns} x {size.lines}."
                " Make it larger, or link by the phone's number (--phone), or by a picture (--png)."
            )
        if self._file is None and self._prompt is None and sys.stdin is not None and sys.stdin.isatty():
            self._prompt = self._terminal.ask("Number of the phone, with its country code: ")

    def _take_number(self, text: str | None) -> None:
        """A number was typed; a wrong one is asked for again, at the end of the input never more."""
        if text is None:
            return
        self._prompt = None
        try:
            self._phone = parse_phone(text)
            self._number_is_typed, self._asked = True, False
        except UsageError as error:
            if text:
                self._terminal.say(str(error))

    async def _ask_for_code(self) -> int | None:
        self._asked = True
        self._terminal.say(f"Asking WhatsApp for a code for +{self._phone}.")
        result = await self._ask("pair_code", {"phone": self._phone})
        return None if result.ok else self._refused(result.message)

    def _refused(self, reason: str) -> int | None:
        """No code to type: the end, unless somebody can type another number."""
        self._terminal.say(visible(reason))
        if not self._number_is_typed:
            return 1
        self._phone = ""
        return None

    async def _show_letters(self, code: PairingCode, phone: str) -> int | None:
        age_ms = self._clock.now_ms() - code.since_ms
        if age_ms > PHONE_CODE_LIFE_MS:
            if not self._phone:  # somebody else asked for it
                return await self._renew(code)
            self._terminal.say("The code has expired. Run `pair` again for another one.")
            return 1
        if self._terminal.is_live or self._shown != code.text:
            self._shown = code.text
            whose = f"Type this on the phone {visible(phone, limit=20)}".rstrip()
            large = self._terminal.letter_rows(visible(dashed(code.text), limit=40))
            rows = [f"{whose}:", *large, *self._terminal.wrapped(WHERE_TO_TYPE)]
            self._terminal.show(rows, _footer(age_ms))
        return None

    def _save(self, code: PairingCode) -> None:
        if self._file is None or code.text == self._saved:
            return
        try:
            write_atomic(self._file, png(code.text))
        except OSError as error:
            raise DataError(f"{self._file} cannot be written: {error.strerror or error}.") from error
        if not self._saved:
            self._terminal.say(f"The QR code is in {self._file}; each new one takes its place.")
        self._saved = code.text


def _footer(age_ms: int) -> str:
    return f"The code is {elapsed(age_ms)} old. Ctrl+C ends this."
