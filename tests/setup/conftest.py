"""A copy of the launcher in a folder with an awkward name, and an installer that only pretends."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from support.launching import Sandbox

REPOSITORY = Path(__file__).parents[2]
COPIED = ("start.py", "pyproject.toml", "requirements.lock", "requirements-dev.lock")
INSTALLER = Path(__file__).with_name("pretended_uv.py")


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    """A checkout with a space, an accent and brackets in its path, and `uv` as the only program on the PATH."""
    if sys.platform == "win32":
        pytest.skip("pretended programs are scripts, and Windows runs none under the name of a program")
    root = tmp_path / "Café com pão (x)"
    root.mkdir()
    for name in COPIED:
        shutil.copy(REPOSITORY / name, root)
    shutil.copytree(REPOSITORY / "launcher", root / "launcher", ignore=shutil.ignore_patterns("__pycache__"))
    programs = tmp_path / "programs"
    programs.mkdir()
    uv = programs / "uv"
    uv.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{INSTALLER}" "$@"\n', encoding="utf-8")
    uv.chmod(0o755)
    return Sandbox(root, programs, tmp_path / "calls.jsonl")
