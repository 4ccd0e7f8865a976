"""First messages to people who never wrote are bounded by the business's day."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from support.queue_world import NOON, QueueWorld, queue_world

from whatsself_tui.config.schema import Settings
from whatsself_tui.delivery.limits import Limits, day_of
from whatsself_tui.store import claims, state
from whatsself_tui.store.claims import Claim
from whatsself_tui.store.database import Tx
from whatsself_tui.store.queue_view import read_queue
from whatsself_tui.store.views import read_limits

ZONE = ZoneInfo("America/Sao_Paulo")
TWO_A_DAY = Limits(per_minute=1_000, per_contact=20, per_contact_reply=60, daily_new_contacts=2, zone=ZONE)
MIDNIGHT = round(datetime(2026, 11, 23, tzinfo=ZONE).timestamp() * 1000)

SETTINGS = Settings.model_validate({"limits": {"daily_new_contacts": 2, "per_minute": 100}})


async def queue_of(world: QueueWorld) -> tuple[int | None, str]:
    await world.store.write(lambda tx: state.set_transport(tx, "simulator", "ready", ""))
    reading = await world.store.read(lambda con: read_queue(con, SETTINGS, world.clock.now_ms()))
    return reading.next_wake_at_ms, reading.waits_for


async def test_the_third_stranger_waits_for_the_next_day_of_the_business(tmp_path: Path) -> None:
    async with queue_world(tmp_path, TWO_A_DAY) as world:
        for person in range(1, 6):
            await world.say(person, f"hello {person}")
        assert await world.send_all_due() == ["hello 1", "hello 2"]
        assert (await world.step()).wake_at_ms == MIDNIGHT
        assert await queue_of(world) == (MIDNIGHT, "new_contacts")
        assert await world.faults() == []
        sent = await world.drain()
        assert [at for at, _ in sent] == [MIDNIGHT, MIDNIGHT, MIDNIGHT + 86_400_000]


async def test_nobody_else_waits_for_strangers(tmp_path: Path) -> None:
    async with queue_world(tmp_path, TWO_A_DAY) as world:
        await world.hear(9, "A1")
        for person in (1, 2, 3, 9):
            await world.say(person, f"hello {person}")
        assert await world.send_all_due() == ["hello 1", "hello 2", "hello 9"]
        await world.say(1, "again")
        assert await world.send_all_due() == ["again"], "the first message was the bounded one"
        await world.hear(3, "A2")
        assert await world.send_all_due() == ["hello 3"], "who writes is no stranger any more"
        assert await world.faults() == []


async def test_a_changed_limit_applies_at_once(tmp_path: Path) -> None:
    async with queue_world(tmp_path, TWO_A_DAY) as world:
        for person in range(1, 7):
            await world.say(person, str(person))
        assert await world.send_all_due() == ["1", "2"]
        await world.set_limits(replace(TWO_A_DAY, daily_new_contacts=3))
        assert await world.send_all_due() == ["3"]
        await world.set_limits(replace(TWO_A_DAY, daily_new_contacts=0))
        assert await world.send_all_due() == ["4", "5", "6"]


async def test_the_count_survives_a_restart_and_is_shown(tmp_path: Path) -> None:
    async with queue_world(tmp_path, TWO_A_DAY) as world:
        for person in (1, 2, 3):
            await world.say(person, str(person))
        await world.send_all_due()
    async with queue_world(tmp_path, TWO_A_DAY, NOON + 3_600_000) as world:
        assert await world.send_all_due() == []
        reading = await world.store.read(lambda con: read_limits(con, SETTINGS, world.clock.now_ms()))
        assert (reading.new_contacts_used, reading.new_contacts_limit) == (2, 2)


async def test_a_message_that_never_left_does_not_count(tmp_path: Path) -> None:
    async with queue_world(tmp_path, TWO_A_DAY) as world:
        for person in (1, 2, 3):
            await world.say(person, str(person))
        for _ in range(3):
            claim = (await world.step()).claim
            assert claim is not None
            await world.store.write(partial(_not_connected, claim))
            assert await world.faults() == []
        await world.clock.advance(5)
        assert len(await world.send_all_due()) == 2


async def test_a_stranger_who_could_not_be_reached_counts(tmp_path: Path) -> None:
    async with queue_world(tmp_path, TWO_A_DAY) as world:
        for person in (1, 2, 3):
            await world.say(person, str(person))
        for _ in range(2):
            claim = (await world.step()).claim
            assert claim is not None
            await world.conclude(claim, "not on whatsapp")
        assert await world.send_all_due() == []


def _not_connected(claim: Claim, tx: Tx) -> bool:
    return claims.postpone(tx, claim, TWO_A_DAY, "not connected", 5_000)


def test_days_of_the_business_have_their_own_length() -> None:
    zone = ZoneInfo("Europe/Berlin")
    noon = round(datetime(2026, 10, 25, 12, tzinfo=zone).timestamp() * 1000)
    begin, end = day_of(noon, zone)
    assert end - begin == 25 * 3_600_000
    assert day_of(begin, zone) == day_of(end - 1, zone) == (begin, end)
    assert day_of(end, zone)[0] == end
