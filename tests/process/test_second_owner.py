"""Two robots on one data folder: one runs, the other is told who does."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.cli import FAST, PATIENCE_S, PROGRAM, cli, cli_json, environment, headless, received, settings
from support.waiting import until

CONTENDERS = 4


def test_second_is_refused_and_the_first_goes_on_sending(tmp_path: Path) -> None:
    settings(tmp_path, FAST)
    with headless(tmp_path) as first:
        for arguments in (["run", "--headless"], ["run", "--headless", "--until-idle"], ["backup", "restore"]):
            second = cli(tmp_path, *arguments)
            assert second.returncode == 4
            assert f"in use by process {first.process.pid} (headless" in second.stderr.decode()
        cli_json(tmp_path, "send", "5511999990001", "still here")
        until(lambda: [entry["text"] for entry in received(tmp_path)] == ["still here"])
        assert cli_json(tmp_path, "status")["owner"]["pid"] == first.process.pid
        assert first.stop() == 0


@pytest.mark.skipif(sys.platform == "win32", reason="consoles are tested on a pseudo-terminal")
def test_second_console_attaches_and_owns_nothing(tmp_path: Path) -> None:
    from support.terminal import Terminal

    with headless(tmp_path) as first:
        console = Terminal([*PROGRAM, "--data-dir", str(tmp_path)], columns=100, rows=30, env=environment())
        try:
            until(lambda: console.text().strip() or console._pump())
            until(lambda: list((tmp_path / "run" / "consoles").iterdir()) or not console._pump())
            assert cli_json(tmp_path, "status")["owner"]["pid"] == first.process.pid
        finally:
            console.cut()
        assert first.stop() == 0


def test_after_kill_9_the_second_starts_at_once_and_sends_what_waits(tmp_path: Path) -> None:
    settings(tmp_path, FAST)
    cli_json(tmp_path, "queue", "pause")
    with headless(tmp_path) as first:
        cli_json(tmp_path, "send", "5511999990001", "left behind")
        first.kill()
    cli_json(tmp_path, "queue", "resume")
    with headless(tmp_path) as second:
        until(lambda: [entry["text"] for entry in received(tmp_path)] == ["left behind"])
        assert cli_json(tmp_path, "status")["owner"]["pid"] == second.process.pid


def test_of_several_started_at_the_same_moment_exactly_one_runs(tmp_path: Path) -> None:
    starts = [
        subprocess.Popen(
            [*PROGRAM, "--data-dir", str(tmp_path), "run", "--headless", "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
        )
        for _ in range(CONTENDERS)
    ]
    try:
        until(lambda: sum(process.poll() is not None for process in starts) == CONTENDERS - 1)
        (winner,) = [process for process in starts if process.poll() is None]
        until(lambda: cli(tmp_path, "status").returncode == 0)
        assert cli_json(tmp_path, "status")["owner"]["pid"] == winner.pid
        for process in starts:
            if process is winner:
                continue
            output, narration = process.communicate(timeout=PATIENCE_S)
            assert (process.returncode, json.loads(output)["ok"]) == (4, False)
            assert f"process {winner.pid}" in narration.decode()
        winner.send_signal(signal.SIGTERM)
        _, narration = winner.communicate(timeout=PATIENCE_S)
        assert narration.decode().count("The robot runs on") == 1
    finally:
        for process in starts:
            if process.poll() is None:
                process.kill()
            process.communicate(timeout=PATIENCE_S)
