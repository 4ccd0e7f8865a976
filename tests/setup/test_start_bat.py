"""`start.bat`: what can be read off it, and a run where Wine is at hand."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "start.bat").read_bytes().replace(b"\r\n", b"\n").decode("ascii")
LINES = TEXT.splitlines()


def test_git_gives_every_batch_file_the_line_ends_of_windows() -> None:
    rules = (ROOT / ".gitattributes").read_text(encoding="utf-8").splitlines()
    assert "*.bat text eol=crlf" in rules


def test_file_is_printable_ascii_without_stray_line_ends() -> None:
    assert re.fullmatch(r"[\x20-\x7e\n]+", TEXT)


def test_its_own_folder_is_only_named_in_quotes_and_never_entered() -> None:
    places = [line for line in LINES if "%~dp0" in line]
    assert places == ['%PY% "%~dp0start.py" %*']
    assert not re.search(r"^\s*(cd|pushd)\b", TEXT, re.MULTILINE)


def test_every_failure_counts_even_a_negative_one() -> None:
    """`if errorlevel 1` lets the negative codes of a crash pass as success."""
    assert "if errorlevel" not in TEXT.lower()
    assert 'if "%RC%"=="0" goto :leave' in LINES
    assert LINES[-1] == "exit /b %RC%"


def test_every_label_that_is_gone_to_is_there() -> None:
    labels = {line[1:] for line in LINES if line.startswith(":")} | {"eof"}
    assert set(re.findall(r"(?:goto|call) :(\w+)", TEXT)) <= labels


def test_exclamation_marks_in_arguments_survive() -> None:
    assert "setlocal EnableExtensions DisableDelayedExpansion" in LINES


def test_window_stays_open_on_failure_for_a_person_only() -> None:
    end = LINES[LINES.index(":end") + 1 :]
    assert end[:4] == [
        'if "%RC%"=="0" goto :leave',
        "if defined WS_NOPAUSE goto :leave",
        "if defined SSH_CONNECTION goto :leave",
        "pause",
    ]


def test_person_is_told_the_version_and_where_to_get_it() -> None:
    told = [line for line in LINES if line.startswith("echo ")]
    assert sum("Python 3.11 or newer" in line for line in told) == 2
    assert any("https://www.python.org/downloads/" in line for line in told)
    assert "sys.version_info < (3, 11)" in TEXT


if shutil.which("wine"):

    @pytest.fixture(scope="module")
    def wine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
        """The environment of a Windows without any Python."""
        prefix = tmp_path_factory.mktemp("wine")
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(prefix),
            "WINEPREFIX": str(prefix / "prefix"),
            "WINEDEBUG": "-all",
            "WINEDLLOVERRIDES": "mscoree=;mshtml=",
        }
        yield environment
        subprocess.run(["wineserver", "--kill"], env=environment, check=False)

    @pytest.mark.parametrize("quiet", ["WS_NOPAUSE", "SSH_CONNECTION", ""])
    def test_without_a_python_it_says_so_in_any_folder(wine: dict[str, str], tmp_path: Path, quiet: str) -> None:
        folder = tmp_path / "My App (x) é&b"
        folder.mkdir()
        (folder / "start.bat").write_bytes(TEXT.replace("\n", "\r\n").encode())
        environment = {**wine, quiet: "1"} if quiet else wine
        result = subprocess.run(
            ["wine", "cmd", "/c", ".\\start.bat", "a b"],
            cwd=folder,
            env=environment,
            input=b"\r\n",
            capture_output=True,
        )
        output = result.stdout.decode("utf-8", errors="replace")
        assert "needs Python 3.11 or newer, and no Python was found." in output
        assert ("Press" in output) == (not quiet)
        assert result.returncode == 2
