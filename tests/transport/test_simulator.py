"""The simulated phone: durable before it acknowledges, honest about copies, failing on request."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from support.fake_clock import FakeClock
from support.queue_world import NOON

from whatsself_tui.transport.base import (
    Acknowledged,
    Attachment,
    DownloadFailed,
    Event,
    LinkState,
    LookUp,
    Outcome,
    Received,
    StateChanged,
    TypingShown,
)
from whatsself_tui.transport.simulator import OFFLINE_DETAIL, Simulator, SimulatorOptions, received_lines

CHAT = "5511999990001@c.us"


@asynccontextmanager
async def phone(folder: Path, **options: object) -> AsyncIterator[tuple[Simulator, FakeClock, list[Event]]]:
    """A started phone, its clock, and the events it told."""
    clock = FakeClock(NOON)
    events: list[Event] = []

    async def sink(event: Event) -> None:
        events.append(event)

    simulator = Simulator(folder, clock, SimulatorOptions(**options), random.Random(3))  # type: ignore[arg-type]
    await simulator.start(sink)
    try:
        yield simulator, clock, events
    finally:
        await simulator.stop()


async def test_accepted_message_is_one_line_on_disk_and_found_by_its_id(tmp_path: Path) -> None:
    async with phone(tmp_path, latency_ms=50) as (simulator, clock, _):
        result = await clock.finish(simulator.send(CHAT, "Olá\n\u202e[b]", "3EB01"))
        assert result.outcome is Outcome.SENT
        assert await simulator.look_up(CHAT, "3EB01") is LookUp.PRESENT
        assert await simulator.look_up(CHAT, "3EB02") is LookUp.ABSENT
    (line,) = (tmp_path / "received.jsonl").read_text(encoding="utf-8").splitlines()
    entry = json.loads(line)
    assert (entry["id"], entry["chat"], entry["text"]) == ("3EB01", CHAT, "Olá\n\u202e[b]")
    assert entry["time"] == "2026-11-22T12:00:00.050+00:00"


async def test_a_file_is_noted_by_what_it_holds_and_nothing_of_it_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "copy"
    path.write_bytes(b"%PDF-1.7\n" * 100_000)
    attachment = Attachment(path, "document", "application/pdf", "preços.pdf")
    async with phone(tmp_path / "phone", latency_ms=0) as (simulator, _, _events):
        assert (await simulator.send(CHAT, "", "3EB01", attachment)).outcome is Outcome.SENT
    (entry,) = received_lines(tmp_path / "phone" / "received.jsonl")
    assert (entry["text"], entry["media"]) == (
        "",
        {
            "kind": "document",
            "name": "preços.pdf",
            "mimetype": "application/pdf",
            "size": 900_000,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        },
    )


async def test_a_file_that_is_gone_is_refused_for_good_and_nothing_is_accepted(tmp_path: Path) -> None:
    gone = Attachment(tmp_path / "gone", "image", "image/jpeg", "foto.jpg")
    async with phone(tmp_path / "phone", latency_ms=0) as (simulator, _, _events):
        result = await simulator.send(CHAT, "oi", "3EB01", gone)
        assert (result.outcome, result.counts) == (Outcome.PERMANENT, False)
        assert await simulator.look_up(CHAT, "3EB01") is LookUp.ABSENT


async def test_no_medium_can_be_fetched(tmp_path: Path) -> None:
    async with phone(tmp_path) as (simulator, _, _events):
        with pytest.raises(DownloadFailed, match="keeps no media"):
            await simulator.download("false_1@c.us_AA", 1_000)


async def test_delivery_reading_and_typing_are_told_as_events(tmp_path: Path) -> None:
    async with phone(tmp_path) as (simulator, clock, events):
        assert events == [StateChanged(LinkState.READY)]
        await clock.finish(simulator.send(CHAT, "oi", "3EB01"))
        await clock.advance(5)
        assert events[1:] == [Acknowledged("3EB01", 2), Acknowledged("3EB01", 3)]
        await clock.finish(simulator.show_typing(CHAT, 1_500))
        assert events[-1] == TypingShown(CHAT, 1_500)


async def test_offline_attempts_nothing_and_each_change_is_told(tmp_path: Path) -> None:
    async with phone(tmp_path, offline=True) as (simulator, _, events):
        result = await simulator.send(CHAT, "oi", "3EB01")
        assert (result.outcome, result.counts) == (Outcome.NOT_CONNECTED, False)
        await simulator.configure(SimulatorOptions(latency_ms=1))
        await simulator.configure(SimulatorOptions(latency_ms=2))
        assert events == [StateChanged(LinkState.OFFLINE, OFFLINE_DETAIL), StateChanged(LinkState.READY)]
    assert list(received_lines(tmp_path / "received.jsonl")) == []


@pytest.mark.parametrize(("rate", "outcome"), [(1.0, Outcome.RETRYABLE), (0.0, Outcome.SENT)])
async def test_fail_rate_decides_before_anything_is_accepted(tmp_path: Path, rate: float, outcome: Outcome) -> None:
    async with phone(tmp_path, fail_rate=rate, latency_ms=0) as (simulator, _, _events):
        assert (await simulator.send(CHAT, "oi", "3EB01")).outcome is outcome
    accepted = len(list(received_lines(tmp_path / "received.jsonl")))
    assert accepted == (1 if outcome is Outcome.SENT else 0)


async def test_line_torn_by_a_crash_is_not_accepted_and_spoils_nothing(tmp_path: Path) -> None:
    log = tmp_path / "received.jsonl"
    log.write_bytes(b'{"id": "3EB01", "chat": "x", "text": "y", "time": "z"}\n{"id": "3EB02", "te')
    async with phone(tmp_path, latency_ms=0) as (simulator, _, _events):
        assert await simulator.look_up(CHAT, "3EB02") is LookUp.ABSENT
        await simulator.send(CHAT, "oi", "3EB03")
        assert [entry["id"] for entry in received_lines(log)] == ["3EB01", "3EB03"]


async def test_copy_is_not_hidden(tmp_path: Path) -> None:
    async with phone(tmp_path, latency_ms=0) as (simulator, _, _events):
        for _ in range(2):
            await simulator.send(CHAT, "oi", "3EB01")
    assert [entry["id"] for entry in received_lines(tmp_path / "received.jsonl")] == ["3EB01", "3EB01"]


async def test_a_phone_that_cannot_write_has_accepted_nothing(tmp_path: Path) -> None:
    async with phone(tmp_path, latency_ms=0) as (simulator, _, _events):
        (tmp_path / "received.jsonl").mkdir()
        result = await simulator.send(CHAT, "oi", "3EB01")
    assert (result.outcome, result.counts) == (Outcome.NOT_CONNECTED, False)


async def test_what_a_contact_writes_reaches_the_robot(tmp_path: Path) -> None:
    async with phone(tmp_path) as (simulator, _, events):
        message = Received("in-1", CHAT, "oi", NOON)
        await simulator.deliver(message)
        assert events[-1] == message
