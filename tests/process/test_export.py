"""A conversation as WhatsApp exports it, fed through real processes: recorded and answered in order, each once."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.cli import FAST, cli, cli_json, headless, received, settings
from support.waiting import until

CATALOGUE = """\
[[template]]
name = "price"
text = "Custa R$ 10, {{first_name}}."
[[template]]
name = "hours"
text = "Das 9h às 18h."
[[trigger]]
name = "price"
contains = ["preço", "quanto custa", "price"]
template = "price"
priority = 5
[[trigger]]
name = "hours"
contains = ["horário", "que horas"]
template = "hours"
"""

#: What customers write, and which answer it gets.
TEXTS = (
    ("Oi", None),
    ("Qual o preço?", "price"),
    ("Bom dia!\nQuanto custa o bolo\nde cenoura?", "price"),
    ("<Mídia oculta>", None),
    ("Que horas vocês abrem?", "hours"),
    ("kkkkk 😂: tá bom - obrigada", None),
)
MESSAGES = 500


def android(number: int, sender: str, text: str) -> str:
    """As Android writes it in Brazil."""
    return f"22/11/2026 {8 + number // 60:02d}:{number % 60:02d} - {sender}: {text}"


def ios(number: int, sender: str, text: str) -> str:
    """As an iPhone writes it in Brazil."""
    mark = "\u200e" if text.startswith("<") else ""
    return f"{mark}[22/11/2026 {8 + number // 60:02d}:{number % 60:02d}:{number % 59:02d}] {sender}: {mark}{text}"


def lines(system: str) -> Iterator[str]:
    """A conversation of 500 messages between a customer and the shop, with what WhatsApp adds."""
    write = android if system == "android" else ios
    newline = "\n" if system == "android" else "\r\n"
    yield "this line stands before the first message"
    notice = "As mensagens e as ligações são protegidas com a criptografia de ponta a ponta."
    yield f"[22/11/2026 08:00:00] Maria: \u200e{notice}" if system == "ios" else f"22/11/2026 08:00 - {notice}"
    for number in range(MESSAGES):
        text, _ = TEXTS[number % len(TEXTS)]
        yield write(number, "Maria", text.replace("\n", newline))
        if number % 10 == 0:
            yield write(number, "Loja", "Oi, já respondo! Qual o preço mesmo?")


@pytest.mark.parametrize("system", ["android", "ios"])
def test_five_hundred_messages_are_recorded_and_answered_in_order_each_once(tmp_path: Path, system: str) -> None:
    data, file = tmp_path / "data", tmp_path / "Conversa do WhatsApp com Maria.txt"
    settings(data, FAST)
    (data / "config" / "automation.toml").write_text(CATALOGUE, encoding="utf-8")
    newline = "\n" if system == "android" else "\r\n"
    file.write_text(newline.join(lines(system)) + newline, encoding="utf-8", newline="")
    expected = [answer for number in range(MESSAGES) if (answer := TEXTS[number % len(TEXTS)][1])]
    with headless(data) as robot:
        fed = cli(data, "receive", "--export", str(file), "--me", "Loja", "--json")
        assert fed.returncode == 0, fed.stderr.decode()
        result = json.loads(fed.stdout)
        assert (result["received"], result["own_messages"]) == (MESSAGES, 50)
        assert [entry["line"] for entry in result["unreadable_lines"]] == [1]
        assert "Maria.txt:1: " in fed.stderr.decode()
        again = cli_json(data, "receive", "--export", str(file), "--me", "Loja")
        assert (again["received"], again["seen_before"]) == (0, MESSAGES)
        until(lambda: len(received(data)) >= len(expected))
        robot.stop()
    texts = {"price": "Custa R$ 10, Maria.", "hours": "Das 9h às 18h."}
    assert [entry["text"] for entry in received(data)] == [texts[answer] for answer in expected]
    with closing(sqlite3.connect(data / "whatsself.db")) as connection:
        recorded = connection.execute("SELECT body, kind FROM inbox ORDER BY id").fetchall()
    assert len(recorded) == MESSAGES
    assert recorded[2] == ("Bom dia!\nQuanto custa o bolo\nde cenoura?", "text")
    assert recorded[3][1] == "media"


def test_wrong_name_is_told_with_those_who_wrote(tmp_path: Path) -> None:
    file = tmp_path / "chat.txt"
    file.write_text("22/11/2026 09:15 - Maria: Oi\n22/11/2026 09:16 - Loja: Olá\n", encoding="utf-8")
    done = cli(tmp_path / "data", "receive", "--export", str(file), "--me", "Loja do Zé")
    assert done.returncode == 2
    assert "Loja, Maria" in done.stderr.decode()


def test_export_comes_through_a_pipe_too(tmp_path: Path) -> None:
    chat = "22/11/2026 09:15 - Maria: Oi\n22/11/2026 09:16 - Loja: Olá\n".encode()
    done = cli(tmp_path, "receive", "--export", "-", "--me", "Loja", "--json", stdin=chat)
    assert json.loads(done.stdout)["received"] == 1
