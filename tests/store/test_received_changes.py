"""Received messages that change afterwards: edited, taken back, answered by a person; and those with a medium."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.queue_world import NOON, QueueWorld, chat, queue_world

from whatsself_tui.config.schema import Settings
from whatsself_tui.store import contacts, inbox, outbox, queue_view, views
from whatsself_tui.store.contact_views import read_contacts
from whatsself_tui.store.database import Tx
from whatsself_tui.store.inbox import MediaRow
from whatsself_tui.store.outbox import AttachmentRow, Outgoing, State
from whatsself_tui.store.outbox_views import read_message, read_outbox
from whatsself_tui.store.readings import MessageReading

PHOTO = AttachmentRow("a1.jpg", "image", "image/jpeg", "catálogo.jpg")


async def edit(world: QueueWorld, wa_id: str, body: str, after_s: int = 1) -> int | None:
    return await world.store.write(lambda tx: inbox.edit(tx, wa_id, body, NOON + after_s * 1000))


async def revoke(world: QueueWorld, wa_id: str) -> int | None:
    return await world.store.write(lambda tx: inbox.revoke(tx, wa_id, tx.now_ms))


async def handle(world: QueueWorld, contact_id: int) -> None:
    """What the rules would do."""

    def decide(tx: Tx) -> None:
        for each in inbox.pending_of(tx, contact_id):
            inbox.mark_handled(tx, each.id, "trigger", "")

    await world.store.write(decide)


async def pending(world: QueueWorld, contact_id: int) -> list[str]:
    return [each.body for each in await world.store.write(lambda tx: inbox.pending_of(tx, contact_id))]


async def shown(world: QueueWorld) -> MessageReading:
    return (await world.store.read(views.read_recent))[0]


async def stored(world: QueueWorld, columns: str) -> tuple[object, ...]:
    row: tuple[object, ...] = await world.store.read(
        lambda con: con.execute(f"SELECT {columns} FROM inbox ORDER BY id DESC LIMIT 1").fetchone()
    )
    return row


async def test_the_rules_see_the_newest_text_and_the_first_is_kept(tmp_path: Path) -> None:
    async with queue_world(tmp_path) as world:
        contact_id = await world.hear(1, "A", "qual o preco")
        assert contact_id is not None
        assert await edit(world, "A", "qual o preço?") == contact_id
        assert await edit(world, "A", "qual é o preço?", after_s=2) == contact_id
        assert await pending(world, contact_id) == ["qual é o preço?"]
        assert await stored(world, "original, edited_at") == ("qual o preco", NOON + 2_000)
        message = await shown(world)
        assert (message.body, message.edited, message.revoked) == ("qual é o preço?", True, False)


async def test_an_edit_changes_nothing_that_is_unknown_older_or_the_same(tmp_path: Path) -> None:
    async with queue_world(tmp_path) as world:
        await world.hear(1, "A", "first")
        assert await edit(world, "B", "of an unknown message") is None
        assert await edit(world, "A", "first") is None
        await edit(world, "A", "newest", after_s=9)
        assert await edit(world, "A", "late", after_s=5) is None
        assert (await shown(world)).body == "newest"
        assert await world.store.read(lambda con: con.execute("SELECT count(*) FROM inbox").fetchone()) == (1,)


async def test_an_edit_of_a_handled_message_is_shown_and_not_decided_again(tmp_path: Path) -> None:
    async with queue_world(tmp_path) as world:
        contact_id = await world.hear(1, "A", "oi")
        assert contact_id is not None
        await handle(world, contact_id)
        assert await edit(world, "A", "PARAR\ud800") == contact_id
        assert await pending(world, contact_id) == []
        message = await shown(world)
        assert (message.body, message.status, message.edited) == ("PARAR\ufffd", "handled", True)


async def test_what_was_taken_back_is_never_answered_and_still_shown(tmp_path: Path) -> None:
    async with queue_world(tmp_path) as world:
        contact_id = await world.hear(1, "A", "segredo")
        assert contact_id is not None
        await world.hear(1, "B", "oi")
        assert await revoke(world, "A") == contact_id
        assert await revoke(world, "A") is None
        assert await edit(world, "A", "other") is None
        assert await pending(world, contact_id) == ["oi"]
        message = (await world.store.read(views.read_recent))[1]
        assert (message.body, message.note, message.status) == ("segredo", "revoked", "handled")
        assert message.revoked
        fired = await world.store.read(lambda con: views.read_fired_today(con, Settings(), NOON))
        assert dict(fired) == {"revoked": 1}


async def test_taking_back_what_was_answered_leaves_the_decision(tmp_path: Path) -> None:
    async with queue_world(tmp_path) as world:
        contact_id = await world.hear(1, "A", "oi")
        assert contact_id is not None
        await handle(world, contact_id)
        assert await revoke(world, "A") == contact_id
        assert await revoke(world, "unknown") is None
        message = await shown(world)
        assert (message.note, message.revoked) == ("trigger", True)


async def hear_medium(world: QueueWorld, wa_id: str, kind: str, caption: str, media: MediaRow) -> None:
    await world.store.write(
        lambda tx: inbox.record(
            tx,
            wa_id=wa_id,
            chat=chat(1),
            name="Ana",
            body=caption,
            kind=kind,
            written_at_ms=NOON - 5,
            key=f"false_{chat(1)}_{wa_id}",
            media=media,
        )
    )


async def test_media_are_listed_newest_first_and_found_by_their_number(tmp_path: Path) -> None:
    async with queue_world(tmp_path) as world:
        await hear_medium(world, "A", "image", "", MediaRow("image/jpeg", "", 2_000))
        await world.hear(1, "B", "only text")
        await hear_medium(world, "C", "document", "a nota", MediaRow("application/pdf", "nota.pdf\udc00" + "x" * 999))
        document, image = await world.store.read(lambda con: inbox.media_list(con, 10))
        assert (image.kind, image.mimetype, image.size_bytes, image.key) == (
            "image",
            "image/jpeg",
            2_000,
            f"false_{chat(1)}_A",
        )
        assert (document.contact, document.written_at_ms, document.size_bytes) == ("Ana", NOON - 5, None)
        assert document.file_name.startswith("nota.pdf\ufffdx")
        assert len(document.file_name) == inbox.MAX_MEDIA_NAME
        assert await world.store.read(lambda con: inbox.media_by_id(con, image.id)) == image
        assert await world.store.read(lambda con: inbox.media_by_id(con, 2)) is None
        assert await world.store.read(lambda con: inbox.media_list(con, 1)) == [document]


@pytest.mark.parametrize(
    ("kind", "caption", "file_name", "text"),
    [
        ("image", "", "", "[image]"),
        ("image", "olha", "", "[image] olha"),
        ("document", "", "nota.pdf", "[document] nota.pdf"),
        ("document", "a nota", "nota.pdf", "[document] nota.pdf: a nota"),
    ],
)
async def test_a_medium_is_no_empty_line(tmp_path: Path, kind: str, caption: str, file_name: str, text: str) -> None:
    async with queue_world(tmp_path) as world:
        await hear_medium(world, "A", kind, caption, MediaRow("x/y", file_name, 7))
        message = await shown(world)
        assert (message.body, message.kind, message.mimetype) == (text, kind, "x/y")
        assert (message.file_name, message.size_bytes) == (file_name, 7)


@pytest.mark.parametrize(("caption", "text"), [("", "[image] catálogo.jpg"), ("oi", "[image] catálogo.jpg: oi")])
async def test_an_attachment_waits_goes_out_and_is_shown(tmp_path: Path, caption: str, text: str) -> None:
    async with queue_world(tmp_path) as world:
        queued = await world.enqueue(1, Outgoing(caption, attachment=PHOTO))
        (listed,) = await world.store.read(lambda con: read_outbox(con, State.QUEUED, 9))
        assert listed["body"] == text
        assert listed["attachment"]["name"] == "catálogo.jpg"
        assert listed["attachment"]["caption"] == caption
        now_ms = world.clock.now_ms()
        reading = await world.store.read(lambda con: queue_view.read_queue(con, Settings(), now_ms))
        assert [waiting.body for waiting in reading.next_up] == [text]
        claim = await world.send_next()
        assert claim is not None
        assert (claim.body, claim.attachment) == (caption, PHOTO)
        assert (await shown(world)).body == text
        single = await world.store.read(lambda con: read_message(con, queued.id))
        assert single is not None
        assert single["body"] == text


async def test_files_of_messages_that_may_still_go_are_in_use(tmp_path: Path) -> None:
    async with queue_world(tmp_path) as world:
        for number, outcome in enumerate(("sent", "failed", "unconfirmed", "", "queued", "cancelled")):
            file = AttachmentRow(f"{outcome}.pdf", "document", "application/pdf", "x.pdf")
            queued = await world.enqueue(number, Outgoing("", source="trigger:x", attachment=file))
            if outcome == "cancelled":
                await world.store.write(lambda tx, id_=queued.id: outbox.drop(tx, id_, State.CANCELLED, ""))  # type: ignore[misc]
            elif outcome != "queued":
                claim = (await world.step()).claim
                assert claim is not None
                await world.conclude(claim, outcome)
        await world.say(9, "without a file")
        in_use = await world.store.read(outbox.attachments_in_use)
        assert in_use == {"failed.pdf", "unconfirmed.pdf", ".pdf", "queued.pdf"}


async def typed(world: QueueWorld, wa_id: str, written_at_ms: int) -> bool:
    return await world.store.write(
        lambda tx: outbox.record_typed(tx, contacts.at_address(tx, chat(1)), wa_id, "bom dia", written_at_ms)
    )


async def write_at(world: QueueWorld, wa_id: str, written_at_ms: int) -> int | None:
    return await world.store.write(
        lambda tx: inbox.record(
            tx, wa_id=wa_id, chat=chat(1), name="", body=wa_id, kind="text", written_at_ms=written_at_ms
        )
    )


async def test_what_a_person_has_answered_the_rules_do_not_see(tmp_path: Path) -> None:
    async with queue_world(tmp_path) as world:
        contact_id = None
        for wa_id, written in (("before", -9_000), ("same second", -5_000), ("since", -4_000)):
            contact_id = await write_at(world, wa_id, NOON + written)
        assert contact_id is not None
        assert await typed(world, "HAND", NOON - 5_000)
        assert await pending(world, contact_id) == ["since"]
        rules = {message.body: message.note for message in await world.store.read(views.read_recent)}
        assert (rules["before"], rules["same second"], rules["since"]) == ("human", "human", "")


@pytest.mark.parametrize(("written", "waits"), [(-6_000, False), (-4_000, True)])
async def test_who_wrote_after_the_person_still_waits_for_one(tmp_path: Path, written: int, waits: bool) -> None:
    async with queue_world(tmp_path) as world:
        contact_id = await write_at(world, "A", NOON + written)
        assert contact_id is not None
        await handle(world, contact_id)
        await typed(world, "HAND", NOON - 5_000)
        await world.store.write(lambda tx: tx.execute("UPDATE contact SET handover_reason = 'x'"))
        found = await world.store.read(lambda con: read_contacts(con, "waiting", 9))
        assert bool(found) is waits


async def test_what_the_robot_sent_answers_nothing_by_hand(tmp_path: Path) -> None:
    async with queue_world(tmp_path) as world:
        contact_id = await write_at(world, "A", NOON - 9_000)
        assert contact_id is not None
        await world.say(1, "from the robot")
        claim = await world.send_next()
        assert claim is not None
        assert not await typed(world, claim.wa_id, NOON)
        assert await pending(world, contact_id) == ["A"]
