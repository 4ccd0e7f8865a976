"""`config path|check|show`: where the files are, whether they are right, what is in force."""

from __future__ import annotations

import json
from argparse import Namespace

from whatsself_tui.cli.output import document, line, narrate
from whatsself_tui.config.files import ensure_files
from whatsself_tui.config.in_force import check_files, read_in_force, read_rules_in_force
from whatsself_tui.errors import Problem
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.text import visible


def path(folder: DataFolder, args: Namespace) -> int:
    """Print where the configuration lives."""
    places = {
        "data_folder": folder.root,
        "settings": folder.settings_file,
        "automation": folder.config / "automation.toml",
    }
    if args.json:
        document({name: str(place) for name, place in places.items()})
    else:
        for name, place in places.items():
            line(f"{name:<12} {place}")
    return 0


def check(folder: DataFolder, args: Namespace) -> int:
    """Tell everything that is wrong with the files; exit 2 if something is."""
    folder.create()
    ensure_files(folder.config)
    problems = check_files(folder.config)
    warnings = () if problems else read_rules_in_force(folder.config).warnings
    if args.json:
        lists = {
            "problems": [_as_json(entry) for entry in problems],
            "warnings": [_as_json(entry) for entry in warnings],
        }
        document({"ok": not problems, **lists})
    else:
        for problem in problems:
            line(visible(str(problem), 1000))
        for warning in warnings:
            line(f"warning: {visible(str(warning), 1000)}")
    count = "1 problem." if len(problems) == 1 else f"{len(problems)} problems."
    narrate(count if problems else "Both files are right.")
    return 2 if problems else 0


def _as_json(entry: Problem) -> dict[str, object]:
    return {"file": entry.file, "line": entry.line, "field": entry.field, "message": entry.message}


def show(folder: DataFolder, args: Namespace) -> int:
    """Print the settings in force, defaults included."""
    settings, problems = read_in_force(folder.config)
    content = settings.model_dump(mode="json")
    if args.json:
        document(content)
    else:
        for section, fields in content.items():
            line(f"[{section}]")
            for name, value in fields.items():
                line(f"{name} = {json.dumps(value, ensure_ascii=False)}")
            line("")
    for problem in problems:
        narrate(f"not in force: {visible(str(problem), 1000)}")
    return 0
