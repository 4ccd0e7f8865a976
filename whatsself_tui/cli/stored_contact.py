"""A contact and their windows as the database has them, read without leaving a trace beside it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace

from whatsself_tui.cli.output import narrate
from whatsself_tui.config.schema import Settings
from whatsself_tui.errors import CommandRefused
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.store.database import describe, on_one_snapshot
from whatsself_tui.store.migrate import is_present
from whatsself_tui.store.standing import Standing, read_standing
from whatsself_tui.store.terms import limits_of

NOTHING = Standing(None, (), ())
"""Of a folder without a database."""


def read_stored(folder: DataFolder, phone: str, settings: Settings, at_ms: int, needed: bool) -> Standing:
    """What the database knows of a phone number, and the sends that count at `at_ms`.

    Raises DataError for a database that cannot be read; with `needed` also for none, and CommandRefused
    for one that does not know the number or is of another version.
    """
    if needed:
        folder.require()
    elif not folder.database.is_file():
        return NOTHING
    try:
        known = _read(folder, phone, at_ms - limits_of(settings).horizon_ms)
    except sqlite3.Error as error:
        raise describe(error, folder.database) from error
    if known is None:
        if needed:
            advice = "Start the robot once: it brings it up to date."
            raise CommandRefused("The database was made by another version.", advice)
        narrate(
            "The database was made by another version and is not looked at; the robot's start brings it up to date."
        )
        return NOTHING
    if needed and known.state is None:
        raise CommandRefused(f"The database knows nobody with the number {phone}.", "Leave --contact-state out.")
    return replace(
        known,
        to_contact=tuple(ts for ts in known.to_contact if ts <= at_ms),
        to_all=tuple(ts for ts in known.to_all if ts <= at_ms),
    )


def _read(folder: DataFolder, phone: str, since_ms: int) -> Standing | None:
    """One query on a connection of its own; None for the database of another version. Raises sqlite3.Error.

    Without a log beside it nobody has the database open, so it is read as it lies there: an ordinary
    read-only connection would make the log and leave it.
    """
    alone = not folder.database.with_name(f"{folder.database.name}-wal").exists()
    uri = f"{folder.database.resolve().as_uri()}?mode=ro{'&immutable=1' if alone else ''}"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=5)) as connection:
        if not is_present(connection):
            return None
        return on_one_snapshot(connection, lambda con: read_standing(con, phone, since_ms))
