"""Which addresses are one person's: phones, LIDs, and the aliases that both leave behind.

A LID is one account of WhatsApp for good; a phone is with one account at a time. So contacts are merged unless
both have a LID: then the phone has gone from one account to the other, and each keeps its own conversation.
"""

from __future__ import annotations

import sqlite3

from whatsself_tui.phones import is_personal, split_address
from whatsself_tui.store.database import Tx
from whatsself_tui.store.merging import merge, withdraw
from whatsself_tui.store.topics import Topic

_FIND = {
    "phone": "SELECT id FROM contact WHERE phone = ?",
    "lid": "SELECT id FROM contact WHERE lid = ?",
}


def find(connection: sqlite3.Connection, chat: str) -> int | None:
    """Row id of the contact with this phone or LID, or this alias; None if nobody has it.

    Raises ValueError for an address that is no person's.
    """
    phone, lid = split_address(chat)
    row = (
        connection.execute(_FIND["phone" if phone else "lid"], (phone or lid,)).fetchone()
        or connection.execute("SELECT contact_id FROM contact_alias WHERE address = ?", (phone or lid,)).fetchone()
    )
    return None if row is None else int(row[0])


def find_each(connection: sqlite3.Connection, *chats: str) -> set[int]:
    """Row ids of the contacts with these addresses; addresses of nobody, or of no person, are left out."""
    return {found for chat in chats if is_personal(chat) and (found := find(connection, chat)) is not None}


def merged_away(connection: sqlite3.Connection, contact_ids: set[int]) -> set[int]:
    """Those of these row ids whose contact has become part of another; no contact gets them again."""
    return {each for each in contact_ids if not exists(connection, each)}


def exists(connection: sqlite3.Connection, contact_id: int) -> bool:
    """Whether there is a contact with this row id."""
    return connection.execute("SELECT 1 FROM contact WHERE id = ?", (contact_id,)).fetchone() is not None


def aliases_of(connection: sqlite3.Connection, contact_id: int) -> list[str]:
    """A contact's further phones and LIDs."""
    rows = connection.execute("SELECT address FROM contact_alias WHERE contact_id = ? ORDER BY address", (contact_id,))
    return [row[0] for row in rows]


def add(tx: Tx, phone: str | None, lid: str | None, name: str = "") -> int:
    """A new contact; its row id. Nobody may have the phone or the LID yet."""
    cursor = tx.execute(
        "INSERT INTO contact (phone, lid, name, first_seen_at) VALUES (?, ?, ?, ?)", (phone, lid, name, tx.now_ms)
    )
    tx.touch(Topic.CONTACTS)
    return int(cursor.lastrowid or 0)


def join(tx: Tx, chat: str, other: str) -> int:
    """Both addresses are one person's, WhatsApp says: row id of the contact that has both from now on.

    The phone and the LID named here are the contact's own, `chat` before `other`; those it had become aliases.
    Raises ValueError for an address that is no person's.
    """
    (phone, lid), (other_phone, other_lid) = split_address(chat), split_address(other)
    mine, theirs = find(tx.connection, chat), find(tx.connection, other)
    known = list(dict.fromkeys(each for each in (mine, theirs) if each is not None))
    if not known:
        contact_id = add(tx, phone or other_phone, lid or other_lid)
    elif not (lid and other_lid) and _are_two_accounts(tx, (mine, lid), (theirs, other_lid)):
        # Of two phones it is the other one that moves; else there is only one.
        moves, account = ((chat, mine), theirs) if other_lid else ((other, theirs), mine)
        contact_id = _moved(tx, *moves, account, lid or other_lid)
    else:
        contact_id = known[0] if len(known) == 1 else merge(tx, *known)
    _name(tx, contact_id, "phone", phone or other_phone)
    _name(tx, contact_id, "lid", lid or other_lid)
    for own, spare in ((phone, other_phone), (lid, other_lid)):
        if own and spare != own:
            _add_alias(tx, contact_id, spare)
    return contact_id


def _are_two_accounts(tx: Tx, *sides: tuple[int | None, str | None]) -> bool:
    """Whether the contacts of two addresses have different LIDs; that of an address that is one counts, too."""
    found = set()
    for contact_id, lid in sides:
        row = tx.execute("SELECT lid FROM contact WHERE id = ?", (contact_id,)).fetchone()
        found.add(lid if row is None else row[0])
    return len(found - {None}) == 2


def _moved(tx: Tx, phone: str, holder: int | None, account: int | None, lid: str | None) -> int:
    """A phone goes over to the account of another LID; who withdrew consent under this phone still has."""
    digits, _ = split_address(phone)
    if account is None:
        account = add(tx, None, lid)
    tx.execute("UPDATE contact SET phone = NULL WHERE id = ? AND phone = ?", (holder, digits))
    tx.execute("DELETE FROM contact_alias WHERE address = ?", (digits,))
    tx.touch(Topic.CONTACTS)
    consent, at_ms = tx.execute("SELECT consent, consent_at FROM contact WHERE id = ?", (holder,)).fetchone()
    if consent == "out":
        withdraw(tx, account, at_ms)
    return account


def _name(tx: Tx, contact_id: int, column: str, value: str | None) -> None:
    """Make this the contact's own phone or LID; the one it had becomes an alias."""
    (present,) = tx.execute(f"SELECT {column} FROM contact WHERE id = ?", (contact_id,)).fetchone()
    if value is None or value == present:
        return
    tx.execute("DELETE FROM contact_alias WHERE address = ?", (value,))
    tx.execute(f"UPDATE contact SET {column} = ? WHERE id = ?", (value, contact_id))
    tx.touch(Topic.CONTACTS)
    _add_alias(tx, contact_id, present)


def _add_alias(tx: Tx, contact_id: int, value: str | None) -> None:
    if value is None:
        return
    changed = tx.execute(
        "INSERT INTO contact_alias (address, contact_id) VALUES (?, ?) ON CONFLICT (address) DO UPDATE"
        " SET contact_id = excluded.contact_id WHERE contact_id <> excluded.contact_id",
        (value, contact_id),
    ).rowcount
    if changed > 0:
        tx.touch(Topic.CONTACTS)
