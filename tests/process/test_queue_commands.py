"""`queue retry|cancel|discard|confirm|show` through the real command line, with and without a running robot."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support.cli import FAST, cli, cli_json, headless, received, settings
from support.waiting import until

REFUSING = FAST.replace("latency_ms = 0", "latency_ms = 0\nfail_rate = 1.0") + "[queue]\nmax_attempts = 1\n"


def queued(data: Path, *texts: str) -> list[int]:
    """Messages in a queue that nobody sends; their numbers."""
    return [cli_json(data, "send", f"551199999000{n}", text)["id"] for n, text in enumerate(texts)]


def dead_letters(data: Path, *texts: str) -> list[int]:
    """Messages the phone has refused for good."""
    settings(data, REFUSING)
    ids = queued(data, *texts)
    assert cli(data, "run", "--headless", "--until-idle").returncode == 0
    settings(data, FAST)
    assert [message["id"] for message in cli_json(data, "queue", "list", "--state", "dead")["messages"]] == ids
    return ids


def ids_in(data: Path, state: str) -> list[int]:
    return [message["id"] for message in cli_json(data, "queue", "list", "--state", state)["messages"]]


def test_a_dead_letter_is_shown_with_its_history_and_goes_out_after_a_retry(tmp_path: Path) -> None:
    (number,) = dead_letters(tmp_path, "para Ana")
    shown = cli_json(tmp_path, "queue", "show", str(number))
    assert (shown["status"], shown["body"], shown["attempts"]) == ("failed", "para Ana", 1)
    assert [(entry["number"], entry["result"]) for entry in shown["history"]] == [(1, "failed")]
    assert "refused it" in shown["history"][0]["reason"]
    plain = cli(tmp_path, "queue", "show", str(number)).stdout.decode()
    assert "attempt 1, failed: the simulated phone refused it" in plain
    assert cli_json(tmp_path, "queue", "retry", str(number))["done"] == 1
    assert cli(tmp_path, "run", "--headless", "--until-idle").returncode == 0
    assert [line["text"] for line in received(tmp_path)] == ["para Ana"]
    results = [entry["result"] for entry in cli_json(tmp_path, "queue", "show", str(number))["history"]]
    assert results == ["failed", "queued again"]


def test_a_running_robot_sends_what_is_retried(tmp_path: Path) -> None:
    ids = dead_letters(tmp_path, "um", "dois", "três")
    with headless(tmp_path):
        assert cli_json(tmp_path, "queue", "retry", "--all")["done"] == 3
        until(lambda: len(received(tmp_path)) == 3)
        assert cli(tmp_path, "queue", "retry", str(ids[0])).returncode == 1


def test_cancelled_messages_are_never_sent(tmp_path: Path) -> None:
    settings(tmp_path, FAST)
    first, second, third = queued(tmp_path, "a", "b", "c")
    assert cli_json(tmp_path, "queue", "cancel", str(first))["done"] == 1
    assert ids_in(tmp_path, "queued") == [second, third]
    assert cli_json(tmp_path, "queue", "cancel", "--all")["done"] == 2
    assert cli(tmp_path, "run", "--headless", "--until-idle").returncode == 0
    assert received(tmp_path) == []


def test_what_cannot_be_done_is_told_for_each_message_and_the_rest_is_done(tmp_path: Path) -> None:
    settings(tmp_path, FAST)
    (number,) = queued(tmp_path, "waits")
    done = cli(tmp_path, "queue", "cancel", str(number), "99", "--json")
    assert done.returncode == 1
    answer = json.loads(done.stdout)
    assert (answer["done"], answer["refused"]) == (1, ["There is no message 99."])
    assert "1 cancelled." in answer["message"]


def test_discarded_letters_are_gone_from_the_list_and_keep_their_reason(tmp_path: Path) -> None:
    (number,) = dead_letters(tmp_path, "para Ana")
    assert cli_json(tmp_path, "queue", "discard", "--all")["done"] == 1
    assert ids_in(tmp_path, "dead") == []
    shown = cli_json(tmp_path, "queue", "show", str(number))
    assert shown["status"] == "cancelled"
    assert shown["error"].startswith("discarded: the simulated phone refused it")


@pytest.mark.parametrize(
    ("action", "status", "copies"), [("confirm", "sent", 0), ("retry", "sent", 1), ("discard", "cancelled", 0)]
)
def test_an_unconfirmed_message_waits_for_the_operator(tmp_path: Path, action: str, status: str, copies: int) -> None:
    settings(tmp_path, FAST)
    (number,) = queued(tmp_path, "chegou?")
    with closing(sqlite3.connect(tmp_path / "whatsself.db")) as con, con:  # as a look-up without an answer leaves it
        con.execute(
            "UPDATE outbox SET state = 5, attempts = 1, wa_id = '3EB0AA', done_at = due_at, claimed_at = due_at"
        )
        con.execute("DELETE FROM lane")
        con.execute("UPDATE tally SET n = 0")
        con.execute("INSERT INTO tally (name, n) VALUES ('unconfirmed', 1)")
    assert ids_in(tmp_path, "unconfirmed") == [number]
    assert cli(tmp_path, "run", "--headless", "--until-idle").returncode == 0
    assert received(tmp_path) == [], "never by itself"
    assert cli_json(tmp_path, "queue", action, str(number))["done"] == 1
    assert cli(tmp_path, "run", "--headless", "--until-idle").returncode == 0
    assert (
        cli_json(tmp_path, "queue", "show", str(number))["status"].replace("delivered", "sent").replace("read", "sent")
        == status
    )
    assert len(received(tmp_path)) == copies


@pytest.mark.parametrize(
    "arguments", [["retry"], ["retry", "1", "--all"], ["cancel", "0"], ["cancel", "x"], ["show"], ["show", "-1"]]
)
def test_wrong_arguments_are_told(tmp_path: Path, arguments: list[str]) -> None:
    queued(tmp_path, "waits")
    assert cli(tmp_path, "queue", *arguments).returncode == 2
    assert ids_in(tmp_path, "queued") == [1]


def test_a_message_nobody_has_is_told(tmp_path: Path) -> None:
    queued(tmp_path, "waits")
    done = cli(tmp_path, "queue", "show", "7")
    assert (done.returncode, done.stderr.decode().strip()) == (1, "whatsself-tui: There is no message 7.")
