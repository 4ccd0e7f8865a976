"""What WhatsApp itself writes into an exported conversation in place of somebody's text.

Portuguese and English, as Android and iOS phrase it. On iOS such a text begins with a left-to-right
mark; a person's own does not.
"""

from __future__ import annotations

from typing import Literal

Content = Literal["text", "media", "deleted", "system"]

MARKS = "\ufeff\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Byte order and direction marks, which WhatsApp puts before dates, names and its own texts."""

_LRM = "\u200e"
_NO_MARKS = dict.fromkeys(map(ord, MARKS))
_LONGEST_MARK = 400
"""Characters; a file name has at most 255."""

_MEDIA = (
    "imagem", "foto", "vídeo", "áudio", "gif", "figurinha", "sticker", "documento", "arquivo", "ficheiro de áudio",
    "contato", "contacto", "cartão do contato", "cartão de contato", "mensagem de vídeo", "mensagem de voz", "mídia",
    "arquivo de mídia", "image", "video", "audio", "document", "contact card", "video note", "voice message", "media",
    "multimedia",
)  # fmt: skip
_LEFT_OUT = (
    "oculto", "oculta", "ocultado", "ocultada", "omitido", "omitida", "não revelado", "não revelada", "omitted",
)  # fmt: skip
_OMITTED = frozenset(f"{medium} {left_out}" for medium in _MEDIA for left_out in _LEFT_OUT)
_OMITTED_ENDINGS = tuple(f" {left_out}>" for left_out in _LEFT_OUT)

_FILE_MARKS = (" (arquivo anexado)", " (file attached)", " <anexado>", " <attached>")
_FILE_TAGS = ("<anexado:", "<arquivo anexado:", "<attached:")

_VIEW_ONCE = ("view once", "visualização única")

_DELETED = frozenset({
    "mensagem apagada", "esta mensagem foi apagada", "essa mensagem foi apagada", "você apagou esta mensagem",
    "você apagou essa mensagem", "this message was deleted", "you deleted this message", "message deleted",
})  # fmt: skip
_DELETED_BY = (
    "esta mensagem foi apagada pelo admin",
    "mensagem apagada pelo admin",
    "this message was deleted by admin",
)

_EDITED = frozenset({
    "mensagem editada", "esta mensagem foi editada", "essa mensagem foi editada", "this message was edited",
})  # fmt: skip

_CALLS = frozenset({
    "ligação de voz perdida", "ligação de vídeo perdida", "chamada de voz perdida", "chamada de vídeo perdida",
    "missed voice call", "missed video call", "missed group voice call", "missed group video call",
})  # fmt: skip

_GROUP_SUBJECT = (
    "criou o grupo", "criou este grupo", "mudou o nome", "mudou o assunto", "alterou o nome", "alterou o assunto",
    "mudou a descrição", "created group", "created this group", "changed the subject", "changed the group name",
    "changed this group",
)  # fmt: skip

_NOTICES = (
    *_GROUP_SUBJECT,
    "ponta a ponta", "end-to-end", "código de segurança", "security code", "adicionou", " added ", "removeu",
    " removed ", " saiu", " left", "entrou", " joined ", "mudou", "alterou", " changed ", "bloqueou", " blocked ",
    " unblocked ", "temporárias", "disappearing", "ligação", "chamada", " call", "seus contatos",
    "lista de contatos", "is a contact", "your contacts", "aguardando", "waiting for this message", "fixou", "pinned",
    "admin", "conta comercial", "business account",
)  # fmt: skip


def recognise(body: str) -> tuple[Content, str]:
    """What the text after a sender's name is, and the part of it that is the sender's own words.

    The own words of a medium are its caption; deleted messages and notices have none.
    """
    lines = [line.lstrip(MARKS) for line in body.split("\n")]
    caption = _caption(lines)
    if caption is not None:
        return "media", _without_edit_mark(caption)
    text = _without_edit_mark("\n".join(lines))
    if len(text) > _LONGEST_MARK:
        return "text", text
    said = _plain(text)
    if said.lstrip("🚫 ") in _DELETED or said.startswith(_DELETED_BY):
        return "deleted", ""
    if said in _CALLS:
        return "system", ""
    if body.startswith(_LRM):
        if any(phrase in said for phrase in _VIEW_ONCE):
            return "media", ""
        if any(notice in said for notice in _NOTICES):
            return "system", ""
    return "text", text


def is_group_notice(before_colon: str) -> bool:
    """Whether what looks like a sender is the beginning of `Maria criou o grupo "SP: vendas"`."""
    before_quote, quote, _ = before_colon.replace("“", '"').partition('"')
    return bool(quote) and any(subject in before_quote for subject in _GROUP_SUBJECT)


def _caption(lines: list[str]) -> str | None:
    """The lines without the mark of a medium, which stands in the first or ends the last; None without one."""
    for index in (0, len(lines) - 1):
        found = _medium(lines[index])
        if found is not None:
            beside, file_name = found
            kept = [*lines[:index], beside, *lines[index + 1 :]]
            return "\n".join(line for line in kept if line.strip() != file_name).strip()
    return None


def _medium(line: str) -> tuple[str, str] | None:
    """(words beside the mark, file name) if the line is or ends with the mark of a medium."""
    if len(line) > _LONGEST_MARK and _LRM not in line:
        return None
    beside, mark, tail = line.rpartition(_LRM)
    for before, marked in (("", line), (beside, tail)):
        file_name = _file_name(marked)
        if file_name is not None:
            # A document shows its name and pages there: "contrato.pdf • 3 páginas".
            own = "" if "•" in before else before.translate(_NO_MARKS).strip()
            return own, file_name
        if not mark:
            break
    return None


def _file_name(marked: str) -> str | None:
    """The file's name if the text marks a medium, empty if it was left out; None if it is no mark."""
    if len(marked) > _LONGEST_MARK:
        return None
    shown = marked.translate(_NO_MARKS).strip()
    said = _plain(shown)
    if said in _OMITTED or said == "null":
        return ""
    for ending in _FILE_MARKS:
        if said.endswith(ending) and "." in said:
            return shown[: -len(ending)].strip()
    if said.startswith("<") and said.endswith(">"):
        if said[1:-1].strip(" .") in _OMITTED or said.endswith(_OMITTED_ENDINGS):
            return ""
        if said.startswith(_FILE_TAGS):
            return shown[shown.index(":") + 1 : -1].strip()
    return None


def _without_edit_mark(text: str) -> str:
    text = text.strip()
    if text.endswith(">"):
        start = text.rfind("<")
        if start >= 0 and _plain(text[start + 1 : -1]) in _EDITED:
            return text[:start].rstrip(MARKS + " \u00a0\u202f\n")
    return text


def _plain(text: str) -> str:
    return text.translate(_NO_MARKS).replace("\u00a0", " ").casefold().strip(" .")
