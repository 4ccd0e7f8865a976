"""People: found or made by their WhatsApp address, with their consent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from whatsself_tui.phones import split_address
from whatsself_tui.store import lanes
from whatsself_tui.store.database import Tx
from whatsself_tui.store.tally import count
from whatsself_tui.store.topics import Topic

#: A display name longer than this is cut; WhatsApp's own limit is 25.
MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class Contact:
    """One person as the rules need to know them."""

    id: int
    phone: str | None
    lid: str | None
    name: str
    consent: Literal["unknown", "in", "out"]
    last_inbound_at_ms: int | None


_COLUMNS = "id, phone, lid, name, consent, last_inbound_at"


def get(tx: Tx, contact_id: int) -> Contact:
    """The contact with this row id; it must exist."""
    row = tx.execute(f"SELECT {_COLUMNS} FROM contact WHERE id = ?", (contact_id,)).fetchone()
    return Contact(*row)


def at_address(tx: Tx, chat: str, name: str = "") -> Contact:
    """The contact of a personal chat, made if it is new; a given name replaces the known one.

    Raises ValueError for an address that is no person's.
    """
    phone, lid = split_address(chat)
    column, value = ("phone", phone) if phone else ("lid", lid)
    row = tx.execute(f"SELECT {_COLUMNS} FROM contact WHERE {column} = ?", (value,)).fetchone()
    clean = name.strip()[:MAX_NAME]
    if row is None:
        row = tx.execute(
            f"INSERT INTO contact (phone, lid, name, first_seen_at) VALUES (?, ?, ?, ?) RETURNING {_COLUMNS}",
            (phone, lid, clean, tx.now_ms),
        ).fetchone()
        tx.touch(Topic.CONTACTS)
    contact = Contact(*row)
    if clean and clean != contact.name:
        tx.execute("UPDATE contact SET name = ? WHERE id = ?", (clean, contact.id))
        tx.touch(Topic.CONTACTS)
        contact = get(tx, contact.id)
    return contact


def wrote(tx: Tx, contact: Contact) -> None:
    """Note that the contact has written now; the first time makes a new contact of the day."""
    tx.execute("UPDATE contact SET last_inbound_at = ? WHERE id = ?", (tx.now_ms, contact.id))
    if contact.last_inbound_at_ms is None:
        count(tx, "new_contacts")
        lanes.relane_contact(tx, contact.id)  # no stranger any more
    tx.touch(Topic.CONTACTS)


def person_wrote(tx: Tx, contact_id: int) -> None:
    """Note that a person answers this contact now: it does not wait for one any more."""
    tx.execute("UPDATE contact SET person_at = ? WHERE id = ?", (tx.now_ms, contact_id))
    tx.touch(Topic.CONTACTS)


def set_consent(tx: Tx, contact_id: int, consent: Literal["in", "out"]) -> None:
    """Record that the contact agreed to messages, or withdrew."""
    changed = tx.execute(
        "UPDATE contact SET consent = ?, consent_at = ? WHERE id = ? AND consent <> ?",
        (consent, tx.now_ms, contact_id, consent),
    ).rowcount
    if changed and consent == "out":
        count(tx, "opt_outs")
    tx.touch(Topic.CONTACTS)


def fired(tx: Tx, contact_id: int) -> dict[str, int]:
    """When each trigger last answered this contact, in milliseconds."""
    rows = tx.execute("SELECT trigger_name, fired_at FROM trigger_fired WHERE contact_id = ?", (contact_id,))
    return dict(rows.fetchall())


def note_fired(tx: Tx, contact_id: int, trigger: str) -> None:
    """Start the trigger's cool-down for this contact."""
    tx.execute(
        "INSERT INTO trigger_fired (contact_id, trigger_name, fired_at) VALUES (?, ?, ?)"
        " ON CONFLICT (contact_id, trigger_name) DO UPDATE SET fired_at = excluded.fired_at",
        (contact_id, trigger, tx.now_ms),
    )
