"""Messages that go out only while the business is open."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from support.queue_world import NOON, QueueWorld, queue_world

from whatsself_tui.automation.hours import OpeningHours, opens_at_ms, parse_hours
from whatsself_tui.config.schema import Settings
from whatsself_tui.delivery.limits import Limits
from whatsself_tui.store import state
from whatsself_tui.store.outbox import Outgoing
from whatsself_tui.store.queue_view import read_queue

ZONE = ZoneInfo("America/Sao_Paulo")
WEEK = OpeningHours(ZONE, parse_hours(("mon-fri 09:00-18:00",)), frozenset(), ())
SHUT = OpeningHours(ZONE, parse_hours(()), frozenset(), ())
MONDAY_MS = round(datetime(2026, 11, 23, 9, tzinfo=ZONE).timestamp() * 1000)


def limits(hours: OpeningHours, daily_new_contacts: int = 0) -> Limits:
    return Limits(
        per_minute=100,
        per_contact=20,
        per_contact_reply=20,
        daily_new_contacts=daily_new_contacts,
        zone=ZONE,
        opens_at=partial(opens_at_ms, hours),
    )


async def why(world: QueueWorld) -> tuple[int | None, str]:
    await world.store.write(lambda tx: state.set_transport(tx, "simulator", "ready", ""))
    reading = await world.store.read(lambda con: read_queue(con, Settings(), world.clock.now_ms()))
    return reading.next_wake_at_ms, reading.waits_for


async def test_on_a_sunday_it_waits_for_monday_and_holds_nobody_up(tmp_path: Path) -> None:
    async with queue_world(tmp_path, limits(WEEK)) as world:
        await world.enqueue(1, Outgoing("in hours", in_hours=True))
        await world.say(2, "at once")
        assert await world.send_all_due() == ["at once"]
        assert (await world.step()).wake_at_ms == MONDAY_MS
        assert await why(world) == (MONDAY_MS, "hours")
        assert await world.faults() == []
        assert [(at, claim.body) for at, claim in await world.drain()] == [(MONDAY_MS, "in hours")]


async def test_while_it_is_open_it_goes_at_once(tmp_path: Path) -> None:
    async with queue_world(tmp_path, limits(WEEK), MONDAY_MS) as world:
        await world.enqueue(1, Outgoing("in hours", in_hours=True))
        assert await world.send_all_due() == ["in hours"]


async def test_changed_hours_apply_at_once(tmp_path: Path) -> None:
    async with queue_world(tmp_path, limits(SHUT)) as world:
        await world.enqueue(1, Outgoing("in hours", in_hours=True))
        assert (await world.step()).wake_at_ms is None
        await world.set_limits(limits(WEEK))
        assert (await world.step()).wake_at_ms == MONDAY_MS


async def test_a_stranger_in_hours_waits_for_both(tmp_path: Path) -> None:
    """One a day, only on weekdays: the second one goes on Tuesday at nine, not at midnight."""
    async with queue_world(tmp_path, limits(WEEK, daily_new_contacts=1), MONDAY_MS) as world:
        for person in (1, 2):
            await world.enqueue(person, Outgoing(f"to {person}", in_hours=True))
        assert [(at - MONDAY_MS, claim.body) for at, claim in await world.drain()] == [
            (0, "to 1"),
            (86_400_000, "to 2"),
        ]


async def test_a_message_without_hours_waits_behind_one_with_them(tmp_path: Path) -> None:
    """Within one contact and priority the order of enqueueing is kept."""
    async with queue_world(tmp_path, limits(WEEK)) as world:
        await world.enqueue(1, Outgoing("first", in_hours=True))
        await world.say(1, "second")
        await world.say(1, "urgent", priority=10)
        assert await world.send_all_due() == ["urgent"]
        await world.clock.advance((MONDAY_MS - NOON) / 1000)
        assert await world.send_all_due() == ["first", "second"]
