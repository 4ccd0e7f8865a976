"""The lock files: every version pinned for every platform and Python, with hashes and without any address."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Sequence
from pathlib import Path

from launcher.checkout import Checkout, SetupError, say

REQUIREMENT = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)(?: ; (?P<marker>.+?))? \\$")
HASH = re.compile(r"^ {4}--hash=sha256:[0-9a-f]{64}(?: \\)?$")
LOCAL_SOURCES = ("UV_FIND_LINKS", "UV_NO_INDEX", "UV_OFFLINE")
"""Settings that would make uv take what lies on this machine for all there is in the registry."""


def lock_problems(text: str) -> list[str]:
    """What is wrong with the text of a lock file: a line that is no pinned requirement with hashes, or comment."""
    problems = []
    hashes: dict[str, int] = {}
    latest = ""
    for number, line in enumerate(text.splitlines(), 1):
        if requirement := REQUIREMENT.match(line):
            latest = f"line {number}: {requirement['name']}"
            hashes[latest] = 0
        elif HASH.match(line) and latest:
            hashes[latest] += 1
        elif line.strip() and not line.lstrip().startswith("#"):
            problems.append(f"line {number}: neither a pinned version nor a hash: {line.strip()}")
        if "://" in line:
            problems.append(f"line {number}: holds an address")
    problems += [f"{name} has no hash" for name, count in hashes.items() if not count]
    return problems if hashes else [*problems, "no requirement in it"]


def write_locks(checkout: Checkout, arguments: Sequence[str]) -> None:
    """Resolve both lock files anew with uv; `arguments` are its own, such as `--upgrade`. Raises SetupError."""
    uv = shutil.which("uv")
    if uv is None:
        raise SetupError("`lock` needs uv on the PATH: `pip install uv`.")
    build = tomllib.loads(checkout.pyproject.read_text(encoding="utf-8"))["build-system"]["requires"]
    for dev in (False, True):
        target = checkout.lock(dev=dev)
        fresh = target.with_name(f"{target.name}.new")
        try:
            resolve(uv, checkout, fresh, build, arguments, dev=dev)
            os.replace(fresh, target)
        finally:
            fresh.unlink(missing_ok=True)
        say(f"{target.name} is up to date.")


def resolve(
    uv: str, checkout: Checkout, fresh: Path, build: Sequence[str], arguments: Sequence[str], *, dev: bool
) -> None:
    """Write one lock file to `fresh`: the package's requirements, and `build`, what installs the package itself.

    Pins of the present lock are kept unless the arguments say otherwise, and the development extras stand
    on the very versions that users get.
    """
    target = checkout.lock(dev=dev)
    if target.exists():
        shutil.copyfile(target, fresh)
    command = [uv, "pip", "compile", "pyproject.toml", "-", "--output-file", fresh.name, "--universal"]
    command += ["--python-version", "3.11", "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links"]
    command += ["--custom-compile-command", "python start.py lock"]
    if dev:
        command += ["--extra", "dev", "--constraint", checkout.lock(dev=False).name]
    env = {name: value for name, value in os.environ.items() if name not in LOCAL_SOURCES}
    done = subprocess.run(
        [*command, *arguments],
        cwd=checkout.root,
        env=env,
        input="\n".join(build),
        text=True,
        stdout=subprocess.DEVNULL,
    )
    if done.returncode != 0:
        raise SetupError(f"uv could not resolve {target.name} (see above).")
    if problems := lock_problems(fresh.read_text(encoding="utf-8")):
        raise SetupError(f"{target.name} was left as it was, because the new one is unsound: {'; '.join(problems[:3])}")
