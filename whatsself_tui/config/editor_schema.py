"""The JSON Schema beside `automation.toml`, which editors complete and check the file with."""

from __future__ import annotations

import json
from pathlib import Path

from whatsself_tui.automation.json_schema import automation_schema
from whatsself_tui.errors import DataError
from whatsself_tui.host.atomic import write_atomic

SCHEMA_FILE = "automation.schema.json"
"""Named by the `#:schema` comment of the default file."""


def schema_content() -> bytes:
    """The file as this version of the program writes it."""
    return (json.dumps(automation_schema(), ensure_ascii=False, indent=2) + "\n").encode()


def write_editor_schema(folder: Path) -> bool:
    """Write the schema into the configuration's `folder` unless it is there as it should be; True if written.

    Raises DataError.
    """
    path, content = folder / SCHEMA_FILE, schema_content()
    try:
        if path.exists() and path.read_bytes() == content:
            return False
        write_atomic(path, content)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}.") from error
    return True
