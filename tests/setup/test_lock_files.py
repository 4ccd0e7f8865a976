"""The lock files: complete, pinned, with hashes for every platform, without any address."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from launcher.locks import REQUIREMENT, lock_problems

ROOT = Path(__file__).parents[2]
RUN = (ROOT / "requirements.lock").read_text(encoding="utf-8")
DEV = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
HASHED = "    --hash=sha256:" + 64 * "a"


def pins(text: str) -> dict[str, str]:
    """Version by package of a lock file."""
    found = filter(None, map(REQUIREMENT.match, text.splitlines()))
    return {canonicalize_name(pin["name"]): pin["version"] for pin in found}


def hashes(text: str, name: str) -> int:
    """How many hashes a package has."""
    block = re.search(rf"^{name}==.*?(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    assert block, f"{name} is not in the lock"
    return block[0].count("--hash=sha256:")


@pytest.mark.parametrize("text", [RUN, DEV], ids=["run", "dev"])
def test_every_requirement_is_pinned_and_hashed_and_no_address_is_there(text: str) -> None:
    assert lock_problems(text) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"a==1 \\\n{HASHED}\nb==2 \\\n# via x", "line 3: b has no hash"),
        (f"a>=1 \\\n{HASHED}", "neither a pinned version nor a hash: a>=1"),
        (f"a==1 \\\n{HASHED}\n-e .", "neither a pinned version nor a hash: -e ."),
        (f"a==1 \\\n{HASHED}\n--find-links /wheels", "neither a pinned version nor a hash: --find-links"),
        (f"a==1 \\\n{HASHED}\nb @ file:///wheels/b.whl \\\n{HASHED}", "line 3: holds an address"),
        (f"# https://example.org/simple\na==1 \\\n{HASHED}", "line 1: holds an address"),
        (f"a==1 \\\n{HASHED[:-1]}", "a has no hash"),
        ("", "no requirement"),
        ("# nothing\n", "no requirement"),
    ],
)
def test_unsound_lock_is_recognised(text: str, problem: str) -> None:
    assert any(problem in told for told in lock_problems(text))


def test_locked_versions_are_what_the_package_asks_for() -> None:
    project = PYPROJECT["project"]
    asked = [*project["dependencies"], *PYPROJECT["build-system"]["requires"]]
    locked = pins(RUN)
    for requirement in map(Requirement, asked):
        assert requirement.specifier.contains(locked[canonicalize_name(requirement.name)]), str(requirement)


def test_development_lock_holds_the_extras_on_top_of_the_very_same_versions() -> None:
    locked = pins(DEV)
    assert pins(RUN).items() <= locked.items()
    for requirement in map(Requirement, PYPROJECT["project"]["optional-dependencies"]["dev"]):
        assert requirement.specifier.contains(locked[canonicalize_name(requirement.name)]), str(requirement)


@pytest.mark.parametrize("name", ["pydantic-core", "watchfiles"])
def test_compiled_packages_have_hashes_for_many_platforms(name: str) -> None:
    three_pythons_on_three_systems = 9
    assert hashes(RUN, name) > three_pythons_on_three_systems
