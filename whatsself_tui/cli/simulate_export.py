"""`simulate --export`: a conversation WhatsApp exported, with what a person answered then and the robot would now."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from whatsself_tui.automation.decision import ContactState, Incoming
from whatsself_tui.automation.rehearsal import NEWCOMER, Turn, dice, told, turn
from whatsself_tui.automation.rulebook import RuleBook
from whatsself_tui.cli.files_now import counted
from whatsself_tui.cli.output import clock_time, document, iso, line, narrate
from whatsself_tui.cli.turn_output import Times, print_told, told_as_data
from whatsself_tui.config.schema import Settings
from whatsself_tui.errors import UsageError, WhatsSelfError
from whatsself_tui.phones import split_address
from whatsself_tui.robot.inbound import MOST_DEBOUNCES
from whatsself_tui.text import storable, visible
from whatsself_tui.transport.chat_export import MAX_BYTES, Export, ExportedMessage, contact_address, read_export

_RELEASE_MS = 3_600_000
"""How long a person keeps a contact if the settings name no time."""


class ExportUnreadable(WhatsSelfError):
    """The exported conversation cannot be read."""


@dataclass(slots=True)
class _Group:
    """Messages of one customer that are answered together, and what a person answered then."""

    customer: str
    messages: list[Incoming]
    first_ms: int
    last_ms: int
    then: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Summary:
    """What the robot would have made of the conversation."""

    customers: set[str] = field(default_factory=set)
    messages: int = 0
    turns: int = 0
    answered: int = 0
    answered_by_a_person: int = 0
    unmatched: int = 0
    handed_over: int = 0
    by_rule: Counter[str] = field(default_factory=Counter)

    def count(self, group: _Group, played: Turn) -> None:
        """Add one turn."""
        decisions = [handled.decision for handled in played.handled]
        self.customers.add(group.customer)
        self.messages += len(group.messages)
        self.turns += 1
        self.answered += any(decision.answers for decision in decisions)
        self.answered_by_a_person += bool(group.then)
        self.unmatched += any(decision.rule in ("unmatched", "fallback") for decision in decisions)
        self.handed_over += any(decision.hand_over is not None for decision in decisions)
        self.by_rule.update(handled.decision.rule for handled in played.handled if handled.messages)

    def as_data(self) -> dict[str, Any]:
        """For a JSON document."""
        return {
            "customers": len(self.customers),
            "messages": self.messages,
            "turns": self.turns,
            "answered": self.answered,
            "answered_by_a_person": self.answered_by_a_person,
            "unmatched": self.unmatched,
            "handed_over": self.handed_over,
            "by_rule": dict(self.by_rule.most_common()),
        }


def replay(book: RuleBook, settings: Settings, args: Namespace) -> int:
    """Play the file's customers, each with a state of their own, at the file's times."""
    export = _read(args.export)
    if args.me not in export.participants:
        known = ", ".join(visible(name, 30) for name in sorted(export.participants)[:8]) or "nobody"
        raise UsageError(f"{visible(args.me, 40)!r} wrote nothing in this file.", f"Who wrote: {known}.")
    for unreadable in export.unreadable:
        narrate(f"line {unreadable.line}: {unreadable.reason}")
    if strange := sum(not _datable(message) for message in export.messages):
        narrate(f"Left out for the year they were written in: {counted(strange, 'message')}")
    zone = settings.business.zone
    states: dict[str, ContactState] = {}
    times: dict[str, Times] = {}
    summary = _Summary()
    played: list[dict[str, Any]] = []
    for number, group in enumerate(_groups(export, args.me, zone, settings.answers.debounce_ms)):
        state = states.get(group.customer) or _newcomer(group.customer)
        seed = group.customer if args.seed is None else f"{args.seed}/{group.customer}"
        each = turn(book, state, group.messages, group.last_ms, dice(seed, number))
        states[group.customer] = _released(each, book.answering.pause_on_human_ms or _RELEASE_MS)
        departures = times.setdefault(group.customer, Times(settings)).of(each)
        summary.count(group, each)
        decisions = told(book, each)
        if args.json:
            now = told_as_data(decisions, departures, zone)
            played.append(_as_data(group, zone) | {"decisions": now})
        else:
            _print_then(group, zone)
            print_told(decisions, departures, zone, considered=False)
    if args.json:
        lines = [{"line": entry.line, "reason": entry.reason} for entry in export.unreadable]
        document({"turns": played, "summary": summary.as_data(), "unreadable_lines": lines})
    else:
        _print_summary(summary)
    return 0


def _read(name: str) -> Export:
    """Raises ExportUnreadable."""
    try:
        if name == "-":
            return read_export(sys.stdin.buffer.read(MAX_BYTES + 1))
        with Path(name).open("rb") as file:
            return read_export(file.read(MAX_BYTES + 1))
    except OSError as error:
        raise ExportUnreadable(f"{visible(name, 200)} cannot be read: {error.strerror or error}.") from error
    except UsageError as error:
        raise ExportUnreadable(error.message, error.advice) from error


def _groups(export: Export, me: str, zone: ZoneInfo, debounce_ms: int) -> Iterator[_Group]:
    """A customer's messages that follow each other within the debounce, as the running robot joins them.

    What a person answers ends every group. Deleted messages and impossible years are left out.
    """
    groups: list[_Group] = []
    joining: dict[str, _Group] = {}
    for message in export.messages:
        if message.kind == "deleted" or not _datable(message):
            continue
        if message.sender == me:
            joining.clear()
            if groups:
                groups[-1].then.append(message.text or f"[{message.kind}]")
            continue
        at_ms = round(message.at.replace(tzinfo=zone).timestamp() * 1000)
        group = joining.get(message.sender)
        if (
            group
            and 0 <= at_ms - group.last_ms <= debounce_ms
            and at_ms - group.first_ms <= MOST_DEBOUNCES * debounce_ms
        ):
            group.messages.append(_incoming(message, at_ms))
            group.last_ms = at_ms
        else:
            joining[message.sender] = _Group(message.sender, [_incoming(message, at_ms)], at_ms, at_ms)
            groups.append(joining[message.sender])
    yield from groups


def _released(played: Turn, pause_ms: int) -> ContactState:
    """The contact after a turn; a hand-over that waits for an operator to end it lasts as long as one by typing.

    Otherwise the first hand-over would be the end of the rehearsal.
    """
    standing = played.state.hand_over
    if standing is None or standing.until_ms is not None:
        return played.state
    return replace(played.state, hand_over=replace(standing, until_ms=played.at_ms + pause_ms))


def _datable(message: ExportedMessage) -> bool:
    """Whether every machine can reckon with its time."""
    return 1970 < message.at.year < 2199


def _incoming(message: ExportedMessage, at_ms: int) -> Incoming:
    return Incoming(storable(message.text), (message.kind,), at_ms)


def _newcomer(sender: str) -> ContactState:
    phone, _ = split_address(contact_address(sender))
    return replace(NEWCOMER, name="" if phone else storable(sender), phone=phone or "")


def _as_data(group: _Group, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "at": iso(group.last_ms, zone),
        "customer": group.customer,
        "texts": [message.text for message in group.messages],
        "then": group.then,
    }


def _print_then(group: _Group, zone: ZoneInfo) -> None:
    for message in group.messages:
        kind = "" if message.kinds == ("text",) else f"[{message.kinds[0]}] "
        at = clock_time(message.written_at_ms, zone)
        line(f"{at}  {visible(group.customer, 30)} > {kind}{visible(message.text, 2000)}")
    for text in group.then:
        line(f"  then: {visible(text, 2000)}")


def _print_summary(summary: _Summary) -> None:
    line("")
    line(f"customers: {len(summary.customers)}, messages: {summary.messages}, turns: {summary.turns}")
    line(f"{summary.answered} answered by the robot, {summary.answered_by_a_person} answered by a person then")
    line(f"{summary.unmatched} not matched, {summary.handed_over} handed over to a person")
    for rule, number in summary.by_rule.most_common():
        line(f"{number:>8}  {rule}")
    if len(summary.customers) > 1:
        narrate("Several people wrote: each is taken for a customer alone. In a group the robot answers nobody.")
