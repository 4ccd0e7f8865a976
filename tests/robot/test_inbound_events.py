"""What happens to messages after they came: edits, revocations, a person's answer, two addresses that are one."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from support.queue_world import NOON, QueueWorld, queue_world

from whatsself_tui.config.service import ConfigService
from whatsself_tui.robot.inbound import Inbound
from whatsself_tui.store import inbox, views
from whatsself_tui.store.contact_views import read_contact
from whatsself_tui.store.outbox_views import read_outbox
from whatsself_tui.transport.base import Edited, MediaInfo, Received, Revoked, SamePerson, TypedByHand

PHONE, LONG_PHONE, LID = "551188880001@c.us", "5511988880001@c.us", "77001@lid"

AUTOMATION = """\
[[template]]
name = "ola"
text = "Olá!"
[[template]]
name = "preco"
text = "Custa 10."
[[trigger]]
name = "preco"
contains = "preço"
priority = 9
template = "preco"
[[trigger]]
name = "saudacao"
contains = "oi"
template = "ola"
"""

HOUR_S = 3_600


class Room:
    """Contacts who write, and what is decided about it; nothing is sent."""

    def __init__(self, world: QueueWorld, taker: Inbound) -> None:
        self.world = world
        self.taker = taker

    async def receive(self, wa_id: str, body: str, chat: str = PHONE, **more: Any) -> bool:
        return await self.taker.receive(Received(wa_id, chat, body, self.world.clock.now_ms(), **more))

    async def pass_time(self, seconds: float) -> None:
        """Virtual time, with the database's work done at every step."""
        for _ in range(round(seconds * 2)):
            await self.world.clock.advance(0.5)
            for _ in range(4):
                await self.world.store.write(lambda tx: None)
                await self.world.clock.advance(0)

    async def answers(self) -> list[str]:
        """What waits in the queue."""
        return [row["body"] for row in await self.world.store.read(lambda con: read_outbox(con, 0, 99))]

    async def rules(self) -> list[str]:
        """The rule that decided about each received message, in order; empty for none yet."""
        recent = await self.world.store.read(views.read_recent)
        return [message.note for message in reversed(recent) if message.direction == "in"]

    async def contact(self, chat: str = PHONE) -> dict[str, Any]:
        column, value = ("lid", chat) if chat.endswith("@lid") else ("phone", chat.removesuffix("@c.us"))
        found = await self.world.store.read(lambda con: read_contact(con, column, value))  # type: ignore[arg-type]
        assert found is not None
        return found


@asynccontextmanager
async def room(folder: Path, settings: str = "[answers]\n") -> AsyncIterator[Room]:
    config = folder / "config"
    config.mkdir()
    (config / "settings.toml").write_text(settings, encoding="utf-8")
    (config / "automation.toml").write_text(AUTOMATION, encoding="utf-8")
    async with queue_world(folder) as world:
        service = ConfigService(config, world.clock)
        service.load()
        taker = Inbound(world.store, world.clock, lambda: service.current, random.Random(1))
        running = asyncio.create_task(taker.run())
        await world.clock.advance(0)
        try:
            yield Room(world, taker)
            assert await world.store.read(views.read_alerts) == ()
        finally:
            taker.stop()
            await running


async def test_what_whatsapp_tells_of_a_message_is_stored(tmp_path: Path) -> None:
    async with room(tmp_path) as there:
        media = MediaInfo("image/png", "foto.png", 9)
        await there.receive("A", "", chat=LID, other=PHONE, key="false_77001@lid_A", kind="image", media=media)
        (stored,) = await there.world.store.read(lambda con: inbox.media_list(con, 9))
        assert (stored.mimetype, stored.file_name, stored.size_bytes) == ("image/png", "foto.png", 9)
        assert stored.key == "false_77001@lid_A"
        contact = await there.contact()
        assert (contact["phone"], contact["lid"]) == (PHONE.removesuffix("@c.us"), LID)


async def test_an_edit_before_the_answer_is_what_is_answered_and_starts_the_debounce_anew(tmp_path: Path) -> None:
    async with room(tmp_path) as there:
        await there.receive("A", "oi")
        await there.pass_time(1.5)
        await there.taker.edited(Edited("A", "qual o preço?", NOON + 1_500))
        await there.pass_time(1.5)
        assert await there.answers() == [], "still inside two seconds of the edit"
        await there.pass_time(1)
        assert await there.answers() == ["Custa 10."]


async def test_an_edit_after_the_answer_is_not_answered_again(tmp_path: Path) -> None:
    async with room(tmp_path) as there:
        await there.receive("A", "oi")
        await there.pass_time(3)
        await there.taker.edited(Edited("A", "PARAR", NOON + 3_000))
        await there.pass_time(3)
        assert await there.answers() == ["Olá!"]
        assert await there.rules() == ["trigger"]
        assert (await there.contact())["consent"] == "unknown"


async def test_a_keyword_that_is_edited_in_withdraws_at_once(tmp_path: Path) -> None:
    async with room(tmp_path) as there:
        await there.receive("A", "para")
        await there.taker.edited(Edited("A", "parar", NOON))
        assert (await there.contact())["consent"] == "out"
        assert await there.rules() == ["opt_out"]


async def test_a_message_taken_back_in_time_is_not_answered_but_the_others_are(tmp_path: Path) -> None:
    async with room(tmp_path) as there:
        await there.receive("A", "qual o preço?")
        await there.receive("B", "oi")
        await there.taker.revoked(Revoked("A", NOON))
        await there.taker.revoked(Revoked("unknown", NOON))
        await there.pass_time(3)
        assert await there.answers() == ["Olá!"]
        assert await there.rules() == ["revoked", "trigger"]


async def test_a_person_who_answers_in_time_is_not_talked_over(tmp_path: Path) -> None:
    async with room(tmp_path) as there:
        await there.receive("A", "oi")
        await there.taker.typed(TypedByHand("HAND", PHONE, "Bom dia!", NOON))
        await there.pass_time(3)
        assert await there.answers() == []
        assert await there.rules() == ["human"]
        contact = await there.contact()
        assert contact["handed_over_until_ms"] == NOON + HOUR_S * 1000
        assert not contact["waits_for_a_person"]


@pytest.mark.parametrize(("age_s", "left_until"), [(600, NOON + (HOUR_S - 600) * 1000), (HOUR_S, None)])
async def test_a_hand_over_that_became_known_late_lasts_from_when_it_was_typed(
    tmp_path: Path, age_s: int, left_until: int | None
) -> None:
    async with room(tmp_path) as there:
        await there.taker.typed(TypedByHand("HAND", LID, "Bom dia!", NOON - age_s * 1000, other=PHONE))
        contact = await there.contact()
        assert (contact["handed_over_until_ms"], contact["lid"]) == (left_until, LID)
        (message,) = await there.world.store.read(views.read_recent)
        assert (message.body, message.at_ms) == ("Bom dia!", NOON - age_s * 1000)
        await there.receive("A", "oi")
        await there.pass_time(3)
        assert await there.answers() == ([] if left_until else ["Olá!"])


@pytest.mark.parametrize("first", [PHONE, LID])
async def test_two_who_turn_out_to_be_one_are_answered_once(tmp_path: Path, first: str) -> None:
    second = LID if first == PHONE else PHONE
    async with room(tmp_path) as there:
        await there.receive("A", "oi", chat=first)
        await there.pass_time(1)
        await there.receive("B", "tudo bem?", chat=second)
        await there.taker.same_person(SamePerson(LID, PHONE))
        await there.pass_time(4)
        assert await there.answers() == ["Olá!"]
        assert await there.rules() == ["trigger", "trigger"]
        assert not there.taker.waits


@pytest.mark.parametrize("first", [PHONE, LID])
async def test_a_message_that_makes_two_contacts_one_answers_for_both(tmp_path: Path, first: str) -> None:
    second = LID if first == PHONE else PHONE
    async with room(tmp_path) as there:
        for number, chat in enumerate((first, second)):
            await there.receive(f"in-{number}", "oi", chat=chat)
        await there.receive("C", "alô", chat=LID, other=PHONE)
        await there.pass_time(4)
        assert await there.answers() == ["Olá!"]
        assert await there.rules() == ["trigger"] * 3


async def test_what_is_no_person_is_left_alone(tmp_path: Path) -> None:
    async with room(tmp_path) as there:
        await there.taker.same_person(SamePerson("120363001@g.us", PHONE))
        await there.taker.typed(TypedByHand("HAND", "status@broadcast", "x", NOON))
        assert not await there.receive("A", "oi", chat="120363001@g.us", other=PHONE)
        assert await there.receive("B", "oi", other="status@broadcast")
        assert (await there.contact())["aliases"] == []


async def test_a_number_written_differently_is_the_same_person(tmp_path: Path) -> None:
    async with room(tmp_path, "[answers]\ndebounce_ms = 0\n") as there:
        await there.receive("A", "oi", chat=LONG_PHONE)
        await there.taker.same_person(SamePerson(PHONE, LONG_PHONE))
        contact = await there.contact(LONG_PHONE)
        assert (contact["phone"], contact["aliases"]) == (PHONE.removesuffix("@c.us"), ["5511988880001"])
        assert await there.answers() == ["Olá!"]
