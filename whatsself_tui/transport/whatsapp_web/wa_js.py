"""wa-js, the library inside WhatsApp's page: one pinned release, used only if every byte of it is the expected one.

It is no part of the program: `bridge install` puts it into the data folder, unchanged.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from whatsself_tui.errors import DataError

PACKAGE = "@wppconnect/wa-js"
VERSION = "4.6.0"

#: Of `dist/wppconnect-wa.js` in the npm package of that version.
FILE = "wppconnect-wa.js"
SIZE = 518_065
SHA256 = "5bfb88027f14a4d8c9e319374e8bb4083201906881cf8c74f75789b32e4106bd"

#: Of the licences of all it is made of (its own is Apache-2.0), which stand beside it in the package.
LICENCE_FILE = f"{FILE}.LICENSE.txt"
LICENCE_SHA256 = "b9cf06737709c8d1cefd6500a64ceee395cdebb366ecdea8533d27260fcd031e"

_ADVICE = "Run `whatsself-tui bridge install`."

State = Literal["ok", "missing", "damaged"]


@dataclass(frozen=True, slots=True)
class WaJsStatus:
    """Whether the library can be used."""

    version: str
    """The version that is used, there or not."""
    path: Path
    state: State
    detail: str
    """A sentence."""


class WrongContent(Exception):
    """Bytes that are not the pinned release; the text says what they are instead."""


def verify(content: bytes) -> None:
    """Raises WrongContent unless `content` is the pinned script to the byte."""
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise WrongContent(
            f"it is not wa-js {VERSION}: expected {SIZE} bytes with SHA-256 {SHA256},"
            f" found {len(content)} bytes with {found}"
        )


def is_licence(content: bytes) -> bool:
    """Whether `content` is the licence text of the pinned release."""
    return hashlib.sha256(content).hexdigest() == LICENCE_SHA256


def status(folder: Path) -> WaJsStatus:
    """What there is in `folder` (`DataFolder.bridge`). Reads all of it."""
    path = folder / FILE
    try:
        _verified(path)
    except FileNotFoundError:
        return WaJsStatus(VERSION, path, "missing", f"wa-js {VERSION} is not installed.")
    except OSError as error:
        return WaJsStatus(VERSION, path, "damaged", f"{path} cannot be read: {error.strerror or error}.")
    except WrongContent as error:
        return WaJsStatus(VERSION, path, "damaged", f"{path} cannot be used, for {error}.")
    return WaJsStatus(VERSION, path, "ok", f"wa-js {VERSION} is installed.")


def read_verified(folder: Path) -> str:
    """The script's text, once its checksum is right. Raises DataError with what to do."""
    path = folder / FILE
    try:
        return _verified(path).decode("utf-8")
    except FileNotFoundError as error:
        raise DataError(f"wa-js {VERSION}, the library inside WhatsApp's page, is not installed.", _ADVICE) from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.", _ADVICE) from error
    except WrongContent as error:
        raise DataError(f"{path} cannot be used, for {error}.", _ADVICE) from error


def _verified(path: Path) -> bytes:
    """The file's content. Raises OSError, WrongContent."""
    with path.open("rb") as file:
        content = file.read(SIZE + 1)  # what is longer is wrong without being read to its end
    if len(content) > SIZE:
        raise WrongContent(f"it is not wa-js {VERSION}: it has more than the expected {SIZE} bytes")
    verify(content)
    return content
