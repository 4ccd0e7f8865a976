"""Stands in for uv: notes how it was called, and installs programs that only tell how they were called.

Environment: `CALLS` is the file for the notes, `RESOLVED` what a resolution comes to. `UV_DOES` may be
`fail_to_resolve`; `fail`, which leaves a pretended pip to be tried next; or a signal for whoever called it.
`EXIT_PYTEST=5` makes the program of that name fail.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

PROGRAM = """
import json, os, sys
print(json.dumps([{name!r}, *sys.argv[1:]]))
sys.exit(int(os.environ.get("EXIT_" + {name!r}.upper().replace("-", "_"), "0")))
"""


def note(arguments: list[str]) -> None:
    """Append this call to the notes."""
    with Path(os.environ["CALLS"]).open("a", encoding="utf-8") as calls:
        calls.write(json.dumps(arguments) + "\n")


def put(path: Path, name: str) -> None:
    """Install a program."""
    path.write_text(PROGRAM.format(name=name), encoding="utf-8")


def scripts_of(arguments: list[str]) -> Path:
    """The folder of the programs in the environment that is to be filled."""
    return Path(arguments[arguments.index("--python") + 1]).parent


def modules_of(arguments: list[str]) -> Path:
    """The folder of the modules in it."""
    return next(scripts_of(arguments).parent.glob("lib/python*/site-packages"))


def install(arguments: list[str]) -> None:
    """Do as if the lock, or the package, was installed."""
    scripts = scripts_of(arguments)
    if "-e" in arguments:
        put(scripts / "whatsself-tui", "whatsself-tui")
    elif arguments[-1].endswith("requirements-dev.lock"):
        modules = modules_of(arguments)
        for name in ("pytest", "ruff", "mypy"):
            put(modules / f"{name}.py", name)
        put(scripts / "lint-imports", "lint-imports")


def resolve(arguments: list[str]) -> None:
    """Write the lock, with what was asked for on the input and which settings of this machine were seen."""
    output = Path(arguments[arguments.index("--output-file") + 1])
    kept = output.read_text(encoding="utf-8").splitlines()[0] if output.exists() else ""
    seen = [f"# input {sys.stdin.read()}", f"# settings {os.environ.get('UV_FIND_LINKS')}", f"# before {kept}"]
    output.write_text("\n".join([os.environ["RESOLVED"], *seen, ""]), encoding="utf-8")


def main() -> int:
    """Note, then do what the environment asks for."""
    note(sys.argv[1:])
    deed = os.environ.get("UV_DOES", "install")
    if deed == "fail_to_resolve":
        return 2
    if deed == "fail":
        put(modules_of(sys.argv) / "pip.py", "pip")
        return 2
    if deed != "install":
        os.kill(os.getppid(), signal.Signals[deed])
        return 0
    resolve(sys.argv) if "compile" in sys.argv else install(sys.argv)
    return 0


if __name__ == "__main__":
    sys.exit(main())
