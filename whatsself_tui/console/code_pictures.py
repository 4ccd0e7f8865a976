"""The code a phone waits for, as lines: the QR code where it fits, eight large letters, or why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from textual.content import Content

from whatsself_tui.console import qr_picture
from whatsself_tui.console.big_letters import big
from whatsself_tui.console.pairing import PHONE_CODE_LIFE_MS, QR_LIFE_MS, WHERE_TO_SCAN, WHERE_TO_TYPE, dashed
from whatsself_tui.console.pane import Canvas
from whatsself_tui.console.prose import paragraphs
from whatsself_tui.console.words import elapsed
from whatsself_tui.text import visible

if TYPE_CHECKING:
    from whatsself_tui.robot.whatsapp_reading import PairingCode, WhatsAppReading

#: Phones read dark on light, whatever the theme of the console.
_INK: Final = "#000000 on #ffffff"

#: Lines above the QR code.
ABOVE_QR = 1

#: Modules of a side where there is no code yet to measure; WhatsApp's codes have 53 to 61.
_USUAL_SIDE = 57

#: Characters of a text of WhatsApp's that are shown.
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Asking:
    """A code to type that was asked for from this console."""

    phone: str = ""
    """For whom an answer is waited for; empty when none is."""
    refusal: str = ""
    """Why the last one was not given."""


def is_fresh(code: PairingCode | None, life_ms: int, now_ms: int) -> bool:
    """Whether a phone would still take it."""
    return code is not None and now_ms - code.since_ms <= life_ms


def qr_fits(code: PairingCode | None, width: int, height: int) -> bool:
    """Whether the QR code (or a usual one, before there is one) has room in so many cells."""
    try:
        columns, rows = _needed(code)
    except ValueError:
        return False
    return columns <= width and rows <= height


def qr_lines(reading: WhatsAppReading, canvas: Canvas, screen: tuple[int, int]) -> list[Content]:
    """The QR code under its age, or why it is not there; `screen` is the room of the pane when zoomed."""
    code, width = reading.qr, canvas.width
    if code is None:
        also = " The eight characters are worth nothing then." if reading.phone_code is not None else ""
        return paragraphs(f"WhatsApp shows no QR code now. Press n for one.{also}", width)
    if not is_fresh(code, QR_LIFE_MS, canvas.now_ms):
        return [
            Content.styled("The QR code has expired – press n for a new one.", "bold $text-warning"),
            *paragraphs("WhatsApp stops showing new ones when nobody scans them.", width, "$text-muted"),
        ]
    try:
        rows = qr_picture.picture(code.text, width, canvas.height - ABOVE_QR)
    except ValueError as error:
        return paragraphs(f"✗ WhatsApp's QR code cannot be shown: {error}.", width, "bold $text-error")
    if not rows:
        return _no_room(code, canvas, screen)
    age = f" · code is {elapsed(canvas.now_ms - code.since_ms)} old"
    head = Content.assemble((WHERE_TO_SCAN if len(WHERE_TO_SCAN) + len(age) <= width else "Scan it", "bold"), age)
    left = (width - len(rows[0])) // 2
    return [head, *(Content.styled(row, _INK).pad_left(left) for row in rows)]


def _no_room(code: PairingCode, canvas: Canvas, screen: tuple[int, int]) -> list[Content]:
    columns, rows = _needed(code)
    needs = f"The QR code needs {columns} x {rows} cells; this is {canvas.width} x {canvas.height}."
    if columns <= screen[0] and rows <= screen[1]:
        way = "Press z: this pane alone has room for it."
    else:
        short = [max(0, columns - screen[0]), max(0, rows - screen[1])]
        more = " and ".join(f"{n} {what}" for n, what in zip(short, ("columns", "rows"), strict=True) if n)
        way = f"With {more} more in the terminal, z shows it."
    others = "Press c to link by the phone's number, or s to save the code as a picture."
    age = f"The code is {elapsed(canvas.now_ms - code.since_ms)} old."
    return [
        *paragraphs(needs, canvas.width, "bold $text-warning"),
        *paragraphs(way, canvas.width),
        *paragraphs(others, canvas.width),
        *paragraphs(age, canvas.width, "$text-muted"),
    ]


def _needed(code: PairingCode | None) -> tuple[int, int]:
    """Least columns and rows, the line above included. Raises ValueError for a code that cannot be drawn."""
    if code is None:
        columns, rows = qr_picture.size(_USUAL_SIDE, qr_picture.LEAST_QUIET_ZONE)
    else:
        columns, rows = qr_picture.least_size(code.text)
    return columns, rows + ABOVE_QR


def phone_lines(reading: WhatsAppReading, asking: Asking, canvas: Canvas, *, qr_has_room: bool) -> list[Content]:
    """The eight characters and where to type them, or how to get them."""
    width = canvas.width
    if asking.phone:
        return paragraphs(f"Asking WhatsApp for a code for +{asking.phone} …", width, "bold")
    error = asking.refusal or reading.phone_code_error
    if error:
        told = paragraphs(f"✗ {error}", width, "bold $text-error", limit=_LONGEST)
        return [*told, *paragraphs("Press enter to ask again.", width)]
    code = reading.phone_code
    if code is None:
        return _how_to_ask(width, qr_has_room)
    if not is_fresh(code, PHONE_CODE_LIFE_MS, canvas.now_ms):
        gone = f"The code {visible(dashed(code.text), limit=20)} has expired – press enter to ask for another one."
        return paragraphs(gone, width, "bold $text-warning")
    return _eight_letters(code, reading.phone_code_for, canvas)


def _eight_letters(code: PairingCode, phone: str, canvas: Canvas) -> list[Content]:
    width, shown = canvas.width, visible(dashed(code.text), limit=40)
    age = elapsed(canvas.now_ms - code.since_ms)
    whose = f" {visible(phone, limit=20)}" if phone else ""
    return [
        *paragraphs(f"Type this on the phone{whose}:", width),
        *(Content.styled(row, "bold $text-accent") for row in big(shown, width)),
        Content.assemble((shown, "bold"), f" · code is {age} old"),
        *paragraphs(WHERE_TO_TYPE, width),
    ]


def _how_to_ask(width: int, qr_has_room: bool) -> list[Content]:
    steps: Sequence[str] = (
        "Write the number of the business's phone with its country code (5511999990001), and press enter.",
        "WhatsApp then gives eight characters to type on that phone.",
    )
    other = "c shows the QR code instead." if qr_has_room else "The QR code does not fit this terminal; c says why."
    return [*(line for step in steps for line in paragraphs(step, width)), *paragraphs(other, width, "$text-muted")]
