"""Checking a backup whoever made it, before anybody relies on it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import IO

from whatsself_tui.errors import DataError
from whatsself_tui.session import archive
from whatsself_tui.session.contents import DATABASE
from whatsself_tui.session.database import database_fault
from whatsself_tui.session.manifest import Manifest
from whatsself_tui.text import visible


def verify(path: Path) -> Manifest:
    """Check an archive in full, its database included, which is unpacked into a private temporary folder.

    Blocks. Raises DataError with what is wrong.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="whatsself-verify-") as scratch:
            copy = Path(scratch) / DATABASE
            with open(copy, "wb") as file:
                manifest = archive.check(path, lambda: None, lambda data: _keep(file, data))
            fault = database_fault(copy)
    except OSError as error:
        raise _no_room_to_check(error) from error
    if fault:
        raise DataError(
            f"{visible(path.name, 200)} is damaged: the database in it is not whole: {visible(fault, 200)}.",
            "Use another backup.",
        )
    return manifest


def _keep(file: IO[bytes], data: bytes) -> None:
    try:
        file.write(data)
    except OSError as error:
        raise _no_room_to_check(error) from error


def _no_room_to_check(error: OSError) -> DataError:
    return DataError(
        f"The database in the backup cannot be unpacked for the check: {error.strerror or error}.",
        f"Make room in the temporary folder {tempfile.gettempdir()}, or name another with TMPDIR.",
    )
