"""A data folder with something to back up, and archives changed as damage or malice would."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.session.making import Made, find_or_make

#: 1 January 2026, 02:30 UTC: still the old year in São Paulo.
NEW_YEAR = datetime(2026, 1, 1, 2, 30, tzinfo=UTC)

LOGIN = b"the login" * 1000


def filled_folder(root: Path) -> DataFolder:
    """Settings, a database and a small profile; nobody runs a robot on it."""
    folder = DataFolder(root)
    folder.create()
    folder.settings_file.write_text("[limits]\nper_minute = 7\n", encoding="utf-8")
    with closing(sqlite3.connect(folder.database)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT)")
        connection.executemany("INSERT INTO note (body) VALUES (?)", [(f"note {n} " * 20,) for n in range(300)])
        connection.commit()
    put(folder.session / "Default" / "IndexedDB" / "000003.log", LOGIN)
    return folder


def put(path: Path, content: bytes = b"x") -> None:
    """A file with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def back_up(folder: DataFolder, identity: str = "first", now: datetime = NEW_YEAR) -> Made:
    """A backup, made in this thread."""
    return find_or_make(folder, identity, now, lambda: None)


def contents(archive: Path) -> dict[str, bytes]:
    """Every file of an archive."""
    with zipfile.ZipFile(archive) as file:
        return {info.filename: file.read(info) for info in file.infolist()}


def rewrite(archive: Path, files: dict[str, bytes], edit: Callable[[dict[str, Any]], None] | None = None) -> None:
    """Make an archive of these files, its manifest edited."""
    files = dict(files)
    if edit is not None:
        manifest = json.loads(files["manifest.json"])
        edit(manifest)
        files["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)


def unfinished(folder: DataFolder) -> list[str]:
    """Names in the backups' folder that are no finished backup."""
    return sorted(path.name for path in folder.backups.iterdir() if not path.name.startswith("whatsapp_session-"))
