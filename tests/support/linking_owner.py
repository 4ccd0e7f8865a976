"""A robot as other processes see it while a phone is linked: it holds the folder, tells readings, takes commands."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.cli import settings
from support.waiting import until

from whatsself_tui.clock import SystemClock
from whatsself_tui.config.files import ensure_files
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.host.ownership import Ownership
from whatsself_tui.robot import spool
from whatsself_tui.robot.link import CommandResult
from whatsself_tui.robot.whatsapp_reading import PairingCode, WhatsAppReading, write_whatsapp


class LinkingOwner:
    """Everything it tells and answers is what the test says."""

    def __init__(self, data: Path) -> None:
        settings(data, '[transport]\nkind = "whatsapp_web"\n')
        self.folder = DataFolder(data)
        self.folder.create()
        ensure_files(self.folder.config)
        self._clock = SystemClock()
        self._ownership = Ownership(self.folder)
        self._ownership.take(mode="headless", now_ms=self._clock.now_ms(), version="1.0.0")

    def tell(self, state: str, detail: str = "", **fields: Any) -> None:
        """Another reading."""
        write_whatsapp(self.folder, WhatsAppReading(state, detail, self._clock.now_ms(), **fields))

    def code(self, text: str, age_ms: int = 0) -> PairingCode:
        """A code of now."""
        return PairingCode(text, self._clock.now_ms() - age_ms)

    def answer(self, ok: bool, message: str) -> tuple[str, Mapping[str, Any]]:
        """Take the next command, answer it, and return its name and arguments."""
        until(lambda: spool.waiting(self.folder))
        taken = spool.take(spool.waiting(self.folder)[0])
        assert taken is not None
        command = spool.read_command(taken.rename(taken.with_name(f"{taken.stem}.json")))
        spool.answer(self.folder, command.id, CommandResult(ok, message, {}, 0 if ok else 1))
        os.unlink(self.folder.commands / f"{command.id}.json")
        return command.name, command.args

    @property
    def asked(self) -> int:
        """How many commands wait for an answer."""
        return len(spool.waiting(self.folder))

    def go(self) -> None:
        """Let the folder go."""
        self._ownership.release()


@contextmanager
def linking_owner(data: Path) -> Iterator[LinkingOwner]:
    """An owner that has let go afterwards."""
    owner = LinkingOwner(data)
    try:
        yield owner
    finally:
        owner.go()
