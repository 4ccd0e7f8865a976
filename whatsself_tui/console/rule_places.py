"""Where an entry of the list of rules stands in the files, to open an editor there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from whatsself_tui.config.files import AUTOMATION_FILE
from whatsself_tui.config.toml_text import parse
from whatsself_tui.console.rule_rows import Entry
from whatsself_tui.errors import ConfigError


def place_of(entry: Entry | None, folder: Path) -> tuple[Path, int | None]:
    """The file of the configuration folder and the line in it, as it is on the disk now. Blocks.

    Of a file that cannot be parsed the line of its first mistake; None for a line that is not known.
    """
    if entry is not None and entry.problem is not None:
        return folder / entry.problem.file, entry.problem.line
    file = folder / AUTOMATION_FILE
    try:
        content = file.read_bytes()
    except OSError:  # the editor will say what is the matter, or make the file
        return file, None
    return file, line_of(entry, content) if entry is not None else None


def line_of(entry: Entry, content: bytes) -> int | None:
    """The line (from 1) of an entry's table in the content of `automation.toml`; None if it is not there."""
    try:
        document = parse(content, AUTOMATION_FILE)
    except ConfigError as error:
        return error.problems[0].line
    if entry.kind != "step":
        number, _ = _named(document.data.get(entry.kind), entry.name)
        return None if number is None else document.line_of((entry.kind, number))
    number, flow = _named(document.data.get("flow"), entry.flow)
    below, _ = _named(flow.get("step"), entry.name)
    return None if number is None or below is None else document.line_of(("flow", number, "step", below))


def _named(tables: object, name: str) -> tuple[int | None, Mapping[str, object]]:
    """Index and content of the table with that name in a parsed array of tables."""
    for number, table in enumerate(tables if isinstance(tables, list) else ()):
        if isinstance(table, dict) and table.get("name") == name:
            return number, table
    return None, {}
