"""The WhatsApp screen on a real store and the file a real owner would write."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from console.pages.whatsapp import open_whatsapp
from console.pairing_scenes import QR_TEXT, linking, with_phone_code
from console.test_on_a_real_store import StoreLink
from support.qr_reading import inside, of_half_blocks, of_text
from support.queue_world import QueueWorld, queue_world

from whatsself_tui.console import queries
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.robot.whatsapp_reading import PairingCode, forget_whatsapp, write_whatsapp
from whatsself_tui.store import state
from whatsself_tui.store.database import Tx
from whatsself_tui.store.topics import Topic


async def tell(world: QueueWorld, folder: DataFolder, *, by_number: bool = False) -> None:
    """What the owner does when the page shows another code."""
    now_ms = world.clock.now_ms()
    reading = (with_phone_code() if by_number else linking()).whatsapp
    assert reading is not None
    code = PairingCode(QR_TEXT, now_ms)
    letters = PairingCode("K7MW2QXD", now_ms)
    changes = {"qr": None, "phone_code": letters} if by_number else {"qr": code}
    write_whatsapp(folder, replace(reading, since_ms=now_ms, **changes))

    def touch(tx: Tx) -> None:
        state.set_transport(tx, "whatsapp_web", "pairing", "")
        tx.touch(Topic.WHATSAPP)

    await world.store.write(touch)


def data_folder(root: Path) -> DataFolder:
    """A folder of a robot."""
    folder = DataFolder(root / "data")
    folder.create()
    return folder


async def test_the_owner_s_file_is_what_is_shown(tmp_path: Path) -> None:
    folder = data_folder(tmp_path)
    arguments = {"settings_file": folder.settings_file}
    async with queue_world(tmp_path) as world, open_whatsapp(StoreLink(world), (120, 40), **arguments) as page:
        assert "SIMULATOR" in page.connection
        await tell(world, folder)
        await page.until(lambda: page.qr)
        assert inside(of_half_blocks(page.qr))[0] == of_text(QR_TEXT)
        await tell(world, folder, by_number=True)
        await page.until(lambda: "K7MW-2QXD" in page.text)
        assert page.qr == []


async def test_a_file_that_is_gone_or_damaged_hides_every_code(tmp_path: Path) -> None:
    folder = data_folder(tmp_path)
    async with queue_world(tmp_path) as world:
        await tell(world, folder)
        async with open_whatsapp(StoreLink(world), (120, 40), settings_file=folder.settings_file) as page:
            assert page.qr
            folder.whatsapp.write_bytes(b'{"state": "pairing", "qr"')
            await world.store.write(lambda tx: tx.touch(Topic.WHATSAPP))
            await page.until(lambda: "The robot tells no code." in page.text)
            forget_whatsapp(folder)
            await world.store.write(lambda tx: tx.touch(Topic.WHATSAPP))
            await page.settle()
            assert page.qr == []


@pytest.mark.parametrize("by_number", [False, True])
async def test_a_read_only_console_never_holds_a_code(tmp_path: Path, by_number: bool) -> None:
    folder = data_folder(tmp_path)
    async with queue_world(tmp_path) as world:
        await tell(world, folder, by_number=by_number)
        link = StoreLink(world)
        told = await link.read(queries.whatsapp(folder, with_codes=True))
        assert told.whatsapp is not None
        assert told.whatsapp.qr or told.whatsapp.phone_code
        held = await link.read(queries.whatsapp(folder, with_codes=False))
        assert held.whatsapp == replace(told.whatsapp, qr=None, phone_code=None)


async def test_without_a_folder_only_the_store_is_told(tmp_path: Path) -> None:
    async with queue_world(tmp_path) as world:
        told = await StoreLink(world).read(queries.whatsapp(None, with_codes=True))
        assert told.whatsapp is None
        assert told.robot.transport_state == "stopped"
