"""A customer writes, the robot answers: the whole way through real processes."""

from __future__ import annotations

import json
from pathlib import Path

from support.cli import FAST, cli, cli_json, headless, received, settings


def test_hello_is_answered_once_and_shown(tmp_path: Path) -> None:
    with headless(tmp_path) as robot:
        assert cli(tmp_path, "receive", "5511999990001", "oi", "--id", "X1", "--name", "Maria").returncode == 0
        again = cli_json(tmp_path, "receive", "5511999990001", "oi", "--id", "X1")
        assert (again["received"], again["seen_before"]) == (0, 1)
        assert cli(tmp_path, "receive", "+55 (11) 99999-0002", "oi").returncode == 0
        assert robot.stop() == 0
    idle = cli(tmp_path, "run", "--headless", "--until-idle")
    assert idle.returncode == 0, idle.stderr.decode()
    assert [entry["chat"] for entry in received(tmp_path)] == ["5511999990001@c.us", "5511999990002@c.us"]
    assert "Maria" in received(tmp_path)[0]["text"]
    status = cli_json(tmp_path, "status")
    assert status["owner"] is None
    assert status["queue"]["queued"] == 0
    assert {name: status["today"][name] for name in ("inbound", "outbound", "automated", "new_contacts")} == {
        "inbound": 2,
        "outbound": 2,
        "automated": 2,
        "new_contacts": 2,
    }


def test_commands_work_the_same_with_and_without_a_robot(tmp_path: Path) -> None:
    settings(tmp_path, FAST)
    first = cli_json(tmp_path, "send", "5511999990001", "without a robot", "--dedup", "order-1")
    assert cli_json(tmp_path, "queue", "pause")["paused"] is True
    with headless(tmp_path) as robot:
        again = cli_json(tmp_path, "send", "5511999990001", "without a robot", "--dedup", "order-1")
        assert (again["id"], again["new"]) == (first["id"], False)
        cli_json(tmp_path, "send", "5511999990001", "with a robot")
        status = cli_json(tmp_path, "status")
        assert (status["paused"], status["queue"]["queued"], status["queue"]["waits_for"]) == (True, 2, "paused")
        assert status["owner"]["pid"] == robot.process.pid
        listed = cli_json(tmp_path, "queue", "list")["messages"]
        assert [entry["body"] for entry in listed] == ["without a robot", "with a robot"]
        assert cli_json(tmp_path, "queue", "resume")["paused"] is False
        robot.stop()
    assert cli(tmp_path, "run", "--headless", "--until-idle").returncode == 0
    assert [entry["text"] for entry in received(tmp_path)] == ["without a robot", "with a robot"]


def test_opt_out_is_confirmed_once_and_stops_everything_automatic(tmp_path: Path) -> None:
    settings(tmp_path, FAST)
    for number, text in enumerate(("oi", "Parar!", "oi", "parar", "VOLTAR", "horário")):
        cli_json(tmp_path, "receive", "5511999990001", text, "--id", f"m{number}")
    assert cli(tmp_path, "run", "--headless", "--until-idle").returncode == 0
    texts = [entry["text"] for entry in received(tmp_path)]
    assert len(texts) == 3, texts
    assert "não vai mais receber" in texts[0]
    assert "de volta" in texts[1]
    assert cli_json(tmp_path, "status")["today"]["opt_outs"] == 1
    refused = cli(tmp_path, "receive", "5511999990001", "PARAR")
    assert refused.returncode == 0
    refused = cli(tmp_path, "send", "5511999990001", "promotion")
    assert refused.returncode == 1
    assert "opted out" in refused.stderr.decode()


def test_until_idle_says_why_it_cannot_finish(tmp_path: Path) -> None:
    settings(tmp_path, "[simulator]\noffline = true\n")
    cli_json(tmp_path, "send", "5511999990001", "waits")
    idle = cli(tmp_path, "run", "--headless", "--until-idle", "--json")
    assert idle.returncode == 1
    assert "offline" in json.loads(idle.stdout)["reason"]
    settings(tmp_path, FAST)
    assert cli(tmp_path, "run", "--headless", "--until-idle").returncode == 0
    assert [entry["text"] for entry in received(tmp_path)] == ["waits"]


def test_scheduled_message_does_not_keep_it_busy(tmp_path: Path) -> None:
    settings(tmp_path, FAST)
    cli_json(tmp_path, "send", "5511999990001", "tomorrow", "--not-before", "+1d")
    assert cli(tmp_path, "run", "--headless", "--until-idle").returncode == 0
    assert received(tmp_path) == []
    queue = cli_json(tmp_path, "status")["queue"]
    assert (queue["queued"], queue["scheduled"], queue["oldest_age_s"]) == (1, 1, None)


def test_refusing_phone_is_tried_again_and_then_kept_as_a_dead_letter(tmp_path: Path) -> None:
    settings(
        tmp_path, FAST.replace("latency_ms = 0", "latency_ms = 0\nfail_rate = 1.0") + "[queue]\nmax_attempts = 1\n"
    )
    cli_json(tmp_path, "send", "5511999990001", "hopeless")
    assert cli(tmp_path, "run", "--headless", "--until-idle").returncode == 0
    (dead,) = cli_json(tmp_path, "queue", "list", "--state", "dead")["messages"]
    assert (dead["body"], dead["attempts"]) == ("hopeless", 1)
    assert "refused" in dead["error"]
    kinds = [alert["kind"] for alert in cli_json(tmp_path, "status")["alerts"]]
    assert "dead_letters" in kinds
