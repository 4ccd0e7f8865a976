"""What the package is made of, and what it says it needs."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "whatsself_tui"
BUILD = "from flit_core import buildapi; print(buildapi.build_wheel('dist'))"


def wheel(tmp_path: Path) -> zipfile.ZipFile:
    """The wheel of a copy that has one more data file of each kind."""
    copy = tmp_path / "checkout"
    shutil.copytree(PACKAGE, copy / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__", ".mypy_cache"))
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for name in ("config/defaults/a.toml", "store/migrations/a.sql", "console/styles/a.tcss"):
        path = copy / PACKAGE.name / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (copy / "dist").mkdir()
    subprocess.run([sys.executable, "-c", BUILD], cwd=copy, check=True, capture_output=True)
    return zipfile.ZipFile(next((copy / "dist").glob("*.whl")))


def test_wheel_holds_every_file_of_the_package_and_nothing_else(tmp_path: Path) -> None:
    with wheel(tmp_path) as built:
        names = {name for name in built.namelist() if not name.split("/")[0].endswith(".dist-info")}
        copy = tmp_path / "checkout"
        assert names == {
            path.relative_to(copy).as_posix() for path in (copy / PACKAGE.name).rglob("*") if path.is_file()
        }
        info = {name.split("/", 1)[1]: built.read(name).decode() for name in built.namelist() if ".dist-info" in name}
    assert "whatsself-tui=whatsself_tui.cli.main:entry" in info["entry_points.txt"]
    assert "License-Expression: MIT" in info["METADATA"]
    assert "Requires-Python: >=3.11" in info["METADATA"]
    assert "licenses/LICENSE" in info


def imported(path: Path) -> Iterator[str]:
    """Top-level names of everything a module imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def test_everything_the_package_imports_is_a_declared_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    # What a declared dependency itself is built on, and shows in its interface, comes with it.
    come_along = {"rich", "pydantic_core"}
    # Imported under another name than the one they are installed by.
    names = {"google-re2": "re2"}
    requirements = [Requirement(text).name for text in project["dependencies"]]
    declared = {names.get(name, name) for name in requirements} | come_along
    allowed = declared | sys.stdlib_module_names | {PACKAGE.name}
    foreign = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in PACKAGE.rglob("*.py")
        for name in imported(path)
        if name not in allowed
    }
    assert foreign == set()
