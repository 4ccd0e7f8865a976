"""People at the command line who repeat what did not succeed, and remember what they were promised."""

from __future__ import annotations

import random
import subprocess
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from support.cli import PATIENCE_S, PROGRAM, environment
from support.queue_world import chat

PEOPLE = 12

#: Messages in an exported conversation: enough to keep an owner busy for longer than its life.
EXPORT_LINES = 60

#: The command line's exit code for a command that can never succeed.
USAGE = 2


class Client(threading.Thread):
    """Gives one command after another until it is told to stop; each until it has succeeded."""

    def __init__(self, data: Path, name: str, seed: int) -> None:
        super().__init__(name=name, daemon=True)
        self._data = data
        self._dice = random.Random(seed)
        self._enough = threading.Event()
        self.sent: list[str] = []
        """Texts of messages it was told are queued."""
        self.questions: Counter[str] = Counter()
        """Received messages it was told are stored, by the chat they came from."""
        self.tries = 0
        """Commands given, those repeated included."""
        self.trouble = ""
        """Why it gave up; nothing if it did not."""
        self._process: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        """Work."""
        number = 0
        while not self._enough.is_set() and not self.trouble:
            number += 1
            kind = self._dice.choice((self._send, self._send, self._receive, self._export))
            kind(f"{self.name}{number}", self._dice.randrange(PEOPLE))

    def finish(self) -> None:
        """Begin nothing new."""
        self._enough.set()

    def kill(self) -> bool:
        """Kill the command under way; False if there was none."""
        process = self._process
        if process is None or process.poll() is not None:
            return False
        process.kill()
        return True

    def _send(self, key: str, person: int) -> None:
        priority = str(self._dice.choice((3, 5, 8)))
        if self._succeed("send", _phone(person), key, "--dedup", key, "--priority", priority):
            self.sent.append(key)

    def _receive(self, key: str, person: int) -> None:
        if self._succeed("receive", _phone(person), f"question {key}", "--id", key):
            self.questions[chat(person)] += 1

    def _export(self, key: str, _person: int) -> None:
        people = [self._dice.randrange(PEOPLE) for _ in range(EXPORT_LINES)]
        path = self._data.parent / f"{key}.txt"
        path.write_text(_exported(key, people), encoding="utf-8")
        if self._succeed("receive", "--export", str(path), "--me", "Shop"):
            self.questions.update(chat(person) for person in people)

    def _succeed(self, *arguments: str) -> bool:
        """Try until it is acknowledged; False if that cannot happen."""
        while True:
            self.tries += 1
            self._process = subprocess.Popen(
                [*PROGRAM, "--data-dir", str(self._data), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=environment(),
            )
            _, narration = self._process.communicate(timeout=PATIENCE_S)
            if self._process.returncode == 0:
                return True
            if self._process.returncode == USAGE or b"Traceback" in narration:
                self.trouble = f"{arguments}: {narration.decode()}"
                return False


def _phone(person: int) -> str:
    return chat(person).split("@")[0]


def _exported(key: str, people: Sequence[int]) -> str:
    """A conversation as WhatsApp exports it."""
    lines = [
        f"22/11/2026 09:{number:02d} - +{_phone(person)[:2]} {_phone(person)[2:4]}"
        f" {_phone(person)[4:9]}-{_phone(person)[9:]}: question {key} {number}"
        for number, person in enumerate(people)
    ]
    return "\n".join([*lines, "22/11/2026 10:00 - Shop: thanks"])
