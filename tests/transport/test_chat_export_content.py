"""Exported conversations: notices, media, captions, deleted messages, and plain text that resembles them."""

from __future__ import annotations

import pytest

from whatsself_tui.transport.chat_export import Export, ExportedMessage, read_export

LRM = "\u200e"


def read(text: str) -> Export:
    return read_export(text.encode("utf-8"))


def only(line: str) -> ExportedMessage:
    """The message in a file of one line."""
    (message,) = read(line).messages
    return message


@pytest.mark.parametrize(
    "line",
    [
        "As mensagens e as chamadas são protegidas com a criptografia de ponta a ponta.",
        "Messages and calls are end-to-end encrypted. Tap to learn more.",
        "Maria saiu",
        "Você mudou a imagem deste grupo",
        'Maria criou o grupo "Vendas: SP"',
        "Maria mudou o nome do grupo de “A: 1” para “B: 2”",
        'Bob changed the subject from "a" to "b: c"',
        "Maria: Chamada de vídeo perdida",
        f"Maria: {LRM}Missed voice call",
        f"Vendas: {LRM}Você criou este grupo",
        f"Vendas: {LRM}Maria adicionou João",
    ],
)
def test_notices_are_counted_not_read(line: str) -> None:
    export = read(f"22/11/2026 09:15 - {line}")
    assert (export.messages, export.unreadable, export.system_lines) == ((), (), 1)


@pytest.mark.parametrize(
    "text",
    [
        "<Mídia oculta>",
        "<Arquivo de mídia oculto>",
        "<Media omitted>",
        "imagem ocultada",
        f"{LRM}vídeo omitido",
        f"{LRM}áudio ocultado",
        f"{LRM}figurinha omitida",
        f"{LRM}GIF omitido",
        f"{LRM}Cartão do contato omitido",
        f"{LRM}image omitted",
        f"contrato.pdf • {LRM}12 pages {LRM}document omitted",
        f"{LRM}IMG-20261122-WA0001.jpg (arquivo anexado)",
        "PTT-20261122-WA0002.opus (file attached)",
        "Pedido da Maria.pdf (arquivo anexado)\nPedido da Maria.pdf",
        f"{LRM}<anexado: 00000001-AUDIO-2026-11-22-09-15-00.opus>",
        f"{LRM}<attached: 00000001-PHOTO-2026-11-22-09-15-00.jpg>",
        "2026-11-22-PHOTO-00004762.jpg <\u200eattached>",
        "<View once voice message omitted>",
        f"{LRM}Você recebeu uma mensagem de visualização única.",
        "null",
    ],
)
def test_media(text: str) -> None:
    message = only(f"22/11/2026 09:15 - Maria: {text}")
    assert (message.kind, message.text) == ("media", "")


@pytest.mark.parametrize(
    "text",
    [
        "IMG-1.jpg (arquivo anexado)\nolha isso\ne isso",
        f"olha isso\ne isso {LRM}<anexado: 1-PHOTO.jpg>",
        "<Mídia oculta>\nolha isso\ne isso",
        f"IMG-1.jpg (arquivo anexado)\nolha isso\ne isso {LRM}<Mensagem editada>",
    ],
)
def test_the_text_of_media_is_their_caption(text: str) -> None:
    message = only(f"22/11/2026 09:15 - Maria: {text}")
    assert (message.kind, message.text) == ("media", "olha isso\ne isso")


@pytest.mark.parametrize(
    "text",
    ["Mensagem apagada", "Essa mensagem foi apagada", "Você apagou esta mensagem", "This message was deleted",
     "You deleted this message.", f"{LRM}Esta mensagem foi apagada.", "🚫 This message was deleted",
     "Esta mensagem foi apagada pelo admin Ana"],
)  # fmt: skip
def test_deleted_messages(text: str) -> None:
    message = only(f"22/11/2026 09:15 - Maria: {text}")
    assert (message.kind, message.text) == ("deleted", "")


@pytest.mark.parametrize(
    "text",
    [
        "a imagem ocultada era feia",
        "a mensagem apagada era minha",
        "mudou o horário?",
        "<3",
        "<b>oi</b>",
        "veja em anexo (arquivo anexado)",
        "perdi a chamada de voz perdida",
        "Mensagem editada",
        "😂",
        "[b]oi[/b] {{nome}} \x1b[31m",
        "x" * 70_000,
    ],
)
def test_what_people_write_about_media_is_text(text: str) -> None:
    message = only(f"22/11/2026 09:15 - Maria: {text}")
    assert (message.kind, message.text) == ("text", text)


def test_an_empty_message_is_a_message() -> None:
    message = only("22/11/2026 09:15 - Maria: ")
    assert (message.kind, message.text) == ("text", "")
