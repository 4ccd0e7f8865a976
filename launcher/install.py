"""Installing the pinned versions and the package itself, with uv or with pip.

Which registry, proxy or certificate they use is theirs to know, from their own configuration and environment.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys

from launcher.checkout import Checkout, SetupError, narrate, say

SCARCE_BYTES = 100 * 1024 * 1024
"""With less than this left after a failed installation, the disk is the likely reason."""


def need_modules() -> None:
    """Raise SetupError, saying what to install, where this Python cannot make an environment."""
    wanted = ["venv"] if shutil.which("uv") else ["venv", "ensurepip"]
    missing = [name for name in wanted if importlib.util.find_spec(name) is None]
    if missing:
        raise SetupError(without(missing[0]))


def without(module: str) -> str:
    """What to tell somebody whose Python came without `module`."""
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    return (
        f"This Python has no module `{module}`. On Debian and Ubuntu install it with `apt install {package}`;"
        " elsewhere use a Python from https://www.python.org/downloads/."
    )


def install(checkout: Checkout, *, dev: bool) -> None:
    """Install everything `.venv` needs. Raises SetupError when neither uv nor pip could."""
    uv = shutil.which("uv")
    if uv is not None:
        if install_with([uv, "pip", "install", "--python", str(checkout.python)], checkout, dev=dev):
            return
        say("uv could not install it (see above); trying pip.")
    add_pip(checkout)
    if not install_with([str(checkout.python), "-m", "pip", "install"], checkout, dev=dev):
        raise SetupError(why_it_failed(shutil.disk_usage(checkout.root).free))


def install_with(installer: list[str], checkout: Checkout, *, dev: bool) -> bool:
    """Run one installer: first the lock, then the package, whose build tool the lock has brought along."""
    # Some people have pip install for the user by default, which no environment allows.
    env = {**os.environ, "PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    pinned = [*installer, "--require-hashes", "-r", str(checkout.lock(dev=dev))]
    package = [*installer, "--no-build-isolation", "--no-deps", "-e", "."]
    return narrate(pinned, cwd=checkout.root, env=env) and narrate(package, cwd=checkout.root, env=env)


def add_pip(checkout: Checkout) -> None:
    """Put pip into `.venv` where it is missing, from the copy that comes with Python."""
    has_pip = "import importlib.util as u, sys; sys.exit(u.find_spec('pip') is None)"
    if subprocess.call([str(checkout.python), "-I", "-c", has_pip], stdin=subprocess.DEVNULL) == 0:
        return
    if importlib.util.find_spec("ensurepip") is None:
        raise SetupError(without("ensurepip"))
    if not narrate([checkout.python, "-I", "-m", "ensurepip", "--default-pip"], cwd=checkout.root):
        raise SetupError(why_it_failed(shutil.disk_usage(checkout.root).free))


def why_it_failed(free_bytes: int) -> str:
    """The likely reason of a failed installation, and what to do."""
    if free_bytes < SCARCE_BYTES:
        return f"The installation failed: the disk is full ({free_bytes // 1024 // 1024} MB left). Free some space."
    return "The installation failed (see above). It needs a connection to the package registry; then start again."
