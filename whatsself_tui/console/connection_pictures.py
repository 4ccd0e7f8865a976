"""How the robot is connected, as lines: the state in words, what to do about it, the browser behind it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from textual.content import Content

from whatsself_tui.console.pairing import LINKING
from whatsself_tui.console.pane import Canvas
from whatsself_tui.console.prose import hanging, paragraphs
from whatsself_tui.console.queries import Connection
from whatsself_tui.console.words import TRANSPORT, countdown, moment, plural
from whatsself_tui.text import visible
from whatsself_tui.transport import states
from whatsself_tui.transport.base import LinkState

if TYPE_CHECKING:
    from whatsself_tui.robot.whatsapp_reading import BrowserReading, WhatsAppReading

#: Cells of the column of names.
_LABEL = 10

_GLYPHS: Final = {"$text-success": "●", "$text-warning": "▲", "$text-error": "■"}

#: Characters of a text of WhatsApp's that are shown.
_LONGEST = 400


def is_real(connection: Connection) -> bool:
    """Whether the robot talks to WhatsApp, not to the simulated phone."""
    return connection.robot.transport_kind != "simulator"


def state_of(connection: Connection, *, has_owner: bool) -> str:
    """The state of the connection, as in `LinkState`; what was left behind by an owner that has gone is none."""
    if not has_owner:
        return LinkState.STOPPED.value
    if connection.whatsapp is not None and is_real(connection):
        return connection.whatsapp.state
    return connection.robot.transport_state


def connection_lines(connection: Connection, canvas: Canvas, *, has_owner: bool) -> list[Content]:
    """What an operator has to know, the most urgent first."""
    state = state_of(connection, has_owner=has_owner)
    reading = connection.whatsapp if has_owner else None
    lines = [_head(state, reading, canvas)]
    if reading is not None and reading.next_try_at_ms is not None and reading.next_try_at_ms > canvas.now_ms:
        left = countdown(reading.next_try_at_ms - canvas.now_ms)
        lines.append(Content.assemble("Next try in ", (left, "bold"), "; r tries at once."))
    detail = reading.detail if reading is not None else connection.robot.transport_detail if has_owner else ""
    told = states.sentence(LinkState(state)) if state in LinkState._value2member_map_ else ""
    lines.extend(paragraphs(told or detail, canvas.width, limit=_LONGEST))
    if told and detail and detail != told:
        lines.extend(paragraphs(detail, canvas.width, limit=_LONGEST))
    if state not in LINKING:  # beside it stands how to link
        lines.extend(paragraphs(states.advice(state), canvas.width, "$text-muted") if states.advice(state) else [])
    if reading is not None:
        lines.extend(_facts(reading, canvas.width))
    return lines


def simulator_lines(settings_file: Path | None, asked_for: str, canvas: Canvas) -> list[Content]:
    """Why nothing reaches WhatsApp, and what to do for it; `asked_for` is the transport the settings name."""
    where = settings_file.name if settings_file is not None else "settings.toml"
    edit = " (e opens it)" if settings_file is not None else ""
    way = (
        f"{where} asks for {asked_for} already: it begins as soon as what is under way has ended."
        if asked_for != "simulator"
        else f'For the real one write kind = "whatsapp_web" under [transport] in {where}{edit}.'
    )
    return [
        Content.styled("● SIMULATOR", "bold $text-warning"),
        *paragraphs("The robot talks to a simulated phone inside the program. Nothing reaches WhatsApp.", canvas.width),
        *paragraphs(way, canvas.width, "$text-muted"),
    ]


def _head(state: str, reading: WhatsAppReading | None, canvas: Canvas) -> Content:
    word, style = TRANSPORT.get(state, (visible(state, limit=20).replace("_", " "), "$text-warning"))
    since = f"  since {moment(reading.since_ms, canvas.now_ms, canvas.zone)}" if reading is not None else ""
    return Content.assemble((f"{_GLYPHS[style]} {word.upper()}", f"bold {style}"), (since, "$text-muted"))


def _facts(reading: WhatsAppReading, width: int) -> Iterator[Content]:
    yield Content("")
    if reading.account:
        yield from _fact("account", f"+{reading.account}", width)
    if reading.browser is not None:
        yield from _fact("browser", _browser(reading.browser), width)
    if reading.bridge_version:
        yield from _fact("wa-js", reading.bridge_version, width)
    if reading.missing:
        missing = ", ".join(reading.missing)
        yield from _fact("missing", f"{missing}. WhatsApp's page has changed.", width, "bold $text-error")


def _browser(browser: BrowserReading) -> str:
    window = "without a window" if browser.headless else "in a window"
    memory = f", {browser.memory_mb:,} MB" if browser.memory_mb is not None else ""
    return f"{browser.name} {browser.version}, {window}{memory}, {plural(browser.starts, 'start')}"


def _fact(label: str, text: str, width: int, style: str = "") -> list[Content]:
    return hanging(Content.styled(f"{label:<{_LABEL}}", "$text-muted"), text[:_LONGEST], width, style)
