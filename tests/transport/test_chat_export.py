"""Exported conversations: every form of date and name WhatsApp writes; ids and addresses for them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsself_tui.phones import split_address
from whatsself_tui.transport.chat_export import (
    Export,
    ExportedMessage,
    contact_address,
    message_id,
    read_export,
)

LRM = "\u200e"
NNBSP = "\u202f"

ANDROID = """\
22/11/2026 09:14 - As mensagens e as chamadas são protegidas com a criptografia de ponta a ponta. Toque para saber mais.
22/11/2026 09:15 - Maria: Oi
22/11/2026 09:15 - Padaria: Bom dia, Maria!
Como podemos ajudar?

Temos pão quente.
22/11/2026 09:16 - Maria: <Mídia oculta>
22/11/2026 09:17 - Maria: Mensagem apagada
22/11/2026 09:18 - Maria: quero 10 pães <Mensagem editada>
22/11/2026 09:19 - Maria: \u200eIMG-20261122-WA0001.jpg (arquivo anexado)
este aqui: o de queijo
22/11/2026 09:20 - Maria: horário: 10h
22/11/2026 09:21 - Maria mudou o número de telefone para um número novo. Toque para enviar uma mensagem.
23/11/2026 00:00 - Maria saiu
"""

IOS = f"""\
\ufeff[22/11/2026, 09:14:59] Padaria: {LRM}As mensagens são protegidas com a criptografia de ponta a ponta.
[22/11/2026, 09:15:03] Maria: Oi
{LRM}[22/11/2026, 09:15:10] Maria: {LRM}imagem ocultada
{LRM}[22/11/2026, 09:15:11] Maria: pedido.pdf • {LRM}3 páginas {LRM}documento omitido
{LRM}[22/11/2026, 09:15:12] Maria: {LRM}<anexado: 00000007-PHOTO-2026-11-22-09-15-12.jpg>
{LRM}[22/11/2026, 09:15:13] Maria: o de queijo {LRM}<anexado: 00000008-PHOTO-2026-11-22-09-15-13.jpg>
[22/11/2026, 09:15:20] Maria: {LRM}Esta mensagem foi apagada.
[22/11/2026, 09:15:30] Maria: quero 10 pães {LRM}<Esta mensagem foi editada>
[22/11/2026, 09:15:40] Maria: {LRM}Ligação de voz perdida
[22/11/2026, 09:15:50] ~{NNBSP}João: {LRM}Localização: https://maps.example.com/?q=-23.5,-46.6
[22/11/2026, 09:15:59] Maria: {LRM}Seu código de segurança com Maria mudou.
"""


def read(text: str) -> Export:
    return read_export(text.encode("utf-8"))


def only(line: str) -> ExportedMessage:
    """The message in a file of one line."""
    (message,) = read(line).messages
    return message


def shown(export: Export) -> list[tuple[str, str, str]]:
    return [(message.sender, message.kind, message.text) for message in export.messages]


def test_android() -> None:
    export = read(ANDROID)
    assert shown(export) == [
        ("Maria", "text", "Oi"),
        ("Padaria", "text", "Bom dia, Maria!\nComo podemos ajudar?\n\nTemos pão quente."),
        ("Maria", "media", ""),
        ("Maria", "deleted", ""),
        ("Maria", "text", "quero 10 pães"),
        ("Maria", "media", "este aqui: o de queijo"),
        ("Maria", "text", "horário: 10h"),
    ]
    assert [message.line for message in export.messages] == [2, 3, 7, 8, 9, 10, 12]
    assert export.messages[0].at == datetime(2026, 11, 22, 9, 15)
    assert export.participants == ("Maria", "Padaria")
    assert export.system_lines == 3
    assert export.unreadable == ()
    assert not export.month_first


def test_ios() -> None:
    export = read(IOS)
    assert shown(export) == [
        ("Maria", "text", "Oi"),
        ("Maria", "media", ""),
        ("Maria", "media", ""),
        ("Maria", "media", ""),
        ("Maria", "media", "o de queijo"),
        ("Maria", "deleted", ""),
        ("Maria", "text", "quero 10 pães"),
        ("João", "text", "Localização: https://maps.example.com/?q=-23.5,-46.6"),
    ]
    assert export.messages[0].at == datetime(2026, 11, 22, 9, 15, 3)
    assert export.participants == ("Maria", "João")
    assert export.system_lines == 3
    assert export.unreadable == ()


def test_windows_line_ends_and_no_last_one() -> None:
    assert shown(read(ANDROID.replace("\n", "\r\n").rstrip())) == shown(read(ANDROID))


@pytest.mark.parametrize(
    ("header", "at"),
    [
        ("22/11/2026 09:15 - ", datetime(2026, 11, 22, 9, 15)),
        ("22/11/2026, 09:15 - ", datetime(2026, 11, 22, 9, 15)),
        ("22/11/26 09:15 - ", datetime(2026, 11, 22, 9, 15)),
        ("22.11.26, 09:15 - ", datetime(2026, 11, 22, 9, 15)),
        ("22-11-2026 9.15 - ", datetime(2026, 11, 22, 9, 15)),
        ("22/11/2026 09:15 – ", datetime(2026, 11, 22, 9, 15)),
        ("2026-11-22 09:15 - ", datetime(2026, 11, 22, 9, 15)),
        ("2026/11/22, 09:15 - ", datetime(2026, 11, 22, 9, 15)),
        ("[22/11/2026 09:15:03] ", datetime(2026, 11, 22, 9, 15, 3)),
        ("[22/11/2026, 09:15:03] ", datetime(2026, 11, 22, 9, 15, 3)),
        (f"{LRM}[22/11/26, 9:15:03{NNBSP}PM] ", datetime(2026, 11, 22, 21, 15, 3)),
        ("22/11/16 21:15:03: ", datetime(2016, 11, 22, 21, 15, 3)),
        ("11/22/26, 9:15 AM - ", datetime(2026, 11, 22, 9, 15)),
        (f"11/22/26, 9:15{NNBSP}PM - ", datetime(2026, 11, 22, 21, 15)),
        ("22/11/2026 9:15 p. m. - ", datetime(2026, 11, 22, 21, 15)),
        ("22/11/2026 9:15\u00a0p.\u00a0m. - ", datetime(2026, 11, 22, 21, 15)),
        ("22/11/2026 12:15 AM - ", datetime(2026, 11, 22, 0, 15)),
        ("22/11/2026 0:15 am - ", datetime(2026, 11, 22, 0, 15)),
        ("22/11/2026 12:15 pm - ", datetime(2026, 11, 22, 12, 15)),
        ("22/11/2026 21:15 PM - ", datetime(2026, 11, 22, 21, 15)),
        ("\ufeff22/11/2026 09:15 - ", datetime(2026, 11, 22, 9, 15)),
        ("\u200f\u202a22/11/2026 09:15 - ", datetime(2026, 11, 22, 9, 15)),
    ],
)
def test_headers(header: str, at: datetime) -> None:
    message = only(f"{header}Maria: Oi: tudo bem?")
    assert (message.at, message.sender, message.text) == (at, "Maria", "Oi: tudo bem?")


@pytest.mark.parametrize(
    "line",
    [
        "22/11/2026",
        "22/11/2026 09:15",
        "22/11/2026 09:15 amanhã - confirmado",
        "22/11-2026 09:15 - Ana: Oi",
        "022/11/2026 09:15 - Ana: Oi",
        "22/11/026 09:15 - Ana: Oi",
        "[22/11/2026 09:15 - Ana: Oi",
        "[22/11, 09:15] Ana: Oi",
        "22/11/2026 09:15: Ana: Oi",
        " 22/11/2026 09:15 - Ana: Oi",
        "٢٢/١١/٢٠٢٦ 09:15 - Ana: Oi",
    ],
)
def test_what_is_no_header_belongs_to_the_message_before(line: str) -> None:
    export = read(f"21/11/2026 08:00 - Maria: Veja:\n{line}")
    assert shown(export) == [("Maria", "text", f"Veja:\n{line}")]


def test_what_looks_like_a_header_begins_a_message() -> None:
    export = read("21/11/2026 08:00 - Maria: Veja:\n22/11/2026 09:15 - Ana: Oi")
    assert shown(export) == [("Maria", "text", "Veja:"), ("Ana", "text", "Oi")]


def dates_read(*dates: str, clock: str = "09:15") -> list[str]:
    export = read("".join(f"{date}, {clock} - Maria: Oi\n" for date in dates))
    return [f"{message.at:%Y-%m-%d}" for message in export.messages]


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        (["02/03/2026", "13/03/2026"], ["2026-03-02", "2026-03-13"]),
        (["02/03/2026", "03/13/2026"], ["2026-02-03", "2026-03-13"]),
        (["01/02/2026", "02/02/2026", "01/03/2026"], ["2026-02-01", "2026-02-02", "2026-03-01"]),
        (["01/31/2026", "02/01/2026", "02/02/2026"], ["2026-01-31", "2026-02-01", "2026-02-02"]),
        (["01/11/2026", "01/12/2026", "02/01/2026"], ["2026-01-11", "2026-01-12", "2026-02-01"]),
        (["01/02/2026", "02/03/2026"], ["2026-02-01", "2026-03-02"]),
        (["02/03/2026"], ["2026-03-02"]),
        (["02/03/26"], ["2026-03-02"]),
    ],
)
def test_day_or_month_first_is_decided_over_the_whole_file(dates: list[str], expected: list[str]) -> None:
    assert dates_read(*dates) == expected


@pytest.mark.parametrize(
    ("date", "clock", "expected"),
    [
        ("2/3/26", "9:15 PM", "2026-02-03"),
        ("2/3/2026", "9:15 PM", "2026-03-02"),
        ("2.3.26", "9:15 PM", "2026-03-02"),
        ("2/3/26", "21:15", "2026-03-02"),
    ],
)
def test_of_ambiguous_dates_only_those_in_the_style_of_the_united_states_have_the_month_first(
    date: str, clock: str, expected: str
) -> None:
    assert dates_read(date, clock=clock) == [expected]


def test_one_pasted_date_does_not_overrule_the_file() -> None:
    assert dates_read("13/03/2026", "03/13/2026", "14/03/2026") == ["2026-03-13", "2026-03-14"]


@pytest.mark.parametrize(
    ("name", "sender"),
    [
        ("Maria da Silva", "Maria da Silva"),
        ("+55 11 99999-0001", "+55 11 99999-0001"),
        ("\u202a+55\u00a011\u00a099999\u20110001\u202c", "+55\u00a011\u00a099999\u20110001"),
        (f"~{NNBSP}Maria", "Maria"),
        ("~", "~"),
        ("Maria 👩‍👧 🌸", "Maria 👩‍👧 🌸"),
        ("\u200fמרים", "מרים"),
        ("Loja:SP", "Loja:SP"),
        ("Ana - trabalho", "Ana - trabalho"),
        ('Maria "Mari" Silva', 'Maria "Mari" Silva'),
        ("José saiu", "José saiu"),
    ],
)
def test_senders(name: str, sender: str) -> None:
    assert only(f"22/11/2026 09:15 - {name}: Oi").sender == sender


def test_a_name_ends_at_the_first_colon_with_a_blank() -> None:
    message = only("22/11/2026 09:15 - Loja: SP: Oi")
    assert (message.sender, message.text) == ("Loja", "SP: Oi")


HEADERS = ("{:%d/%m/%Y %H:%M} - ", "[{:%d/%m/%y, %H:%M:%S}] ", "{:%m/%d/%y, %I:%M %p} - ", "{:%Y-%m-%d %H:%M} - ")
PLAIN = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1)
NAMES = PLAIN.map(lambda name: "N" + name.replace(":", "").replace('"', "").replace("“", ""))
TEXTS = st.lists(PLAIN, min_size=1, max_size=3).map(lambda lines: "\n".join("t" + line for line in lines))


@given(
    st.lists(st.tuples(NAMES, TEXTS, st.integers(0, 10**7)), min_size=1, max_size=8),
    st.sampled_from(HEADERS),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_is_written_in_a_form_is_read_from_it(
    chat: list[tuple[str, str, int]], header: str, line_end: str
) -> None:
    at = datetime(2026, 1, 13)
    lines, expected = [], []
    for name, text, seconds in chat:
        at += timedelta(seconds=seconds)
        lines.append(f"{header.format(at)}{name}: {text}".replace("\n", line_end))
        expected.append((name, "text", text, at if "%S" in header else at.replace(second=0)))
    export = read(line_end.join(lines))
    assert [(each.sender, each.kind, each.text, each.at) for each in export.messages] == expected
    assert export.unreadable == ()


def test_equal_messages_are_numbered() -> None:
    export = read("22/11/2026 09:15 - Maria: Oi\n" * 3 + "22/11/2026 09:16 - Maria: Oi\n")
    assert [message.nth for message in export.messages] == [0, 1, 2, 0]


def test_ids_are_those_of_whatsapp_and_always_the_same() -> None:
    first, second = (
        [message_id(each.sender, each.at, each.text, each.nth) for each in read(ANDROID).messages] for _ in range(2)
    )
    assert first == second
    assert len(set(first)) == len(first)
    assert all(re.fullmatch("3EB0[0-9A-F]{18}", each) for each in first)
    assert first[0] == "3EB05339CBCEE674AEB504"


@given(st.text(st.characters()), st.text(st.characters()), st.integers(0, 5))
def test_ids_differ_by_sender_text_and_number(sender: str, text: str, nth: int) -> None:
    at = datetime(2026, 11, 22, 9, 15)
    same = message_id(sender, at, text, nth)
    assert same == message_id(sender, at, text, nth)
    others = [
        message_id(sender + "x", at, text, nth),
        message_id(sender, at, text + "x", nth),
        message_id(sender, at, text, nth + 1),
        message_id(sender, at + timedelta(minutes=1), text, nth),
    ]
    assert same not in others


@pytest.mark.parametrize(
    "sender", ["+55 11 99999-0001", "+5511999990001", "+55 (11) 99999-0001", "+55\u00a011\u00a099999\u20110001"]
)
def test_the_address_of_a_number_is_its_digits(sender: str) -> None:
    assert contact_address(sender) == "5511999990001@c.us"


@pytest.mark.parametrize("sender", ["Maria", "+ amor", "+55", "11 99999-0001", "🌸", "", "\ud800", "x" * 100_000])
def test_the_address_of_a_name_is_a_made_up_lid(sender: str) -> None:
    address = contact_address(sender)
    assert re.fullmatch("[1-9][0-9]{14}@lid", address)
    assert split_address(address) == (None, address)
    assert contact_address(sender) == address


def test_addresses_differ_by_name_and_not_by_how_accents_are_encoded() -> None:
    assert contact_address("Maria") != contact_address("Mario")
    assert contact_address("Jose\u0301 ") == contact_address("Jos\u00e9")
