"""`config path|check|show`: where the files are, whether they are right, what is in force."""

from __future__ import annotations

import json
from argparse import Namespace

from whatsself_tui.cli.files_now import tell_check
from whatsself_tui.cli.output import document, line, narrate
from whatsself_tui.config.files import ensure_files
from whatsself_tui.config.folder import evaluate, take_snapshot
from whatsself_tui.config.in_force import read_in_force
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
    return tell_check(evaluate(take_snapshot(folder.config)), args.json)


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
