"""kill -9 of the owner at any moment: nothing lost, nothing twice, order and windows as before."""

from __future__ import annotations

import random
import sqlite3
from collections import defaultdict
from contextlib import closing
from datetime import datetime
from pathlib import Path

from support.cli import FAST, cli, cli_json, headless, received, settings
from support.queue_world import lane_faults, most_in_any_window
from support.waiting import until

from whatsself_tui.config.schema import Settings
from whatsself_tui.delivery.limits import Limits
from whatsself_tui.store.terms import limits_of

CUSTOMERS = 12
MESSAGES = 240
KILLS = 12

SLOW_ENOUGH_TO_BE_HIT = FAST.replace("latency_ms = 0", "latency_ms = 3").replace(
    "per_contact_reply = 60", "per_contact_reply = 20"
)

CATALOGUE = """\
[[template]]
name = "echo"
text = "answer"

[[trigger]]
name = "all"
contains = "pergunta"
template = "echo"
"""


def export(path: Path) -> None:
    """A conversation with several customers, as WhatsApp exports it."""
    lines = ["22/11/2026 09:00 - As mensagens e ligações são protegidas com a criptografia de ponta a ponta."]
    for number in range(MESSAGES):
        clock = f"{9 + number // 60:02d}:{number % 60:02d}"
        lines.append(f"22/11/2026 {clock} - +55 11 99999-{number % CUSTOMERS:04d}: pergunta {number}")
    lines.append("22/11/2026 20:00 - Loja: obrigada")
    path.write_text("\n".join(lines), encoding="utf-8")


def faults(data: Path, limits: Limits) -> list[str]:
    """What is wrong inside the database."""
    now_ms = round(datetime.now().timestamp() * 1000)
    with closing(sqlite3.connect(data / "whatsself.db")) as connection:
        return lane_faults(connection, limits, now_ms)


def test_killed_again_and_again_while_answering(tmp_path: Path) -> None:
    dice = random.Random(7)
    settings(tmp_path, SLOW_ENOUGH_TO_BE_HIT)
    (tmp_path / "config" / "automation.toml").write_text(CATALOGUE, encoding="utf-8")
    export(tmp_path / "chat.txt")
    fed = cli_json(tmp_path, "receive", "--export", str(tmp_path / "chat.txt"), "--me", "Loja")
    assert (fed["received"], fed["own_messages"]) == (MESSAGES, 1)
    for _ in range(KILLS):
        with headless(tmp_path) as robot:
            wait_for_answers(tmp_path, len(received(tmp_path)) + dice.randrange(1, 8))
            robot.kill()
    again = cli_json(tmp_path, "receive", "--export", str(tmp_path / "chat.txt"), "--me", "Loja")
    assert (again["received"], again["seen_before"]) == (0, MESSAGES)
    assert cli(tmp_path, "run", "--headless", "--until-idle").returncode == 0
    judge(tmp_path)


def wait_for_answers(data: Path, count: int) -> None:
    """Return once the simulated phone has accepted that many."""
    until(lambda: len(received(data)) >= count)


def judge(data: Path) -> None:
    """From the receiving side's log alone, then from inside."""
    log = received(data)
    assert len({entry["id"] for entry in log}) == len(log) == MESSAGES, "each answer arrived once"
    by_chat = defaultdict(list)
    for entry in log:
        by_chat[entry["chat"]].append(round(datetime.fromisoformat(entry["time"]).timestamp() * 1000))
    assert len(by_chat) == CUSTOMERS
    with closing(sqlite3.connect(data / "whatsself.db")) as connection:
        order = dict(connection.execute("SELECT wa_id, id FROM outbox").fetchall())
        claimed = connection.execute("SELECT contact_id, claimed_at FROM outbox").fetchall()
    for chat in by_chat:
        ids = [order[entry["id"]] for entry in log if entry["chat"] == chat]
        assert ids == sorted(ids), f"the order of {chat}"
    for contact_id in {contact_id for contact_id, _ in claimed}:
        assert most_in_any_window([at for who, at in claimed if who == contact_id], 1_000) <= 20
    assert faults(data, limits_of(settings_in_use())) == []
    status = cli_json(data, "status")
    assert (status["today"]["inbound"], status["today"]["outbound"]) == (MESSAGES, MESSAGES)
    assert (status["queue"]["queued"], status["queue"]["sending"], status["queue"]["unconfirmed"]) == (0, 0, 0)


def settings_in_use() -> Settings:
    """The limits of the test's settings."""
    return Settings.model_validate(
        {"limits": {"per_minute": 100_000, "per_contact": 20, "per_contact_reply": 20, "contact_window_s": 1}}
    )


def test_message_that_left_before_the_crash_is_not_sent_again(tmp_path: Path) -> None:
    settings(tmp_path, FAST)
    cli_json(tmp_path, "send", "5511999990001", "once")
    assert cli(tmp_path, "run", "--headless", "--until-idle").returncode == 0
    with closing(sqlite3.connect(tmp_path / "whatsself.db", isolation_level=None)) as connection:
        # As if the owner had died between the phone's acceptance and the record of it.
        connection.execute("UPDATE outbox SET state = 1, done_at = NULL, ack = 0")
        connection.execute("UPDATE contact SET inflight = 1")
        connection.execute("INSERT INTO tally (name, n) VALUES ('sending', 1) ON CONFLICT DO UPDATE SET n = n + 1")
    assert cli(tmp_path, "run", "--headless", "--until-idle").returncode == 0
    assert [entry["text"] for entry in received(tmp_path)] == ["once"]
    assert cli_json(tmp_path, "status")["queue"]["sending"] == 0
