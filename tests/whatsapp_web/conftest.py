"""Stand-ins: one with a data folder for each test of the robot, one in a shared browser for each of the bridge."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from support.whatsapp_room import furnish
from whatsapp_web.standin.browser import Bridge, Pages, browser_pages
from whatsapp_web.standin.https_server import listening, write_browser_wrapper
from whatsapp_web.standin.server import FakeWhatsApp

from whatsself_tui.host.data_folder import DataFolder


@pytest.fixture
def whatsapp() -> FakeWhatsApp:
    """WhatsApp, as far as the robot can tell."""
    return FakeWhatsApp()


@pytest.fixture
def data(tmp_path: Path, whatsapp: FakeWhatsApp) -> Iterator[DataFolder]:
    """A data folder whose browser finds this WhatsApp, and nothing else."""
    if sys.platform == "win32":
        pytest.skip("the browser is wrapped in a shell script")
    with listening(whatsapp) as port:
        yield furnish(tmp_path / "data", write_browser_wrapper(tmp_path, port))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pages() -> AsyncIterator[Pages]:
    """One browser for all tests of a file."""
    async with browser_pages() as pages:
        yield pages


@pytest_asyncio.fixture(loop_scope="module")
async def bridge(pages: Pages) -> AsyncIterator[Bridge]:
    """A page that is connected, of a WhatsApp where nothing has happened; afterwards nothing else was asked."""
    async with pages.connected() as bridge:
        yield bridge
        assert bridge.errors == []
        assert bridge.server.foreign_requests == []
        assert bridge.server.unknown_requests == []
