"""`start.py` as a person runs it, with an installer that only pretends."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from support.launching import Sandbox, ran

from launcher.oneatatime import one_at_a_time

ALL = ["requirements.lock", "."]
ALL_DEV = ["requirements-dev.lock", "."]


def stale(sandbox: Sandbox) -> str:
    """Change the lock as an update of the program would; the result is what it was."""
    before = sandbox.lock.read_text(encoding="utf-8")
    sandbox.lock.write_text(before + "# changed\n", encoding="utf-8")
    return before


def test_first_start_installs_pinned_versions_then_the_package_then_runs_it(sandbox: Sandbox) -> None:
    result = sandbox.start("status", "--json", "two words", "ação", "")
    assert ran(result.stdout) == [["whatsself-tui", "status", "--json", "two words", "ação", ""]]
    assert result.returncode == 0
    lock, package = sandbox.calls()
    python = str(sandbox.venv / "bin" / "python")
    assert lock == ["pip", "install", "--python", python, "--require-hashes", "-r", str(sandbox.lock)]
    assert package == ["pip", "install", "--python", python, "--no-build-isolation", "--no-deps", "-e", "."]


def test_exit_code_of_the_program_is_the_exit_code(sandbox: Sandbox) -> None:
    assert sandbox.start(EXIT_WHATSSELF_TUI="4").returncode == 4


def test_second_start_installs_nothing_and_is_silent(sandbox: Sandbox) -> None:
    sandbox.start()
    assert sandbox.installed() == ALL
    result = sandbox.start("again")
    assert sandbox.installed() == []
    assert (ran(result.stdout), result.stderr) == ([["whatsself-tui", "again"]], "")


def test_complete_environment_needs_no_installer_and_writes_nothing(sandbox: Sandbox) -> None:
    sandbox.start()
    shutil.rmtree(sandbox.programs)
    (sandbox.root / ".venv.lock").unlink()
    sandbox.programs.mkdir()
    assert ran(sandbox.start("offline").stdout) == [["whatsself-tui", "offline"]]
    assert not (sandbox.root / ".venv.lock").exists()


def test_changed_lock_is_installed_into_the_same_environment(sandbox: Sandbox) -> None:
    sandbox.start()
    sandbox.calls()
    (sandbox.venv / "mine").touch()
    stale(sandbox)
    sandbox.start()
    assert sandbox.installed() == ALL
    assert (sandbox.venv / "mine").exists()
    sandbox.start()
    assert sandbox.installed() == []


def test_changed_package_description_is_installed(sandbox: Sandbox) -> None:
    sandbox.start()
    sandbox.calls()
    with (sandbox.root / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    sandbox.start()
    assert sandbox.installed() == ALL


def test_missing_program_is_installed_again(sandbox: Sandbox) -> None:
    sandbox.start()
    sandbox.calls()
    (sandbox.venv / "bin" / "whatsself-tui").unlink()
    assert ran(sandbox.start("back").stdout) == [["whatsself-tui", "back"]]
    assert sandbox.installed() == ALL


def test_development_extras_come_on_top_and_survive_a_plain_start(sandbox: Sandbox) -> None:
    sandbox.start()
    result = sandbox.start("test", "-k", "one or two")
    assert ran(result.stdout) == [["pytest", "-n", "auto", "-k", "one or two"]]
    assert sandbox.installed() == [*ALL, *ALL_DEV]
    sandbox.start()
    assert sandbox.installed() == []
    with (sandbox.root / "requirements-dev.lock").open("a", encoding="utf-8") as lock:
        lock.write("# changed\n")
    sandbox.start()
    assert sandbox.installed() == ALL_DEV


def test_killed_installation_is_recognised_and_made_anew(sandbox: Sandbox) -> None:
    assert sandbox.start(UV_DOES="SIGKILL").returncode == -signal.SIGKILL
    (sandbox.venv / "half-written").touch()
    sandbox.calls()
    result = sandbox.start("now")
    assert "never finished" in result.stderr
    assert ran(result.stdout) == [["whatsself-tui", "now"]]
    assert sandbox.installed() == ALL
    assert not (sandbox.venv / "half-written").exists()
    assert not list(sandbox.root.glob(".venv-old-*"))


def test_interrupt_of_the_keyboard_ends_in_a_sentence_and_130(sandbox: Sandbox) -> None:
    result = sandbox.start(UV_DOES="SIGINT")
    assert result.returncode == 130
    assert "Interrupted" in result.stderr
    assert "Traceback" not in result.stderr
    assert sandbox.start("now").returncode == 0


def test_moved_folder_gets_a_new_environment(sandbox: Sandbox) -> None:
    sandbox.start()
    sandbox.calls()
    moved = Sandbox(sandbox.root.with_name("moved"), sandbox.programs, sandbox.calls_file)
    sandbox.root.rename(moved.root)
    result = moved.start("here")
    assert "moved" in result.stderr
    assert ran(result.stdout) == [["whatsself-tui", "here"]]
    assert moved.installed() == ALL


def test_folder_reached_by_another_path_keeps_its_environment(sandbox: Sandbox) -> None:
    sandbox.start()
    sandbox.calls()
    link = Sandbox(sandbox.root.with_name("link"), sandbox.programs, sandbox.calls_file)
    link.root.symlink_to(sandbox.root)
    assert ran(link.start("linked").stdout) == [["whatsself-tui", "linked"]]
    assert link.installed() == []


def test_environment_whose_python_is_gone_is_made_anew(sandbox: Sandbox) -> None:
    sandbox.start()
    sandbox.calls()
    python = sandbox.venv / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python")
    result = sandbox.start("fresh")
    assert "does not start" in result.stderr
    assert ran(result.stdout) == [["whatsself-tui", "fresh"]]


def test_environment_of_an_old_python_is_made_anew(sandbox: Sandbox) -> None:
    sandbox.start()
    python = sandbox.venv / "bin" / "python"
    python.unlink()
    python.write_text("#!/bin/sh\necho 3.10\n", encoding="utf-8")
    python.chmod(0o755)
    result = sandbox.start("fresh")
    assert "Python 3.10 is too old" in result.stderr
    assert ran(result.stdout) == [["whatsself-tui", "fresh"]]


def test_python_that_talks_nonsense_is_taken_for_broken(sandbox: Sandbox) -> None:
    sandbox.start()
    python = sandbox.venv / "bin" / "python"
    python.unlink()
    python.write_text("#!/bin/sh\necho hello\n", encoding="utf-8")
    python.chmod(0o755)
    assert "does not start" in sandbox.start().stderr


def test_folder_no_environment_can_be_in_is_told_in_a_sentence(sandbox: Sandbox) -> None:
    odd = Sandbox(sandbox.root.with_name("a:b"), sandbox.programs, sandbox.calls_file)
    sandbox.root.rename(odd.root)
    result = odd.start()
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].endswith("Move the program into another folder.")
    assert "Traceback" not in result.stderr


def test_start_from_the_environment_itself_can_remake_it(sandbox: Sandbox) -> None:
    sandbox.start()
    sandbox.calls()
    stamp = json.loads(sandbox.stamp.read_text(encoding="utf-8"))
    sandbox.stamp.write_text(json.dumps({**stamp, "python": "3.99"}), encoding="utf-8")
    command = [str(sandbox.venv / "bin" / "python"), str(sandbox.root / "start.py"), "self"]
    result = subprocess.run(command, env=sandbox.environment(), capture_output=True, encoding="utf-8")
    assert "made for Python 3.99" in result.stderr
    assert ran(result.stdout) == [["whatsself-tui", "self"]]
    assert sandbox.installed() == ALL


def test_unreadable_stamp_counts_as_an_interrupted_installation(sandbox: Sandbox) -> None:
    sandbox.start()
    sandbox.stamp.write_text("[1, 2", encoding="utf-8")
    assert "never finished" in sandbox.start().stderr


def test_environment_somebody_else_made_is_kept_and_filled(sandbox: Sandbox) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(sandbox.venv)], check=True)
    (sandbox.venv / "mine").touch()
    assert ran(sandbox.start("filled").stdout) == [["whatsself-tui", "filled"]]
    assert (sandbox.venv / "mine").exists()


def test_file_or_link_in_the_place_of_the_environment_gives_way(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.venv.write_text("not a folder", encoding="utf-8")
    assert sandbox.start("file").returncode == 0
    shutil.rmtree(sandbox.venv)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "keep").touch()
    sandbox.venv.symlink_to(elsewhere)
    assert sandbox.start("link").returncode == 0
    assert not sandbox.venv.is_symlink()
    assert (elsewhere / "keep").exists()


def test_second_start_at_the_same_time_waits_and_finds_it_done(sandbox: Sandbox) -> None:
    sandbox.start()
    sandbox.calls()
    as_installed = stale(sandbox)
    with one_at_a_time(sandbox.root / ".venv.lock"):
        second = subprocess.Popen(
            sandbox.command("second"),
            env=sandbox.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        assert second.stderr is not None
        assert "waiting" in second.stderr.readline()
        sandbox.lock.write_text(as_installed, encoding="utf-8")  # the first one is done
    output, _ = second.communicate()
    assert ran(output) == [["whatsself-tui", "second"]]
    assert sandbox.installed() == []


def test_failing_uv_is_told_and_pip_is_tried_and_its_failure_told(sandbox: Sandbox) -> None:
    result = sandbox.start(UV_DOES="fail", EXIT_PIP="1")
    assert "uv could not install it" in result.stderr
    assert ran("\n".join(line for line in result.stderr.splitlines() if line.startswith("["))) == [
        ["pip", "install", "--require-hashes", "-r", str(sandbox.lock)]
    ]
    assert result.stderr.splitlines()[-1].startswith("start.py: The installation failed (see above).")
    assert (result.returncode, result.stdout) == (1, "")
    assert sandbox.installed() == ["requirements.lock"]


def test_fresh_environment_that_could_not_be_filled_is_made_anew(sandbox: Sandbox) -> None:
    sandbox.start(UV_DOES="fail", EXIT_PIP="1")
    again = sandbox.start("now")
    assert "never finished" in again.stderr
    assert ran(again.stdout) == [["whatsself-tui", "now"]]


def test_failing_development_install_leaves_the_program_startable(sandbox: Sandbox) -> None:
    sandbox.start()
    assert sandbox.start("check", UV_DOES="fail", EXIT_PIP="1").returncode == 1
    sandbox.calls()
    assert ran(sandbox.start("still").stdout) == [["whatsself-tui", "still"]]
    assert sandbox.installed() == []


def test_folder_that_cannot_be_written_is_told_in_a_sentence(sandbox: Sandbox) -> None:
    (sandbox.root / ".venv.lock").mkdir()
    result = sandbox.start()
    assert result.returncode == 1
    assert result.stderr.startswith(f"start.py: {sandbox.root / '.venv.lock'}")
    assert len(result.stderr.splitlines()) == 1


def test_checks_all_run_even_when_one_fails(sandbox: Sandbox) -> None:
    result = sandbox.start("check", EXIT_RUFF="1")
    assert ran(result.stdout) == [
        ["ruff", "check"],
        ["ruff", "format", "--check"],
        ["mypy", "--strict", "whatsself_tui", "tests"],
        ["mypy", "--strict", "benchmarks"],
        ["lint-imports"],
    ]
    assert result.returncode == 1
    assert result.stderr.endswith("Failed: ruff check, ruff format --check.\n")


def test_checks_that_are_content_give_zero(sandbox: Sandbox) -> None:
    result = sandbox.start("check")
    assert (result.returncode, result.stderr.splitlines()[-1]) == (0, "All checks passed.")


def test_tests_run_in_the_checkout_and_give_their_exit_code(sandbox: Sandbox) -> None:
    result = sandbox.start("test", EXIT_PYTEST="5")
    assert (ran(result.stdout), result.returncode) == ([["pytest", "-n", "auto"]], 5)
