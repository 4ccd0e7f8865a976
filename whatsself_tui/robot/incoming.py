"""What a transport tells, put where it belongs: the sink of the connection."""

from __future__ import annotations

import sqlite3

from whatsself_tui.host.logs import logger
from whatsself_tui.phones import mask
from whatsself_tui.robot.connection import Connection
from whatsself_tui.robot.connection_alerts import note_state, raise_notice
from whatsself_tui.robot.dispatcher import Dispatcher
from whatsself_tui.robot.inbound import Inbound
from whatsself_tui.store.acknowledgements import acknowledged
from whatsself_tui.store.database import Store
from whatsself_tui.transport.base import (
    Acknowledged,
    Edited,
    Event,
    LinkState,
    Notice,
    Received,
    Revoked,
    SamePerson,
    StateChanged,
    TypedByHand,
)

log = logger("robot")


class IncomingEvents:
    """One event after another; what has returned is on disk."""

    def __init__(self, store: Store, inbound: Inbound, dispatcher: Dispatcher, connection: Connection) -> None:
        self._store = store
        self._inbound = inbound
        self._dispatcher = dispatcher
        self._connection = connection

    async def take(self, event: Event) -> None:
        """Raises sqlite3.Error for what could not be stored and must not be lost."""
        if isinstance(event, Received):
            await self._inbound.receive(event)
        elif isinstance(event, TypedByHand):
            await self._inbound.typed(event)
        elif isinstance(event, Acknowledged):
            await self._acknowledged(event)
        elif isinstance(event, StateChanged):
            await self._state_changed(event)
        elif isinstance(event, Edited):
            await self._inbound.edited(event)
        elif isinstance(event, Revoked):
            await self._inbound.revoked(event)
        elif isinstance(event, SamePerson):
            await self._inbound.same_person(event)
        elif isinstance(event, Notice):
            await self._store.write(lambda tx: raise_notice(tx, event))
        else:
            log.debug("typing shown", chat=mask(event.chat), duration_ms=event.duration_ms)

    async def _acknowledged(self, event: Acknowledged) -> None:
        try:
            await self._store.write(lambda tx: acknowledged(tx, event.wa_id, event.ack))
        except sqlite3.Error as error:  # only what is shown of a message that has left suffers
            log.warning("acknowledgement not stored", wa_id=event.wa_id, error=str(error))

    async def _state_changed(self, event: StateChanged) -> None:
        if event.state is not LinkState.READY:
            self._dispatcher.set_connected(False)  # first of all, whatever the database says
        await self._store.write(lambda tx: note_state(tx, self._connection.kind, event))
        self._dispatcher.set_connected(event.state is LinkState.READY)
