"""No statement of daily work passes a growing table: found by tracing the real functions, judged by SQLite's plans.

ANALYZE is never run, so the plans are those of a small table and of a large one alike.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path

from support.fake_clock import FakeClock
from support.plan_reading import GROWING, Offence, Trace, offences, traced
from support.queue_world import NOON, chat

from whatsself_tui.delivery.pace import Pace
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.robot.orchestrator import Orchestrator
from whatsself_tui.store import attempts, claims, contacts, cursors, decisions, inbox, outbox, queue_view, views
from whatsself_tui.store.claims import Claim
from whatsself_tui.store.contact_views import read_contact
from whatsself_tui.store.database import Tx
from whatsself_tui.store.outbox import Outgoing
from whatsself_tui.store.standing import read_standing
from whatsself_tui.store.terms import limits_of, policy_of
from whatsself_tui.transport.base import Edited, MediaInfo, Received, Revoked, SamePerson, TypedByHand

#: Steps that look bad and are not: (a part of the statement, the step in its plan) and what bounds it.
BOUNDED: dict[tuple[str, str], str] = {
    (
        "SELECT contact_id FROM inbox WHERE state = ? GROUP BY contact_id ORDER BY min(id)",
        "SCAN inbox USING INDEX inbox_pending",
    ): "asked at a start: only what the rules have not seen stands in this index",
    (
        "SELECT contact_id FROM inbox WHERE state = ? GROUP BY contact_id ORDER BY min(id)",
        "USE TEMP B-TREE FOR ORDER BY",
    ): "the contacts of the same few messages",
    ("WHERE seq IN (SELECT seq FROM send_log ORDER BY seq LIMIT ?)", "SCAN send_log"): "stops after 50 rows",
    (
        "SELECT count(*), min(handover_until) FROM contact WHERE handover_reason IS NOT NULL",
        "SCAN contact USING INDEX contact_handover",
    ): "contacts a person has taken over and not given back: what has run out is cleared first",
    (
        "SELECT ts, contact_id FROM send_log ORDER BY seq DESC",
        "SCAN send_log",
    ): "its reader stops where the window ends",
    (
        "WHERE o.state = ? ORDER BY o.id",
        "SCAN o USING INDEX outbox_sending",
    ): "only messages being sent stand in this index",
    (
        "FROM (SELECT ok FROM outcome WHERE ts > ? ORDER BY id DESC LIMIT ?)",
        "SCAN outcome",
    ): "breaker.window_attempts rows",
    ("DELETE FROM outcome WHERE ts <= ?", "SCAN outcome"): "what keeps it to breaker.window_attempts rows",
    ("FROM breaker_transition ORDER BY id DESC LIMIT ?", "SCAN breaker_transition"): "stops after the newest rows",
    (
        "SELECT due_at FROM outbox WHERE state = ? ORDER BY due_at, id LIMIT ?",
        "SCAN outbox USING INDEX outbox_due",
    ): "stops after the first row",
    ("FROM inbox AS i JOIN contact AS c ON c.id = i.contact_id ORDER BY i.id DESC LIMIT ?", "SCAN i"): "stops after 50",
    (
        "SELECT contact_id FROM contact_flow WHERE contact_id IN (?, ?) ORDER BY since DESC",
        "USE TEMP B-TREE FOR ORDER BY",
    ): "two rows at most",
    (
        "WHERE i.mimetype IS NOT NULL ORDER BY i.id DESC LIMIT ?",
        "SCAN i USING INDEX inbox_media",
    ): "stops after the newest",
    (
        "SELECT attachment FROM outbox WHERE attachment IS NOT NULL",
        "SCAN outbox USING INDEX outbox_attachment",
    ): "only messages with a file that have not gone stand in this index",
    (
        "FROM alert WHERE cleared_at IS NULL",
        "SCAN alert USING INDEX alert_active",
    ): "one row for each kind of alert stands in this index",
    ("FROM alert WHERE cleared_at IS NULL", "USE TEMP B-TREE FOR ORDER BY"): "the same few rows",
}


class Load:
    """A day of work on an orchestrator that does not send by itself."""

    def __init__(self, robot: Orchestrator, clock: FakeClock) -> None:
        self.robot = robot
        self.clock = clock
        self.store = robot.store
        self.limits = limits_of(robot.settings)
        self.policy = policy_of(robot.settings)

    async def run(self) -> None:
        """Everything that happens often, in an order in which it does something."""
        await self.queue()
        await self.hear()
        for outcome in ("sent", "retry", "postpone", "failed", "unconfirmed", "never_left", "doubt", "sent", "sent"):
            await self.send(outcome)
            await self.read()
        await self.expire_and_cancel()
        await self.decide()
        await self.read()

    async def queue(self) -> None:
        """One by one, many at once, later, with an end; from the operator's own command."""

        def many(tx: Tx) -> None:
            outbox.enqueue_many(tx, [(chat(person), Outgoing("broadcast", priority=3)) for person in range(40)])
            ana = contacts.at_address(tx, chat(1), "Ana")
            outbox.enqueue(tx, ana, Outgoing("once", dedup="k"))
            outbox.enqueue(tx, ana, Outgoing("once", dedup="k"))
            outbox.enqueue(tx, ana, Outgoing("later", not_before_ms=NOON + 86_400_000))
            outbox.enqueue(tx, ana, Outgoing("short", source="broadcast:x", expires_at_ms=NOON + 3_000_000))

        await self.store.write(many)
        result = await self.robot.execute("send", {"phone": "+55 11 90000-0007", "text": "oi"})
        assert result.ok, result

    async def hear(self) -> None:
        """Known and unknown people write; a message is seen twice; one opts out."""
        for number, (person, body) in enumerate([(1, "oi"), (50, "qual o preço?"), (51, "PARAR"), (1, "oi")]):
            message = Received(f"in-{number}", chat(person), body, self.clock.now_ms(), f"Person {person}")
            assert await self.robot.deliver(message)
            assert not await self.robot.deliver(message)
        await self.robot.inbound.handle_pending()
        await self.change()

    async def change(self) -> None:
        """What came is edited, taken back, answered by a person; two contacts turn out to be one; all of it shown."""
        now_ms, inbound, one, other = self.clock.now_ms(), self.robot.inbound, "7@lid", chat(50)
        media = MediaInfo("image/png", "a.png", 9)
        await inbound.receive(Received("in-a", one, "oi", now_ms, key="false_7@lid_in-a", kind="image", media=media))
        await inbound.edited(Edited("in-0", "olá", now_ms))
        await inbound.revoked(Revoked("in-1", now_ms))
        await inbound.same_person(SamePerson(one, other))
        await inbound.typed(TypedByHand("by-hand", one, "bom dia", now_ms, other=other))
        await self.store.read(lambda con: inbox.media_list(con, 10))
        await self.store.read(lambda con: inbox.media_by_id(con, 1))
        await self.store.read(lambda con: cursors.of_chats(con, [one, other]))
        await self.store.read(outbox.attachments_in_use)
        await self.store.read(lambda con: read_contact(con, "phone", "5511900000050"))
        await self.store.read(lambda con: read_standing(con, "5511900000050", 0))

    async def send(self, outcome: str) -> None:
        """Prepare, claim and end one message; then its acknowledgements and the alerts' look."""
        claim = await self.claimed()
        jobs: dict[str, Callable[[Tx], bool]] = {
            "sent": lambda tx: claims.sent(tx, claim, self.policy),
            "retry": lambda tx: claims.retry(tx, claim, "busy", 5_000, counts=True, policy=self.policy),
            "postpone": lambda tx: claims.postpone(tx, claim, self.limits, "offline", 5_000),
            "failed": lambda tx: claims.failed(tx, claim, "blocked", counts=True, policy=self.policy),
            "unconfirmed": lambda tx: claims.unconfirmed(tx, claim, "nobody knows"),
            "never_left": lambda tx: claims.never_left(tx, claim),
            "doubt": self.doubtful(claim),
        }
        assert [left.id for left in await self.store.read(claims.in_flight)] == [claim.id]
        assert await self.store.write(jobs[outcome])
        for ack in (2, 3) if outcome in ("sent", "unconfirmed") else ():
            await self.store.write(lambda tx, ack=ack: claims.acknowledged(tx, claim.wa_id, ack))  # type: ignore[misc]
        await self.robot.keeper.look()

    def doubtful(self, claim: Claim) -> Callable[[Tx], bool]:
        """Nobody answered, and it is not there: again, after another look."""

        def job(tx: Tx) -> bool:
            claims.doubt(tx, claim)
            return claims.retry(tx, claim, "no answer", 9_000, counts=True, policy=self.policy)

        return job

    async def claimed(self) -> Claim:
        """Wait as the dispatcher does, with a person's pace, until something is claimed."""
        for _ in range(20):
            plan = partial(_typed, random.Random(1))
            step = await self.store.write(lambda tx: claims.step(tx, self.limits, True, self.policy, plan))  # noqa: B023
            if step.claim:
                return step.claim
            assert step.wake_at_ms is not None
            await self.clock.advance(max(1, step.wake_at_ms - self.clock.now_ms()) / 1000)
        raise AssertionError("nothing was claimed")

    async def expire_and_cancel(self) -> None:
        """Time runs out for one message; a contact's automatic ones are cancelled."""
        await self.clock.advance(3_600)

        def job(tx: Tx) -> None:
            assert outbox.expire(tx)
            ben = contacts.at_address(tx, chat(60), "Ben")
            outbox.enqueue(tx, ben, Outgoing("news", source="broadcast:x"))
            assert outbox.cancel_automatic(tx, ben.id, "the contact has opted out")

        await self.store.write(job)
        await self.robot.keeper.look()

    async def decide(self) -> None:
        """The operator looks at single messages and decides about them."""
        (dead,) = await self.store.read(lambda con: decisions.in_state(con, outbox.State.DEAD, 0, 10))
        assert await self.store.read(lambda con: attempts.of_message(con, dead))
        for name, ids in (("retry", [dead]), ("cancel", [dead])):
            assert (await self.robot.execute("queue", {"action": name, "ids": ids})).ok
        for action in ("open", "auto", "reset"):
            assert (await self.robot.execute("breaker", {"action": action})).ok
        assert (await self.robot.execute("pause", {})).ok
        await self.robot.until_idle()
        assert (await self.robot.execute("resume", {})).ok

    async def read(self) -> None:
        """What panes and `status` show."""
        settings, now_ms = self.robot.settings, self.clock.now_ms()
        await self.store.read(lambda con: queue_view.read_queue(con, settings, now_ms))
        await self.store.read(lambda con: views.read_limits(con, settings, now_ms))
        await self.store.read(lambda con: views.read_breaker(con, settings, now_ms))
        await self.store.read(views.read_recent)
        await self.store.read(lambda con: views.read_today(con, settings, now_ms))
        await self.store.read(views.read_alerts)
        await self.store.read(views.read_robot)


def _typed(dice: random.Random, text_length: int) -> Pace:
    return Pace(3_000 + dice.randrange(4_000), 2_000 + text_length)


async def work(folder: Path) -> tuple[Trace, list[Offence]]:
    """A day's statements and what is wrong with their plans."""
    clock = FakeClock(NOON)
    with traced() as trace:
        robot = Orchestrator(DataFolder(folder), clock, mode="headless", rng=random.Random(1))
        await robot.open()
        try:
            trace.statements.clear()  # what opens a data folder happens once
            await Load(robot, clock).run()
            asked = dict(trace.statements)
            found = await robot.store.read(partial(_judged, asked))
        finally:
            await clock.finish(robot.close())
    trace.statements = asked
    return trace, found


def _judged(asked: dict[str, str], connection: sqlite3.Connection) -> list[Offence]:
    return [offence for template, example in asked.items() for offence in offences(connection, template, example)]


def test_a_plan_that_passes_a_table_is_noticed() -> None:
    """The judge itself: a scan under an alias, one by a covering index, a sort; not a search, not a small table."""
    con = sqlite3.connect(":memory:")
    con.executescript(
        "CREATE TABLE outbox (id INTEGER PRIMARY KEY, a, b); CREATE INDEX i ON outbox (a); CREATE TABLE tally (n)"
    )
    for statement, steps in {
        "SELECT o.b FROM outbox AS o WHERE o.b = 'x'": ["SCAN o"],
        "SELECT max(a), min(a) FROM outbox": ["SCAN outbox USING COVERING INDEX i"],
        "SELECT id FROM outbox WHERE a = 1 ORDER BY b": ["USE TEMP B-TREE FOR ORDER BY"],
        "UPDATE outbox SET a = 2 WHERE b = 1": ["SCAN outbox"],
        "SELECT b FROM outbox WHERE a = 1": [],
        "SELECT max(id) FROM outbox": [],
        "SELECT n FROM tally": [],
    }.items():
        assert [offence.step for offence in offences(con, statement, statement)] == steps
    con.close()


async def test_no_statement_of_daily_work_passes_a_growing_table(tmp_path: Path) -> None:
    trace, found = await work(tmp_path)
    touched = {table for table in GROWING if any(f" {table} " in statement for statement in trace.statements)}
    assert touched >= {"outbox", "inbox", "contact", "send_log", "lane", "command", "outcome", "alert", "attempt"}
    excused = {key for key in BOUNDED for offence in found if key[0] in offence.statement and key[1] == offence.step}
    guilty = [o for o in found if not any(part in o.statement and step == o.step for part, step in excused)]
    assert guilty == [], "\n".join(f"{o.step}  --  {o.statement}" for o in guilty)
    assert excused == set(BOUNDED), "an excuse that nothing needs"
