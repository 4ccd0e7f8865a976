"""Which editor is opened, and that running it disturbs nobody."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from whatsself_tui.console import editor
from whatsself_tui.errors import UsageError


def installed(*names: str) -> Callable[[str], str | None]:
    return lambda name: f"/bin/{name}" if name in names else None


@pytest.mark.parametrize(
    ("environment", "platform", "present", "command"),
    [
        ({"VISUAL": "code --wait", "EDITOR": "vi"}, "linux", ("code", "vi"), ["code", "--wait"]),
        ({"EDITOR": "'my editor' -n"}, "linux", ("my editor",), ["my editor", "-n"]),
        ({"VISUAL": "  ", "EDITOR": "vi"}, "linux", ("vi", "nano"), ["vi"]),
        ({}, "linux", ("vi", "nano"), ["/bin/nano"]),
        ({}, "darwin", ("vi",), ["/bin/vi"]),
        ({}, "win32", ("notepad",), ["/bin/notepad"]),
        ({}, "win32", ("edit", "notepad"), ["/bin/edit"]),
        ({"EDITOR": r'"C:\Program Files\Ed\ed.exe" -w'}, "win32", (r"C:\Program Files\Ed\ed.exe",), None),
    ],
)
def test_choice(
    environment: dict[str, str], platform: str, present: tuple[str, ...], command: list[str] | None
) -> None:
    expected = command or [r"C:\Program Files\Ed\ed.exe", "-w"]
    assert editor.choose(environment, platform, installed(*present)) == expected


@pytest.mark.parametrize(
    ("environment", "platform", "present", "message"),
    [
        ({}, "linux", (), "No editor is installed here. Set EDITOR"),
        ({"EDITOR": "emacs"}, "linux", ("vi",), "EDITOR names 'emacs', which is not installed here."),
        ({"VISUAL": "vi 'unclosed"}, "linux", ("vi",), "VISUAL cannot be read"),
        ({"EDITOR": "#"}, "linux", ("vi",), "EDITOR names '#'"),
        ({"EDITOR": "''"}, "linux", ("vi",), "EDITOR names"),
        ({"SSH_CONNECTION": "10.0.0.1"}, "win32", ("notepad",), "No editor is installed here."),
    ],
)
def test_no_choice_says_why(environment: dict[str, str], platform: str, present: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError) as raised:
        editor.choose(environment, platform, installed(*present))
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("command", "line", "opened"),
    [
        (["vi"], 12, ["vi", "+12", "f.toml"]),
        (["/usr/bin/vim.basic"], 12, ["/usr/bin/vim.basic", "+12", "f.toml"]),
        (["nvim", "-n"], 12, ["nvim", "-n", "+12", "f.toml"]),
        (["/usr/bin/nano"], 12, ["/usr/bin/nano", "+12", "f.toml"]),
        (["emacs", "-nw"], 12, ["emacs", "-nw", "+12", "f.toml"]),
        (["code", "--wait"], 12, ["code", "--wait", "-g", "f.toml:12"]),
        ([r"C:\Program Files\VS Code\bin\Code.cmd", "-w"], 12, None),
        (["subl", "-w"], 12, ["subl", "-w", "f.toml:12"]),
        ([r"C:\Program Files\Notepad++\notepad++.exe"], 12, None),
        (["kate"], 12, ["kate", "--line=12", "f.toml"]),
        (["notepad"], 12, ["notepad", "f.toml"]),
        (["edit"], 12, ["edit", "f.toml"]),
        (["my editor"], 12, ["my editor", "f.toml"]),
        (["vi"], None, ["vi", "f.toml"]),
        (["code", "--wait"], None, ["code", "--wait", "f.toml"]),
    ],
)
def test_the_line_is_told_to_editors_that_take_it(
    command: list[str], line: int | None, opened: list[str] | None
) -> None:
    last = {"-w": ["-g", "f.toml:12"]}.get(command[-1], ["-n12", "f.toml"])
    assert editor.opening(command, Path("f.toml"), line) == (opened or [*command, *last])


def python(script: str) -> list[str]:
    return [sys.executable, "-c", script]


async def test_the_editor_gets_the_file_and_its_code_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    code = await editor.run(python("import sys; open(sys.argv[1], 'w').write('edited'); sys.exit(3)"), file)
    assert code == 3
    assert file.read_text() == "edited"


async def test_the_loop_goes_on_meanwhile(tmp_path: Path) -> None:
    file = tmp_path / "go"
    editing = asyncio.create_task(
        editor.run(python("import os, sys\nwhile not os.path.exists(sys.argv[1]): pass"), file)
    )
    for _ in range(1_000):
        await asyncio.sleep(0)
    assert not editing.done()
    file.touch()
    assert await editing == 0


async def test_what_cannot_be_started_raises_and_signals_are_as_before(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(OSError, match="no-such-editor"):
        await editor.run([str(tmp_path / "no-such-editor")], tmp_path)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.skipif(sys.platform == "win32", reason="named pipes of this kind")
async def test_cancelled_it_ends_the_editor(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    script = "import sys, time\nopen(sys.argv[1], 'w').close()\nwhile True: time.sleep(60)"
    editing = asyncio.create_task(editor.run(python(script), fifo))
    await asyncio.to_thread(fifo.read_bytes)  # returns when the editor has come so far
    editing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await editing
    assert editing.cancelled()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of a terminal")
async def test_keys_meant_for_the_editor_stop_nobody_else(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys\n"
        "assert signal.getsignal(signal.SIGINT) is not signal.SIG_IGN\n"
        "os.kill(os.getppid(), signal.SIGINT)\n"
        "os.kill(os.getppid(), signal.SIGTSTP)\n"
    )
    assert await editor.run(python(script), tmp_path) == 0
