"""People: found or made by their WhatsApp address, with their consent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from whatsself_tui.phones import is_personal, split_address
from whatsself_tui.store import identities, lanes
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


def at_address(tx: Tx, chat: str, name: str = "", other: str = "") -> Contact:
    """The contact of a personal chat, made if it is new; a given name replaces the known one.

    `other` is the same person's other address, where WhatsApp tells it; one that is no person's says nothing.
    Raises ValueError for a chat that is no person's.
    """
    contact_id = identities.find(tx.connection, chat)
    clean = name.strip()[:MAX_NAME]
    if contact_id is None and not other:
        return get(tx, identities.add(tx, *split_address(chat), clean))
    contact = None if contact_id is None else get(tx, contact_id)
    if other and is_personal(other) and not (contact and _has(contact, chat, other)):
        contact = same_person(tx, chat, other)
    if contact is None:
        contact = get(tx, identities.add(tx, *split_address(chat)))
    if clean and clean != contact.name:
        tx.execute("UPDATE contact SET name = ? WHERE id = ?", (clean, contact.id))
        tx.touch(Topic.CONTACTS)
        contact = get(tx, contact.id)
    return contact


def same_person(tx: Tx, chat: str, other: str) -> Contact:
    """WhatsApp says that both addresses are one person's; the one contact that has both from now on.

    Of two phones `chat`'s is the contact's own and the other an alias. What waits goes out to the LID, once known.
    Raises ValueError for an address that is no person's.
    """
    return get(tx, identities.join(tx, chat, other))


def _has(contact: Contact, *chats: str) -> bool:
    """Whether these are the contact's own phone and LID: what every message but the first says."""
    return all(contact.phone == phone if phone else contact.lid == lid for phone, lid in map(split_address, chats))


def wrote(tx: Tx, contact: Contact) -> None:
    """Note that the contact has written now; the first time makes a new contact of the day."""
    tx.execute("UPDATE contact SET last_inbound_at = ? WHERE id = ?", (tx.now_ms, contact.id))
    if contact.last_inbound_at_ms is None:
        count(tx, "new_contacts")
        lanes.relane_contact(tx, contact.id)  # no stranger any more
    tx.touch(Topic.CONTACTS)


def person_wrote(tx: Tx, contact_id: int, at_ms: int | None = None) -> None:
    """Note that a person answers this contact now, or did so before: it does not wait, unless it has written since."""
    if at_ms is None:
        tx.execute("UPDATE contact SET person_at = ? WHERE id = ?", (tx.now_ms, contact_id))
    else:
        tx.execute("UPDATE contact SET person_at = max(coalesce(person_at, 0), ?) WHERE id = ?", (at_ms, contact_id))
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
