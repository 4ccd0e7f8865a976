"""What a person is told where the program cannot be set up."""

from __future__ import annotations

import ast
import errno
import importlib.machinery
import importlib.util
import os
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from launcher.commands import begin, told
from launcher.install import SCARCE_BYTES, why_it_failed

START = Path(__file__).parents[2] / "start.py"


def refusal(*version: int) -> str:
    """The sentence of `start.py` for a Python of this version."""
    sentence = cast(Callable[[tuple[int, ...]], str], runpy.run_path(str(START))["refusal"])
    return sentence(version)


@pytest.mark.parametrize("version", [(2, 7), (3, 6), (3, 9), (3, 10)])
def test_old_python_is_told_both_versions_and_where_to_get_one(version: tuple[int, int]) -> None:
    sentence = refusal(*version)
    assert "Python 3.11 or newer" in sentence
    assert "this one is {}.{}.".format(*version) in sentence
    assert "https://www.python.org/downloads/" in sentence


@pytest.mark.parametrize("version", [(3, 11), (3, 13), (3, 20), (4, 0)])
def test_new_python_is_taken(version: tuple[int, int]) -> None:
    assert refusal(*version) == ""


def test_old_pythons_can_read_the_file_that_refuses_them() -> None:
    tree = ast.parse(START.read_text(encoding="ascii"), feature_version=(3, 7))
    newer = (ast.JoinedStr, ast.AnnAssign, ast.AsyncFunctionDef, ast.NamedExpr, ast.Nonlocal, ast.Starred)
    for node in ast.walk(tree):
        assert not isinstance(node, newer), f"line {getattr(node, 'lineno', '?')} is beyond Python 2.7"
        if isinstance(node, ast.FunctionDef):
            assert node.returns is None
            assert not any(argument.annotation for argument in [*node.args.args, *node.args.kwonlyargs])
            assert not node.args.kwonlyargs


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_python_without_what_makes_an_environment_says_what_to_install(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("pyproject.toml", "requirements.lock"):
        (tmp_path / name).touch()
    real = importlib.util.find_spec

    def find_spec(name: str, package: str | None = None) -> importlib.machinery.ModuleSpec | None:
        return None if name == module else real(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert begin(str(tmp_path), []) == 1
    sentence = capsys.readouterr().err
    assert f"no module `{module}`" in sentence
    assert "apt install python3." in sentence
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize(
    ("number", "part"),
    [
        (errno.ENOSPC, "The disk is full, /app/.venv could not be written."),
        (errno.EROFS, "/app/.venv cannot be written (Read-only file system)."),
        (errno.EACCES, "/app/.venv cannot be written (Permission denied)."),
        (errno.ENOENT, "/app/.venv: No such file or directory"),
    ],
)
def test_failure_of_the_file_system_names_the_place_and_the_way_out(number: int, part: str) -> None:
    assert part in told(OSError(number, os.strerror(number), "/app/.venv"))


def test_full_disk_is_named_as_the_reason_of_a_failed_installation() -> None:
    assert "disk is full (3 MB left)" in why_it_failed(3 * 1024 * 1024)
    assert "connection" in why_it_failed(SCARCE_BYTES)
