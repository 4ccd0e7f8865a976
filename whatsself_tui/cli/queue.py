"""`queue …` and `send`: the operator's hands on the queue."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from pathlib import Path
from typing import Any

from whatsself_tui.cli.carry_out import carry_out
from whatsself_tui.cli.output import clock_time, document, line, narrate, report, times_as_iso
from whatsself_tui.cli.status import read_once
from whatsself_tui.cli.when import parse_when
from whatsself_tui.clock import SystemClock
from whatsself_tui.config.in_force import read_in_force
from whatsself_tui.errors import CommandRefused, FolderOwned, UsageError
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.host.media_files import copy_in, inspect
from whatsself_tui.phones import parse_phone
from whatsself_tui.robot.link import CommandResult
from whatsself_tui.robot.media import attachment_args
from whatsself_tui.robot.send_command import check_text
from whatsself_tui.store.outbox import State
from whatsself_tui.store.outbox_views import read_message, read_outbox
from whatsself_tui.text import visible


def send(folder: DataFolder, args: Namespace) -> int:
    """Queue one message, with a copy of its file if it has one."""
    settings, _ = read_in_force(folder.config)
    now_ms = SystemClock().now_ms()
    zone = settings.business.zone
    text = _argument_text(args.text)
    medium = None if args.file is None else inspect(Path(args.file))
    check_text(text, medium.kind if medium else None)
    command = {
        "phone": parse_phone(args.phone),
        "text": text,
        "priority": args.priority,
        "not_before_ms": parse_when(args.not_before, now_ms, zone) if args.not_before else None,
        "expires_at_ms": parse_when(args.expires, now_ms, zone) if args.expires else None,
        "dedup": args.dedup,
        "in_hours": args.in_hours,
    }
    if medium is None:
        return report(asyncio.run(carry_out(folder, "send", command)), args.json)
    file = copy_in(Path(args.file), folder.outgoing, medium.size_bytes)
    command["attachment"] = attachment_args(file, medium).model_dump()
    return report(_send_with(folder, command, folder.outgoing / file), args.json)


def _send_with(folder: DataFolder, command: dict[str, Any], copy: Path) -> CommandResult:
    """The result; the copy stays if a message needs it, or nobody can tell yet: the robot sweeps it later then."""
    try:
        result = asyncio.run(carry_out(folder, "send", command))
    except (CommandRefused, FolderOwned):
        copy.unlink(missing_ok=True)
        raise
    if not (result.ok and result.data["new"]):
        copy.unlink(missing_ok=True)
    return result


def _argument_text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UsageError("TEXT is not valid UTF-8.", "Check the terminal's encoding.") from error
    return text


def set_paused(folder: DataFolder, args: Namespace) -> int:
    """Stop or allow sends."""
    return report(asyncio.run(carry_out(folder, args.action, {})), args.json)


def decide(folder: DataFolder, args: Namespace) -> int:
    """Send again, cancel, discard or confirm some messages, or all it can mean."""
    if bool(args.ids) == args.all:
        raise UsageError(f"queue {args.action} takes the numbers of messages, or --all.", "`queue list` prints them.")
    command = {"action": args.action, "ids": args.ids, "all": args.all}
    return report(asyncio.run(carry_out(folder, "queue", command)), args.json)


def show_message(folder: DataFolder, args: Namespace) -> int:
    """Print one message and what became of it so far."""
    folder.require()
    settings, _ = read_in_force(folder.config)
    zone = settings.business.zone
    message = read_once(folder, lambda con: read_message(con, args.id))
    if message is None:
        raise CommandRefused(f"There is no message {args.id}.")
    if args.json:
        history = [times_as_iso(entry, zone) for entry in message["history"]]
        document({**times_as_iso(message, zone), "history": history})
        return 0
    line(f"Message {message['id']} to {visible(message['contact'], 60)} ({visible(message['address'], 60)})")
    line(f"{message['status']}, priority {message['priority']}, {message['attempts']} attempts, {message['source']}")
    for name in ("enqueued_at_ms", "not_before_ms", "expires_at_ms", "done_at_ms"):
        if message[name] is not None:
            line(f"{name.removesuffix('_ms').replace('_', ' '):<12} {clock_time(message[name], zone)}")
    if message["error"]:
        line(f"{'reason':<12} {visible(message['error'], 500)}")
    for entry in message["history"]:
        who = f"attempt {entry['number']}" if entry["number"] else "operator"
        reason = f": {visible(entry['reason'], 300)}" if entry["reason"] else ""
        line(f"{clock_time(entry['at_ms'], zone)}  {who}, {entry['result']}{reason}")
    line(visible(message["body"]))
    return 0


def list_queue(folder: DataFolder, args: Namespace) -> int:
    """Print messages of one state, those that are due first."""
    folder.require()
    settings, _ = read_in_force(folder.config)
    zone = settings.business.zone
    rows = read_once(folder, lambda con: read_outbox(con, State[args.state.upper()], args.limit + 1))
    shown, more = rows[: args.limit], len(rows) > args.limit
    if args.json:
        document({"state": args.state, "messages": [times_as_iso(row, zone) for row in shown], "more": more})
        return 0
    for row in shown:
        what = visible(str(row["body"]), 60)
        error = f"  [{visible(str(row['error']), 60)}]" if row["error"] else ""
        when = clock_time(int(str(row["due_at_ms"])), zone)
        line(f"{row['id']:>8}  {when}  p{row['priority']:<2} {visible(str(row['contact']), 24):<24} {what}{error}")
    if more:
        narrate(f"More than {args.limit} messages: --limit shows more.")
    elif not shown:
        narrate(f"No {args.state} messages.")
    return 0
