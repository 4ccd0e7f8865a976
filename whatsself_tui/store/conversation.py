"""Where a contact stands in the conversation, and a decision of the rules written down: all of it or nothing."""

from __future__ import annotations

import json
import sqlite3

from whatsself_tui.automation.decision import Answer, ContactState, Decision, FlowPosition, HandOver
from whatsself_tui.delivery.limits import NEVER
from whatsself_tui.store import alerts, contacts, lanes, outbox
from whatsself_tui.store.database import Tx
from whatsself_tui.store.tally import decided
from whatsself_tui.store.topics import Topic


def state_of(connection: sqlite3.Connection, contact_id: int) -> ContactState:
    """What the rules know of a contact; the contact must exist."""
    name, phone, consent, welcomed, away_period, unmatched, reason, until = connection.execute(
        "SELECT name, phone, consent, welcomed, away_period, unmatched, handover_reason, handover_until"
        " FROM contact WHERE id = ?",
        (contact_id,),
    ).fetchone()
    fired = connection.execute("SELECT trigger_name, fired_at FROM trigger_fired WHERE contact_id = ?", (contact_id,))
    variants = connection.execute("SELECT template, variant FROM contact_variant WHERE contact_id = ?", (contact_id,))
    return ContactState(
        name=name,
        phone=phone or "",
        opted_out=consent == "out",
        fired_at_ms=dict(fired.fetchall()),
        hand_over=None if reason is None else HandOver(reason, until),
        welcomed=bool(welcomed),
        away_period_ms=away_period,
        flow=_flow_of(connection, contact_id),
        unmatched=unmatched,
        last_variants=dict(variants.fetchall()),
    )


def _flow_of(connection: sqlite3.Connection, contact_id: int) -> FlowPosition | None:
    row = connection.execute(
        "SELECT flow, step, collected, tries, since, expires_at, version FROM contact_flow WHERE contact_id = ?",
        (contact_id,),
    ).fetchone()
    if row is None:
        return None
    flow, step, collected, tries, since, expires_at, version = row
    return FlowPosition(flow, step, json.loads(collected), tries, since, expires_at, version)


def write(tx: Tx, contact: contacts.Contact, decision: Decision, key: str) -> None:
    """Carry out what the rules decided. `key` is unique to what they decided about: no answer is queued twice."""
    if decision.consent:
        contacts.set_consent(tx, contact.id, decision.consent)
    if decision.cancel_queued:
        outbox.cancel_automatic(tx, contact.id, "the contact has opted out")
    for number, answer in enumerate(decision.answers):
        outbox.enqueue(tx, contact, _outgoing(answer, f"{key}:{number}"))
    if decision.fired:
        contacts.note_fired(tx, contact.id, decision.fired)
    for template, variant in decision.variants.items():
        tx.execute(
            "INSERT INTO contact_variant (contact_id, template, variant) VALUES (?, ?, ?)"
            " ON CONFLICT (contact_id, template) DO UPDATE SET variant = excluded.variant",
            (contact.id, template, variant),
        )
    _write_flow(tx, contact.id, decision)
    tx.execute(
        "UPDATE contact SET welcomed = max(welcomed, ?), away_period = coalesce(?, away_period),"
        " unmatched = coalesce(?, unmatched) WHERE id = ?",
        (decision.welcomed, decision.away_period_ms, decision.unmatched, contact.id),
    )
    if decision.hand_over:
        hand_over(tx, contact.id, decision.hand_over, hold=decision.rule == "human")
    for alert in decision.alerts:
        if alert.kind not in alerts.CONDITIONS:
            alerts.raise_alert(tx, alert.kind, "warning", alert.text)
    fired = [f"trigger:{decision.fired}"] if decision.fired else []
    decided(tx, decision.rule, [*fired, *(answer.source for answer in decision.answers)])
    tx.touch(Topic.CONTACTS)


def hand_over(tx: Tx, contact_id: int, to_a_person: HandOver, *, hold: bool) -> None:
    """Leave a contact to a person. `hold`: what is queued automatically for them waits as long, too."""
    until_ms = to_a_person.until_ms
    hold_until = 0 if not hold else NEVER if until_ms is None else until_ms
    tx.execute(
        "UPDATE contact SET handover_reason = ?, handover_until = ?, hold_until = max(hold_until, ?) WHERE id = ?",
        (to_a_person.reason, until_ms, hold_until, contact_id),
    )
    lanes.relane_contact(tx, contact_id)
    tx.touch(Topic.CONTACTS, Topic.QUEUE)


def end_hand_overs(tx: Tx) -> None:
    """Contacts whose time with a person is over are the robot's again."""
    tx.execute(
        "UPDATE contact SET handover_reason = NULL, handover_until = NULL WHERE handover_until <= ?", (tx.now_ms,)
    )


def release(tx: Tx, contact_id: int) -> bool:
    """The robot takes the contact up again; False if nobody had taken over."""
    changed = tx.execute(
        "UPDATE contact SET handover_reason = NULL, handover_until = NULL, hold_until = 0, unmatched = 0"
        " WHERE id = ? AND handover_reason IS NOT NULL",
        (contact_id,),
    ).rowcount
    lanes.relane_contact(tx, contact_id)
    tx.touch(Topic.CONTACTS, Topic.QUEUE)
    return changed > 0


def _write_flow(tx: Tx, contact_id: int, decision: Decision) -> None:
    flow = decision.flow
    if flow is not None:
        tx.execute(
            "INSERT INTO contact_flow (contact_id, flow, step, collected, tries, since, expires_at, version)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (contact_id) DO UPDATE SET flow = excluded.flow,"
            " step = excluded.step, collected = excluded.collected, tries = excluded.tries, since = excluded.since,"
            " expires_at = excluded.expires_at, version = excluded.version",
            (
                contact_id,
                flow.flow,
                flow.step,
                json.dumps(dict(flow.values), ensure_ascii=False),
                flow.tries,
                flow.since_ms,
                flow.expires_at_ms,
                flow.version,
            ),
        )
    elif decision.flow_cleared:
        tx.execute("DELETE FROM contact_flow WHERE contact_id = ?", (contact_id,))


def _outgoing(answer: Answer, dedup: str) -> outbox.Outgoing:
    return outbox.Outgoing(
        body=answer.text,
        source=answer.source,
        priority=answer.priority,
        exempt=answer.window == "exempt",
        dedup=dedup,
    )
