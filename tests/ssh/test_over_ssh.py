"""The console through a real sshd on loopback: what an operator far away gets."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.cli import PROGRAM, cli, cli_json, headless
from support.terminal import Terminal
from support.waiting import until

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")

pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or SSHD is None or os.geteuid() != 0, reason="needs sshd, and root to give it terminals"
)


@dataclass(frozen=True)
class Server:
    """A throw-away sshd that knows one key."""

    folder: Path
    port: int

    def argv(self, command: str, *flags: str) -> list[str]:
        """How to run a command through it."""
        options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"]
        pairs = [part for option in options for part in ("-o", option)]
        return ["ssh", *flags, "-p", str(self.port), "-i", str(self.folder / "id"), *pairs, "root@127.0.0.1", command]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """sshd on a free port of the loopback address."""
    folder = tmp_path_factory.mktemp("sshd")
    folder.chmod(0o700)
    for name in ("host", "id"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    shutil.copy(folder / "id.pub", folder / "authorized_keys")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile {folder}/sshd.pid\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
        "UsePAM no\nStrictModes no\nPermitRootLogin prohibit-password\nPrintMotd no\n"
    )
    Path("/run/sshd").mkdir(exist_ok=True)
    assert SSHD
    process = subprocess.Popen([SSHD, "-D", "-f", str(folder / "sshd_config"), "-E", str(folder / "sshd.log")])
    try:
        until(lambda: accepts(port))
        yield Server(folder, port)
    finally:
        process.terminate()
        process.wait(30)


def accepts(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def console(data: Path) -> str:
    """The remote command that opens the console."""
    program = " ".join(shlex.quote(part) for part in [*PROGRAM, "--data-dir", str(data)])
    return f"cd {shlex.quote(os.getcwd())} && exec env TERM=xterm-256color LANG=C.UTF-8 {program}"


def test_console_works_over_ssh_beside_a_running_robot(server: Server, tmp_path: Path) -> None:
    with headless(tmp_path) as robot:
        terminal = Terminal(server.argv(console(tmp_path), "-tt"))
        terminal.wait_for(f"ATTACHED to pid {robot.process.pid}", "RUNNING")
        cli_json(tmp_path, "receive", "5511999990001", "oi", "--name", "Maria")
        terminal.wait_for("→ Maria", "← Maria")
        terminal.send("p")
        terminal.wait_for("PAUSED")
        assert cli_json(tmp_path, "status")["paused"] is True
        terminal.send("q")
        assert terminal.exit_code() == 0
        assert cli_json(tmp_path, "status")["owner"]["pid"] == robot.process.pid


def test_cut_link_ends_the_console_and_the_next_one_takes_its_place(server: Server, tmp_path: Path) -> None:
    terminal = Terminal(server.argv(console(tmp_path), "-tt"))
    terminal.wait_for("OWNER", "RUNNING")
    cli_json(tmp_path, "receive", "5511999990001", "oi", "--name", "Maria")
    terminal.wait_for("→ Maria")
    owner = cli_json(tmp_path, "status")["owner"]["pid"]
    terminal.cut()
    until(lambda: not process_lives(owner))
    assert cli_json(tmp_path, "status")["owner"] is None
    again = Terminal(server.argv(console(tmp_path), "-tt"))
    again.wait_for("OWNER", "→ Maria")
    again.send("q")
    assert again.exit_code() == 0


def process_lives(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_ssh_without_a_terminal_is_refused_with_a_sentence(server: Server, tmp_path: Path) -> None:
    done = subprocess.run(
        server.argv(console(tmp_path), "-T"), stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "ssh -t" in done.stderr.decode()
    assert cli(tmp_path, "status").returncode == 1
