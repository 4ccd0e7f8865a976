"""What is decided about an environment that was found, without making one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from launcher.checkout import Checkout
from launcher.environment import Found, Stamp, Work, fingerprint, flaw, read_stamp, work, write_stamp

STAMP = Stamp(digest="d1", dev=False, python="3.12", place="/app/.venv")
GOOD = Found(exists=True, python="3.12", stamp=STAMP, at_home=True, can_run=True)
NOWHERE = Found(exists=False, python="", stamp=None, at_home=True, can_run=False)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A folder with nothing but what an installation depends on."""
    (tmp_path / "pyproject.toml").write_text("[project]", encoding="utf-8")
    (tmp_path / "requirements.lock").write_text("run", encoding="utf-8")
    (tmp_path / "requirements-dev.lock").write_text("dev", encoding="utf-8")
    return Checkout(tmp_path)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(GOOD, Work.NOTHING, id="fits"),
        pytest.param(NOWHERE, Work.MAKE, id="nothing there"),
        pytest.param(replace(GOOD, stamp=replace(STAMP, digest="d0")), Work.INSTALL, id="other lock"),
        pytest.param(replace(GOOD, stamp=None), Work.INSTALL, id="made by somebody else"),
        pytest.param(replace(GOOD, can_run=False), Work.INSTALL, id="program missing"),
        pytest.param(replace(GOOD, python=""), Work.MAKE, id="python does not answer"),
        pytest.param(replace(GOOD, python="3.10", stamp=None), Work.MAKE, id="python too old"),
        pytest.param(replace(GOOD, python="3.9"), Work.MAKE, id="nine is less than eleven"),
        pytest.param(replace(GOOD, python="3.13"), Work.MAKE, id="python replaced by a newer one"),
        pytest.param(replace(GOOD, at_home=False), Work.MAKE, id="moved"),
        pytest.param(replace(GOOD, stamp=replace(STAMP, digest="")), Work.MAKE, id="unfinished"),
    ],
)
def test_work_that_is_needed(found: Found, expected: Work) -> None:
    assert work(found, "d1") is expected


def test_unfinished_is_told_before_moved() -> None:
    assert "never finished" in flaw(replace(GOOD, at_home=False, stamp=replace(STAMP, digest="")))


def test_fingerprint_follows_each_thing_an_installation_depends_on(checkout: Checkout) -> None:
    prints = [fingerprint(checkout, dev=False, python="3.12")]
    assert fingerprint(checkout, dev=False, python="3.12") == prints[0]
    prints.append(fingerprint(checkout, dev=False, python="3.13"))
    prints.append(fingerprint(checkout, dev=True, python="3.12"))
    checkout.lock(dev=False).write_text("other", encoding="utf-8")
    prints.append(fingerprint(checkout, dev=False, python="3.12"))
    checkout.pyproject.write_text("[other]", encoding="utf-8")
    prints.append(fingerprint(checkout, dev=False, python="3.12"))
    assert len(set(prints)) == len(prints)


def test_stamp_comes_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "stamp.json"
    stamp = replace(STAMP, place="/Área de trabalho/.venv")
    assert read_stamp(path) is None
    write_stamp(path, stamp)
    assert read_stamp(path) == stamp
    assert [file.name for file in tmp_path.iterdir()] == ["stamp.json"]
    write_stamp(path, None)
    assert read_stamp(path) is None


NO_PLACE = b'{"digest": "x", "dev": false, "python": "3.12", "place": null}'


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'{"digest": "x"}', b'{"unknown": 1}', b"\x00", b"\xff\xfe", NO_PLACE]
)
def test_stamp_that_is_none_counts_as_unfinished(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "stamp.json"
    path.write_bytes(content)
    stamp = read_stamp(path)
    assert stamp is not None
    assert stamp.digest == ""
