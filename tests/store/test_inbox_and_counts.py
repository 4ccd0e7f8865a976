"""Received messages, contacts, alerts and the statistics that their transactions keep."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from support.queue_world import NOON, QueueWorld, chat, queue_world

from whatsself_tui.config.schema import Settings
from whatsself_tui.store import alerts, contacts, inbox, queue_view, views
from whatsself_tui.store.outbox import Outgoing, cancel_automatic

DAY_MS = 86_400_000


async def hear(world: QueueWorld, wa_id: str, person: int = 1, body: str = "oi", name: str = "") -> int | None:
    return await world.store.write(
        lambda tx: inbox.record(
            tx, wa_id=wa_id, chat=chat(person), name=name, body=body, kind="text", written_at_ms=tx.now_ms
        )
    )


async def counters(world: QueueWorld) -> dict[str, int]:
    now_ms = world.clock.now_ms()
    return dict((await world.store.read(lambda con: views.read_today(con, Settings(), now_ms))).counters)


async def test_same_id_is_stored_once(tmp_path: Path) -> None:
    async with queue_world(tmp_path) as world:
        assert await hear(world, "A") is not None
        assert await hear(world, "A") is None
        assert await hear(world, "A", person=2) is None
        assert (await counters(world))["inbound"] == 1
        assert (await counters(world))["new_contacts"] == 1


async def test_foreign_text_is_stored_as_it_is_but_for_lone_surrogates(tmp_path: Path) -> None:
    hostile = "[red]x[/] \x1b[31m \u202e \x00 " + "y" * 100_000
    async with queue_world(tmp_path) as world:
        await hear(world, "A", body=hostile + "\ud800", name="\udfff[b]")
        message = (await world.store.read(views.read_recent))[0]
    assert message.body == hostile + "\ufffd"
    assert message.contact == "\ufffd[b]"


async def test_statistics_follow_the_day_of_the_business(tmp_path: Path) -> None:
    late_evening = NOON + 14 * 3_600_000  # 02:00 UTC is 23:00 of the day before in São Paulo
    async with queue_world(tmp_path, now_ms=late_evening) as world:
        await hear(world, "A")
        assert await counters(world) == {
            "inbound": 1, "outbound": 0, "failed": 0, "delivered": 0, "read": 0, "automated": 0, "opt_outs": 0,
            "new_contacts": 1,
        }  # fmt: skip
        await world.clock.advance(2 * 3_600)
        assert (await counters(world))["inbound"] == 0
        world.store.zone = ZoneInfo("Asia/Kolkata")
        await hear(world, "B")
        hours = await world.store.read(
            lambda con: [
                row[0] for row in con.execute("SELECT hour FROM stat_hour WHERE counter = 'inbound' ORDER BY hour")
            ]
        )
    assert hours[0] == late_evening
    assert hours[1] % 3_600_000 == 1_800_000, "an hour of a half-hour zone begins at the half hour"


async def test_opting_out_twice_counts_once(tmp_path: Path) -> None:
    async with queue_world(tmp_path) as world:
        contact_id = await hear(world, "A")
        assert contact_id
        for _ in range(2):
            await world.store.write(lambda tx: contacts.set_consent(tx, contact_id, "out"))
        assert (await counters(world))["opt_outs"] == 1


async def test_cancelling_spares_what_a_person_wrote(tmp_path: Path) -> None:
    async with queue_world(tmp_path) as world:
        contact_id = await hear(world, "A")
        assert contact_id
        await world.enqueue(1, Outgoing("automatic", source="trigger:x"))
        await world.say(1, "from the owner")
        assert await world.store.write(lambda tx: cancel_automatic(tx, contact_id, "opted out")) == 1
        assert await world.send_all_due() == ["from the owner"]


async def test_alert_stands_once_until_its_condition_ends(tmp_path: Path) -> None:
    async with queue_world(tmp_path) as world:
        write = world.store.write
        assert await write(lambda tx: alerts.raise_alert(tx, "backlog_high", "warning", "21 wait"))
        assert not await write(lambda tx: alerts.raise_alert(tx, "backlog_high", "warning", "22 wait"))
        (alert,) = await world.store.read(views.read_alerts)
        assert (alert.text, alert.acknowledged_at_ms) == ("22 wait", None)
        assert await write(lambda tx: alerts.acknowledge(tx, alert.id))
        assert not await write(lambda tx: alerts.acknowledge(tx, alert.id))
        assert not await write(lambda tx: alerts.acknowledge(tx, 999))
        assert await write(lambda tx: alerts.clear_alert(tx, "backlog_high"))
        assert not await write(lambda tx: alerts.clear_alert(tx, "backlog_high"))
        assert await world.store.read(views.read_alerts) == ()
        assert await write(lambda tx: alerts.raise_alert(tx, "backlog_high", "warning", "23 wait"))
        (again,) = await world.store.read(views.read_alerts)
        assert again.id != alert.id
        assert again.acknowledged_at_ms is None


async def test_new_name_replaces_the_known_one_but_an_empty_one_does_not(tmp_path: Path) -> None:
    async with queue_world(tmp_path) as world:
        await hear(world, "A", name="Maria")
        await hear(world, "B", name="")
        await hear(world, "C", name="Maria Souza")
        messages = await world.store.read(views.read_recent)
    assert {message.contact for message in messages} == {"Maria Souza"}


async def test_queue_reading_tells_why_it_waits(tmp_path: Path) -> None:
    settings = Settings()
    async with queue_world(tmp_path) as world:

        async def waits_for() -> tuple[str, int | None]:
            now_ms = world.clock.now_ms()
            reading = await world.store.read(lambda con: queue_view.read_queue(con, settings, now_ms))
            return reading.waits_for, reading.next_wake_at_ms

        assert await waits_for() == ("empty", None)
        await world.say(1, "a")
        assert await waits_for() == ("offline", None)
        await world.store.write(lambda tx: tx.execute("UPDATE robot SET transport_state = 'ready'"))
        assert await waits_for() == ("nothing", NOON)
        for text in ("b", "c"):
            await world.say(1, text)
        await world.send_all_due()
        assert await waits_for() == ("contact_limit", NOON + 300_000)
        await world.enqueue(2, Outgoing("later", not_before_ms=NOON + 1_000))
        assert await waits_for() == ("schedule", NOON + 1_000)
        await world.store.write(lambda tx: tx.execute("UPDATE robot SET paused = 1"))
        assert await waits_for() == ("paused", None)
