"""What the first argument of `start.py` asks for."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from pathlib import Path

from launcher.checkout import Checkout, SetupError, become, say
from launcher.environment import ENTRY_POINT, prepare

FULL = {errno.ENOSPC, errno.EDQUOT}
CLOSED = {errno.EROFS, errno.EACCES, errno.EPERM}


def begin(root: str, arguments: Sequence[str]) -> int:
    """Do what is asked in the checkout at `root`; the result is the exit code. Every failure is one sentence."""
    try:
        return run(Checkout(Path(root)), arguments)
    except SetupError as error:
        sentence = str(error)
    except OSError as error:
        sentence = told(error)
    except KeyboardInterrupt:
        say("\nInterrupted; the next start does it again.")
        return 130
    say(f"start.py: {sentence}")
    return 1


def run(checkout: Checkout, arguments: Sequence[str]) -> int:
    """`test`, `check` and `lock` are for developers; anything else is for the program."""
    if arguments and arguments[0] in ("test", "check", "lock"):
        from launcher import tasks

        return tasks.run(checkout, arguments[0], arguments[1:])
    prepare(checkout, dev=False)
    return become(checkout.command(ENTRY_POINT, arguments))


def told(error: OSError) -> str:
    """A failure of the file system, and what to do about it."""
    place = error.filename or "this folder"
    if error.errno in FULL:
        return f"The disk is full, {place} could not be written. Free some space and start again."
    if error.errno in CLOSED:
        return f"{place} cannot be written ({error.strerror}). Put the program into a folder of your own."
    return f"{place}: {error.strerror or error}"
