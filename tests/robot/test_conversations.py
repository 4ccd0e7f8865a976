"""Conversations with the whole robot: debounce, flows over restarts and edits, consent, hand-over, hours."""

from __future__ import annotations

import json
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from support import shop_room
from support.queue_world import NOON
from support.shop_room import PERSON, Shop

from whatsself_tui.store import views
from whatsself_tui.transport.base import Received

SETTINGS = """\
[simulator]
latency_ms = 0
[business]
time_zone = "America/Sao_Paulo"
[limits]
per_minute = 1000
per_contact = 20
per_contact_reply = 60
[pace]
enabled = false
[answers]
handover_text = "Vou chamar uma pessoa."
"""

AUTOMATION = """\
[[template]]
name = "ola"
text = "Olá!"
[[template]]
name = "qual-nome"
text = "Qual é o seu nome?"
[[template]]
name = "qual-cep"
text = "{{cliente}}, qual é o CEP?"
[[template]]
name = "anotado"
text = "Anotado: {{cliente}}, {{cep}}."
[[template]]
name = "errado"
text = "Isso não é um CEP."

[[trigger]]
name = "saudacao"
contains = "oi"
template = "ola"
[[trigger]]
name = "pedido"
equals = "pedido"
flow = "pedido"

[[flow]]
name = "pedido"
[[flow.step]]
name = "nome"
ask = "qual-nome"
save = "cliente"
[[flow.step]]
name = "cep"
ask = "qual-cep"
check = "cep"
save = "cep"
invalid = "errado"
[[flow.step]]
name = "fim"
end = "anotado"
"""


def shop(folder: Path, settings: str = SETTINGS, now_ms: int = NOON) -> AbstractAsyncContextManager[Shop]:
    return shop_room.shop(folder, settings, AUTOMATION, now_ms)


async def test_quick_messages_are_answered_as_one(tmp_path: Path) -> None:
    async with shop(tmp_path) as there:
        await there.hear("oi")
        await there.pass_time(1)
        await there.hear("tudo bem?")
        await there.pass_time(1.5)
        assert await there.phone() == [], "still inside two seconds of the last one"
        await there.pass_time(2)
        assert await there.phone() == ["Olá!"]
        assert await there.rules() == ["trigger", "trigger"]


async def test_somebody_who_never_stops_is_answered_all_the_same(tmp_path: Path) -> None:
    async with shop(tmp_path) as there:
        for _ in range(11):
            await there.hear("oi")
            await there.pass_time(1)
        assert (await there.phone())[:1] == ["Olá!"]


async def test_consent_does_not_wait(tmp_path: Path) -> None:
    async with shop(tmp_path) as there:
        await there.hear("Parar!")
        await there.pass_time(0.5)
        assert (await there.contact())["consent"] == "out"
        assert len(await there.phone()) == 1
        await there.hear("oi")
        await there.pass_time(3)
        assert await there.rules() == ["opt_out", "opted_out"]
        await there.hear("voltar")
        await there.pass_time(0.5)
        assert (await there.contact())["consent"] == "in"
        assert len(await there.phone()) == 2


async def test_a_crash_in_the_debounce_loses_nothing(tmp_path: Path) -> None:
    async with shop(tmp_path) as there:
        await there.hear("oi")
    async with shop(tmp_path, now_ms=NOON + 60_000) as there:
        await there.pass_time(1)
        assert await there.phone() == ["Olá!"]


async def test_what_a_crash_left_is_not_mixed_with_what_comes_later(tmp_path: Path) -> None:
    async with shop(tmp_path) as there:
        await there.hear("oi")
    async with shop(tmp_path, now_ms=NOON + 60_000) as there:
        await there.robot.inbound.receive(Received("in-later", f"{PERSON}@c.us", "pedido", NOON + 60_000))
        await there.pass_time(4)
        assert await there.phone() == ["Olá!", "Qual é o seu nome?"]


async def test_a_flow_goes_on_over_restarts(tmp_path: Path) -> None:
    said = ["pedido", "Ana Lima", "nada", "01310-100"]
    for number, text in enumerate(said):
        async with shop(tmp_path, now_ms=NOON + number * 600_000) as there:
            await there.hear(text)
            await there.pass_time(3)
    assert await there.phone() == [
        "Qual é o seu nome?",
        "Ana Lima, qual é o CEP?",
        "Isso não é um CEP.",
        "Anotado: Ana Lima, 01310-100.",
    ]


async def test_an_edit_moves_nobody_whose_step_is_still_there(tmp_path: Path) -> None:
    async with shop(tmp_path) as there:
        await there.hear("pedido")
        await there.pass_time(3)
        (tmp_path / "config" / "automation.toml").write_text(
            AUTOMATION.replace("Anotado:", "Combinado:"), encoding="utf-8"
        )
        await there.clock.finish(there.robot.config.check())
        for text in ("Ana", "01310100"):
            await there.hear(text)
            await there.pass_time(3)
        assert (await there.phone())[-1].startswith("Combinado: Ana")


async def test_who_stands_on_a_step_that_is_gone_leaves_the_flow_and_the_operator_is_told(tmp_path: Path) -> None:
    async with shop(tmp_path) as there:
        await there.hear("pedido")
        await there.pass_time(3)
        (tmp_path / "config" / "automation.toml").write_text(
            AUTOMATION.replace('name = "nome"\n', 'name = "pessoa"\n'), encoding="utf-8"
        )
        await there.clock.finish(there.robot.config.check())
        await there.hear("oi")
        await there.pass_time(3)
        assert (await there.contact())["flow"] is None
        assert (await there.phone())[-1] == "Olá!"
        assert "flow_ended" in await there.alerts()


async def test_an_unanswered_question_ends_after_a_day(tmp_path: Path) -> None:
    async with shop(tmp_path) as there:
        await there.hear("pedido")
        await there.pass_time(3)
    async with shop(tmp_path, now_ms=NOON + 25 * 3_600_000) as there:
        await there.hear("oi")
        await there.pass_time(3)
        assert (await there.phone())[-1] == "Olá!"
        assert (await there.contact())["flow"] is None


async def test_after_three_messages_nothing_matched_a_person_takes_over(tmp_path: Path) -> None:
    async with shop(tmp_path) as there:
        for text in ("hm", "hum", "hein"):
            await there.hear(text)
            await there.pass_time(3)
        assert await there.phone() == ["Vou chamar uma pessoa."]
        assert "waiting_for_human" in await there.alerts()
        await there.hear("oi")
        await there.pass_time(3)
        assert (await there.rules())[-1] == "handed_over"
        await there.do("contact", {"action": "release", "chat": f"{PERSON}@c.us"})
        assert "waiting_for_human" not in await there.alerts()
        await there.hear("oi")
        await there.pass_time(3)
        assert (await there.phone())[-1] == "Olá!"


async def test_a_person_at_the_phone_silences_the_robot_for_an_hour(tmp_path: Path) -> None:
    async with shop(tmp_path) as there:
        await there.do("pause", {})
        await there.hear("oi")
        await there.pass_time(3)
        await there.hear("Bom dia, aqui é o João!", by_hand=True)
        await there.do("resume", {})
        await there.do("send", {"phone": PERSON, "text": "from the operator"})
        await there.pass_time(5)
        assert await there.phone() == ["from the operator"], "what was queued automatically waits"
        await there.hear("oi?")
        await there.pass_time(3)
        assert (await there.rules())[-1] == "handed_over"
        assert "waiting_for_human" in await there.alerts()
    async with shop(tmp_path, now_ms=NOON + 3_700_000) as there:
        await there.pass_time(2)
        assert await there.phone() == ["from the operator", "Olá!"]
        assert "waiting_for_human" not in await there.alerts()
        await there.hear("oi")
        await there.pass_time(3)
        assert len(await there.phone()) == 3


async def test_what_the_robot_sent_itself_is_no_person(tmp_path: Path) -> None:
    async with shop(tmp_path) as there:
        await there.hear("oi")
        await there.pass_time(3)
        line = json.loads((tmp_path / "simulator" / "received.jsonl").read_text().splitlines()[0])
        message = {
            "wa_id": line["id"],
            "chat": f"{PERSON}@c.us",
            "body": line["text"],
            "written_at_ms": NOON,
            "by_hand": True,
        }
        await there.do("receive", {"messages": [message]})
        assert (await there.contact())["handed_over"] is None


async def test_old_messages_are_recorded_and_not_answered(tmp_path: Path) -> None:
    async with shop(tmp_path) as there:
        await there.hear("oi", age_s=13 * 3600)
        await there.pass_time(3)
        assert await there.phone() == []
        assert await there.rules() == ["too_old"]


async def test_first_contact_is_welcomed_once_in_a_life(tmp_path: Path) -> None:
    settings = SETTINGS + '[welcome]\nenabled = true\ntext = "Bem-vinda!"\n'
    async with shop(tmp_path, settings) as there:
        await there.hear("oi")
        await there.pass_time(3)
        await there.hear("oi")
        await there.pass_time(3)
        assert await there.phone() == ["Bem-vinda!", "Olá!", "Olá!"]


async def test_the_away_message_comes_once_in_a_closed_period(tmp_path: Path) -> None:
    """NOON is a Sunday, the shop is closed."""
    settings = SETTINGS + 'outside_hours = "silent"\n[away]\nenabled = true\ntext = "Estamos fechados."\n'
    async with shop(tmp_path, settings) as there:
        for _ in range(2):
            await there.hear("oi")
            await there.pass_time(3)
        assert await there.phone() == ["Estamos fechados."]
        assert await there.rules() == ["closed", "closed"]
        today = await there.robot.store.read(lambda con: views.read_fired_today(con, there.robot.settings, NOON))
        assert dict(today)["closed"] == 2
        assert dict(today)["away"] == 1
