"""Exchanging parts of the data folder: renames under a journal, so that a crash leaves the old state or the new one.

What is to come lies complete in `restoring/new/`; from the moment `restoring/journal.json` stands there,
the exchange is carried through, by this process or the next. Each step may be repeated: a part is
in place once it no longer lies in `restoring/new/`.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from whatsself_tui.errors import DataError
from whatsself_tui.host import atomic
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.session.contents import CONFIG, DATABASE, PROFILE
from whatsself_tui.store.damage import COMPANIONS

#: What can be exchanged, in this order: the database last, for without one no robot begins.
PARTS = (CONFIG, PROFILE, DATABASE)

_KEPT_NAME = re.compile(r"\d{8}-\d{6}(-[1-9]\d{0,5})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Swap:
    """An exchange under way."""

    folder: DataFolder
    kept_name: str
    """Name of the folder in `replaced/` that takes what stood there before."""
    parts: tuple[str, ...]
    """Those of PARTS that are exchanged, in that order."""

    @property
    def kept(self) -> Path:
        """Where what stood there before is."""
        return self.folder.replaced / self.kept_name

    @property
    def staged(self) -> Path:
        """Where what is to come lies."""
        return staged(self.folder)


def staged(folder: DataFolder) -> Path:
    """Where the parts that are to come are made ready."""
    return folder.restoring / "new"


def _journal(folder: DataFolder) -> Path:
    return folder.restoring / "journal.json"


def prepare(folder: DataFolder) -> Path:
    """An empty place to make the parts ready in. Blocks. Raises OSError."""
    if folder.restoring.exists():
        shutil.rmtree(folder.restoring)
    staged(folder).mkdir(parents=True, mode=0o700)
    return staged(folder)


def discard(folder: DataFolder) -> None:
    """Remove what was made ready and did not get its journal; what cannot be removed the next swap removes."""
    shutil.rmtree(folder.restoring, ignore_errors=True)


def swap(folder: DataFolder, now: datetime) -> Path | None:
    """Put every part that was made ready in its place; returns where what it took the place of is kept.

    None if it took nothing's place. Blocks. Raises DataError, after putting everything back as it was.
    """
    try:
        parts = tuple(part for part in PARTS if (staged(folder) / part).exists())
        exchange = Swap(folder, _free_name(folder.replaced, now), parts)
        atomic.sync_folder(exchange.staged)
        journal = {"kept": exchange.kept_name, "parts": parts}
        atomic.write_atomic(_journal(folder), json.dumps(journal).encode())
    except OSError as error:
        discard(folder)
        raise DataError(f"Nothing was restored: {folder.restoring} cannot be written: {_reason(error)}.") from error
    _carry_through(exchange)
    return exchange.kept if exchange.kept.exists() else None


def finish_interrupted(folder: DataFolder) -> bool:
    """Carry through an exchange that a crash interrupted; True if there was one. For the folder's owner.

    What was only being made ready is discarded. Blocks. Raises DataError.
    """
    if not folder.restoring.exists():
        return False
    if not _journal(folder).exists():
        discard(folder)
        return False
    _carry_through(_read(folder))
    return True


def _read(folder: DataFolder) -> Swap:
    path = _journal(folder)
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}.", _ADVICE) from error
    if isinstance(content, dict):
        kept, parts = content.get("kept"), content.get("parts")
        if isinstance(kept, str) and _KEPT_NAME.fullmatch(kept) and isinstance(parts, list):
            return Swap(folder, kept, tuple(part for part in PARTS if part in parts))
    raise DataError(f"{path} is not what a restore writes.", _ADVICE)


_ADVICE = "A restore was interrupted: look into `restoring` and `replaced`, move `restoring` away, and restore again."


def _carry_through(exchange: Swap) -> None:
    try:
        for part in exchange.parts:
            _put_in_place(exchange, part)
        _make_durable(exchange)
    except OSError as error:
        raise _undone(exchange, error) from error
    _end(exchange.folder)


def _put_in_place(exchange: Swap, part: str) -> None:
    source = exchange.staged / part
    if not source.exists():
        return
    # The database goes before its log: nobody may open it without.
    for name in _names(part):
        place = exchange.folder.root / name
        if _is_empty_folder(place):
            place.rmdir()
        elif os.path.lexists(place):
            exchange.kept.mkdir(parents=True, exist_ok=True)
            atomic.replace(place, _free(exchange.kept / name))
    atomic.replace(source, exchange.folder.root / part)


def _undone(exchange: Swap, error: OSError) -> DataError:
    """Put everything back; returns what to tell."""
    told = f"Nothing was restored: {error.filename or exchange.folder.root} cannot be moved: {_reason(error)}."
    try:
        for part in reversed(exchange.parts):
            _take_back(exchange, part)
        _make_durable(exchange)
    except OSError as second:
        return DataError(
            f"{told} Nor could everything be put back: {second.filename}: {_reason(second)}.",
            "Close the programs that use the data folder; the next start or command finishes it.",
        )
    _end(exchange.folder)
    return DataError(told, "Everything is as it was. Close the programs that use the data folder, and try again.")


def _take_back(exchange: Swap, part: str) -> None:
    place, source = exchange.folder.root / part, exchange.staged / part
    if not source.exists() and os.path.lexists(place):
        atomic.replace(place, source)
    for name in reversed(_names(part)):
        kept, place = exchange.kept / name, exchange.folder.root / name
        if os.path.lexists(kept):
            if os.path.lexists(place):
                atomic.replace(place, _free(kept.with_name(f"{name}.new")))
            atomic.replace(kept, place)
    with contextlib.suppress(OSError):
        exchange.kept.rmdir()


def _names(part: str) -> list[str]:
    return [part, *(f"{part}{ending}" for ending in COMPANIONS)] if part == DATABASE else [part]


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and not any(path.iterdir())


def _free(path: Path) -> Path:
    """`path`, or with a number behind it if something made it anew in the meantime."""
    number = 1
    found = path
    while os.path.lexists(found):
        number += 1
        found = path.with_name(f"{path.name}.{number}")
    return found


def _free_name(folder: Path, now: datetime) -> str:
    name, number = f"{now:%Y%m%d-%H%M%S}", 1
    while os.path.lexists(folder / (name if number == 1 else f"{name}-{number}")):
        number += 1
    return name if number == 1 else f"{name}-{number}"


def _make_durable(exchange: Swap) -> None:
    for folder in (exchange.kept, exchange.folder.replaced, exchange.folder.root):
        if folder.exists():
            atomic.sync_folder(folder)


def _end(folder: DataFolder) -> None:
    """From here there is no exchange any more; the rest of its folder may go later."""
    with contextlib.suppress(OSError):  # held open by a scanner: the next start finds everything done already
        _journal(folder).unlink(missing_ok=True)
    discard(folder)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
