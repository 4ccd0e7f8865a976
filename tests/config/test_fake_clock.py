"""The tests' own clock keeps the promises of a clock."""

from __future__ import annotations

import asyncio

from support.fake_clock import FakeClock

from whatsself_tui.clock import Clock


async def test_time_passes_only_when_it_is_moved_and_wakes_sleepers_at_their_own_moment() -> None:
    clock = FakeClock(now_ms=1_000)
    seen: list[tuple[str, int]] = []

    async def ticker(name: str, every_s: float) -> None:
        while True:
            await clock.sleep(every_s)
            seen.append((name, clock.now_ms()))

    tasks = [asyncio.create_task(ticker("slow", 1.5)), asyncio.create_task(ticker("fast", 1.0))]
    await clock.sleepers(2)
    assert (seen, clock.next_wake_ms) == ([], 2_000)
    await clock.advance(3)
    assert seen == [("fast", 2_000), ("slow", 2_500), ("fast", 3_000), ("slow", 4_000), ("fast", 4_000)]
    assert (clock.now_ms(), clock.monotonic_s()) == (4_000, 3.0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert clock.next_wake_ms is None


async def test_waiting_ends_with_the_event_or_with_the_time() -> None:
    clock: Clock = FakeClock()
    assert isinstance(clock, FakeClock)
    event = asyncio.Event()
    waiting = asyncio.create_task(clock.wait(event, 5))
    await clock.advance(4.999)
    assert not waiting.done()
    event.set()
    assert await waiting is True
    assert clock.next_wake_ms is None  # nothing is left behind to wake for
    event.clear()
    waiting = asyncio.create_task(clock.wait(event, 5))
    await clock.advance(5)
    assert waiting.done()
    assert await waiting is False
    assert await clock.wait(event, 0) is False
    event.set()
    assert await clock.wait(event, None) is True


async def test_finish_skips_all_waiting_even_between_work_in_threads() -> None:
    clock = FakeClock(now_ms=0)

    async def work() -> int:
        await asyncio.to_thread(lambda: None)
        await clock.sleep(60)
        await asyncio.to_thread(lambda: None)
        await clock.sleep(30)
        return clock.now_ms()

    assert await clock.finish(work()) == 90_000
