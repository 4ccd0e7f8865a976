"""What the queue costs does not grow with its length: counted in instructions of SQLite's virtual machine."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from support.plan_backlog import SHAPES, Shape, fill, only_for_now, steps
from support.queue_world import queue_world

from whatsself_tui.config.schema import Settings
from whatsself_tui.store import claims, contacts, lanes, outbox, queue_view, state, views
from whatsself_tui.store.claims import DEFAULT_POLICY
from whatsself_tui.store.database import Tx
from whatsself_tui.store.outbox import Outgoing
from whatsself_tui.store.terms import limits_of

SETTINGS = Settings.model_validate({"limits": {"per_minute": 100}})
LIMITS = limits_of(SETTINGS)

SHORT, LONG = 1_000, 100_000

#: The instructions go into seeks: about 50 for the first lane of each class that waits, of friends and of strangers
#: (22 at most); 6 for each stranger written to today; an enqueue and a claim write some rows with their indexes; the
#: view of the queue reads 20 lanes of each class. Measured with SQLite 3.40: at most 854 for the pick, 902 with the
#: gates, 251 to enqueue, 2 491 for a step, 10 717 and 2 337 for the views. Other versions need a few more or less.
MOST = {"pick": 1_100, "wake-up": 1_150, "enqueue": 600, "step": 3_000, "queue view": 14_000, "limits view": 3_000}


def costs(tx: Tx, shape: Shape, count: int) -> dict[str, int]:
    """Instructions of each question, with `count` messages of a shape waiting for as long as it takes."""
    con, now_ms = tx.connection, tx.now_ms
    questions: dict[str, Callable[[], object]] = {
        "pick": lambda: lanes.pick(con, now_ms, LIMITS),
        "wake-up": lambda: claims.wake_up(con, now_ms, LIMITS, DEFAULT_POLICY),
        "queue view": lambda: queue_view.read_queue(con, SETTINGS, now_ms),
        "limits view": lambda: views.read_limits(con, SETTINGS, now_ms),
        "enqueue": lambda: outbox.enqueue(tx, somebody, Outgoing("news", source="broadcast:x")),
        "step": lambda: claims.step(tx, LIMITS, True),
    }
    with only_for_now(con):
        state.set_transport(tx, "simulator", "ready", "")
        fill(tx, shape, count)
        somebody = contacts.get(tx, 1)
        return {name: steps(con, question) for name, question in questions.items()}


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
async def test_cost_is_that_of_a_short_queue(tmp_path: Path, shape: Shape) -> None:
    async with queue_world(tmp_path) as world:
        short = await world.store.write(partial(costs, shape=shape, count=SHORT))
        long = await world.store.write(partial(costs, shape=shape, count=LONG))
    assert {name: (short[name], long[name]) for name in MOST if long[name] > 1.5 * short[name]} == {}
    assert {name: long[name] for name, most in MOST.items() if long[name] > most} == {}


async def test_cost_of_a_view_does_not_grow_with_how_far_ahead_messages_are_scheduled(tmp_path: Path) -> None:
    months = Shape("a minute each", not_before=":now + 86400000 + n * 60000")
    async with queue_world(tmp_path) as world:
        short = await world.store.write(partial(costs, shape=months, count=SHORT))
        long = await world.store.write(partial(costs, shape=months, count=LONG))
    assert long["queue view"] <= 1.5 * short["queue view"]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
async def test_made_backlog_is_what_the_store_would_have_written(tmp_path: Path, shape: Shape) -> None:
    """Otherwise the costs would be those of a queue that never is."""

    def job(tx: Tx) -> tuple[int, int, bool]:
        fill(tx, shape, SHORT)
        lane_rows = tx.execute("SELECT contact_id, class FROM lane").fetchall()
        before = tx.connection.total_changes
        for contact_id, message_class in lane_rows:
            lanes.relane(tx, contact_id, message_class)
        changed = tx.connection.total_changes - before
        return len(lane_rows), changed, claims.step(tx, LIMITS, True).claim is not None

    async with queue_world(tmp_path) as world:
        lane_count, changed, claimed = await world.store.write(job)
    assert lane_count >= 3
    assert changed == 0
    assert claimed is (shape.name in ("all may go", "one contact", "mixed"))
