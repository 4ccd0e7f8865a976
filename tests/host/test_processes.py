"""Trees of real processes: collected, weighed, and ended to the last one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
from support.waiting import PATIENCE_S, until

from whatsself_tui.host.processes import ProcessTree, browser_pid, end_tree, memory_mb, tree_of

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signal that can be ignored")

#: Takes the number of its descendants and a letter for each generation: d is deaf to SIGTERM, w waits for a line
#: before it has a child, o is ordinary. Each prints its pid and lives as long as it may.
FAMILY = """
import os, signal, subprocess, sys, threading
descendants, moods, program = int(sys.argv[1]), sys.argv[2], sys.argv[3]
if moods[0] == "d":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(os.getpid(), flush=True)
if moods[0] == "w":
    sys.stdin.readline()
if descendants:
    child = [sys.executable, "-c", program, str(descendants - 1), moods[1:], program]
    subprocess.Popen(child, stdin=subprocess.DEVNULL)
threading.Event().wait()
"""


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


class Family:
    """A process with its descendants, whose pids are told by themselves."""

    def __init__(self, stack: ExitStack, moods: str) -> None:
        command = [sys.executable, "-c", FAMILY, str(len(moods) - 1), moods, FAMILY]
        self.root = stack.enter_context(
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )
        self.pids: list[int] = []
        stack.callback(self._clear)
        self.read(1 if moods[0] == "w" else len(moods))

    def read(self, count: int) -> None:
        """Wait for so many more of them."""
        assert self.root.stdout is not None
        self.pids += [int(self.root.stdout.readline()) for _ in range(count)]

    def start_child(self) -> None:
        """Let a waiting root go on."""
        assert self.root.stdin is not None
        self.root.stdin.write("\n")
        self.root.stdin.flush()

    @property
    def living(self) -> list[int]:
        return [pid for pid in self.pids if lives(pid)]

    def _clear(self) -> None:
        for pid in self.living:
            psutil.Process(pid).kill()


def lives(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_tree_has_the_process_and_all_its_descendants(stack: ExitStack) -> None:
    family = Family(stack, "ooo")
    assert tree_of(family.root.pid).pids == family.pids


def test_all_are_ended_in_peace(stack: ExitStack) -> None:
    family = Family(stack, "ooo")
    assert end_tree(family.root.pid, patience_s=0)
    assert family.living == []


@posix_only
@pytest.mark.parametrize("moods", ["ddd", "odd", "dod"])
def test_those_who_do_not_listen_are_killed_even_if_their_parent_has_gone_before(stack: ExitStack, moods: str) -> None:
    family = Family(stack, moods)
    assert end_tree(family.root.pid, patience_s=0.05)
    assert family.living == []


def test_child_started_after_the_tree_was_taken_is_ended_too(stack: ExitStack) -> None:
    family = Family(stack, "wo")
    tree = tree_of(family.root.pid)
    family.start_child()
    family.read(1)
    assert tree.end(patience_s=0)
    assert family.living == []


@posix_only
def test_orphan_is_remembered_by_a_tree_that_was_taken_before(stack: ExitStack) -> None:
    family = Family(stack, "od")
    tree = tree_of(family.root.pid)
    family.root.kill()
    family.root.wait(PATIENCE_S)
    assert tree.pids == family.pids[1:]
    assert tree.memory_mb() is not None
    assert tree.end(patience_s=0)
    assert family.living == []


def test_what_is_gone_needs_no_ending_and_weighs_nothing(stack: ExitStack) -> None:
    family = Family(stack, "o")
    tree = tree_of(family.root.pid)
    family.root.kill()
    family.root.wait(PATIENCE_S)
    assert (tree.pids, tree.memory_mb(), tree.end(patience_s=0)) == ([], None, True)
    assert memory_mb(family.root.pid) is None
    assert end_tree(family.root.pid, patience_s=0)


def test_pid_that_belongs_to_another_process_now_is_not_touched(stack: ExitStack) -> None:
    family = Family(stack, "oo")
    former = psutil.Process(family.root.pid)
    former._ident = (family.root.pid, 1.0)  # as if it had been looked at before this one was started
    tree = ProcessTree([former])
    assert (tree.pids, tree.memory_mb(), tree.end(patience_s=0)) == ([], None, True)
    assert family.living == family.pids


def test_memory_is_that_of_all(stack: ExitStack) -> None:
    family = Family(stack, "oo")
    both, child = memory_mb(family.pids[0]), memory_mb(family.pids[1])
    assert both is not None
    assert child is not None
    assert 1 <= child < both < 1_000


def test_memory_that_may_not_be_looked_into_is_taken_from_what_everybody_sees(
    stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = Family(stack, "o")
    until(lambda: (memory_mb(family.root.pid) or 0) > 1)

    def denied(self: psutil.Process) -> None:
        raise psutil.AccessDenied(self.pid)

    monkeypatch.setattr(psutil.Process, "memory_full_info", denied)
    weight = memory_mb(family.root.pid)
    assert weight is not None
    assert 1 <= weight <= psutil.Process(family.root.pid).memory_info().rss / 1024**2


WAITS = "import sys; print('ready', flush=True); sys.stdin.read()"

#: A wrapper script that waits for the browser, started with the same arguments.
WRAPS = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1], *sys.argv[2:]])"


def pretended(stack: ExitStack, *command: str) -> int:
    """A process with such arguments; its pid, once it runs."""
    process = stack.enter_context(
        subprocess.Popen([sys.executable, "-c", *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == b"ready"
    stack.callback(process.kill)
    return process.pid


def test_main_process_is_told_from_its_children_and_from_other_profiles(stack: ExitStack, tmp_path: Path) -> None:
    profile = tmp_path / "profile"
    profile.mkdir()
    pretended(stack, WAITS, f"--user-data-dir={profile}", "--type=renderer")
    pretended(stack, WAITS, f"--user-data-dir={profile}2")
    pretended(stack, WAITS, f"--x--user-data-dir={profile}", str(profile))
    assert browser_pid(profile) is None
    main = pretended(stack, WAITS, f"--user-data-dir={profile}")
    assert browser_pid(profile) == main


@posix_only
def test_profile_is_the_same_by_way_of_a_link(stack: ExitStack, tmp_path: Path) -> None:
    (tmp_path / "profile").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "profile")
    main = pretended(stack, WAITS, f"--user-data-dir={tmp_path / 'link'}")
    assert browser_pid(tmp_path / "profile") == main


def test_wrapper_that_waits_for_the_browser_is_not_the_browser(stack: ExitStack, tmp_path: Path) -> None:
    wrapper = pretended(stack, WRAPS, WAITS, f"--user-data-dir={tmp_path}")
    pid = browser_pid(tmp_path)
    assert pid in tree_of(wrapper).pids[1:]
