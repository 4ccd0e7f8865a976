"""`contacts …`: who writes, who has opted out, who waits for a person."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from typing import Any, Literal

from whatsself_tui.cli.carry_out import carry_out
from whatsself_tui.cli.output import clock_time, document, line, narrate, report, times_as_iso
from whatsself_tui.cli.status import read_once
from whatsself_tui.config.in_force import read_in_force
from whatsself_tui.errors import CommandRefused, UsageError
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.phones import parse_phone, split_address
from whatsself_tui.store.contact_views import Which, read_contact, read_contacts
from whatsself_tui.text import visible


def list_contacts(folder: DataFolder, args: Namespace) -> int:
    """Print contacts, those that wrote last first."""
    folder.require()
    zone = read_in_force(folder.config)[0].business.zone
    which: Which = args.which
    rows = read_once(folder, lambda con: read_contacts(con, which, args.limit + 1))
    shown, more = rows[: args.limit], len(rows) > args.limit
    if args.json:
        document({"contacts": [times_as_iso(row, zone) for row in shown], "more": more})
        return 0
    for row in shown:
        wrote = clock_time(row["last_inbound_at_ms"], zone) if row["last_inbound_at_ms"] else "never wrote"
        where = visible(row["phone"] or row["lid"], 24)
        line(f"{where:<16} {visible(row['name'], 24):<24} {wrote:<19}  {_state(row)}".rstrip())
    if more:
        narrate(f"More than {args.limit} contacts: --limit shows more.")
    elif not shown:
        narrate("No such contacts.")
    return 0


def show_contact(folder: DataFolder, args: Namespace) -> int:
    """Print all that is known of one contact."""
    folder.require()
    zone = read_in_force(folder.config)[0].business.zone
    phone, lid = split_address(_chat(args.phone))
    column: Literal["phone", "lid"] = "phone" if phone else "lid"
    contact = read_once(folder, lambda con: read_contact(con, column, phone or lid or ""))
    if contact is None:
        raise CommandRefused(f"There is no contact {args.phone[:40]!r}.")
    if args.json:
        flow = contact["flow"] and times_as_iso(contact["flow"], zone)
        document({**times_as_iso(contact, zone), "flow": flow})
        return 0
    line(f"{visible(contact['name'], 60) or 'no name'}  {visible(contact['phone'] or contact['lid'], 40)}")
    line(_state(contact) or "the robot answers")
    for name in ("first_seen_at_ms", "last_inbound_at_ms", "person_at_ms", "handed_over_until_ms"):
        if contact[name]:
            label = name.removesuffix("_ms").removesuffix("_at").replace("_", " ")
            line(f"{label:<18} {clock_time(contact[name], zone)}")
    if contact["handed_over"]:
        line(f"{'reason':<18} {visible(contact['handed_over'], 200)}")
    if contact["flow"]:
        line(f"{'flow':<18} {visible(contact['flow']['flow'], 60)}, step {visible(contact['flow']['step'], 60)}")
        for name, value in contact["flow"]["collected"].items():
            line(f"  {visible(name, 30):<16} {visible(value, 200)}")
    line(f"{'queued':<18} {contact['queued']}")
    return 0


def decide(folder: DataFolder, args: Namespace) -> int:
    """Record consent, take a contact over, or give it back to the robot."""
    command = {"action": args.action, "chat": _chat(args.phone), "minutes": getattr(args, "minutes", None)}
    return report(asyncio.run(carry_out(folder, "contact", command)), args.json)


def _chat(text: str) -> str:
    """The address of a phone number or a LID. Raises UsageError for anything else."""
    if text.endswith("@lid"):
        try:
            split_address(text)
        except ValueError as error:
            raise UsageError(f"{text[:40]!r} is no LID.", "A LID is digits and @lid.") from error
        return text
    return f"{parse_phone(text)}@c.us"


def _state(row: dict[str, Any]) -> str:
    words = []
    if row["consent"] != "unknown":
        words.append(f"opted {row['consent']}")
    if row["waits_for_a_person"]:
        words.append("WAITS FOR A PERSON")
    elif row["handed_over"]:
        words.append("left to a person")
    return ", ".join(words)
