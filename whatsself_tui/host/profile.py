"""The browser profile that holds the login, and the note in it which browser has used it.

A profile belongs to one brand: another one, or an older version, may lose the login.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from whatsself_tui.errors import DataError
from whatsself_tui.host.atomic import write_atomic
from whatsself_tui.host.browsers import NAMES, Brand, Browser

RECORD = "whatsself-profile.json"

#: The record is written here and has some hundred bytes; more is not ours.
_RECORD_LIMIT_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class ProfileRecord:
    """The browser that used the profile last."""

    brand: Brand
    major: int
    path: str
    last_used_ms: int
    paired: bool
    """Whether the profile held a login then."""


def prepare_profile(folder: Path) -> None:
    """Make the profile's folder, for this user alone. Raises DataError if it is something else than a folder.

    On Windows it has the rights of the folder above, which are the user's.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            _require_own_folder(folder)
        if sys.platform != "win32":
            folder.chmod(0o700)
    except OSError as error:
        raise DataError(
            f"The browser profile {folder} cannot be prepared: {error.strerror or error}.",
            "Check the permissions of the data folder and the room on the disk.",
        ) from error


def read_record(folder: Path) -> ProfileRecord | None:
    """The record of a profile; None if there is none. Raises DataError if it cannot be read."""
    path = folder / RECORD
    try:
        with path.open("rb") as file:
            data = file.read(_RECORD_LIMIT_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    try:
        return _record(json.loads(data))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(
            f"{path} is damaged: it no longer tells which browser used the profile.",
            "It is written anew when a browser is started.",
        ) from error


def warnings_before(record: ProfileRecord | None, browser: Browser) -> list[str]:
    """What may go wrong when `browser` opens a profile with this record."""
    if record is None:
        return []
    if record.brand is not browser.brand:
        return [
            f"The profile was last used by {NAMES[record.brand]} {record.major} and would now be opened by"
            f" {browser.name} {browser.major}: the login may be lost. Set `transport.browser` to {record.brand}"
            " to go on with the former."
        ]
    if browser.major < record.major:
        return [
            f"The profile was last used by {browser.name} {record.major} and would now be opened by the older version"
            f" {browser.major}: the login may be lost. Update the browser first."
        ]
    return []


def warnings_for(folder: Path, browser: Browser) -> list[str]:
    """`warnings_before` with the record in the folder; one that cannot be read is a warning itself."""
    try:
        return warnings_before(read_record(folder), browser)
    except DataError as error:
        return [str(error)]


def record_use(folder: Path, browser: Browser, *, now_ms: int, paired: bool | None = None) -> None:
    """Note that `browser` uses the profile. `paired` None leaves that as it was noted before.

    Raises DataError if it cannot be written.
    """
    if paired is None:
        paired = _was_paired(folder)
    record = ProfileRecord(browser.brand, browser.major, str(browser.path), now_ms, paired)
    try:
        write_atomic(folder / RECORD, json.dumps(asdict(record), indent=2).encode())
    except OSError as error:
        raise DataError(f"{folder / RECORD} cannot be written: {error.strerror or error}.") from error


def _was_paired(folder: Path) -> bool:
    try:
        record = read_record(folder)
    except DataError:
        return False  # nothing is known; the transport notes a login as soon as it sees one
    return record is not None and record.paired


def _record(content: Any) -> ProfileRecord:
    """Raises ValueError, KeyError or TypeError if it is none."""
    record = ProfileRecord(
        Brand(content["brand"]), content["major"], content["path"], content["last_used_ms"], content["paired"]
    )
    whole = all(type(number) is int and number >= 0 for number in (record.major, record.last_used_ms))
    if not (whole and isinstance(record.path, str) and isinstance(record.paired, bool)):
        raise ValueError("a field has the wrong type")
    return record


def _require_own_folder(folder: Path) -> None:
    """Refuse whatever stands in the folder's place. Raises DataError, OSError."""
    info = folder.lstat()
    if stat.S_ISLNK(info.st_mode) or _is_junction(info):
        what = "a link to another place"
    elif not stat.S_ISDIR(info.st_mode):
        what = "not a folder"
    elif sys.platform != "win32" and info.st_uid != os.geteuid():
        what = "another user's"
    else:
        return
    raise DataError(
        f"The browser profile {folder} is {what}.",
        "It has to be a folder of your own, because it holds the login: move it away, and pair again.",
    )


def _is_junction(info: os.stat_result) -> bool:
    """Windows' other kind of link; the marks of a synchronised folder are none."""
    if sys.platform != "win32":
        return False
    return info.st_reparse_tag == stat.IO_REPARSE_TAG_MOUNT_POINT
