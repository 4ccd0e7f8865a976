"""The command line: from its arguments to an exit code.

0 done · 1 failed · 2 usage or configuration error · 3 needs a running robot · 4 the folder has
another owner · 130 interrupted. Every command that reads takes `--json`.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence

from whatsself_tui.cli.parser import build_parser
from whatsself_tui.errors import WhatsSelfError
from whatsself_tui.host.data_folder import DataFolder, locate

Command = Callable[[DataFolder, argparse.Namespace], int]


def entry() -> None:
    """The `whatsself-tui` program."""
    sys.exit(main(sys.argv[1:]))


def main(argv: Sequence[str]) -> int:
    """Run one command; returns the exit code."""
    args = build_parser().parse_args(argv)
    try:
        return _command(args.run)(locate(args.data_dir), args)
    except WhatsSelfError as error:
        return _failed(error, getattr(args, "json", False))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader (`| head`) is gone; keep Python from complaining about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _command(run: str) -> Command:
    """The function a command is carried out by; its module is loaded only now."""
    module, _, name = run.partition(":")
    command: Command = getattr(importlib.import_module(f"whatsself_tui.cli.{module}"), name)
    return command


def _failed(error: WhatsSelfError, as_json: bool) -> int:
    from whatsself_tui.cli.output import document, narrate

    if as_json:
        document({"ok": False, "message": str(error)})
    narrate(f"whatsself-tui: {error}")
    return error.exit_code
