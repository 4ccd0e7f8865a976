"""The business's account at WhatsApp: which one is paired, how far it is caught up, whether it is blocked."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from whatsself_tui.phones import mask
from whatsself_tui.store import alerts, cursors
from whatsself_tui.store.database import Tx
from whatsself_tui.store.topics import Topic


@dataclass(frozen=True, slots=True)
class AccountReading:
    """The account as it is stored."""

    account: str
    """Its phone, digits; empty before the first pairing."""
    paired_at_ms: int | None
    caught_up_at_ms: int | None
    """When all that had been missed was fetched last; None if never for this account."""
    blocked_at_ms: int | None
    """Since when WhatsApp refuses the account; None if it does not."""
    blocked_reason: str


def read(connection: sqlite3.Connection) -> AccountReading:
    """What is known of the account."""
    row = connection.execute(
        "SELECT account, paired_at, caught_up_at, blocked_at, blocked_reason FROM whatsapp"
    ).fetchone()
    return AccountReading(*row)


def paired_as(tx: Tx, phone: str) -> str:
    """The browser is logged in as this phone (digits); returns the former account if that was another, else ''.

    Of another account nothing is caught up and nothing is blocked; the operator is alerted.
    """
    former = read(tx.connection).account
    if former == phone:
        return ""
    tx.execute("UPDATE whatsapp SET account = ?, paired_at = ?", (phone, tx.now_ms))
    tx.touch(Topic.ROBOT, Topic.WHATSAPP)
    if not former:
        return ""
    tx.execute("UPDATE whatsapp SET caught_up_at = NULL, blocked_at = NULL, blocked_reason = ''")
    cursors.forget(tx)
    text = (
        f"The robot now answers as {mask(phone)}; until now it was {mask(former)}."
        " Contacts, consent and the queue are the same: what waits goes out from the new number."
    )
    alerts.raise_alert(tx, "account_changed", "warning", text)
    return former


def caught_up(tx: Tx, at_ms: int) -> None:
    """All that was written to the account until then is recorded."""
    tx.execute("UPDATE whatsapp SET caught_up_at = ?", (at_ms,))
    tx.touch(Topic.ROBOT, Topic.WHATSAPP)


def block(tx: Tx, reason: str) -> None:
    """WhatsApp refuses the account: nothing is tried any more until the operator says so."""
    tx.execute(
        "UPDATE whatsapp SET blocked_at = coalesce(blocked_at, ?), blocked_reason = ? WHERE blocked_reason <> ?"
        " OR blocked_at IS NULL",
        (tx.now_ms, reason, reason),
    )
    tx.touch(Topic.ROBOT, Topic.WHATSAPP)


def unblock(tx: Tx) -> bool:
    """The operator lets it be tried again; False if it was not blocked."""
    changed = tx.execute(
        "UPDATE whatsapp SET blocked_at = NULL, blocked_reason = '' WHERE blocked_at IS NOT NULL"
    ).rowcount
    if changed:
        tx.touch(Topic.ROBOT, Topic.WHATSAPP)
    return changed > 0
