"""One contact as the rules would find it now, and the sends that its limits count; read only."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from whatsself_tui.automation.decision import ContactState
from whatsself_tui.store import conversation, identities, lanes


@dataclass(frozen=True, slots=True)
class Standing:
    """What the database has about a phone number."""

    state: ContactState | None
    """None if nobody has that number."""
    to_contact: tuple[int, ...]
    """Times of the sends to this contact, in milliseconds, the first one first."""
    to_all: tuple[int, ...]
    """Times of the sends to all contacts."""


def read_standing(con: sqlite3.Connection, phone: str, since_ms: int) -> Standing:
    """The contact with these E.164 digits, and the sends after `since_ms`."""
    contact_id = identities.find(con, phone)
    sends = sorted(lanes.sends_since(con, since_ms))
    return Standing(
        None if contact_id is None else conversation.state_of(con, contact_id),
        tuple(ts for ts, to in sends if to == contact_id),
        tuple(ts for ts, _ in sends),
    )
