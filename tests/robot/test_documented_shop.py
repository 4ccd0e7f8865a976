"""The shop of docs/automations.md runs: every conversation of the page, with a restart before each message."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from support.documented_shop import blocks, media_and_text, shop_files, turns
from support.shop_room import shop

#: The page does not speak of time; here none passes between a message, its answer and its way out.
AT_ONCE = """
[pace]
enabled = false
[simulator]
latency_ms = 0
[limits]
per_contact = 20
per_contact_reply = 60
"""


@pytest.mark.parametrize("conversation", blocks("conversation"), ids=lambda text: text.splitlines()[1])
async def test_the_conversation_happens(tmp_path: Path, conversation: str) -> None:
    files, zone = shop_files(), ZoneInfo("America/Sao_Paulo")
    settings = files["settings.toml"] + AT_ONCE
    before = 0
    for number, (at, written, expected) in enumerate(turns(conversation)):
        # The page counts minutes; a few seconds pass between two messages of one of them.
        at_ms = round(datetime.fromisoformat(at).replace(tzinfo=zone).timestamp() * 1000) + number * 5_000
        async with shop(tmp_path, settings, files["automation.toml"], at_ms) as there:
            kind, text = media_and_text(written)
            await there.hear(text, kind=kind, name="")
            await there.pass_time(3)
            answers = await there.phone()
        assert answers[before:] == expected, written
        before = len(answers)
