"""The two panes of the WhatsApp screen: how the robot is connected, and the code that links a phone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from textual.content import Content

from whatsself_tui.console import queries
from whatsself_tui.console.actions import WhatsAppState
from whatsself_tui.console.code_pictures import Asking, is_fresh, phone_lines, qr_fits, qr_lines
from whatsself_tui.console.connection_pictures import connection_lines, is_real, simulator_lines, state_of
from whatsself_tui.console.pairing import LINKING, PHONE_CODE_LIFE_MS, QR_LIFE_MS, paired_as
from whatsself_tui.console.pane import Canvas, Pane, Source
from whatsself_tui.console.prose import paragraphs
from whatsself_tui.console.queries import Connection
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.robot.link import RobotLink
from whatsself_tui.store.topics import Topic

#: Cells that the frame, the margin and the lines above and below take from a zoomed pane.
_AROUND_WIDTH, _AROUND_HEIGHT = 4, 5

_WITHOUT_CODES = (
    "This console is read-only: it shows no codes, because a code is a key to the account.",
    "Open a console without --read-only, or run `whatsself-tui pair`.",
)


class ConnectionPane(Pane[Connection]):
    """State, browser, next try."""

    TITLE = "1 Connection"
    TOPICS = frozenset({Topic.ROBOT, Topic.WHATSAPP})

    def __init__(self, source: Source, folder: DataFolder | None, *, pane_id: str, read_only: bool) -> None:
        """Without a `folder` nothing is known but what the store tells."""
        super().__init__(source, pane_id=pane_id)
        self._folder = folder
        self._read_only = read_only

    @property
    def _has_owner(self) -> bool:
        return self.source.link.state.owner is not None

    async def question(self, link: RobotLink, now_ms: int) -> queries.Query[Connection]:
        """What the owner tells of WhatsApp's page."""
        return queries.whatsapp(self._folder, with_codes=not self._read_only)

    def counts(self, reading: Connection, now_ms: int) -> bool:
        """It counts down to the next try."""
        return self.outdated_at_ms(reading, now_ms) is not None

    def outdated_at_ms(self, reading: Connection, read_at_ms: int) -> int | None:
        """The moment of the next try."""
        next_try_at = reading.whatsapp.next_try_at_ms if reading.whatsapp is not None and self._has_owner else None
        return next_try_at if next_try_at is not None and next_try_at > read_at_ms else None

    def picture(self, reading: Connection, canvas: Canvas) -> Sequence[Content]:
        """The state first."""
        if self._has_owner and not is_real(reading):
            settings_file = self._folder.settings_file if self._folder is not None else None
            return simulator_lines(settings_file, self.source.link.settings.transport.kind, canvas)
        return connection_lines(reading, canvas, has_owner=self._has_owner)


class LinkPane(ConnectionPane):
    """The code, while WhatsApp waits for a phone; it ages, and is shown to nobody who may only look."""

    TITLE = "2 Link a phone"

    def __init__(
        self, source: Source, folder: DataFolder | None, *, pane_id: str, read_only: bool, told: Callable[[], None]
    ) -> None:
        """`told` is called when what can be done may have changed."""
        super().__init__(source, folder, pane_id=pane_id, read_only=read_only)
        self._told = told
        self._chosen: Literal["qr", "phone"] | None = None
        self.asking = Asking()

    @property
    def action_state(self) -> WhatsAppState:
        """What decides which actions make sense."""
        reading = self.reading
        if reading is None:
            return WhatsAppState("")
        state = state_of(reading, has_owner=self._has_owner)
        is_linking = is_real(reading) and state in LINKING
        return WhatsAppState(state, is_real(reading), is_linking, self.qr_text is not None, self.way)

    @property
    def qr_text(self) -> str | None:
        """What the QR code says; None without one that a phone would take."""
        reading = self.reading.whatsapp if self.reading is not None else None
        if reading is None or reading.qr is None or not self._has_owner:
            return None
        return reading.qr.text if is_fresh(reading.qr, QR_LIFE_MS, self.source.link.now_ms()) else None

    @property
    def way(self) -> Literal["qr", "phone"]:
        """The way the operator chose; else the QR code where it has room and no characters wait to be typed."""
        if self._chosen is not None:
            return self._chosen
        reading = self.reading.whatsapp if self.reading is not None else None
        waits = reading is not None and reading.phone_code is not None
        return "qr" if self._qr_has_room and not waits else "phone"

    @property
    def can_write_number(self) -> bool:
        """Whether a phone's number is what it waits for."""
        return self.action_state.is_linking and self.way == "phone" and not self._read_only

    def choose(self, way: Literal["qr", "phone"]) -> None:
        """Show this way from now on."""
        self._chosen = way
        self.redraw()
        self._told()

    def show_asking(self, asking: Asking) -> None:
        """Tell what became of a request for a code to type."""
        self.asking = asking
        self.redraw()

    def has_read(self, reading: Connection) -> None:
        """A code, or the end of it; a choice and a refusal belong to one linking."""
        if not self.action_state.is_linking:
            self._chosen, self.asking = None, Asking()
        elif reading.whatsapp is not None and reading.whatsapp.phone_code is not None:
            self.asking = Asking(self.asking.phone)
        self._told()

    def counts(self, reading: Connection, now_ms: int) -> bool:
        """The code's age, until it has expired."""
        return self.outdated_at_ms(reading, now_ms) is not None

    def outdated_at_ms(self, reading: Connection, read_at_ms: int) -> int | None:
        """When the code that is shown expires."""
        told = reading.whatsapp
        if told is None or self._read_only or not self.action_state.is_linking:
            return None
        code, life_ms = (told.qr, QR_LIFE_MS) if self.way == "qr" else (told.phone_code, PHONE_CODE_LIFE_MS)
        expires_at = code.since_ms + life_ms + 1 if code is not None else 0
        return expires_at if expires_at > read_at_ms else None

    def on_resize(self) -> None:
        """There may be room for the QR code now, or no more."""
        super().on_resize()
        self._told()

    def picture(self, reading: Connection, canvas: Canvas) -> Sequence[Content]:
        """The code, or why there is none."""
        state, told = self.action_state, reading.whatsapp
        if not state.is_linking:
            return self._nothing_to_link(reading, canvas.width)
        if self._read_only:
            return [line for text in _WITHOUT_CODES for line in paragraphs(text, canvas.width)]
        if told is None:
            return paragraphs("The robot tells no code. Look again in a moment.", canvas.width)
        if state.way == "phone":
            return phone_lines(told, self.asking, canvas, qr_has_room=self._qr_has_room)
        width, height = self.app.size
        return qr_lines(told, canvas, (width - _AROUND_WIDTH, height - _AROUND_HEIGHT))

    def _nothing_to_link(self, reading: Connection, width: int) -> list[Content]:
        told = reading.whatsapp
        if not self._has_owner:
            return paragraphs("Nobody runs the robot now: there is no code.", width)
        if not is_real(reading):
            return paragraphs("A simulated phone needs no linking.", width)
        if told is not None and told.account:
            return [
                *paragraphs(f"✓ {paired_as(told.account)}", width, "bold $text-success"),
                *paragraphs("Nothing has to be linked.", width, "$text-muted"),
            ]
        return paragraphs("There is a code here as soon as WhatsApp asks for a phone.", width)

    @property
    def _qr_has_room(self) -> bool:
        reading = self.reading.whatsapp if self.reading is not None else None
        room = self.scrollable_content_region
        return qr_fits(reading.qr if reading is not None else None, room.width, room.height)
