"""One stand-in and one data folder for each test of the robot on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.whatsapp_room import furnish
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
    with listening(whatsapp) as port:
        yield furnish(tmp_path / "data", write_browser_wrapper(tmp_path, port))
