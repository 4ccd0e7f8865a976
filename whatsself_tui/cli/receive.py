"""`receive`: messages for the simulated phone, one by hand or a whole exported conversation."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from whatsself_tui.cli.carry_out import carry_out
from whatsself_tui.cli.output import narrate, report
from whatsself_tui.clock import SystemClock
from whatsself_tui.errors import UsageError
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.phones import parse_phone
from whatsself_tui.robot.commands import done
from whatsself_tui.robot.link import CommandResult
from whatsself_tui.text import storable, visible
from whatsself_tui.transport.chat_export import Export, contact_address, message_id, read_export

#: One command carries at most this much, well below what the spool takes.
BATCH_BYTES = 250_000
BATCH_MESSAGES = 100


def receive(folder: DataFolder, args: Namespace) -> int:
    """Deliver what the arguments say."""
    if args.export:
        if args.phone or args.text or args.id or args.name or args.by_hand:
            raise UsageError("--export takes --me NAME and nothing else: phone, text, --id and --name are in the file.")
        return _receive_export(folder, args)
    if not args.phone or args.text is None:
        raise UsageError("receive needs PHONE and TEXT, or --export FILE --me NAME.")
    if args.me:
        raise UsageError("--me goes with --export.")
    message = {
        "wa_id": args.id or f"3A{secrets.token_hex(9).upper()}",
        "chat": f"{parse_phone(args.phone)}@c.us",
        "body": storable(args.text),
        "written_at_ms": SystemClock().now_ms(),
        "name": storable(args.name or ""),
        "by_hand": args.by_hand,
    }
    return report(asyncio.run(carry_out(folder, "receive", {"messages": [message]})), args.json)


def _receive_export(folder: DataFolder, args: Namespace) -> int:
    if not args.me:
        raise UsageError("--export needs --me NAME: your own name as the file writes it.")
    export = _read(Path(args.export))
    senders = {message.sender for message in export.messages}
    if args.me not in senders:
        known = ", ".join(visible(name, 30) for name in sorted(senders)[:8]) or "nobody"
        raise UsageError(f"{visible(args.me, 40)!r} wrote nothing in this file.", f"Who wrote: {known}.")
    file = visible(Path(args.export).name, 80)
    for unreadable in export.unreadable:
        narrate(f"{file}:{unreadable.line}: {unreadable.reason}")
    if export.unreadable_total > len(export.unreadable):
        narrate(
            f"{file}: {export.unreadable_total:,} unreadable lines in all, the first {len(export.unreadable):,} told."
        )
    result = asyncio.run(_deliver(folder, list(_incoming(export, args.me))))
    data = dict(result.data)
    data["own_messages"] = sum(message.sender == args.me for message in export.messages)
    data["unreadable_lines"] = [{"line": entry.line, "reason": entry.reason} for entry in export.unreadable]
    return report(CommandResult(result.ok, result.message, data, result.exit_code), args.json)


def _read(path: Path) -> Export:
    try:
        return read_export(sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}.") from error


def _incoming(export: Export, me: str) -> Iterator[dict[str, Any]]:
    """What the others wrote, as if it arrived now; the ids come from the file, so a second feed adds nothing."""
    now_ms = SystemClock().now_ms()
    for message in export.messages:
        if message.sender == me:
            continue
        yield {
            "wa_id": message_id(message.sender, message.at, message.text, message.nth),
            "chat": contact_address(message.sender),
            "body": message.text,
            "written_at_ms": now_ms,
            "name": message.sender,
            "kind": message.kind,
        }


async def _deliver(folder: DataFolder, messages: list[dict[str, Any]]) -> CommandResult:
    received = seen = 0
    for batch in _batches(messages):
        result = await carry_out(folder, "receive", {"messages": batch})
        if not result.ok:
            return result
        received += result.data["received"]
        seen += result.data["seen_before"]
    text = f"{received} received." if not seen else f"{received} received, {seen} seen before."
    return done(text, received=received, seen_before=seen)


def _batches(messages: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    size = 0
    for message in messages:
        length = len(json.dumps(message))
        if batch and (size + length > BATCH_BYTES or len(batch) >= BATCH_MESSAGES):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += length
    if batch:
        yield batch
