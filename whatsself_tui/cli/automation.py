"""`automation check|export`: whether the files are right, and what they answer as one JSON document."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

from whatsself_tui.automation.package import write_package
from whatsself_tui.cli.files_now import read_files, tell_check, tell_problems
from whatsself_tui.cli.output import line
from whatsself_tui.config.files import AUTOMATION_FILE
from whatsself_tui.config.folder import evaluate
from whatsself_tui.config.toml_text import parse
from whatsself_tui.errors import DataError
from whatsself_tui.host.atomic import write_atomic
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.text import visible


def check(folder: DataFolder, args: Namespace) -> int:
    """Tell everything that is wrong with the files or doubtful; exit 2 if something is wrong."""
    return tell_check(evaluate(read_files(folder.config)), args.json)


def export(folder: DataFolder, args: Namespace) -> int:
    """Write the templates, triggers and flows of the file as JSON."""
    snapshot = read_files(folder.config)
    loaded = evaluate(snapshot)
    if loaded.value is None:
        return tell_problems(loaded.problems, as_json=False)
    content = write_package(parse(snapshot.contents[AUTOMATION_FILE], AUTOMATION_FILE).data)
    if args.file == "-":
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return 0
    try:
        write_atomic(Path(args.file), content)
    except OSError as error:
        raise DataError(f"{visible(args.file, 200)} cannot be written: {error.strerror or error}.") from error
    catalogue = loaded.value.catalogue
    counts = len(catalogue.templates), len(catalogue.triggers), len(catalogue.flows)
    line("{} templates, {} triggers and {} flows written to {}".format(*counts, visible(args.file, 200)))
    return 0
