"""What a backup holds: settings, database, and the browser profile without what the browser makes again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from whatsself_tui.errors import DataError
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.text import visible

#: Names inside the archive.
DATABASE = "whatsself.db"
CONFIG = "config"
PROFILE = "whatsapp_session"

#: Folders of a Chromium profile, at any depth, that hold copies of what can be loaded or compiled again.
#: Not among them: `IndexedDB`, `Local Storage` and `Service Worker/Database`, which are the login.
CACHES = frozenset(
    {
        "Cache",
        "Code Cache",
        "Crashpad",
        "DawnGraphiteCache",
        "DawnWebGPUCache",
        "GPUCache",
        "GrShaderCache",
        "GraphiteDawnCache",
        "Media Cache",
        "ShaderCache",
    }
)
CACHE_STORAGE = ("Service Worker", "CacheStorage")

#: Files that say "in use" to a running browser; Windows lets nobody else read some of them.
LOCKS = ("*.lock", "Singleton*", "lockfile", "LOCK", "RunningChromeVersion")


@dataclass(frozen=True, slots=True)
class Source:
    """A file that goes into an archive."""

    name: str
    """Where it stands in the archive: relative, with forward slashes."""
    path: Path
    size_bytes: int


def settings_and_profile(folder: DataFolder) -> list[Source]:
    """Every file of a backup but the database, in a fixed order.

    Links and empty folders inside the profile are left out: a browser makes only links that say who
    uses it. Blocks. Raises DataError for what cannot be read, or has a name that no archive can hold.
    """
    try:
        found = [*_settings(folder.config), *_profile(folder.session)]
    except OSError as error:
        where = visible(str(error.filename or folder.root))
        raise DataError(
            f"The backup was not made: {where} cannot be read: {error.strerror or error}.",
            "Check its permissions, and whether a browser uses the profile.",
        ) from error
    for source in found:
        if not belongs(source.name):
            raise DataError(
                f"The backup was not made: no archive for every system can hold the name {visible(source.name)}.",
                "Rename or remove that file.",
            )
    return found


def belongs(name: str) -> bool:
    """Whether a backup may hold a file of this name: one of the known places, nothing that leads out of them."""
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts) or not _plain(name):
        return False
    if parts[0] == PROFILE:
        return len(parts) > 1
    if parts[0] == CONFIG:
        return len(parts) == 2 and name.endswith(".toml")
    return name == DATABASE


def _plain(name: str) -> bool:
    """No separator, drive or stream of any system in it, and nothing that cannot be encoded."""
    return not any(char in "\\:" or ord(char) < 0x20 or 0xD800 <= ord(char) <= 0xDFFF for char in name)


def _settings(folder: Path) -> Iterator[Source]:
    for path in sorted(folder.glob("*.toml")):
        # A link to the real file counts, an editor's dangling lock does not; Windows also finds `X.TOML`.
        if path.is_file() and path.name.endswith(".toml"):
            yield Source(f"{CONFIG}/{path.name}", path, path.stat().st_size)


def _profile(root: Path) -> Iterator[Source]:
    folders: list[tuple[Path, tuple[str, ...]]] = [(root, (PROFILE,))] if root.is_dir() else []
    while folders:
        folder, above = folders.pop()
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
        for entry in entries:
            place = (*above, entry.name)
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in CACHES and place[-2:] != CACHE_STORAGE:
                    folders.append((Path(entry.path), place))
            elif entry.is_file(follow_symlinks=False) and not any(fnmatchcase(entry.name, lock) for lock in LOCKS):
                yield Source("/".join(place), Path(entry.path), entry.stat(follow_symlinks=False).st_size)
