"""The list every backup carries: who made it, when, for which command, and each file's size and checksum."""

from __future__ import annotations

import json
from typing import Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from whatsself_tui.errors import DataError
from whatsself_tui.session.contents import DATABASE, belongs
from whatsself_tui.text import visible

#: The manifest's own name in the archive.
NAME = "manifest.json"

#: Version of the archive's format; a change that older programs would misread raises it.
FORMAT: Final = 1

PROGRAM: Final = "whatsself-tui"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Entry(_Part):
    """One file of the archive."""

    path: str
    """Relative to the data folder, with forward slashes."""
    size_bytes: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Manifest(_Part):
    """What an archive holds, apart from the manifest itself."""

    program: Literal["whatsself-tui"] = PROGRAM
    format: Literal[1] = FORMAT
    version: str = Field(max_length=100)
    """Version of the program that made it."""
    id: str = Field(max_length=100)
    """The command that asked for it: a command that is repeated finds its archive by this."""
    created_at: AwareDatetime
    """When the making began; the database's copy is a little younger."""
    files: tuple[Entry, ...]


def parse(data: bytes, archive: str) -> Manifest:
    """The manifest of the archive with the name `archive`.

    Raises DataError for one of another program, of a newer version, or with files no backup holds.
    """
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or content.get("program") != PROGRAM:
        raise DataError(f"{archive} is no backup of WhatsSelf TUI: its {NAME} is something else.")
    found = content.get("format")
    if isinstance(found, int) and found > FORMAT:
        raise DataError(
            f"{archive} has backup format {visible(str(found), 20)}; this program knows formats up to {FORMAT}.",
            "A newer WhatsSelf TUI made it: update this program.",
        )
    try:
        manifest = Manifest.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = visible(".".join(str(part) for part in first["loc"]), 100)
        what = f"{where}: {first['msg']}" if where else first["msg"]
        raise DataError(f"{archive} is damaged: its {NAME} is not right: {what}.") from error
    _check_paths([entry.path for entry in manifest.files], archive)
    return manifest


def _check_paths(paths: list[str], archive: str) -> None:
    for path in paths:
        if not belongs(path):
            raise DataError(
                f"{archive} is not safe: it lists {visible(path, 200)!r}, which no backup holds.",
                "Somebody else made or changed it: do not use it.",
            )
    if len(set(paths)) < len(paths):
        raise DataError(f"{archive} is damaged: its {NAME} lists a file twice.")
    if DATABASE not in paths:
        raise DataError(f"{archive} is damaged: its {NAME} lists no {DATABASE}.")
