"""Hundreds of messages while the browser is killed again and again: nothing lost, nothing twice."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter

from support.whatsapp_room import ORDERS, Room, paired, robot_on
from whatsapp_web.standin.server import FakeWhatsApp

from whatsself_tui.host.data_folder import DataFolder

CUSTOMERS = 30
EACH = 5
KILLS = int(os.environ.get("BROWSER_KILLS", "20"))


async def test_hundreds_of_messages_with_the_browser_killed_at_random(data: DataFolder, whatsapp: FakeWhatsApp) -> None:
    (data.config / "automation.toml").write_text(ORDERS, encoding="utf-8")
    rng = random.Random(int(os.environ.get("SEED", "1")))
    async with robot_on(data, whatsapp) as room:
        await paired(room)  # and closed: what a browser was told in its last seconds dies with it when it is killed
    async with robot_on(data, whatsapp, times=20) as room:
        await room.until_state("ready")
        working = [asyncio.ensure_future(customers_write(room, rng)), asyncio.ensure_future(operator_sends(room))]
        for _ in range(KILLS):
            await some_traffic(room, rng.randint(1, 12))
            await room.until_state("ready")
            room.kill(rng.choice(["browser", "browser", "page"]))
            await room.until(lambda: room.is_in("crashed", "starting", "loading", "syncing"))
            assert (await room.do("connect")).ok  # the pauses after so many failures would outlast the test
        written, _ = await asyncio.gather(*working)
        await room.until(lambda: all_done(room, len(written)), patience_s=240)
        await judge(room, written)


async def customers_write(room: Room, rng: random.Random) -> list[str]:
    """Customers write at random times, also while nobody listens; returns the ids."""
    written = []
    for number in range(EACH):
        for customer in range(CUSTOMERS):
            sender, text = f"55119{customer:08d}@c.us", f"pedido {customer} {number}"
            key = room.server.receive(sender, text, silent=rng.random() < 0.1)
            written.append(key.split("_")[2])
            await asyncio.sleep(0)
        await some_arrive(room)
    return written


async def operator_sends(room: Room) -> list[str]:
    """The operator has a message for each of them."""
    for customer in range(CUSTOMERS):
        await room.send(f"55119{customer:08d}", f"aviso {customer}")
    return []


async def some_arrive(room: Room) -> None:
    """Return once the robot has stored something more."""
    before = len(await room.inbox())

    async def has_more() -> bool:
        return len(await room.inbox()) > before

    await room.until(has_more)


async def some_traffic(room: Room, more: int) -> None:
    """Return once WhatsApp has got so many messages more."""
    before = len(room.server.delivered)
    await room.until(lambda: len(room.server.delivered) >= before + more)


async def all_done(room: Room, received: int) -> bool:
    ((open_messages,),) = await room.sql("SELECT count(*) FROM outbox WHERE state IN (0, 1)")
    ((stored,),) = await room.sql("SELECT count(*) FROM inbox WHERE state = 1")
    return bool(open_messages == 0 and stored == received)


async def judge(room: Room, written: list[str]) -> None:
    """What WhatsApp has got, against the database: a message that its own page repeats has the same id."""
    assert sorted(row[0] for row in await room.sql("SELECT wa_id FROM inbox")) == sorted(written)
    rows = await room.sql("SELECT wa_id, state, body FROM outbox")
    assert {state for _, state, _ in rows} == {2}, [row for row in rows if row[1] != 2]
    delivered = room.server.delivered
    assert {message.bare for message in delivered} == {row[0] for row in rows}
    assert max(Counter(message.bare for message in delivered if not message.again).values()) == 1
    texts = Counter(text for _, _, text in rows)
    assert texts.pop("anotado") == CUSTOMERS * EACH
    assert texts == {f"aviso {customer}": 1 for customer in range(CUSTOMERS)}
