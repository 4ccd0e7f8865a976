"""Messages that go out, from the operator's command to WhatsApp's server, through the unchanged robot and a browser."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
from support.whatsapp_room import Room, change, paired, robot_on
from whatsapp_web.standin.server import FakeWhatsApp
from whatsapp_web.standin.world import Delivered, Message

from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.host.media_files import copy_in, inspect
from whatsself_tui.robot.link import CommandResult
from whatsself_tui.robot.media import attachment_args
from whatsself_tui.store import claims
from whatsself_tui.transport.whatsapp_web import sending

QUEUED, SENT, DEAD, UNCONFIRMED = 0, 2, 3, 5

ANA, BIA, CAIO = "5511999990001", "5511999990002", "5511999990003"
NOBODY = "5511999990009"

#: Brazil's ninth digit: as the operator writes it, as WhatsApp's old account has it, and the account itself.
WRITTEN, OLD, PRIVATE = "5511999990004", "551199990004", "400000000000004@lid"

RETRIES = "[queue]\nretry_base_s = 1\n"

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
OGG = b"OggS\x00\x02" + bytes(20) + b"\x01\x13OpusHead" + bytes(64)
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 40


@pytest.fixture(autouse=True)
def without_rules(data: DataFolder) -> None:
    """Nothing is answered: whatever leaves is what the operator sends."""
    (data.config / "automation.toml").write_text("# no rules\n", encoding="utf-8")


async def test_a_text_arrives_once_under_its_id_and_nothing_else_happens(
    data: DataFolder, whatsapp: FakeWhatsApp
) -> None:
    text = "Olá, *Ana*! <b>1 & 2</b> https://example.com/x?y=1 \u202eabc\u202c 👍🏽\n{{name}} ${x}"
    async with robot_on(data, whatsapp) as room:
        await paired(room)
        whatsapp.receive(f"{ANA}@c.us", "boa tarde")
        await room.until(room.inbox)
        await room.send(ANA, text)
        await room.until(lambda: all_in(room, SENT))
        await room.send(BIA, "depois")
        await until_delivered(room, 2)
        ((wa_id, attempts, ack),) = await room.sql("SELECT wa_id, attempts, ack FROM outbox WHERE body = ?", text)
        first = whatsapp.delivered[0]
        assert (first.bare, first.to, first.text, first.type) == (wa_id, f"{ANA}@c.us", text, "chat")
        assert (attempts, ack) == (1, 1)
        assert whatsapp.told == []
        assert whatsapp.chats[f"{ANA}@c.us"].unread == 1
        assert whatsapp.unknown_requests == []
        assert await room.sql("SELECT handover_reason FROM contact WHERE handover_reason IS NOT NULL") == []


async def test_the_contact_sees_somebody_typing_before_the_message_comes(
    data: DataFolder, whatsapp: FakeWhatsApp
) -> None:
    pace = "enabled = true\ndelay_min_ms = 600\ndelay_max_ms = 600\ntyping_min_ms = 400\ntyping_max_ms = 400"
    change(data, "enabled = false", pace)
    happened: list[str] = []

    def note() -> None:
        told = [one.what for one in whatsapp.told if one.chat == f"{ANA}@c.us"]
        happened.extend(one for one in told if one not in happened)
        if whatsapp.delivered and "delivered" not in happened:
            happened.append("delivered")

    async with robot_on(data, whatsapp) as room:
        await paired(room)
        whatsapp.receive(f"{ANA}@c.us", "boa tarde")
        await room.until(room.inbox)
        whatsapp.on_change.append(note)
        await room.send(ANA, "oi")
        await room.until(lambda: all_in(room, SENT))
        assert happened == ["composing", "paused", "delivered"]


async def test_a_number_with_a_digit_too_many_is_one_contact_with_whatsapps_own(
    data: DataFolder, whatsapp: FakeWhatsApp
) -> None:
    whatsapp.exists[f"{WRITTEN}@c.us"] = (f"{OLD}@c.us", PRIVATE)
    whatsapp.links[f"{OLD}@c.us"] = PRIVATE
    async with robot_on(data, whatsapp) as room:
        await paired(room)
        whatsapp.receive(PRIVATE, "sou eu")
        await room.until(room.inbox)
        for number, phone in enumerate((WRITTEN, WRITTEN, OLD), start=1):
            await room.send(phone, f"texto {number}")
            await until_delivered(room, number)
        await room.until(lambda: all_in(room, SENT))
        assert [(one.to, one.text) for one in whatsapp.delivered] == [
            (PRIVATE, f"texto {number}") for number in (1, 2, 3)
        ]
        ((contact_id, phone, lid),) = await room.sql("SELECT id, phone, lid FROM contact")
        assert (phone, lid) == (OLD, PRIVATE)
        assert await room.sql("SELECT address, contact_id FROM contact_alias") == [(WRITTEN, contact_id)]
        assert await room.sql("SELECT DISTINCT contact_id FROM outbox UNION SELECT contact_id FROM inbox") == [
            (contact_id,)
        ]


async def test_who_is_not_on_whatsapp_is_told_from_who_cannot_be_asked_about(
    data: DataFolder, whatsapp: FakeWhatsApp
) -> None:
    change(data, "[limits]", f"{RETRIES}[limits]")
    whatsapp.exists[f"{NOBODY}@c.us"] = None
    async with robot_on(data, whatsapp) as room:
        await paired(room)
        await room.send(NOBODY, "ninguém")
        await room.until(lambda: all_in(room, DEAD))
        assert await room.sql("SELECT error, attempts FROM outbox") == [("the number is not on WhatsApp", 1)]
        whatsapp.cfg.exists_error = "ServerStatusCodeError: 500"
        await room.send(ANA, "oi")
        await room.until(lambda: has_row(room, "SELECT 1 FROM attempt WHERE result = 'retry'"))
        assert await room.sql("SELECT state FROM outbox WHERE body = 'oi'") == [(QUEUED,)]
        whatsapp.cfg.exists_error = ""
        await room.until(lambda: whatsapp.delivered)
        await room.until(lambda: has_row(room, "SELECT 1 FROM outbox WHERE body = 'oi' AND state = 2"))
        assert [one.text for one in whatsapp.delivered] == ["oi"]
        assert await room.sql("SELECT ok FROM outcome") == [(1,)]  # neither says anything about WhatsApp's health


async def test_a_refused_message_goes_again_under_another_id(data: DataFolder, whatsapp: FakeWhatsApp) -> None:
    change(data, "[limits]", f"{RETRIES}[limits]")
    async with robot_on(data, whatsapp) as room:
        await paired(room)
        whatsapp.configure(send_result="ERROR_UNKNOWN")
        await room.send(ANA, "oi")
        spent = await room.until(lambda: room.sql("SELECT wa_id FROM spent_id"))
        whatsapp.configure(send_result="OK")
        await room.until(lambda: all_in(room, SENT))
        ((wa_id, attempts),) = await room.sql("SELECT wa_id, attempts FROM outbox")
        assert [one.bare for one in whatsapp.delivered] == [wa_id]
        assert (wa_id,) not in await room.sql("SELECT wa_id FROM spent_id")
        assert attempts >= 2
        failed = [one for one in whatsapp.local.values() if one.from_me and one.ack == -1]
        assert {one.bare for one in failed} >= {row[0] for row in spent}
        assert (0,) in await room.sql("SELECT ok FROM outcome")  # this does say something about WhatsApp's health


async def test_each_contact_gets_messages_in_the_order_they_were_queued(
    data: DataFolder, whatsapp: FakeWhatsApp
) -> None:
    async with robot_on(data, whatsapp) as room:
        await paired(room)
        whatsapp.offline()
        await room.until_state("offline")
        for number in range(10):
            for phone in (ANA, BIA, CAIO):
                await room.send(phone, f"{number}")
        assert whatsapp.delivered == []
        whatsapp.online()
        await room.until(lambda: all_in(room, SENT))
        by_contact = groupby(sorted(whatsapp.delivered, key=attrgetter("to")), key=attrgetter("to"))
        assert {to: [one.text for one in each] for to, each in by_contact} == {
            f"{phone}@c.us": [str(number) for number in range(10)] for phone in (ANA, BIA, CAIO)
        }


async def test_files_arrive_with_their_bytes_names_and_captions(
    data: DataFolder, whatsapp: FakeWhatsApp, tmp_path: Path
) -> None:
    hostile = "proposta \u202efdp.exe\n; rm -rf ~ <img src=x onerror=alert(1)> {{name}}.pdf"
    async with robot_on(data, whatsapp) as room:
        await paired(room)
        await send_file(room, tmp_path / "foto.png", PNG, "uma *foto*\n2 < 3")
        await send_file(room, tmp_path / hostile, PDF, "")
        await send_file(room, tmp_path / "voz.ogg", OGG, "")
        await room.until(lambda: all_in(room, SENT))
        picture, document, audio = whatsapp.delivered
        shown = "proposta fdp.exe; rm -rf ~ <img src=x onerror=alert(1)> {{name}}.pdf"
        assert told_of(picture) == ("image", "image/png", "uma *foto*\n2 < 3", PNG)
        assert told_of(document) == ("document", "application/pdf", "", PDF)
        assert document.file_name == shown
        assert (audio.type, audio.text, audio.data) == ("audio", "", OGG)
        assert audio.mimetype.startswith("audio/ogg")
        assert [one.bare for one in whatsapp.delivered] == [
            row[0] for row in await room.sql("SELECT wa_id FROM outbox ORDER BY id")
        ]


async def test_a_file_that_is_gone_is_a_dead_letter_and_holds_up_nobody(
    data: DataFolder, whatsapp: FakeWhatsApp, tmp_path: Path
) -> None:
    async with robot_on(data, whatsapp) as room:
        await paired(room)
        await room.do("pause")
        await send_file(room, tmp_path / "foto.png", PNG, "perdida")
        await room.send(ANA, "a seguinte")
        for copy in data.outgoing.iterdir():
            copy.unlink()
        await room.do("resume")
        await room.until(lambda: whatsapp.delivered)
        await room.until(lambda: has_row(room, "SELECT 1 FROM outbox WHERE body = 'a seguinte' AND state = 2"))
        assert [one.text for one in whatsapp.delivered] == ["a seguinte"]
        ((state, error),) = await room.sql("SELECT state, error FROM outbox WHERE body = 'perdida'")
        assert state == DEAD
        assert "foto.png" in error
        await room.until(lambda: has_alert(room, "dead_letters"))


async def test_acknowledgements_raise_the_status_whatever_their_order(data: DataFolder, whatsapp: FakeWhatsApp) -> None:
    stranger = Message(bare="3AFFFFFFFFFFFFFFFFFFFF", chat=f"{CAIO}@c.us", body="antes", t=1_700_000_000, from_me=True)
    whatsapp.local[stranger.key] = stranger
    async with robot_on(data, whatsapp) as room:
        await paired(room)
        for text in ("em ordem", "de trás", "nunca"):
            await room.send(ANA, text)
        await room.until(lambda: all_in(room, SENT))
        ids = dict(await room.sql("SELECT body, wa_id FROM outbox"))
        whatsapp.ack(stranger.bare, 3)
        whatsapp.ack(ids["de trás"], 3)
        whatsapp.ack(ids["de trás"], 2)
        whatsapp.ack(ids["em ordem"], 2)
        await room.until(lambda: has_row(room, "SELECT 1 FROM outbox WHERE body = 'em ordem' AND ack = 2"))
        whatsapp.ack(ids["em ordem"], 3)
        await room.until(lambda: has_row(room, "SELECT 1 FROM outbox WHERE body = 'em ordem' AND ack = 3"))
        assert await room.outbox() == [("em ordem", SENT, 3), ("de trás", SENT, 3), ("nunca", SENT, 1)]
        counted = dict(await room.sql("SELECT counter, sum(n) FROM stat_day GROUP BY counter"))
        assert (counted["delivered"], counted["read"]) == (2, 2)


async def test_what_was_read_while_the_robot_was_away_is_known_afterwards(
    data: DataFolder, whatsapp: FakeWhatsApp
) -> None:
    async with robot_on(data, whatsapp) as room:
        await paired(room)
        whatsapp.receive(f"{ANA}@c.us", "boa tarde")
        await room.until(room.inbox)
        await room.send(ANA, "boa tarde, Ana")
        await room.until(lambda: all_in(room, SENT))
    whatsapp.ack(whatsapp.delivered[0].bare, 3)
    async with robot_on(data, whatsapp) as room:
        await room.until_state("ready")
        assert await room.outbox() == [("boa tarde, Ana", SENT, 3)]
        assert len(whatsapp.delivered) == 1


async def test_a_message_that_was_given_up_is_sent_once_its_acknowledgement_comes(
    data: DataFolder, whatsapp: FakeWhatsApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "TEXT_DEADLINE_S", 0.3)
    monkeypatch.setattr(claims, "DOUBT_MS", 0)
    async with robot_on(data, whatsapp) as room:
        await paired(room)
        whatsapp.hold("answer")
        await room.send(ANA, "oi")
        await room.until(lambda: all_in(room, UNCONFIRMED))
        await room.until(lambda: has_alert(room, "unconfirmed"))
        whatsapp.release("answer")
        await room.until(lambda: all_in(room, SENT))
        ((wa_id, ack),) = await room.sql("SELECT wa_id, ack FROM outbox")
        assert [one.bare for one in whatsapp.delivered] == [wa_id]
        assert ack == 1
        await room.until(lambda: has_no_alert(room, "unconfirmed"))


async def until_delivered(room: Room, count: int) -> None:
    await room.until(lambda: len(room.server.delivered) == count)


async def all_in(room: Room, state: int) -> bool:
    return {row[0] for row in await room.sql("SELECT state FROM outbox")} == {state}


async def has_row(room: Room, query: str) -> bool:
    return bool(await room.sql(query))


async def has_alert(room: Room, kind: str) -> bool:
    return kind in await room.alerts()


async def has_no_alert(room: Room, kind: str) -> bool:
    return kind not in await room.alerts()


async def send_file(room: Room, path: Path, content: bytes, caption: str) -> None:
    """As the command line does it: inspected, copied, queued."""
    path.write_bytes(content)
    medium = inspect(path)
    room.robot.folder.outgoing.mkdir(parents=True, exist_ok=True)
    copy = copy_in(path, room.robot.folder.outgoing, medium.size_bytes)
    attachment: dict[str, Any] = attachment_args(copy, medium).model_dump()
    result: CommandResult = await room.do("send", phone=ANA, text=caption, attachment=attachment)
    assert result.ok, result


def told_of(message: Delivered) -> tuple[str, str, str, bytes]:
    return message.type, message.mimetype, message.text, message.data
