"""`simulate` through the real command line: nothing is touched, and the decisions are the robot's."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.cli import FAST, cli, cli_json, headless, settings
from support.config_room import GOOD_AUTOMATION
from support.waiting import until

PHONE = "5511999990001"

AUTOMATION = """\
[[template]]
name = "oi"
text = "Oi, {{first_name}}!"
[[template]]
name = "nome"
text = "Seu nome?"
[[template]]
name = "foto"
text = "Linda foto!"
[[trigger]]
name = "oi"
equals = "oi"
template = "oi"
[[trigger]]
name = "foto"
media = "image"
template = "foto"
[[trigger]]
name = "pedido"
equals = "pedido"
flow = "pedido"
[[flow]]
name = "pedido"
[[flow.step]]
name = "nome"
ask = "nome"
save = "cliente"
timeout_min = 10
[[flow.step]]
name = "fim"
handover = true
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with the two files and nothing else."""
    folder = tmp_path / "data"
    settings(folder, FAST)
    (folder / "config" / "automation.toml").write_text(AUTOMATION, encoding="utf-8")
    return folder


def content_of(folder: Path) -> dict[str, str]:
    """Every file of the folder and what is in it."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def rules_of(answer: dict[str, Any]) -> list[str]:
    return [turn["decisions"][-1]["rule"] for turn in answer["turns"]]


def texts_of(answer: dict[str, Any]) -> list[str]:
    return [each["text"] for turn in answer["turns"] for decision in turn["decisions"] for each in decision["answers"]]


def test_a_conversation_is_played_turn_by_turn_and_touches_nothing(data: Path) -> None:
    before = content_of(data)
    texts = ["oi", "pedido", "Ana", "e aí?", "sair"]
    answer = cli_json(data, "simulate", PHONE, *texts, "--as-of", "2026-11-23T14:30", "--pause", "30")
    assert rules_of(answer) == ["trigger", "trigger", "flow", "handed_over", "opt_out"]
    assert [turn["at"][11:19] for turn in answer["turns"]] == [
        "14:30:00",
        "14:30:30",
        "14:31:00",
        "14:31:30",
        "14:32:00",
    ]
    considered = answer["turns"][0]["decisions"][0]["considered"]
    assert considered[0] == {"rule": "opt_out", "reason": "the text is no opt-out keyword"}
    assert answer["turns"][1]["contact_state"]["flow"]["step"] == "nome"
    assert answer["contact_state_from"] == "new"
    assert content_of(data) == before


def test_the_times_follow_from_pace_and_limits(data: Path) -> None:
    slow = "[pace]\ndelay_min_ms = 4000\ndelay_max_ms = 9000\n[limits]\nper_contact = 1\nper_contact_reply = 1\n"
    settings(data, slow + "[answers]\ndebounce_ms = 1000\n")
    answer = cli_json(data, "simulate", PHONE, "oi", "oi", "sair", "--as-of", "2026-11-23T14:30:00")
    first, second, third = (turn["decisions"][-1]["answers"][0] for turn in answer["turns"])
    assert (first["earliest"][11:19], first["latest"][11:19]) == ("14:30:05", "14:30:10")
    assert (second["earliest"][11:19], second["latest"][11:19]) == ("14:35:09", "14:35:19")
    assert second["held_by"] == "contact"
    assert (third["earliest"][11:19], third["latest"][11:19]) == ("14:32:04", "14:32:09")


def test_media_are_written_in_brackets_and_foreign_text_is_harmless(data: Path) -> None:
    shown = cli(data, "simulate", PHONE, "[image] na praia", "\x1b[2J\u202eoi").stdout.decode()
    assert "> [image] na praia" in shown
    assert "< Linda foto!" in shown
    assert "␛[2J⟨RLO⟩oi" in shown
    assert "\x1b" not in shown


def test_a_contacts_state_comes_from_a_file_that_a_run_has_printed(data: Path, tmp_path: Path) -> None:
    first = cli_json(data, "simulate", PHONE, "pedido", "--as-of", "2026-11-23T14:30")
    file = tmp_path / "state.json"
    file.write_text(json.dumps(first["turns"][-1]["contact_state"]), encoding="utf-8")
    state = ["--contact-state", str(file)]
    second = cli_json(data, "simulate", PHONE, "Ana", "--as-of", "2026-11-23T14:31", *state)
    assert rules_of(second) == ["flow"]
    assert second["contact_state_from"] == "file"
    late = cli_json(data, "simulate", PHONE, "Ana", "--as-of", "2026-11-23T15:31", *state)
    assert [decision["rule"] for decision in late["turns"][0]["decisions"]] == ["expired", "unmatched"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"opted_outt": true}', 'did you mean "opted_out"'),
        ('{"opted_out": 1}', "must be true or false"),
        ('{"flow": {"step": "nome"}}', "flow.flow: is missing"),
        ('{"fired_at": {"oi": "yesterday"}}', "fired_at.oi"),
        ('{"unmatched": -1}', "must not be below 0"),
        ("[]", "no JSON object"),
        ("{", "no JSON document"),
        ("[" * 100_000, "no JSON document"),
    ],
    ids=["key", "flag", "missing", "time", "negative", "list", "cut", "deep"],
)
def test_a_state_that_cannot_be_is_refused_with_its_key(data: Path, tmp_path: Path, content: str, reason: str) -> None:
    file = tmp_path / "state.json"
    file.write_text(content, encoding="utf-8")
    done = cli(data, "simulate", PHONE, "oi", "--contact-state", str(file))
    assert done.returncode == 2
    assert reason in done.stderr.decode()


def test_broken_files_are_told_as_by_config_check(data: Path) -> None:
    (data / "config" / "automation.toml").write_text(AUTOMATION.replace('"nome"\nask', '"nome"\nasc'), encoding="utf-8")
    done = cli(data, "simulate", PHONE, "oi", "--json")
    checked = cli(data, "config", "check", "--json")
    assert done.returncode == checked.returncode == 2
    assert json.loads(done.stdout)["problems"] == json.loads(checked.stdout)["problems"]


def test_an_empty_folder_has_the_default_rules_and_stays_empty(tmp_path: Path) -> None:
    assert rules_of(cli_json(tmp_path / "data", "simulate", PHONE, "oi")) == ["trigger"]
    assert not (tmp_path / "data").exists()


def test_the_robots_own_contact_is_taken_up_where_it_stands_while_the_robot_runs(data: Path) -> None:
    with headless(data):
        assert cli(data, "receive", PHONE, "pedido", "--name", "Maria").returncode == 0
        until(lambda: cli_json(data, "simulate", PHONE, "x")["contact_state"].get("flow"))
        real = cli_json(data, "simulate", PHONE, "Ana")
        new = cli_json(data, "simulate", PHONE, "oi", "--contact-state", "new")
        assert cli(data, "receive", PHONE, "Ana").returncode == 0
        until(lambda: cli_json(data, "simulate", PHONE, "x", "--contact-state", "stored")["contact_state"]["hand_over"])
    assert (rules_of(real), real["contact_state_from"]) == (["flow"], "stored")
    assert real["contact_state"]["name"] == "Maria"
    assert texts_of(new) == ["Oi, !"]
    assert cli(data, "simulate", "5511888880000", "oi", "--contact-state", "stored").returncode == 1


def test_what_a_stopped_robot_has_left_is_read_and_stays_as_it_is(data: Path) -> None:
    assert cli(data, "receive", PHONE, "pedido", "--name", "Maria").returncode == 0
    before = content_of(data)
    answer = cli_json(data, "simulate", PHONE, "Ana")
    assert (rules_of(answer), answer["contact_state_from"]) == (["flow"], "stored")
    assert content_of(data) == before


def test_the_sends_of_the_robot_fill_the_windows(data: Path) -> None:
    assert cli(data, "receive", PHONE, "oi").returncode == 0
    assert cli(data, "run", "--headless", "--until-idle").returncode == 0
    settings(data, FAST.replace("per_minute = 100000", "per_minute = 1"))
    stored, new = (
        cli_json(data, "simulate", PHONE, "oi", "--contact-state", state)["turns"][0]["decisions"][0]["answers"][0]
        for state in ("stored", "new")
    )
    assert (stored["held_by"], new["held_by"]) == ("minute", None)


def test_the_database_of_an_earlier_version_is_not_looked_at(data: Path) -> None:
    with closing(sqlite3.connect(data / "whatsself.db")) as connection:
        connection.execute("CREATE TABLE contact (id INTEGER PRIMARY KEY, phone TEXT)")
    done = cli(data, "simulate", PHONE, "oi")
    assert (done.returncode, "another version" in done.stderr.decode()) == (0, True)
    assert cli(data, "simulate", PHONE, "oi", "--contact-state", "stored").returncode == 1


def test_stored_needs_a_database(data: Path) -> None:
    assert cli(data, "simulate", PHONE, "oi", "--contact-state", "stored").returncode == 1


EXPORT = """\
22/11/2026 09:15 - As mensagens são protegidas com criptografia de ponta a ponta.
22/11/2026 09:15 - Maria: oi
22/11/2026 09:15 - Maria: pedido
22/11/2026 09:16 - Loja: Qual o nome?
22/11/2026 09:17 - Maria: pedido
22/11/2026 09:18 - +55 11 98888-0001: oi
22/11/2026 09:18 - Loja: Já respondo
22/11/2026 09:19 - Maria: Ana
22/11/2026 09:20 - Maria: Mensagem apagada
22/11/2026 09:20 - Maria: ???
23/11/2026 09:20 - Maria: oi
"""


def test_an_export_is_replayed_beside_what_a_person_answered(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "chat.txt"
    file.write_text(EXPORT, encoding="utf-8")
    answer = cli_json(data, "simulate", "--export", str(file), "--me", "Loja")
    assert [(turn["customer"], turn["texts"], turn["then"]) for turn in answer["turns"]] == [
        ("Maria", ["oi", "pedido"], ["Qual o nome?"]),
        ("Maria", ["pedido"], []),
        ("+55 11 98888-0001", ["oi"], ["Já respondo"]),
        ("Maria", ["Ana"], []),
        ("Maria", ["???"], []),
        ("Maria", ["oi"], []),
    ]
    assert rules_of(answer) == ["unmatched", "trigger", "trigger", "flow", "handed_over", "trigger"]
    assert texts_of(answer) == ["Seu nome?", "Oi, !", "Oi, Maria!"]
    assert answer["summary"] == {
        "customers": 2,
        "messages": 7,
        "turns": 6,
        "answered": 3,
        "answered_by_a_person": 2,
        "unmatched": 1,
        "handed_over": 1,
        "by_rule": {"trigger": 3, "unmatched": 1, "flow": 1, "handed_over": 1},
    }
    plain = cli(data, "simulate", "--export", "-", "--me", "Loja", stdin=EXPORT.encode())
    assert "  then: Qual o nome?" in plain.stdout.decode()
    assert "3 answered by the robot, 2 answered by a person then" in plain.stdout.decode()


def test_an_export_that_cannot_be_read_fails_and_wrong_arguments_are_usage(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "chat.zip"
    file.write_bytes(b"PK\x03\x04")
    export = ["simulate", "--export", str(file)]
    assert cli(data, *export, "--me", "Loja").returncode == 1
    assert cli(data, "simulate", "--export", str(tmp_path / "none.txt"), "--me", "Loja").returncode == 1
    assert cli(data, *export).returncode == 2
    assert cli(data, *export, "--me", "Loja", "--pause", "5").returncode == 2
    assert cli(data, "simulate", PHONE).returncode == 2
    assert cli(data, "simulate", "123", "oi").returncode == 2
    assert cli(data, "simulate", PHONE, "oi", "--as-of", "9999-12-31").returncode == 2
    file.write_text(EXPORT, encoding="utf-8")
    done = cli(data, *export, "--me", "Padaria")
    assert done.returncode == 2
    assert "Loja, Maria" in done.stderr.decode()


def test_variants_are_the_same_again_and_others_with_another_seed(data: Path) -> None:
    variants = ", ".join(f'"texto {number}"' for number in range(50))
    automation = GOOD_AUTOMATION.replace('text = "Oi"', f"variants = [{variants}]")
    (data / "config" / "automation.toml").write_text(automation, encoding="utf-8")
    runs = [texts_of(cli_json(data, "simulate", PHONE, *["oi"] * 5, *seed)) for seed in ([], [], ["--seed", "7"])]
    assert runs[0] == runs[1] != runs[2]
