"""`status`: the whole robot in one document, read without disturbing it."""

from __future__ import annotations

import sqlite3
from argparse import Namespace
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from whatsself_tui.cli.output import document, iso, line
from whatsself_tui.clock import SystemClock
from whatsself_tui.config.in_force import read_in_force
from whatsself_tui.config.schema import Settings
from whatsself_tui.errors import Problem
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.host.ownership import is_owned, read_owner
from whatsself_tui.robot.health import health
from whatsself_tui.robot.whatsapp_reading import WhatsAppReading, read_whatsapp
from whatsself_tui.store import queue_view, views
from whatsself_tui.store.database import describe, on_one_snapshot
from whatsself_tui.store.migrate import require_present
from whatsself_tui.store.readings import (
    AlertReading,
    BreakerReading,
    LimitsReading,
    QueueReading,
    RobotReading,
    TodayReading,
)
from whatsself_tui.text import visible
from whatsself_tui.transport.states import advice

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Readings:
    robot: RobotReading
    breaker: BreakerReading
    queue: QueueReading
    limits: LimitsReading
    alerts: tuple[AlertReading, ...]
    today: TodayReading


def status(folder: DataFolder, args: Namespace) -> int:
    """Print the state of the robot. Raises DataError without readable data."""
    folder.require()
    settings, problems = read_in_force(folder.config)
    now_ms = SystemClock().now_ms()
    owner = read_owner(folder) if is_owned(folder) else None
    readings = _read(folder, settings, now_ms)
    if owner is None:
        readings = _nobody_runs(readings)
    content = _content(folder, settings, problems, owner, readings, now_ms)
    if args.json:
        document(content)
    else:
        _print(content)
    return 0


def _read(folder: DataFolder, settings: Settings, now_ms: int) -> _Readings:
    def query(con: sqlite3.Connection) -> _Readings:
        return _Readings(
            views.read_robot(con),
            views.read_breaker(con, settings, now_ms),
            queue_view.read_queue(con, settings, now_ms),
            views.read_limits(con, settings, now_ms),
            views.read_alerts(con),
            views.read_today(con, settings, now_ms),
        )

    return read_once(folder, query)


def read_once(folder: DataFolder, query: Callable[[sqlite3.Connection], T]) -> T:
    """Run one query on a read-only connection of its own."""
    uri = f"{folder.database.resolve().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=5)) as connection:
            require_present(connection, folder.database)
            return on_one_snapshot(connection, query)
    except sqlite3.Error as error:
        raise describe(error, folder.database) from error


def _nobody_runs(readings: _Readings) -> _Readings:
    queue = readings.queue
    if queue.queued:
        queue = replace(queue, next_wake_at_ms=None, waits_for="not_running")
    robot = replace(readings.robot, transport_state="stopped", transport_detail="")
    return replace(readings, robot=robot, queue=queue)


def _content(
    folder: DataFolder,
    settings: Settings,
    problems: tuple[Problem, ...],
    owner: dict[str, Any] | None,
    readings: _Readings,
    now_ms: int,
) -> dict[str, Any]:
    zone = settings.business.zone
    robot = readings.robot
    lines = health(folder, robot, readings.queue, owner is not None, problems)
    return {
        "owner": owner and {"pid": owner["pid"], "since": iso(owner["since_ms"], zone), "mode": owner["mode"]},
        "paused": robot.paused,
        "transport": _transport(robot, read_whatsapp(folder) if owner is not None else None, zone),
        "breaker": breaker_document(readings.breaker, zone),
        "queue": _queue(readings.queue, now_ms, zone),
        "limits": _limits(readings.limits, zone),
        "alerts": [_alert(alert, zone) for alert in readings.alerts],
        "health": [asdict(entry) for entry in lines],
        "today": {"day": readings.today.day, **dict(readings.today.counters)},
        "data_folder": str(folder.root),
    }


def _transport(robot: RobotReading, page: WhatsAppReading | None, zone: ZoneInfo) -> dict[str, Any]:
    """Pairing codes are left out: whoever sees one has a key to the account."""
    document: dict[str, Any] = {
        "kind": robot.transport_kind,
        "state": robot.transport_state,
        "detail": robot.transport_detail,
        "advice": advice(robot.transport_state),
    }
    if page is not None and robot.transport_kind == "whatsapp_web":
        document |= {
            "since": iso(page.since_ms, zone),
            "account": page.account,
            "browser": page.browser and asdict(page.browser),
            "wa_js": page.bridge_version,
            "missing": list(page.missing),
            "next_try_at": None if page.next_try_at_ms is None else iso(page.next_try_at_ms, zone),
        }
    return document


def _browser(transport: dict[str, Any]) -> str:
    """What `status` prints of the browser."""
    browser = transport.get("browser")
    if not browser:
        return ""
    memory = f", {browser['memory_mb']} MB" if browser["memory_mb"] else ""
    return f" ({browser['name']} {browser['version'].partition('.')[0]}{memory})"


def breaker_document(breaker: BreakerReading, zone: ZoneInfo) -> dict[str, Any]:
    """The breaker as `status` and `breaker show` print it."""
    return {
        "state": breaker.state,
        "mode": breaker.mode,
        "failure_rate": round(breaker.failure_rate, 4),
        "attempts": breaker.attempts,
        "opens_at": breaker.opens_at,
        "window_s": breaker.window_s,
        "closes_at": iso(breaker.closes_at_ms, zone),
        "multiplier": breaker.multiplier,
        "probes": {"answered": breaker.probes, "needed": breaker.probes_needed},
    }


def _queue(queue: QueueReading, now_ms: int, zone: ZoneInfo) -> dict[str, Any]:
    oldest = queue.oldest_waiting_since_ms
    return {
        "queued": queue.queued,
        "scheduled": queue.scheduled,
        "sending": queue.sending,
        "dead": queue.dead,
        "unconfirmed": queue.unconfirmed,
        "oldest_age_s": None if oldest is None else max(0, now_ms - oldest) // 1000,
        "next_wake_at": iso(queue.next_wake_at_ms, zone),
        "waits_for": queue.waits_for,
        "by_priority": {str(priority): n for priority, n in queue.by_priority},
    }


def _limits(limits: LimitsReading, zone: ZoneInfo) -> dict[str, Any]:
    minute = {"used": limits.minute_used, "limit": limits.minute_limit, "free_at": iso(limits.minute_free_at_ms, zone)}
    contacts = [
        {
            "contact": row.contact,
            "address": row.address,
            "used": row.used,
            "limit": row.limit,
            "reply_limit": row.reply_limit,
            "free_at": iso(row.free_at_ms, zone),
        }
        for row in limits.contacts
    ]
    new_contacts = {"used": limits.new_contacts_used, "limit": limits.new_contacts_limit or None}
    return {"per_minute": minute, "new_contacts_today": new_contacts, "contacts": contacts}


def _alert(alert: AlertReading, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "id": alert.id,
        "kind": alert.kind,
        "severity": alert.severity,
        "text": alert.text,
        "raised_at": iso(alert.raised_at_ms, zone),
        "acknowledged_at": iso(alert.acknowledged_at_ms, zone),
    }


def _print(content: dict[str, Any]) -> None:
    owner, queue, limits = content["owner"], content["queue"], content["limits"]["per_minute"]
    who = f"process {owner['pid']} ({owner['mode']}) since {owner['since']}" if owner else "nobody runs it"
    line(f"Robot      {'PAUSED' if content['paused'] else 'sending' if owner else 'stopped'}, {who}")
    transport = content["transport"]
    line(f"WhatsApp   {transport['kind']}: {transport['state']}{_browser(transport)}")
    breaker = content["breaker"]
    line(f"Breaker    {breaker['state']}, {breaker['failure_rate']:.0%} of {breaker['attempts']} sends failed")
    line(
        f"Queue      {queue['queued']} waiting ({queue['scheduled']} scheduled), {queue['sending']} sending,"
        f" {queue['dead']} dead, {queue['unconfirmed']} unconfirmed"
    )
    if queue["next_wake_at"]:
        line(f"           next at {queue['next_wake_at']} (waits for {queue['waits_for'].replace('_', ' ')})")
    strangers = content["limits"]["new_contacts_today"]
    most = f" of {strangers['limit']}" if strangers["limit"] else ""
    line(f"Limits     {limits['used']} of {limits['limit']} in the last minute")
    line(f"           {strangers['used']}{most} new contacts today")
    counters = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in content["today"].items() if name != "day")
    line(f"Today      {counters}")
    for entry in content["health"]:
        if entry["level"] != "ok":
            line(f"{entry['level'].upper():<10} {entry['name']}: {visible(entry['text'])} {entry['advice']}")
    for alert in content["alerts"]:
        line(f"ALERT      {visible(alert['text'])}")
