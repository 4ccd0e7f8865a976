"""The `.venv` of a checkout: whether it fits, and making it fit.

`.venv/whatsself.json`, the stamp, says what was installed. It is written as unfinished before an installation
and as finished after it, so an interrupted one shows.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from dataclasses import asdict, dataclass, replace
from enum import Enum
from pathlib import Path

from launcher.checkout import Checkout, SetupError, say
from launcher.install import install, need_modules
from launcher.oneatatime import one_at_a_time

OLDEST = (3, 11)
STAMP = "whatsself.json"
ENTRY_POINT = "whatsself-tui"
PROBE = "import sys; print('%d.%d' % sys.version_info[:2])"
PROBE_PATIENCE_S = 60
"""An interpreter that has said nothing for so long, even with a virus scanner at work, is broken."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the last installation into `.venv` left there."""

    digest: str
    """`fingerprint` of what was installed; empty while an installation is under way."""
    dev: bool
    """Whether the development extras are in it."""
    python: str
    """Version of its interpreter, `3.11`."""
    place: str
    """Absolute path of the `.venv` it was written for: an environment does not survive being moved."""


@dataclass(frozen=True, slots=True)
class Found:
    """What there is at `.venv`."""

    exists: bool
    python: str
    """Version that its interpreter answers with, `3.11`; empty where it does not answer."""
    stamp: Stamp | None
    at_home: bool
    """Whether the stamp was written for this very folder; True where there is none."""
    can_run: bool
    """Whether the entry point is there."""


class Work(Enum):
    """What has to be done before the program can run."""

    NOTHING = "nothing"
    INSTALL = "install"
    MAKE = "make"


def fingerprint(checkout: Checkout, *, dev: bool, python: str) -> str:
    """What an installation depends on, as a SHA-256: the package's description, its lock, the Python, the extras."""
    total = hashlib.sha256(f"{python} {'dev' if dev else 'run'}".encode())
    for path in (checkout.pyproject, checkout.lock(dev=dev)):
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def flaw(found: Found) -> str:
    """Why an existing `.venv` cannot be mended by installing into it; empty where it can."""
    if not found.python:
        return "its Python does not start"
    if tuple(map(int, found.python.split("."))) < OLDEST:
        return f"its Python {found.python} is too old"
    if found.stamp is None:
        return ""
    if not found.stamp.digest:
        return "its installation was never finished"
    if not found.at_home:
        return "the folder was moved or copied"
    if found.stamp.python != found.python:
        return f"it was made for Python {found.stamp.python} and now has {found.python}"
    return ""


def work(found: Found, wanted: str) -> Work:
    """What `found` needs to become what the fingerprint `wanted` stands for."""
    if not found.exists or flaw(found):
        return Work.MAKE
    fits = found.stamp is not None and found.stamp.digest == wanted and found.can_run
    return Work.NOTHING if fits else Work.INSTALL


def look(checkout: Checkout) -> Found:
    """See what is there, by running its interpreter once."""
    stamp = read_stamp(checkout.venv / STAMP)
    return Found(
        exists=os.path.lexists(checkout.venv),
        python=probe(checkout.python),
        stamp=stamp,
        at_home=stamp is None or same_place(stamp.place, checkout.venv),
        can_run=checkout.script(ENTRY_POINT).exists(),
    )


def probe(python: Path) -> str:
    """The version an interpreter answers with, `3.11`; empty where it does not."""
    try:
        answer = subprocess.run(
            [python, "-I", "-S", "-c", PROBE],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PROBE_PATIENCE_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    version = answer.stdout.strip()
    return version if answer.returncode == 0 and re.fullmatch(r"\d+\.\d+", version) else ""


def same_place(one: str, other: Path) -> bool:
    """Whether both paths lead to the same folder, however they are spelt."""
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def read_stamp(path: Path) -> Stamp | None:
    """The stamp, None where there is none; one that cannot be read counts as that of an interrupted installation."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    unfinished = Stamp(digest="", dev=False, python="", place="")
    try:
        stamp = Stamp(**json.loads(content))
    except (ValueError, TypeError):
        return unfinished
    return stamp if all(isinstance(text, str) for text in (stamp.digest, stamp.python, stamp.place)) else unfinished


def write_stamp(path: Path, stamp: Stamp | None) -> None:
    """Replace the stamp in one step; None removes it."""
    if stamp is None:
        path.unlink(missing_ok=True)
        return
    fresh = path.with_suffix(".new")
    with fresh.open("w", encoding="utf-8") as file:
        json.dump(asdict(stamp), file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)


def prepare(checkout: Checkout, *, dev: bool) -> None:
    """Make `.venv` fit the locks; where it does already, nothing is written and no installer runs.

    Development extras that are there stay there. Raises SetupError, and OSError of the file system.
    """
    found = look(checkout)
    if work(found, wish(checkout, found, dev=dev)) is Work.NOTHING:
        return
    with one_at_a_time(checkout.root / ".venv.lock"):
        found = look(checkout)  # another start may have done it while this one waited
        todo = work(found, wish(checkout, found, dev=dev))
        if todo is Work.NOTHING:
            return
        if todo is Work.MAKE:
            make(checkout, found)
        fill(checkout, dev=has_dev(found, dev=dev), fresh=todo is Work.MAKE)


def has_dev(found: Found, *, dev: bool) -> bool:
    """Whether the development extras are asked for or there to be kept."""
    return dev or (found.stamp is not None and found.stamp.dev)


def wish(checkout: Checkout, found: Found, *, dev: bool) -> str:
    """The fingerprint `.venv` should have."""
    return fingerprint(checkout, dev=has_dev(found, dev=dev), python=found.python)


def set_aside(venv: Path) -> None:
    """Take an unusable environment out of the way, then delete it; what cannot be deleted now goes the next time."""
    if venv.is_symlink() or not venv.is_dir():
        venv.unlink()
        return
    old = venv.with_name(f".venv-old-{os.getpid()}")
    try:
        venv.rename(old)
    except PermissionError as error:
        raise SetupError(
            f"{venv} is unusable and cannot be replaced ({error.strerror})."
            " Close every program that runs from it, or delete the folder, and start again."
        ) from error
    for leftover in venv.parent.glob(".venv-old-*"):
        shutil.rmtree(leftover, ignore_errors=True)
        if leftover.exists():
            say(f"{leftover} could not be deleted yet; you may delete it.")


def make(checkout: Checkout, found: Found) -> None:
    """Make an empty environment from the Python that runs this, in place of an unusable one."""
    need_modules()
    import venv  # not every Python has it

    if found.exists:
        say(f"Making .venv anew: {flaw(found)}.")
        set_aside(checkout.venv)
    say(f"Setting up {checkout.venv} (once; it takes a minute).")
    try:
        venv.create(checkout.venv, symlinks=os.name != "nt", with_pip=False)
    except ValueError as error:  # a path that no environment can have, such as one with a colon
        raise SetupError(f"{error} Move the program into another folder.") from error


def fill(checkout: Checkout, *, dev: bool, fresh: bool) -> None:
    """Install the pinned versions and the package.

    When the installer gives up, an environment that was in use stays what it was, and a fresh one is unfinished.
    """
    stamp = checkout.venv / STAMP
    before = read_stamp(stamp)
    python = probe(checkout.python)
    if not python:
        raise SetupError(f"The Python in {checkout.venv} does not start. Delete that folder and start again.")
    after = Stamp(fingerprint(checkout, dev=dev, python=python), dev, python, str(checkout.venv))
    write_stamp(stamp, replace(after, digest=""))
    try:
        install(checkout, dev=dev)
    except SetupError:
        if not fresh:
            write_stamp(stamp, before)
        raise
    write_stamp(stamp, after)
