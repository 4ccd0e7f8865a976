"""`breaker show|reset|open|close|auto|measure`: the circuit breaker and the operator's hand on it."""

from __future__ import annotations

import asyncio
from argparse import Namespace

from whatsself_tui.cli.carry_out import carry_out
from whatsself_tui.cli.output import clock_time, document, iso, line, report
from whatsself_tui.cli.status import breaker_document, read_once
from whatsself_tui.clock import SystemClock
from whatsself_tui.config.in_force import read_in_force
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.store.views import read_breaker


def show(folder: DataFolder, args: Namespace) -> int:
    """Print its state, its window and its last changes, the newest first."""
    folder.require()
    settings, _ = read_in_force(folder.config)
    zone = settings.business.zone
    now_ms = SystemClock().now_ms()
    breaker = read_once(folder, lambda con: read_breaker(con, settings, now_ms))
    if args.json:
        changes = [
            {"at": iso(change.at_ms, zone), "from": change.from_state, "to": change.to_state, "cause": change.cause}
            for change in breaker.transitions
        ]
        document({**breaker_document(breaker, zone), "transitions": changes})
        return 0
    line(f"{breaker.state.replace('_', ' ')} ({breaker.mode.replace('_', ' ')})")
    line(f"{breaker.failures} of {breaker.attempts} sends failed; opens at {breaker.opens_at:.0%}")
    if breaker.closes_at_ms is not None:
        line(f"first test send at {clock_time(breaker.closes_at_ms, zone)} (cool-down x{breaker.multiplier})")
    if breaker.state == "half_open":
        line(f"{breaker.probes} of {breaker.probes_needed} test sends answered")
    for change in breaker.transitions:
        line(f"{clock_time(change.at_ms, zone)}  {change.from_state} -> {change.to_state}  {change.cause}")
    return 0


def operate(folder: DataFolder, args: Namespace) -> int:
    """Decide about it."""
    return report(asyncio.run(carry_out(folder, "breaker", {"action": args.action})), args.json)
