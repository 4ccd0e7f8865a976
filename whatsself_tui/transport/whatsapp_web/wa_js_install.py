"""`bridge install`: wa-js put into the data folder, once its checksum was right."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from whatsself_tui.errors import DataError, UsageError
from whatsself_tui.host.atomic import write_atomic
from whatsself_tui.text import visible
from whatsself_tui.transport.whatsapp_web.wa_js import (
    FILE,
    LICENCE_FILE,
    PACKAGE,
    VERSION,
    WrongContent,
    is_licence,
    status,
    verify,
)
from whatsself_tui.transport.whatsapp_web.wa_js_sources import (
    MIRRORS,
    Content,
    Unavailable,
    from_file,
    from_mirror,
    from_npm,
)


@dataclass(frozen=True, slots=True)
class Installed:
    """Where the library is now."""

    path: Path
    how: str
    """A sentence."""


def install(
    folder: Path, source: Path | None = None, *, npm: str | None = None, mirrors: Sequence[str] = MIRRORS
) -> Installed:
    """Put the pinned wa-js into `folder`, from `source` alone if it is given, else from wherever it can be had.

    `npm` is the npm client's program (None: the one on the PATH, if any; empty: none). Blocks. Raises UsageError
    for a `source` that is not there, DataError otherwise; what was in the folder then stays.
    """
    if source is not None:
        return _take_file(folder, source)
    present = status(folder)
    if present.state == "ok":
        return Installed(present.path, f"wa-js {VERSION} was installed already.")
    return _fetch(folder, shutil.which("npm") if npm is None else npm, mirrors)


def _take_file(folder: Path, source: Path) -> Installed:
    shown = visible(str(source), 300)
    try:
        content = from_file(source)
        verify(content.script)
    except FileNotFoundError as error:
        raise UsageError(f"There is no file {shown}.") from error
    except (Unavailable, WrongContent) as error:
        raise DataError(
            f"{shown} was not installed: {error}.",
            f"Allowed are {FILE} of {PACKAGE} {VERSION} and its npm package, unchanged.",
        ) from error
    return _store(folder, content, shown)


def _fetch(folder: Path, npm: str | None, mirrors: Sequence[str]) -> Installed:
    failures = [] if npm else ["npm: there is no npm client on the PATH"]
    sources: list[tuple[str, Callable[[], Content]]] = [("npm", partial(from_npm, npm))] if npm else []
    sources += [(mirror, partial(from_mirror, mirror)) for mirror in mirrors]
    for name, fetch in sources:
        try:
            content = fetch()
            verify(content.script)
        except (Unavailable, WrongContent) as error:
            failures.append(f"{name}: {error}")
            continue
        return _store(folder, content, name)
    raise DataError(
        f"wa-js {VERSION} could not be fetched. {'; '.join(failures)}.",
        f"Fetch it where there is a network, with `npm pack {PACKAGE}@{VERSION}`, and install that file with"
        " `bridge install --from FILE`.",
    )


def _store(folder: Path, content: Content, source: str) -> Installed:
    """Write what was verified; the script last, so that it never arrives before its licence text."""
    licence = content.licence if content.licence is not None and is_licence(content.licence) else None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if licence is not None:
            write_atomic(folder / LICENCE_FILE, licence)
        write_atomic(folder / FILE, content.script)
    except OSError as error:
        raise DataError(
            f"wa-js cannot be written to {folder}: {error.strerror or error}.",
            "Check the permissions of the data folder and the room on the disk.",
        ) from error
    missing = "" if licence is not None else " Its licence text was not there; the npm package has it."
    return Installed(folder / FILE, f"wa-js {VERSION} is installed, from {source}.{missing}")
