"""What the commands print: one JSON document or plain lines on stdout, narration on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from whatsself_tui.robot.link import CommandResult


def iso(at_ms: int | None, zone: ZoneInfo) -> str | None:
    """ISO 8601 with the offset of the business's time zone."""
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms / 1000, zone).isoformat(timespec="milliseconds")


def clock_time(at_ms: int, zone: ZoneInfo) -> str:
    """The same for a person, to the second."""
    return datetime.fromtimestamp(at_ms / 1000, zone).strftime("%Y-%m-%d %H:%M:%S")


def times_as_iso(row: Mapping[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    """A row of a list as JSON has it: every `…_ms` under its name without the unit, in ISO 8601."""
    return {
        name.removesuffix("_ms"): iso(value, zone) if name.endswith("_ms") else value for name, value in row.items()
    }


def document(content: Mapping[str, Any]) -> None:
    """The one JSON document of a command with `--json`; ASCII, so that any terminal or pipe takes it."""
    print(json.dumps(content, indent=2, ensure_ascii=True))


def narrate(text: str) -> None:
    """Something for the person, beside the output; never fails on a terminal's narrow encoding."""
    stream = sys.stderr
    encoding = stream.encoding or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding), file=stream)


def line(text: str) -> None:
    """A line of output for a person."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding))


def report(result: CommandResult, as_json: bool) -> int:
    """Print what became of a command; returns the exit code."""
    if as_json:
        document({"ok": result.ok, "message": result.message, **result.data})
        if not result.ok:
            narrate(result.message)
    elif result.ok:
        line(result.message)
    else:
        narrate(result.message)
    return result.exit_code
