"""Owners that are killed at random moments while real commands send and receive; and the judgement.

Every process is a real one of the command line. The moments are chosen by what can be seen of the
owner's progress from outside, never by time.
"""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from support import crash_judge as judge
from support.cli import PATIENCE_S, PROGRAM, environment, settings
from support.crash_clients import Client
from support.waiting import until

from whatsself_tui.delivery.limits import Limits
from whatsself_tui.robot.spool import TAKEN
from whatsself_tui.transport.simulator import received_lines

#: The contact's windows bind all the time; the minute does not, the backlog would outgrow any patience.
LIMITS = Limits(per_minute=6_000, per_contact=3, per_contact_reply=5, contact_window_ms=1_000)

SETTINGS = f"""\
[simulator]
latency_ms = 3
[limits]
per_minute = {LIMITS.per_minute}
per_contact = {LIMITS.per_contact}
per_contact_reply = {LIMITS.per_contact_reply}
contact_window_s = {LIMITS.contact_window_ms // 1000}
daily_new_contacts = 0
[pace]
enabled = false
[answers]
debounce_ms = 0
"""

ANSWER = "answer"

AUTOMATION = f"""\
[[template]]
name = "echo"
text = "{ANSWER}"

[[trigger]]
name = "all"
contains = "question"
template = "echo"
"""

#: Exit code of a robot that found the folder in the hands of a command.
OWNED = 4

#: What is left in the end is sent at the pace the windows allow.
DRAIN_S = 600

#: How often a command dies together with the owner.
COMMAND_TOO = 0.3


class Owner:
    """A robot without a console."""

    def __init__(self, data: Path, *flags: str) -> None:
        self._data = data
        self._log = data.parent / "owner.log"
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [*PROGRAM, "--data-dir", str(data), "run", "--headless", *flags],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env=environment(),
            )

    def owns(self) -> bool:
        """Whether it has taken the folder."""
        try:
            note = json.loads((self._data / "run" / "owner.json").read_bytes())
        except (OSError, ValueError):
            return False
        return bool(note["pid"] == self.process.pid)

    def lives_until(self, condition: Callable[[], object]) -> bool:
        """Wait for a condition; False if it found the folder in the hands of a command before."""
        until(lambda: self.process.poll() is not None or condition(), PATIENCE_S)
        if self.process.poll() is None:
            return True
        assert self.process.returncode == OWNED, self.narration()
        return False

    def narration(self) -> str:
        """What it told, and the owners before it."""
        return self._log.read_text(encoding="utf-8")

    def kill(self) -> None:
        """Without notice."""
        self.process.kill()
        self.process.wait(PATIENCE_S)


class Storm:
    """Clients at work on one data folder, and owners that die there one after another."""

    def __init__(self, data: Path, seed: int) -> None:
        self._data = data
        self._dice = random.Random(seed)
        self.killed: Counter[str] = Counter()
        """How many owners, by what was going on."""
        self.commands_killed = 0
        settings(data, SETTINGS)
        (data / "config" / "automation.toml").write_text(AUTOMATION, encoding="utf-8")
        self._clients = [Client(data, name, self._dice.randrange(1 << 30)) for name in "ab"]

    def rage(self, kills: int) -> None:
        """Kill so many owners; all that clients had begun has been acknowledged when this returns."""
        for client in self._clients:
            client.start()
        while self.killed.total() < kills:
            self._kill_one()
        for client in self._clients:
            client.finish()
        self._own_until(lambda: not any(client.is_alive() for client in self._clients))
        assert [client.trouble for client in self._clients if client.trouble] == []

    def _kill_one(self) -> None:
        moments = (
            ("starting", None),
            ("sending", self._sends()),
            ("sending", self._sends()),
            ("writing", self._writes()),
            ("asked", self._asked()),
        )
        name, condition = self._dice.choice(moments)
        self._own_until(condition)
        self.killed[name] += 1
        if self._dice.random() < COMMAND_TOO:
            self.commands_killed += self._dice.choice(self._clients).kill()

    def _own_until(self, condition: Callable[[], object] | None) -> None:
        """Run an owner until then, or only until it has taken the folder, and kill it."""
        lived = False
        while not lived:
            owner = Owner(self._data)
            try:
                lived = owner.lives_until(condition or owner.owns)
            finally:
                owner.kill()

    @property
    def messages(self) -> int:
        """How many were promised."""
        return sum(len(client.sent) + client.questions.total() for client in self._clients)

    def told(self) -> str:
        """What happened, in one line."""
        tries = sum(client.tries for client in self._clients)
        kinds = ", ".join(f"{count} while {name}" for name, count in self.killed.items())
        return (
            f"{self.killed.total()} owners killed ({kinds}), {self.commands_killed} commands with them,"
            f" {tries} commands given, {self.messages} messages"
        )

    def faults(self) -> list[str]:
        """What is wrong after everything that was left has been done."""
        last = Owner(self._data, "--until-idle")
        try:
            code = last.process.wait(DRAIN_S)
        finally:
            last.kill()
        faults = [last.narration()] if code else []
        faults += [f"left in the spool: {path.name}" for path in self._commands()]
        faults += self._delivery_faults()
        faults += judge.order_faults(self._data)
        faults += judge.limit_faults(judge.claimed(self._data), LIMITS)
        faults += judge.remains(self._data, LIMITS, time.time_ns() // 1_000_000).faults
        return faults + judge.unfinished(self._data)

    def _commands(self) -> list[Path]:
        """Command files; a command killed while it wrote one leaves a temporary file, which is none."""
        return list((self._data / "run" / "commands").glob("[!.]*"))

    def _delivery_faults(self) -> list[str]:
        """Told by the phone's log and the clients' memory alone."""
        texts = {text for client in self._clients for text in client.sent}
        questions = sum((client.questions for client in self._clients), Counter[str]())
        arrived = list(received_lines(self._data / "simulator" / "received.jsonl"))
        ids = Counter(entry["id"] for entry in arrived)
        sent = Counter(entry["text"] for entry in arrived if entry["text"] != ANSWER)
        answers = Counter(entry["chat"] for entry in arrived if entry["text"] == ANSWER)
        faults = [f"id {id_} came {times} times" for id_, times in ids.items() if times > 1]
        faults += [f"lost: {text}" for text in texts if not sent[text]]
        faults += [f"came {times} times: {text}" for text, times in sent.items() if times > 1]
        faults += [f"nobody wanted: {text}" for text in sent if text not in texts]
        everybody = questions.keys() | answers.keys()
        return faults + [
            f"{chat} asked {questions[chat]} times, was answered {answers[chat]} times"
            for chat in everybody
            if questions[chat] != answers[chat]
        ]

    def _sends(self) -> Callable[[], bool]:
        """The phone has accepted a few more messages."""
        log = self._data / "simulator" / "received.jsonl"
        goal = _size(log) + self._dice.randrange(1, 800)
        return lambda: _size(log) >= goal

    def _writes(self) -> Callable[[], bool]:
        """The database was seen to change a few times."""
        wal = self._data / "whatsself.db-wal"
        seen: set[tuple[int, int]] = set()
        goal = self._dice.randrange(1, 30)

        def changed() -> bool:
            seen.add(_signature(wal))
            return len(seen) > goal

        return changed

    def _asked(self) -> Callable[[], bool]:
        """A command of another process is being carried out, or was so quickly that nobody saw it."""
        enough = self._writes()
        return lambda: any(path.name.endswith(TAKEN) for path in self._commands()) or enough()


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _signature(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except FileNotFoundError:
        return 0, 0
    return status.st_size, status.st_mtime_ns
