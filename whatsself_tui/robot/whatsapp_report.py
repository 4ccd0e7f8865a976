"""Keeps `run/whatsapp.json` as the transport's last word, and tells the consoles when it has changed."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3

from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.host.logs import logger
from whatsself_tui.robot.whatsapp_reading import forget_whatsapp, write_whatsapp
from whatsself_tui.store.database import Store
from whatsself_tui.store.topics import Topic
from whatsself_tui.transport.whatsapp_web.report import WhatsAppReading

log = logger("whatsapp")


class WhatsAppReport:
    """Writes beside the event loop; of readings that follow each other quickly only the last."""

    def __init__(self, folder: DataFolder, store: Store) -> None:
        self._folder = folder
        self._store = store
        self._latest: WhatsAppReading | None = None
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._written = asyncio.Event()
        self._written.set()

    def show(self, reading: WhatsAppReading) -> None:
        """The transport has something else to tell."""
        self._latest = reading
        self._written.clear()
        self._changed.set()

    async def written(self) -> None:
        """Return once everything that was shown can be read."""
        if self._task is not None:
            await self._written.wait()

    def start(self) -> None:
        """Begin to write; what an earlier robot left is no longer true."""
        forget_whatsapp(self._folder)
        self._stopping = False
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """A robot that has stopped has nothing to tell: codes are not left lying about."""
        if self._task is not None:
            self._stopping = True
            self._changed.set()
            await self._task  # not cancelled: a thread that still writes would bring the file back
            self._task = None
        with contextlib.suppress(OSError):
            forget_whatsapp(self._folder)

    async def _run(self) -> None:
        while not self._stopping:
            await self._changed.wait()
            self._changed.clear()
            if self._latest is None or self._stopping:
                continue
            try:
                await asyncio.to_thread(write_whatsapp, self._folder, self._latest)
                await self._store.write(lambda tx: tx.touch(Topic.WHATSAPP))
            except (OSError, sqlite3.Error) as error:  # the next change is written again; nothing depends on it
                log.warning("state of WhatsApp not written", error=str(error))
            if not self._changed.is_set():
                self._written.set()
        self._written.set()
