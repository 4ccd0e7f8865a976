"""What a file is, told from how it begins: types for sending, endings for what was received.

Pure. A name and a sender's word count only where the content cannot decide, and never for what a system would run.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Callable
from typing import Literal

Kind = Literal["image", "document", "audio"]

#: This many bytes of a file's beginning decide.
HEAD_BYTES = 4_096

OPUS = "audio/ogg; codecs=opus"
"""As WhatsApp writes the type of a voice message."""

UNKNOWN = "application/octet-stream"

#: Types that Python's own table lacks or calls otherwise.
_TYPES = {
    ".3gp": "video/3gpp",
    ".apk": "application/vnd.android.package-archive",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".mkv": "video/x-matroska",
    ".odp": "application/vnd.oasis.opendocument.presentation",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".rtf": "application/rtf",
    ".vcf": "text/vcard",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

#: Endings of received images and audio.
_ENDINGS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    OPUS: "ogg",
    "audio/ogg": "ogg",
    "audio/mpeg": "mp3",
    "audio/mp4": "m4a",
    "audio/aac": "aac",
    "audio/wav": "wav",
    "audio/amr": "amr",
}

#: Of a ZIP archive: what the sender calls it may tell which; macros have types of their own, not in here.
_ZIPPED = {_TYPES[f".{ending}"]: ending for ending in ("docx", "xlsx", "pptx", "odt", "ods", "odp")}

#: Of an OLE container, the older Office's format.
_OLE = {"application/msword": "doc", "application/vnd.ms-excel": "xls", "application/vnd.ms-powerpoint": "ppt"}

#: Of plain text; everything else that is text (HTML, scripts) is something a system would open in its own way.
_TEXTS = {"text/plain": "txt", "text/csv": "csv"}

#: Of ISO media that is no audio, by its major brand; all others are some kind of MP4.
_BRANDS = (
    (b"3gp", "3gp"),
    (b"qt  ", "mov"),
    (b"hei", "heic"),
    (b"mif1", "heic"),
    (b"avif", "avif"),
)

_ENDING = re.compile(r"\.[A-Za-z0-9]{1,16}\Z")

NO_ENDING = "bin"
"""Of everything that is not certainly harmless to open by its name."""


def sniff(head: bytes) -> tuple[Kind, str] | None:
    """(kind, mimetype) of an image or audio that begins with `head`; None for everything else.

    Sources: the formats' own signatures; MPEG audio frames by ISO 11172-3, ADTS by ISO 13818-7, Ogg by RFC 3533,
    ISO media (`ftyp`) by its major brand.
    """
    for begins, mimetype in _IMAGES:
        if head.startswith(begins):
            return "image", mimetype
    if head[:4] == b"RIFF" and head[8:12] in _RIFF:
        return _RIFF[head[8:12]]
    for told, mimetype in _AUDIO:
        if told(head):
            return "audio", mimetype
    return None


def document_type(head: bytes, name: str) -> str:
    """The mimetype of what is neither image nor audio by its content, whatever its name says."""
    if head.startswith(b"%PDF-"):
        return "application/pdf"
    ending = _ending_of(name)
    guessed = _TYPES.get(ending) or _BUILT_IN.guess_type(f"x{ending}")[0] or UNKNOWN
    return UNKNOWN if guessed.startswith(("image/", "audio/")) or guessed == "application/pdf" else guessed


def ending_for(head: bytes, mimetype: str) -> str:
    """The ending to keep a received medium under, from a fixed table: `bin` for programs, scripts and the unknown.

    `mimetype` is the sender's word: it only chooses among the formats that the content may be.
    """
    found = sniff(head)
    if found:
        return _ENDINGS[found[1]]
    told = mimetype.partition(";")[0].strip().lower()
    if head.startswith(b"%PDF-"):
        return "pdf"
    if head.startswith(b"PK\x03\x04"):
        return _ZIPPED.get(told, "zip")
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _OLE.get(told, NO_ENDING)
    if head[4:8] == b"ftyp":
        return next((ending for brand, ending in _BRANDS if head.startswith(brand, 8)), "mp4")
    if _is_text(head):
        return _TEXTS.get(told, NO_ENDING)
    return NO_ENDING


def _is_text(head: bytes) -> bool:
    """No zeros, no script's `#!`, and UTF-8 as far as `head` reaches (its last character may be cut)."""
    if not head or b"\0" in head or head.startswith(b"#!"):
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return len(head) == HEAD_BYTES and error.start >= HEAD_BYTES - 3
    return True


def _is_mpeg_layer_3(head: bytes) -> bool:
    if head.startswith(b"ID3"):
        return True
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return False
    version, bitrate, rate = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    return version != 1 and bitrate not in (0, 15) and rate != 3


def _is_adts(head: bytes) -> bool:
    return len(head) >= 7 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0 and head[2] >> 2 & 0xF < 13


def _ogg_codec(head: bytes) -> bytes:
    """The beginning of the first page's content; empty for what is no Ogg."""
    if not head.startswith(b"OggS") or len(head) < 28:
        return b""
    return head[27 + head[26] :][:8]


def _ending_of(name: str) -> str:
    found = _ENDING.search(name)
    return found[0].lower() if found else ""


_BUILT_IN = mimetypes.MimeTypes()
"""Python's own table, without what this machine's files or registry would add to it."""

_IMAGES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)

_RIFF: dict[bytes, tuple[Kind, str]] = {b"WEBP": ("image", "image/webp"), b"WAVE": ("audio", "audio/wav")}

_AUDIO: tuple[tuple[Callable[[bytes], bool], str], ...] = (
    (lambda head: _ogg_codec(head) == b"OpusHead", OPUS),
    (lambda head: _ogg_codec(head).startswith((b"\x01vorbis", b"Speex  ", b"\x7fFLAC")), "audio/ogg"),
    (lambda head: head.startswith((b"#!AMR\n", b"#!AMR-WB\n")), "audio/amr"),
    (lambda head: head[4:11] in (b"ftypM4A", b"ftypM4B"), "audio/mp4"),
    (_is_mpeg_layer_3, "audio/mpeg"),
    (_is_adts, "audio/aac"),
)
