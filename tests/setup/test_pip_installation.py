"""The way without uv: the real pip, from a folder of wheels instead of a registry."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import shutil
import zipfile
from pathlib import Path

import pytest
from support.launching import Sandbox, ran

BACKEND = """
import zipfile
INFO = "whatsself_tui-1.dist-info"
POINT = "[console_scripts]\\nwhatsself-tui = answer:entry\\n"

def get_requires_for_build_editable(config_settings=None):
    return []

def build_editable(directory, config_settings=None, metadata_directory=None):
    import answer  # the lock was installed first
    name = "whatsself_tui-1-py3-none-any.whl"
    with zipfile.ZipFile(f"{directory}/{name}", "w") as wheel:
        wheel.writestr(f"{INFO}/METADATA", "Metadata-Version: 2.1\\nName: whatsself-tui\\nVersion: 1\\n")
        wheel.writestr(f"{INFO}/WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\nRoot-Is-Purelib: true\\n")
        wheel.writestr(f"{INFO}/entry_points.txt", POINT)
        wheel.writestr(f"{INFO}/RECORD", "")
    return name
"""
PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "whatsself-tui"
version = "1"
"""
ANSWER = "import json, sys\ndef entry():\n    print(json.dumps(['answer', *sys.argv[1:]]))\n"


def write_wheel(folder: Path) -> str:
    """Put a wheel of the module `answer` into `folder`; the result is its SHA-256."""
    files = {
        "answer.py": ANSWER,
        "answer-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: answer\nVersion: 1\n",
        "answer-1.dist-info/WHEEL": "Wheel-Version: 1.0\nTag: py3-none-any\nRoot-Is-Purelib: true\n",
    }
    record = "".join(f"{name},sha256={checksum(text)},{len(text)}\n" for name, text in files.items())
    path = folder / "answer-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
        wheel.writestr("answer-1.dist-info/RECORD", record + "answer-1.dist-info/RECORD,,\n")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def checksum(text: str) -> str:
    """A hash as a wheel's RECORD spells it."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


@pytest.mark.skipif(importlib.util.find_spec("ensurepip") is None, reason="this Python came without pip")
def test_pip_installs_what_the_hashes_say_and_nothing_else(sandbox: Sandbox, tmp_path: Path) -> None:
    (sandbox.programs / "uv").unlink()
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    digest = write_wheel(wheels)
    (sandbox.root / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    (sandbox.root / "backend.py").write_text(BACKEND, encoding="utf-8")
    sandbox.lock.write_text(f"answer==1 \\\n    --hash=sha256:{digest}\n", encoding="utf-8")
    # Installing for the user by default is what some people's configuration says.
    result = sandbox.start("one", "two words", PIP_FIND_LINKS=str(wheels), PIP_USER="1")
    assert ran(result.stdout) == [["answer", "one", "two words"]], result.stderr

    sandbox.lock.write_text(f"answer==1 \\\n    --hash=sha256:{64 * '0'}\n", encoding="utf-8")
    for installed in sandbox.venv.glob("lib*/**/answer-1.dist-info"):
        shutil.rmtree(installed)  # so that pip has to look at the wheel again
    refused = sandbox.start(PIP_FIND_LINKS=str(wheels))
    assert refused.returncode == 1
    assert "HASH" in refused.stderr
