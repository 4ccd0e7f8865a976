"""Pictures of the screens in `snapshots/`; `pytest --snapshot-update` with this file takes them anew."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from console.automation_scenes import bakery_link, rejected_link
from console.pages.automation import AutomationPage
from console.pages.console import ConsolePage, open_console
from console.pairing_scenes import WhatsAppLink, connected, crashed, in_conflict, linking, with_phone_code
from console.scenes import HOSTILE, busy_link, hostile_link, rejected_problem, troubled_link
from support.fake_link import FakeLink
from support.snapshots import FOLDER, FlatSvg, picture
from syrupy.assertion import SnapshotAssertion

SIZES = ("60x20", "80x24", "81x24", "120x40")

Scene = Callable[[], FakeLink]


def attached() -> FakeLink:
    return busy_link("attached")


def rejected() -> FakeLink:
    link = busy_link()
    link.reject_configuration(rejected_problem())
    return link


def simulated() -> FakeLink:
    link = WhatsAppLink(None)
    link.robot = FakeLink().robot
    return link


def hostile() -> FakeLink:
    return hostile_link(HOSTILE["markup"] + HOSTILE["escape"] + HOSTILE["override"])


async def lose_owner(page: ConsolePage) -> None:
    page.link.lose_owner()
    await page.settle()
    await page.tick(12_000)


def key(*keys: str) -> Callable[[ConsolePage], object]:
    return lambda page: page.press(*keys)


async def order(page: ConsolePage) -> None:
    """A customer tries the rules."""
    await page.press("t")
    await AutomationPage(page.app, page.link, page.pilot).say("Oi!", "quero pão", "2", "Ana Lima")


async def nothing(page: ConsolePage) -> None:
    """As it opens."""


#: Name → sizes, the robot, and what the operator (or fate) does.
PICTURES: dict[str, tuple[tuple[str, ...], Scene, Callable[[ConsolePage], object]]] = {
    "dashboard": (SIZES, busy_link, nothing),
    "new": (SIZES, FakeLink, nothing),
    "trouble": (SIZES, troubled_link, nothing),
    "attached": (SIZES, attached, nothing),
    "owner_lost": (SIZES, attached, lose_owner),
    "rejected": (("60x20", "80x24"), rejected, nothing),
    "help": (SIZES, busy_link, key("question_mark")),
    "quit": (("60x20", "80x24"), busy_link, key("q")),
    "palette": (("80x24",), busy_link, key("ctrl+p")),
    "zoomed_queue": (("80x24",), busy_link, key("2", "z")),
    "zoomed_alerts": (("60x20",), busy_link, key("4", "z")),
    "automation": (SIZES, bakery_link, key("t")),
    "automation_flow": (("80x24",), bakery_link, key("t", "G", "k")),
    "automation_problems": (SIZES, rejected_link, key("t")),
    "automation_trying": (SIZES, bakery_link, order),
    "whatsapp_pairing": (SIZES, linking, key("9")),
    "whatsapp_no_room": (("60x20", "80x24"), linking, key("9", "c")),
    "whatsapp_phone_code": (("60x20", "80x24", "120x40"), with_phone_code, key("9")),
    "whatsapp_ready": (("60x20", "80x24", "120x40"), connected, key("9")),
    "whatsapp_crashed": (("60x20", "80x24"), crashed, key("9")),
    "whatsapp_conflict": (("60x20", "80x24"), in_conflict, key("9")),
    "whatsapp_simulator": (("80x24",), simulated, key("9")),
    "too_small": (("50x18",), busy_link, nothing),
    "hostile": (("80x24", "120x40"), hostile, nothing),
}
NAMES = [f"{name}_{size}" for name, (sizes, _, _) in PICTURES.items() for size in sizes]


@pytest.mark.parametrize("name", NAMES)
async def test_picture(name: str, snapshot: SnapshotAssertion) -> None:
    what, _, size = name.rpartition("_")
    _, scene, act = PICTURES[what]
    width, height = map(int, size.split("x"))
    link = scene()

    async def take_over() -> FakeLink:
        return link

    async with open_console(link, (width, height), take_over=take_over, settings_file=FOLDER) as page:
        await act(page)  # type: ignore[misc]
        if what == "quit":
            await page.until(lambda: "Stop the robot" in page.text)
        await page.settle()
        assert picture(page.app) == snapshot(name=name, extension_class=FlatSvg)


def test_every_picture_in_the_folder_is_taken_here() -> None:
    assert {file.stem for file in FOLDER.glob("*.svg")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_pictures_load_nothing_from_elsewhere(name: str) -> None:
    svg = (FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    assert "url(http" not in svg
    assert "@font-face" not in svg
    assert svg.count("http") == svg.count("http://www.w3.org/2000/svg")
