"""`simulate`: a conversation played against the files as they are now; nothing is written and nothing is sent."""

from __future__ import annotations

import re
import sqlite3
from argparse import Namespace
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from whatsself_tui.automation.decision import ContactState, Incoming
from whatsself_tui.automation.keys import MEDIA
from whatsself_tui.automation.rehearsal import NEWCOMER, Turn, dice, told, turn
from whatsself_tui.automation.rulebook import RuleBook
from whatsself_tui.cli.contact_state import read_file, to_data
from whatsself_tui.cli.files_now import read_rules_now, tell_problems
from whatsself_tui.cli.output import clock_time, document, iso, line, narrate
from whatsself_tui.cli.simulate_export import replay
from whatsself_tui.cli.turn_output import Times, print_told, told_as_data
from whatsself_tui.cli.when import parse_when
from whatsself_tui.clock import SystemClock
from whatsself_tui.config.rules import rule_book
from whatsself_tui.config.schema import Settings
from whatsself_tui.errors import CommandRefused, UsageError
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.phones import parse_phone
from whatsself_tui.store.contact_view import ContactReading, read_contact
from whatsself_tui.store.database import describe, on_one_snapshot
from whatsself_tui.store.terms import limits_of
from whatsself_tui.text import storable, visible

_MEDIUM = re.compile(rf"\[({'|'.join(MEDIA[1:])})\] ?")

_NOTHING = ContactReading(None, (), ())


def simulate(folder: DataFolder, args: Namespace) -> int:
    """Play what the arguments say and print what the robot would do."""
    _check(args)
    now_ms = SystemClock().now_ms()
    loaded = read_rules_now(folder.config)
    if loaded.value is None:
        return tell_problems(loaded.problems, args.json)
    settings = loaded.value.settings
    book = rule_book(settings, loaded.value.catalogue)
    if args.export:
        return replay(book, settings, args)
    phone = parse_phone(args.phone)
    at_ms = parse_when(args.as_of, now_ms, settings.business.zone) if args.as_of else now_ms
    known = _known(folder, args.contact_state, phone, settings, at_ms)
    start = _start(args.contact_state, phone, known, settings, at_ms)
    seed = phone if args.seed is None else str(args.seed)
    turns = _play(book, start.state, args.texts, at_ms, args.pause * 1000, seed)
    times = Times(settings, known.to_contact, known.to_all)
    _print(book, settings, phone, start, turns, times, args.json)
    return 0


@dataclass(frozen=True, slots=True)
class _Start:
    """The contact before the first turn."""

    state: ContactState
    source: str
    """`stored`, `new` or `file`."""


def _check(args: Namespace) -> None:
    if args.export:
        if args.phone or args.texts or args.as_of or args.contact_state or args.pause is not None:
            raise UsageError(
                "--export takes --me NAME, --seed and --json only: who writes, what and when is in the file."
            )
        if not args.me:
            raise UsageError("--export needs --me NAME: your own name as the file writes it.")
        return
    if not args.phone or not args.texts:
        raise UsageError("simulate needs PHONE and at least one TEXT, or --export FILE --me NAME.")
    if args.me:
        raise UsageError("--me goes with --export.")
    args.pause = 60 if args.pause is None else args.pause


def _known(folder: DataFolder, asked: str | None, phone: str, settings: Settings, at_ms: int) -> ContactReading:
    """What the database knows, if it is there and asked for."""
    if asked not in (None, "stored"):
        return _NOTHING
    if not folder.database.is_file():
        if asked:
            folder.require()
        return _NOTHING
    horizon_ms = at_ms - limits_of(settings).horizon_ms

    def query(con: sqlite3.Connection) -> ContactReading:
        return read_contact(con, phone, horizon_ms)

    try:
        known = _read(folder, query)
    except sqlite3.OperationalError as error:
        if "no such" not in str(error):
            raise describe(error, folder.database) from error
        reason = "The database was made by another version", "start the robot once, and it is brought up to date"
        if asked:
            raise CommandRefused(f"{reason[0]}.", f"{reason[1].capitalize()}.") from error
        narrate(f"{reason[0]} and is not looked at; {reason[1]}.")
        return _NOTHING
    except sqlite3.Error as error:
        raise describe(error, folder.database) from error
    if asked and known.state is None:
        raise CommandRefused(f"The database knows nobody with the number {phone}.", "Leave --contact-state out.")
    return replace(
        known,
        to_contact=tuple(ts for ts in known.to_contact if ts <= at_ms),
        to_all=tuple(ts for ts in known.to_all if ts <= at_ms),
    )


def _read(folder: DataFolder, query: Callable[[sqlite3.Connection], ContactReading]) -> ContactReading:
    """Run one query and leave no file behind. Raises sqlite3.Error.

    Without a log beside it nobody has the database open, so it is read as it lies there: an ordinary
    read-only connection would make the log and leave it.
    """
    alone = not folder.database.with_name(f"{folder.database.name}-wal").exists()
    uri = f"{folder.database.resolve().as_uri()}?mode=ro{'&immutable=1' if alone else ''}"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=5)) as connection:
        return on_one_snapshot(connection, query)


def _start(asked: str | None, phone: str, known: ContactReading, settings: Settings, at_ms: int) -> _Start:
    if known.state is not None:
        return _Start(known.state, "stored")
    if asked in (None, "new", "stored"):
        return _Start(replace(NEWCOMER, phone=phone), "new")
    return _Start(read_file(Path(asked), phone, at_ms, settings.business.zone), "file")


def _play(
    book: RuleBook, state: ContactState, texts: Sequence[str], at_ms: int, pause_ms: int, seed: str
) -> list[Turn]:
    turns = []
    for number, text in enumerate(texts):
        turns.append(turn(book, state, [_incoming(text, at_ms)], at_ms, dice(seed, number)))
        state = turns[-1].state
        at_ms += pause_ms
    return turns


def _incoming(text: str, at_ms: int) -> Incoming:
    """A text, or a medium written `[image] its caption`."""
    medium = _MEDIUM.match(text)
    if medium is None:
        return Incoming(storable(text), ("text",), at_ms)
    return Incoming(storable(text[medium.end() :]), (medium[1],), at_ms)


def _print(
    book: RuleBook, settings: Settings, phone: str, start: _Start, turns: list[Turn], times: Times, as_json: bool
) -> None:
    zone = settings.business.zone
    played: list[dict[str, Any]] = []
    if not as_json:
        who = {"stored": "as the database knows them", "new": "who never wrote", "file": "as the file says"}
        narrate(f"{phone}, {who[start.source]}. Nothing is sent and nothing is stored.")
    for each in turns:
        decisions, departures = told(book, each), times.of(each)
        if as_json:
            played.append(
                {
                    "at": iso(each.at_ms, zone),
                    "texts": [message.text for message in each.messages],
                    "decisions": told_as_data(decisions, departures, zone),
                    "contact_state": to_data(each.state, zone),
                }
            )
            continue
        for message in each.messages:
            line(f"{clock_time(each.at_ms, zone)}  > {_written(message)}")
        print_told(decisions, departures, zone)
    if as_json:
        document(
            {
                "phone": phone,
                "contact_state_from": start.source,
                "contact_state": to_data(start.state, zone),
                "turns": played,
            }
        )


def _written(message: Incoming) -> str:
    kind = "" if message.kinds == ("text",) else f"[{message.kinds[0]}] "
    return f"{kind}{visible(message.text, 2000)}"
