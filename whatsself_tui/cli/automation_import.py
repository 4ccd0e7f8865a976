"""`automation import`: templates, triggers and flows from JSON, checked as a whole before a byte is written."""

from __future__ import annotations

import re
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from whatsself_tui.automation.catalogue import read_catalogue
from whatsself_tui.automation.package import MAX_BYTES, Merged, Package, PackageError, merge, read_package
from whatsself_tui.cli.files_now import as_data, counted, read_files, tell_problems
from whatsself_tui.cli.output import document, line, narrate
from whatsself_tui.clock import SystemClock
from whatsself_tui.config.automation_text import edit
from whatsself_tui.config.files import AUTOMATION_FILE, SETTINGS_FILE, ensure_files, read_rules
from whatsself_tui.config.folder import Snapshot, evaluate, take_snapshot
from whatsself_tui.config.toml_text import dotted, parse
from whatsself_tui.errors import CommandRefused, DataError, Problem, UsageError
from whatsself_tui.host.atomic import write_atomic
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.text import visible

_PLACE = re.compile(r"(template|trigger|flow)\[(\d+)\](.*)", re.DOTALL)
_SIGNS = {"added": "+", "changed": "~", "removed": "-", "unchanged": "=", "kept": "="}


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What an import comes to, before it is written."""

    package: Package
    merged: Merged
    content: bytes
    """Of the new file."""
    comments_kept: bool
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]

    @property
    def changes(self) -> bool:
        """Whether the file is different afterwards."""
        return bool(self.merged.reordered) or any(
            each.what not in ("unchanged", "kept") for each in self.merged.differences
        )


def take_over(folder: DataFolder, args: Namespace) -> int:
    """Put a document's entries into automation.toml; exit 2 if the result is not right."""
    package = _read(args.file)
    snapshot = read_files(folder.config)
    standing = evaluate(snapshot)
    if standing.value is None:
        narrate("The files have to be right before something is imported.")
        return tell_problems(standing.problems, args.json)
    outcome = _outcome(snapshot, package, args.replace, args.file)
    if outcome.problems:
        for note in package.notes:
            narrate(f"note: {visible(note, 500)}")
        return tell_problems(outcome.problems, args.json)
    copy = None
    if outcome.changes and not args.dry_run:
        copy = _write(folder, outcome.content, snapshot)
    _report(outcome, args, copy)
    return 0


def _read(name: str) -> Package:
    shown = "stdin" if name == "-" else visible(Path(name).name, 80)
    try:
        if name == "-":
            content = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                content = file.read(MAX_BYTES + 1)
        return read_package(content)
    except OSError as error:
        raise UsageError(f"{visible(name, 200)} cannot be read: {error.strerror or error}.") from error
    except PackageError as error:
        raise UsageError(f"{shown} cannot be imported: {visible(str(error), 500)}.") from error


def _outcome(snapshot: Snapshot, package: Package, replace_all: bool, source: str) -> _Outcome:
    """The merged automation, and everything that is wrong with it."""
    content = snapshot.contents[AUTOMATION_FILE]
    merged = merge(parse(content, AUTOMATION_FILE).data, package, replace=replace_all)
    catalogue, findings = read_catalogue(merged.data)
    if catalogue is None:
        found = [(found.path, found.message) for found in findings]
        problems = tuple(_located(dotted(path), message, merged, package, source) for path, message in found)
        return _Outcome(package, merged, b"", True, problems, ())
    edited, kept = edit(content, merged.data)
    loaded = read_rules(snapshot.contents[SETTINGS_FILE], edited)
    if loaded.value is None:
        # The lines are those of a file nobody has; the entry's name is what a person can look for.
        problems = tuple(
            _located(problem.field, problem.message, merged, package, source) for problem in loaded.problems
        )
        return _Outcome(package, merged, edited, kept, problems, ())
    return _Outcome(package, merged, edited, kept, (), loaded.warnings)


def _located(field: str, message: str, merged: Merged, package: Package, source: str) -> Problem:
    """A problem of the merged automation, told by the name of the entry and where that comes from."""
    place = _PLACE.fullmatch(field)
    if place is None:
        return Problem(AUTOMATION_FILE, None, field, message)
    kind, index, rest = place[1], int(place[2]), place[3]
    name = merged.data[kind][index].get("name")
    given = any(entry.get("name") == name for entry in package.entries.get(kind, ()))
    file = ("stdin" if source == "-" else Path(source).name) if given else AUTOMATION_FILE
    return Problem(file, None, f'{kind} "{name}"{rest}', message)


def _write(folder: DataFolder, content: bytes, before: Snapshot) -> Path:
    """Keep a copy of the file and put the new one in its place; returns the copy."""
    if take_snapshot(folder.config).digest != before.digest:
        raise CommandRefused("The files were changed while this was prepared.", "Try again.")
    folder.create()
    ensure_files(folder.config)
    target = folder.config / AUTOMATION_FILE
    try:
        copy = _free(target)
        write_atomic(copy, target.read_bytes())
        write_atomic(target, content)
    except OSError as error:
        raise DataError(f"{AUTOMATION_FILE} cannot be written: {error.strerror or error}.") from error
    return copy


def _free(target: Path) -> Path:
    """The name of a copy that is not there yet, by the machine's local time as file times are shown."""
    moment = datetime.fromtimestamp(SystemClock().now_ms() / 1000).strftime("%Y%m%d-%H%M%S")
    name, number = f"{target.name}.bak-{moment}", 2
    while (target.parent / name).exists():
        name, number = f"{target.name}.bak-{moment}-{number}", number + 1
    return target.parent / name


def _report(outcome: _Outcome, args: Namespace, copy: Path | None) -> None:
    if args.json:
        document(_as_data(outcome, args, copy))
    else:
        _print(outcome, copy)
    for warning in outcome.warnings:
        narrate(f"warning: {visible(str(replace(warning, line=None)) if copy is None else str(warning), 1000)}")
    if not outcome.comments_kept:
        narrate("The file is written anew: of its comments only those at the beginning are kept.")
    if args.dry_run:
        narrate("Nothing was written: this is a dry run.")


def _as_data(outcome: _Outcome, args: Namespace, copy: Path | None) -> dict[str, Any]:
    return {
        "ok": True,
        "dry_run": args.dry_run,
        "written": copy is not None,
        "copy": None if copy is None else str(copy),
        "entries": [
            {"kind": each.kind, "name": each.name, "what": each.what, "keys": list(each.keys)}
            for each in outcome.merged.differences
        ],
        "reordered": list(outcome.merged.reordered),
        "comments_kept": outcome.comments_kept,
        "notes": list(outcome.package.notes),
        "warnings": [as_data(warning) for warning in outcome.warnings],
    }


def _print(outcome: _Outcome, copy: Path | None) -> None:
    kept = 0
    for each in outcome.merged.differences:
        if each.what == "kept":
            kept += 1
            continue
        keys = f": {', '.join(visible(key, 60) for key in each.keys)}" if each.keys else ""
        line(f'{_SIGNS[each.what]} {each.kind} "{visible(each.name, 80)}" {each.what}{keys}')
    if kept:
        line(f"= {kept} more in the file stay as they are")
    for kind in outcome.merged.reordered:
        line(f"~ the order of the {kind}s changed")
    _print_notes(outcome.package.notes)
    if copy is not None:
        line(f"Written; the file as it was is {copy.name}.")
    elif not outcome.changes:
        line("Nothing to change.")


def _print_notes(notes: Sequence[str]) -> None:
    if notes:
        line(f"Not taken over as it was: {counted(len(notes), 'note')}")
    for note in notes:
        line(f"  {visible(note, 500)}")
