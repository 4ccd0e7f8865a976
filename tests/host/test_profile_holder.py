"""Who uses a profile, told by command lines and by the lock's link; neither is ever touched."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from whatsself_tui.host.profile_holder import LOCK, Holder, holder_of

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such lock")

WAITS = "import sys; print('ready', flush=True); sys.stdin.read()"


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def started(stack: ExitStack, program: Path | str, *arguments: str) -> int:
    process = stack.enter_context(
        subprocess.Popen([program, "-c", WAITS, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == b"ready"
    stack.callback(process.kill)
    return process.pid


def test_driven_browser_is_told_from_one_that_a_person_opened(stack: ExitStack, tmp_path: Path) -> None:
    for arguments, ours in ((["--remote-debugging-pipe"], True), ([], False)):
        with ExitStack() as one:
            pid = started(one, sys.executable, f"--user-data-dir={tmp_path}", *arguments)
            holder = holder_of(tmp_path)
            assert holder is not None
            assert (holder.pid, holder.ours) == (pid, ours)
            assert str(pid) in holder.sentence
            assert ("robot's browser" in holder.sentence) is ours
    assert holder_of(tmp_path) is None


@posix_only
@pytest.mark.parametrize("target", ["", "nonsense", "host-", "-12", "host-1x", "host-²", f"{socket.gethostname()}-0x1"])
def test_odd_lock_is_nobody(tmp_path: Path, target: str) -> None:
    if target:
        (tmp_path / LOCK).symlink_to(target)
    else:
        (tmp_path / LOCK).write_bytes(b"")
    assert holder_of(tmp_path) is None


@posix_only
def test_lock_of_another_computer_names_it_harmlessly(tmp_path: Path) -> None:
    (tmp_path / LOCK).symlink_to("office\x1b[31m-pc-4711")
    holder = holder_of(tmp_path)
    assert holder == Holder(4711, "", False, "office\x1b[31m-pc")
    assert "4711" in holder.sentence
    assert "\x1b" not in holder.sentence
    assert os.readlink(tmp_path / LOCK) == "office\x1b[31m-pc-4711"


@posix_only
def test_lock_whose_pid_is_gone_or_another_programs_now_is_nobodys(stack: ExitStack, tmp_path: Path) -> None:
    lock = tmp_path / LOCK
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    for pid in (int(ended.stdout), started(stack, sys.executable), 10**30):
        lock.symlink_to(f"{socket.gethostname()}-{pid}")
        assert holder_of(tmp_path) is None
        assert lock.is_symlink(), "a lock is only read"
        lock.unlink()


@pytest.mark.skipif(sys.platform != "linux", reason="a copied program has another name only there")
def test_lock_of_a_living_browser_tells_it_without_its_command_line(stack: ExitStack, tmp_path: Path) -> None:
    program = tmp_path / "chromium"
    program.symlink_to(os.path.realpath(sys.executable))
    pid = started(stack, program)
    (tmp_path / LOCK).symlink_to(f"{socket.gethostname()}-{pid}")
    holder = holder_of(tmp_path)
    assert holder == Holder(pid, "chromium", False)
