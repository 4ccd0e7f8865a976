"""What is told of the connection: one reading that changes piece by piece, and the state as an event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from whatsself_tui.clock import Clock
from whatsself_tui.host.logs import logger
from whatsself_tui.transport.base import LinkState, Notice, Sink, StateChanged
from whatsself_tui.transport.states import sentence
from whatsself_tui.transport.whatsapp_web.report import PairingCode, WhatsAppReading

log = logger("whatsapp")

Report = Callable[[WhatsAppReading], None]

#: States in which a code may wait to be scanned.
PAIRING = frozenset({LinkState.PAIRING, LinkState.LOGGED_OUT})


class Standing:
    """The present reading; every change goes to `report`, a change of the state to the sink, too."""

    def __init__(self, clock: Clock, sink: Sink, report: Report) -> None:
        self._clock = clock
        self._sink = sink
        self._report = report
        self.state = LinkState.STOPPED
        self.reading = WhatsAppReading(self.state, sentence(self.state), clock.now_ms())
        self._told: tuple[LinkState, str] | None = None

    @property
    def since_ms(self) -> int:
        """When the present state began."""
        return self.reading.since_ms

    def update(self, **changes: Any) -> None:
        """Other values of fields of the reading."""
        reading = replace(self.reading, **changes)
        if reading != self.reading:
            self.reading = reading
            self._report(reading)

    async def enter(self, state: LinkState, detail: str = "") -> None:
        """Be in a state; told if it, or its sentence, is another one."""
        told = detail or sentence(state)
        if state is not self.state:
            log.info("state", state=state, detail=told)
            self.state = state
            self.update(state=state, detail=told, since_ms=self._clock.now_ms())
        else:
            self.update(detail=told)
        if state not in PAIRING:
            self.update(qr=None, phone_code=None, phone_code_for="", phone_code_error="")
        if self._told != (state, told) and await self._tell(StateChanged(state, told)):
            self._told = (state, told)

    async def notice(self, kind: str, text: str) -> None:
        """Tell the operator something else; an empty text ends it."""
        await self._tell(Notice(kind, text))

    async def _tell(self, event: StateChanged | Notice) -> bool:
        try:
            await self._sink(event)
        except Exception as error:  # the robot's database refuses: told again at the next look
            log.error("state not taken", error=type(error).__name__)
            return False
        return True

    def show_qr(self, code: object) -> None:
        """A new QR code, or none."""
        known = self.reading.qr
        text = code if isinstance(code, str) and code else None
        if text is None:
            self.update(qr=None)
        elif known is None or known.text != text:
            self.update(qr=PairingCode(text[:2_000], self._clock.now_ms()))

    def show_phone_code(self, code: object, *, phone: str | None = None) -> None:
        """Eight characters to type into the phone, or none; `phone`: the number they were asked for."""
        text = code if isinstance(code, str) and code else None
        shown = None if text is None else PairingCode(text[:20], self._clock.now_ms())
        if phone is not None:
            self.update(phone_code_for=phone)
        self.update(phone_code=shown, phone_code_error="")

    def refuse_phone_code(self, reason: str) -> None:
        """WhatsApp gives no code, or none any more."""
        self.update(phone_code=None, phone_code_error=reason[:300])
