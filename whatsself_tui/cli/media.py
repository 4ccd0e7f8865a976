"""`messages …`: the media that were received, and fetching one of them."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo

from whatsself_tui.cli.carry_out import carry_out
from whatsself_tui.cli.output import clock_time, document, line, narrate, report, times_as_iso
from whatsself_tui.cli.status import read_once
from whatsself_tui.config.in_force import read_in_force
from whatsself_tui.errors import NoAnswer
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.session.making import size_text
from whatsself_tui.store import inbox
from whatsself_tui.text import visible


def list_media(folder: DataFolder, args: Namespace) -> int:
    """Print the media that were received, the newest first."""
    folder.require()
    zone = read_in_force(folder.config)[0].business.zone
    media = read_once(folder, lambda con: inbox.media_list(con, args.limit + 1))
    shown, more = media[: args.limit], len(media) > args.limit
    if args.json:
        document({"media": [_row(medium, zone) for medium in shown], "more": more})
        return 0
    for medium in shown:
        size = "" if medium.size_bytes is None else size_text(medium.size_bytes)
        what = f"{visible(medium.kind, 12):<10} {size:>10}  {visible(medium.file_name, 60)}".rstrip()
        line(f"{medium.id:>8}  {clock_time(medium.written_at_ms, zone)}  {visible(medium.contact, 24):<24} {what}")
    if more:
        narrate(f"More than {args.limit} media: --limit shows more.")
    elif not shown:
        narrate("No media were received.")
    return 0


def _row(medium: inbox.ReceivedMedium, zone: ZoneInfo) -> dict[str, Any]:
    """As JSON has it; WhatsApp's own key is of no use outside of the robot."""
    return times_as_iso({name: value for name, value in asdict(medium).items() if name != "key"}, zone)


def download(folder: DataFolder, args: Namespace) -> int:
    """Let the robot fetch one of them, and print where it is; one that was fetched before is there at once."""
    folder.require()
    try:
        result = asyncio.run(carry_out(folder, "media", {"id": args.id}))
    except NoAnswer as error:
        advice = "A large medium takes longer: give the command again, and it is told as soon as it is there."
        raise NoAnswer(error.message, advice) from error
    return report(result, args.json)
