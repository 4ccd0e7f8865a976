"""The developers' commands: `test`, `check` and `lock`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

from launcher.checkout import Checkout, SetupError, become, say
from launcher.environment import prepare
from launcher.locks import write_locks
from launcher.machine import provide_tools


def run(checkout: Checkout, task: str, arguments: Sequence[str]) -> int:
    """Do one of the tasks; the result is the exit code."""
    os.chdir(checkout.root)
    if task == "lock":
        write_locks(checkout, arguments)
        return 0
    if task == "check" and arguments:
        raise SetupError("`check` takes no arguments; run a single tool from .venv instead.")
    prepare(checkout, dev=True)
    return check(checkout) if task == "check" else test(checkout, arguments)


def test(checkout: Checkout, arguments: Sequence[str]) -> int:
    """Run the tests on all processors, with everything that they need; `arguments` are pytest's."""
    provide_tools()
    return become([str(checkout.python), "-m", "pytest", "-n", "auto", *arguments])


def check(checkout: Checkout) -> int:
    """Run every check, also after one has failed; 0 when all are content."""
    python = str(checkout.python)
    checks = {
        "ruff check": [python, "-m", "ruff", "check"],
        "ruff format --check": [python, "-m", "ruff", "format", "--check"],
        "mypy --strict whatsself_tui tests": [python, "-m", "mypy", "--strict", "whatsself_tui", "tests"],
        "mypy --strict benchmarks": [python, "-m", "mypy", "--strict", "benchmarks"],
        "lint-imports": checkout.command("lint-imports"),
    }
    failed = []
    for name, command in checks.items():
        say(f"$ {name}")
        if subprocess.call(command) != 0:
            failed.append(name)
    say(f"Failed: {', '.join(failed)}." if failed else "All checks passed.")
    return 1 if failed else 0
