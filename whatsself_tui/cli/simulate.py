"""`simulate`: a conversation played against the files as they are now; nothing is written and nothing is sent."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from whatsself_tui.automation.decision import ContactState, Incoming
from whatsself_tui.automation.keys import MEDIA
from whatsself_tui.automation.rehearsal import NEWCOMER, Turn, dice, told, turn
from whatsself_tui.automation.rulebook import RuleBook
from whatsself_tui.cli.contact_state import YEAR_2200_MS, read_file, to_data
from whatsself_tui.cli.files_now import read_rules_now, tell_problems
from whatsself_tui.cli.output import clock_time, document, iso, line, narrate
from whatsself_tui.cli.simulate_export import replay
from whatsself_tui.cli.stored_contact import NOTHING, read_stored
from whatsself_tui.cli.turn_output import Times, print_told, told_as_data
from whatsself_tui.cli.when import parse_when
from whatsself_tui.clock import SystemClock
from whatsself_tui.config.rules import rule_book
from whatsself_tui.config.schema import Settings
from whatsself_tui.errors import UsageError
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.phones import parse_phone
from whatsself_tui.store.standing import Standing
from whatsself_tui.text import storable, visible

_MEDIUM = re.compile(rf"\[({'|'.join(MEDIA[1:])})\] ?")


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
    if not 0 <= at_ms <= at_ms + len(args.texts) * args.pause * 1000 < YEAR_2200_MS:
        raise UsageError("The conversation has to be between the years 1970 and 2199.")
    asked = args.contact_state
    known = read_stored(folder, phone, settings, at_ms, asked == "stored") if asked in (None, "stored") else NOTHING
    start = _start(asked, phone, known, settings, at_ms)
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


def _start(asked: str | None, phone: str, known: Standing, settings: Settings, at_ms: int) -> _Start:
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
