"""What contacts write, from WhatsApp's server to answers, through the unchanged robot and a browser."""

from __future__ import annotations

import re
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from support.whatsapp_room import ORDERS, Room, change, paired, robot_on
from whatsapp_web.standin.server import FakeWhatsApp

from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.store.database import Tx

ANA, BIA, CAIO, DORA = (f"551199999000{number}@c.us" for number in range(1, 5))
ANAS_LID = "100000000000001@lid"
ALONE = "100000000000002@lid"
HOUR_S = 3600

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
OGG = b"OggS\x00\x02" + bytes(20) + b"\x01\x13OpusHead" + bytes(64)
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 40


@pytest.fixture(autouse=True)
def rules(data: DataFolder) -> None:
    """One word is answered, and nobody is handed over for writing others."""
    (data.config / "automation.toml").write_text(ORDERS, encoding="utf-8")
    change(data, "debounce_ms = 0", "debounce_ms = 0\nhandover_after = 0")


async def test_all_addresses_of_a_person_are_one_contact_with_one_conversation(
    data: DataFolder, whatsapp: FakeWhatsApp
) -> None:
    whatsapp.links[ANA] = ANAS_LID
    async with robot_on(data, whatsapp) as room:
        await paired(room)
        whatsapp.receive(ANAS_LID, "sou Ana", name="Ana")
        whatsapp.receive(ALONE, "sou Bia", name="Bia")
        whatsapp.receive(BIA, "do meu número", name="Bia")
        await room.until(lambda: stored(room, 3))
        assert len(await room.sql("SELECT 1 FROM contact")) == 3
        await room.send(digits(BIA), "oi, Bia")
        whatsapp.link(BIA, ALONE)
        whatsapp.receive(ALONE, "um pedido", name="Bia")
        await room.until(lambda: sent(room, 2))
        assert await room.sql("SELECT phone, lid, name FROM contact ORDER BY phone") == [
            (digits(ANA), ANAS_LID, "Ana"),
            (digits(BIA), ALONE, "Bia"),
        ]
        conversation = "SELECT body FROM {} JOIN contact AS c ON c.id = contact_id WHERE c.lid = ? ORDER BY {}.id"
        assert await room.sql(conversation.format("inbox", "inbox"), ALONE) == [
            ("sou Bia",),
            ("do meu número",),
            ("um pedido",),
        ]
        assert await room.sql(conversation.format("outbox", "outbox"), ALONE) == [("oi, Bia",), ("anotado",)]


async def test_a_message_that_comes_twice_is_handled_once(data: DataFolder, whatsapp: FakeWhatsApp) -> None:
    async with robot_on(data, whatsapp) as room:
        await paired(room)
        for _ in range(2):
            whatsapp.receive(ANA, "um pedido", bare="3A00000000000000000001")
            await room.until(lambda: stored(room, 1))
        unreadable = whatsapp.receive(BIA, "", kind="ciphertext")
        whatsapp.receive(CAIO, "depois")
        await room.until(lambda: stored(room, 2))
        assert await room.inbox() == ["um pedido", "depois"]
        whatsapp.decrypt(unreadable, "outro pedido")
        await room.until(lambda: stored(room, 3))
        whatsapp.receive(CAIO, "por último")
        await room.until(lambda: stored(room, 4))
        await room.until(lambda: sent(room, 2))
    async with robot_on(data, whatsapp) as room:
        await room.until_state("ready")
        assert await room.inbox() == ["um pedido", "depois", "outro pedido", "por último"]
        assert Counter(one.to for one in whatsapp.delivered) == {ANA: 1, BIA: 1}


async def test_groups_status_and_channels_are_not_persons(data: DataFolder, whatsapp: FakeWhatsApp) -> None:
    async with robot_on(data, whatsapp) as room:
        await paired(room)
        for silent in (False, True):
            whatsapp.receive("120363000000000001@g.us", "um pedido", author=ANA, silent=silent)
            whatsapp.receive("status@broadcast", "um pedido", author=ANA, silent=silent)
            whatsapp.receive("120363000000000002@newsletter", "um pedido", silent=silent)
        whatsapp.receive(ANA, "um pedido")
        await room.until(lambda: sent(room, 1))
    async with robot_on(data, whatsapp) as room:
        await room.until_state("ready")
        assert await room.sql("SELECT phone FROM contact") == [(digits(ANA),)]
        assert await room.inbox() == ["um pedido"]
        assert [one.to for one in whatsapp.delivered] == [ANA]


async def test_media_are_recorded_and_fetched_on_demand_under_a_harmless_name(
    data: DataFolder, whatsapp: FakeWhatsApp
) -> None:
    hostile = "../../..\\config/settings.toml\u202efdp.exe\n<b>"
    async with robot_on(data, whatsapp) as room:
        await paired(room)
        whatsapp.receive(ANA, "um *pedido*", kind="image", media=("image/png", "", PNG))
        whatsapp.receive(ANA, "", kind="document", media=("application/pdf", hostile, PDF))
        whatsapp.receive(ANA, "", kind="ptt", media=("audio/ogg; codecs=opus", "", OGG))
        whatsapp.receive(ANA, "sem mídia")
        await room.until(lambda: stored(room, 4))
        await room.until(lambda: sent(room, 1))  # the rules saw the caption
        assert await room.sql("SELECT kind, body, mimetype, file_name, size_bytes FROM inbox ORDER BY id") == [
            ("image", "um *pedido*", "image/png", "", len(PNG)),
            ("document", "", "application/pdf", hostile, len(PDF)),
            ("audio", "", "audio/ogg; codecs=opus", "", len(OGG)),
            ("text", "sem mídia", None, "", None),
        ]
        assert not list(data.downloads.glob("*"))
        for number, content, ending in ((1, PNG, "png"), (2, PDF, "pdf"), (3, OGG, "ogg")):
            fetched = await room.do("media", id=number)
            assert fetched.ok, fetched
            path = Path(fetched.data["path"])
            assert path.parent == data.downloads
            assert re.fullmatch(rf"{number}-\d{{4}}-\d\d-\d\d\.{ending}", path.name)
            assert path.read_bytes() == content
            assert (fetched.data["new"], (await room.do("media", id=number)).data["new"]) == (True, False)
        assert not (await room.do("media", id=4)).ok
        assert len(list(data.downloads.iterdir())) == 3


async def test_edits_and_revocations_are_recorded_and_count_before_an_answer(
    data: DataFolder, whatsapp: FakeWhatsApp
) -> None:
    change(data, "debounce_ms = 0", "debounce_ms = 30000")
    async with robot_on(data, whatsapp, times=1) as room:  # nothing is decided before half a minute
        await paired(room)
        mistyped, unwanted = whatsapp.receive(ANA, "um pdido"), whatsapp.receive(BIA, "um pedido")
        await room.until(lambda: stored(room, 2))
        whatsapp.edit(mistyped, "um pedido, por favor")
        whatsapp.revoke(unwanted)
        await room.until(lambda: has_some(room, 1, "inbox WHERE edited_at IS NOT NULL"))
        await room.until(lambda: has_some(room, 1, "inbox WHERE revoked_at IS NOT NULL"))
        assert await room.sql("SELECT body, original FROM inbox ORDER BY id") == [
            ("um pedido, por favor", "um pdido"),
            ("um pedido", None),
        ]
        assert await room.outbox() == []
        await room.robot.inbound.handle_pending()  # as the next start does
        await room.until(lambda: sent(room, 1))
        whatsapp.edit(mistyped, "deixa para lá")
        await room.until(lambda: has_some(room, 1, "inbox WHERE body = 'deixa para lá'"))
        whatsapp.revoke(mistyped)
        await room.until(lambda: has_some(room, 2, "inbox WHERE revoked_at IS NOT NULL"))
        assert await room.sql("SELECT body, original, rule FROM inbox ORDER BY id") == [
            ("deixa para lá", "um pdido", "trigger"),
            ("um pedido", None, "revoked"),
        ]
    assert [(one.to, one.text) for one in whatsapp.delivered] == [(ANA, "anotado")]


async def test_who_is_answered_by_hand_is_left_to_the_owner(data: DataFolder, whatsapp: FakeWhatsApp) -> None:
    async with robot_on(data, whatsapp) as room:
        await paired(room)
        await room.do("pause")
        for address in (ANA, BIA):
            whatsapp.receive(address, "um pedido")
        await room.until(lambda: has_some(room, 2, "outbox WHERE state = 0"))
        whatsapp.typed_by_hand(ANA, "já vejo isso, Ana")
        await room.until(lambda: has_some(room, 1, "contact WHERE handover_reason IS NOT NULL"))
        await room.send(digits(ANA), "do operador")
        await room.do("resume")
        await room.until(lambda: len(whatsapp.delivered) == 2)
        whatsapp.receive(ANA, "mais um pedido")
        whatsapp.receive(BIA, "mais um pedido")
        await room.until(lambda: len(whatsapp.delivered) == 3)
        await room.until(lambda: stored(room, 4))
        assert Counter((one.to, one.text) for one in whatsapp.delivered) == {
            (ANA, "do operador"): 1,
            (BIA, "anotado"): 2,
        }
        handed_over = "SELECT phone FROM contact WHERE handover_reason IS NOT NULL"
        assert await room.sql(handed_over) == [(digits(ANA),)]
        assert await room.sql("SELECT body, state FROM outbox WHERE state = 0") == [("anotado", 0)]


async def test_what_the_owner_typed_unnoticed_holds_what_was_queued(data: DataFolder, whatsapp: FakeWhatsApp) -> None:
    async with robot_on(data, whatsapp) as room:
        await paired(room)
        await room.do("pause")
        for address in (ANA, BIA):
            whatsapp.receive(address, "um pedido", t=now_s() - 5)
        await room.until(lambda: has_some(room, 2, "outbox WHERE state = 0"))
        await compared(room)
    typed_unnoticed(whatsapp, ANA, "já vejo isso, Ana")
    async with robot_on(data, whatsapp) as room:
        await room.do("resume")
        await room.until(lambda: sent(room, 1))
        assert await room.sql("SELECT phone FROM contact WHERE handover_reason IS NOT NULL") == [(digits(ANA),)]
        assert await room.sql("SELECT body FROM outbox WHERE state = 0") == [("anotado",)]
    assert [one.to for one in whatsapp.delivered] == [BIA]


async def test_everything_missed_is_stored_in_order_and_answered_once(data: DataFolder, whatsapp: FakeWhatsApp) -> None:
    async with robot_on(data, whatsapp) as room:
        await paired(room)
        for address in (ANA, BIA, CAIO):
            whatsapp.receive(address, "antes", t=now_s() - 600)
        await room.until(lambda: stored(room, 3))
        await compared(room)
        await away_since(room, now_s() - 400)
    written = {
        ANA: write(whatsapp, ANA, 250, silent=True),  # more than one question to the page brings
        BIA: write(whatsapp, BIA, 3, silent=False),  # still waiting on the server
        CAIO: write(whatsapp, CAIO, 4, silent=True),  # the owner has read it on the phone meanwhile
        DORA: write(whatsapp, DORA, 250, silent=True),  # a new conversation
        ALONE: write(whatsapp, ALONE, 2, silent=False),
    }
    whatsapp.read(CAIO)
    for _ in range(2):  # and the second start finds nothing more
        async with robot_on(data, whatsapp) as room:
            await room.until_state("ready")
            await room.until(lambda: sent(room, 5))
            await room.until(lambda: stored(room, 3 + sum(map(len, written.values()))))
            for address, texts in written.items():
                rows = await room.sql(
                    "SELECT body FROM inbox JOIN contact AS c ON c.id = contact_id"
                    " WHERE coalesce(c.phone || '@c.us', c.lid) = ? AND body <> 'antes' ORDER BY inbox.id",
                    address,
                )
                assert [row[0] for row in rows] == texts
    assert Counter(one.to for one in whatsapp.delivered) == dict.fromkeys(written, 1)


async def test_what_is_too_old_or_answered_by_hand_is_recorded_only(data: DataFolder, whatsapp: FakeWhatsApp) -> None:
    change(data, "debounce_ms = 0", "debounce_ms = 2000")
    now = now_s()
    async with robot_on(data, whatsapp) as room:
        await paired(room)
        for address in (ANA, BIA, CAIO):
            whatsapp.receive(address, "um pedido de ontem", t=now - 20 * HOUR_S)
        await room.until(lambda: stored(room, 3))
        await room.until(lambda: has_some(room, 3, "inbox WHERE rule = 'too_old'"))
        await away_since(room, now - 21 * HOUR_S)
        await compared(room)
    whatsapp.receive(ANA, "um pedido da noite", t=now - 13 * HOUR_S, silent=True)
    whatsapp.receive(ANA, "um pedido da manhã", t=now - HOUR_S, silent=True)
    whatsapp.receive(BIA, "um pedido agora", t=now - 60)
    whatsapp.typed_by_hand(BIA, "já anotei, Bia")
    whatsapp.receive(CAIO, "um pedido agora", t=now - 60, silent=True)
    typed_unnoticed(whatsapp, CAIO, "já anotei, Caio")
    async with robot_on(data, whatsapp) as room:
        await room.until_state("ready")
        await room.until(lambda: stored(room, 7))
        await room.until(lambda: sent(room, 1))
        await room.until(lambda: has_some(room, 2, "inbox WHERE rule = 'human'"))
        rules_of = dict(await room.sql("SELECT body, rule FROM inbox WHERE rule <> 'human'"))
        assert rules_of["um pedido da noite"] == "too_old"
        assert rules_of["um pedido da manhã"] == "trigger"
        assert await room.sql("SELECT phone FROM contact WHERE handover_reason IS NOT NULL ORDER BY phone") == [
            (digits(BIA),),
            (digits(CAIO),),
        ]
        assert await room.sql("SELECT 1 FROM outbox WHERE state <> 2") == []
    assert [one.to for one in whatsapp.delivered] == [ANA]


async def test_old_conversations_of_the_phone_are_history_to_a_new_pairing(
    data: DataFolder, whatsapp: FakeWhatsApp
) -> None:
    yesterday = now_s() - 24 * HOUR_S
    for address in (ANA, BIA):
        whatsapp.receive(address, "um pedido antigo", t=yesterday, silent=True)
        whatsapp.receive(address, "e outro pedido antigo", t=yesterday + 5, silent=True)
    async with robot_on(data, whatsapp) as room:
        await paired(room)
        whatsapp.receive(ANA, "um pedido novo")
        await room.until(lambda: sent(room, 1))
        assert await room.inbox() == ["um pedido novo"]
    async with robot_on(data, whatsapp) as room:
        await room.until_state("ready")
        whatsapp.receive(CAIO, "por último")
        await room.until(lambda: stored(room, 2))
        assert await room.inbox() == ["um pedido novo", "por último"]
    assert [one.to for one in whatsapp.delivered] == [ANA]


@pytest.mark.parametrize("silent", [False, True], ids=["waiting", "silent"])
async def test_who_opted_out_meanwhile_gets_nothing_that_was_queued(
    data: DataFolder, whatsapp: FakeWhatsApp, silent: bool
) -> None:
    async with robot_on(data, whatsapp) as room:
        await paired(room)
        await room.do("pause")
        for address in (ANA, BIA):
            whatsapp.receive(address, "um pedido")
            await room.send(digits(address), "promoção")
        await room.until(lambda: has_some(room, 4, "outbox WHERE state = 0"))
    whatsapp.receive(ANA, "PARAR", silent=silent)
    async with robot_on(data, whatsapp) as room:
        await room.do("resume")
        await room.until(lambda: len(whatsapp.delivered) == 3)
        await room.until(lambda: has_some(room, 5, "outbox WHERE state NOT IN (0, 1)"))
        assert await room.sql("SELECT consent FROM contact WHERE phone = ?", digits(ANA)) == [("out",)]
        to_ana = [one.text for one in whatsapp.delivered if one.to == ANA]
        confirmation = await room.sql("SELECT body FROM outbox WHERE source LIKE 'consent:%'")
        assert [(text,) for text in to_ana] == confirmation
        assert Counter(one.text for one in whatsapp.delivered if one.to == BIA) == {"anotado": 1, "promoção": 1}


async def test_a_burst_keeps_each_contacts_order(data: DataFolder, whatsapp: FakeWhatsApp) -> None:
    customers = [f"55119888800{number:02d}@c.us" for number in range(20)]
    async with robot_on(data, whatsapp) as room:
        await paired(room)
        for number in range(5):
            for customer in customers:
                whatsapp.receive(customer, f"{number}" if number < 4 else "4, um pedido")
        await room.until(lambda: sent(room, 20))
        await room.until(lambda: stored(room, 100))
        for customer in customers:
            rows = await room.sql(
                "SELECT body FROM inbox JOIN contact AS c ON c.id = contact_id WHERE c.phone = ? ORDER BY inbox.id",
                digits(customer),
            )
            assert [row[0] for row in rows] == ["0", "1", "2", "3", "4, um pedido"]
    assert Counter(one.to for one in whatsapp.delivered) == dict.fromkeys(customers, 1)


def digits(address: str) -> str:
    return address.partition("@")[0]


def now_s() -> int:
    return int(time.time())


def write(whatsapp: FakeWhatsApp, address: str, count: int, *, silent: bool) -> list[str]:
    """So many messages, several in each second, the last of which is answered; returns their texts."""
    texts = [f"texto {number}" for number in range(count - 1)] + ["e um pedido"]
    for number, text in enumerate(texts):
        whatsapp.receive(address, text, silent=silent, t=now_s() - 300 + number // 3)
    return texts


async def compared(room: Room) -> None:
    """Return once the robot knows how far each conversation goes: it looks after every loss of the connection."""
    room.server.offline()
    await room.until_state("offline")
    room.server.online()
    await room.until_state("ready")


async def away_since(room: Room, t: int) -> None:
    """As if the phone had been linked, and everything been seen, then, in seconds since the epoch."""

    def job(tx: Tx) -> None:
        tx.execute("UPDATE whatsapp SET paired_at = ?, caught_up_at = ?", (t * 1000, t * 1000))

    await room.robot.store.write(job)


def typed_unnoticed(whatsapp: FakeWhatsApp, to: str, text: str) -> None:
    """The owner writes on the phone, and the page has it in its database before anybody listens."""
    key = whatsapp.typed_by_hand(to, text)
    (message,) = [one for one in whatsapp.waiting if one.key == key]
    whatsapp.waiting.remove(message)
    whatsapp.local[key] = message
    whatsapp.chats[to].t = message.t


async def has_some(room: Room, count: int, rows: str, *values: Any) -> bool:
    """Whether there are so many rows, at least."""
    ((found,),) = await room.sql(f"SELECT count(*) FROM {rows}", *values)
    return bool(found >= count)


async def stored(room: Room, count: int) -> bool:
    """Whether so many messages were received."""
    return await has_some(room, count, "inbox")


async def sent(room: Room, count: int) -> bool:
    """Whether so many messages have left; what was typed by hand is not counted."""
    return await has_some(room, count, "outbox WHERE state = 2 AND source <> 'typed'")
