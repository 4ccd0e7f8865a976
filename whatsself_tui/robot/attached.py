"""An attached console: the same panes over a read-only connection, commands through the spool."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import aiosqlite
import filelock

from whatsself_tui.clock import Clock
from whatsself_tui.config.in_force import InForce, read_rules_in_force
from whatsself_tui.config.rules import rule_book
from whatsself_tui.config.schema import Settings
from whatsself_tui.config.service import Configuration
from whatsself_tui.errors import Problem, WhatsSelfError
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.host.ownership import MOMENTARY, is_owned, read_owner
from whatsself_tui.host.watch import watch_folders
from whatsself_tui.robot.client import ask_by_name
from whatsself_tui.robot.commands import refused
from whatsself_tui.robot.feed import read_feed, topics_between
from whatsself_tui.robot.link import CommandResult, LinkState, OwnerInfo
from whatsself_tui.store import worker
from whatsself_tui.store.damage import recognise
from whatsself_tui.store.database import describe, on_one_snapshot
from whatsself_tui.store.topics import Topic

T = TypeVar("T")

#: How often the owner's lock is looked at; its loss is told well within three seconds.
CHECK_OWNER_S = 1.0


class AttachedLink:
    """A RobotLink to a robot in another process."""

    def __init__(self, folder: DataFolder, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._listeners: list[Callable[[frozenset[Topic]], None]] = []
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._reader: aiosqlite.Connection | None = None
        self._presence = filelock.FileLock(
            folder.consoles / f"{os.getpid()}-{secrets.token_hex(4)}", is_singleton=False
        )
        self._seen: dict[str, int] | None = None
        self._in_force = InForce()
        self._revision = 0
        self._configuration: Configuration | None = None
        self._state = LinkState("attached", None, None)

    async def open(self) -> None:
        """Be an attached console. Raises DataError if there is nothing that can be read."""
        self._folder.require()
        try:
            await asyncio.to_thread(recognise, self._folder.database)
        except sqlite3.Error as error:
            raise describe(error, self._folder.database) from error
        self._load_configuration()
        self._state = LinkState("attached", self._owner(), None)
        self._presence.acquire(blocking=False)
        try:
            self._reader = await worker.open_reader(self._folder.database)
            self._seen = read_feed(self._folder)
        except BaseException:
            await self.aclose()
            raise
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._watch()), loop.create_task(self._check_owner())]

    @property
    def state(self) -> LinkState:
        """Attached, with or without an owner."""
        return self._state

    @property
    def settings(self) -> Settings:
        """The settings the owner has in force."""
        return self._in_force.rules.settings

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the configuration files."""
        return self._in_force.problems

    async def configuration(self) -> Configuration:
        """What the owner has in force; the rules are prepared when somebody first asks for them."""
        while (ready := self._configuration) is None:
            in_force, revision = self._in_force, self._revision
            rules = in_force.rules
            book = await asyncio.to_thread(rule_book, rules.settings, rules.catalogue)
            if in_force is self._in_force:
                self._configuration = Configuration(rules.settings, rules.catalogue, revision, in_force.warnings, book)
        return ready

    def now_ms(self) -> int:
        """This process's clock; owner and console are on one machine."""
        return self._clock.now_ms()

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run a query on this process's read-only connection."""
        if self._reader is None:
            raise RuntimeError("the link is not open")
        return await worker.run(self._reader, lambda connection: on_one_snapshot(connection, query))

    def listen(self, callback: Callable[[frozenset[Topic]], None]) -> Callable[[], None]:
        """Told when the owner has touched its change feed."""
        self._listeners.append(callback)

        def stop() -> None:
            if callback in self._listeners:
                self._listeners.remove(callback)

        return stop

    async def execute(self, name: str, args: Mapping[str, Any]) -> CommandResult:
        """Ask the owner; without one, a refusal."""
        try:
            return await ask_by_name(self._folder, self._clock, name, args)
        except WhatsSelfError as error:
            return refused(str(error), error.exit_code)
        except OSError as error:
            return refused(f"The command could not be written: {error.strerror or error}.")

    async def aclose(self) -> None:
        """Leave; the robot goes on."""
        self._stop.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._reader is not None:
            await self._reader.close()
            self._reader = None
        self._presence.release()
        with contextlib.suppress(OSError):
            os.unlink(self._presence.lock_file)

    def _tell(self, topics: frozenset[Topic]) -> None:
        for listener in tuple(self._listeners):
            listener(topics)

    async def _watch(self) -> None:
        async for paths in watch_folders([self._folder.run, self._folder.config], self._stop):
            if any(self._folder.config in (path, path.parent) for path in paths):
                self._load_configuration()
                self._tell(frozenset({Topic.CONFIG}))
            if not paths.isdisjoint({self._folder.changed, self._folder.run}):
                self._compare()

    def _compare(self) -> None:
        """Tell what the owner's transactions have touched since the last look."""
        now = read_feed(self._folder)
        changed = topics_between(self._seen, now)
        self._seen = now
        if Topic.CONFIG in changed:
            self._load_configuration()
        if changed:
            self._tell(changed)

    async def _check_owner(self) -> None:
        """Notice that the owner is gone or back; the lock tells, never a process number alone."""
        while not self._stop.is_set():
            await self._clock.wait(self._stop, CHECK_OWNER_S)
            owner = self._owner()
            if (owner is None) != (self._state.owner is None) or (owner and owner != self._state.owner):
                lost_at = None if owner else self._clock.now_ms()
                self._state = LinkState("attached", owner, lost_at)
                self._tell(frozenset(Topic))
            if not os.path.exists(self._presence.lock_file):
                self._presence.release()
                self._presence.acquire(blocking=False)

    def _owner(self) -> OwnerInfo | None:
        """Who runs the robot; who only carries out a command for a moment does not."""
        if not is_owned(self._folder):
            return None
        note = read_owner(self._folder)
        if note is None:  # the folder changes hands at this moment
            return self._state.owner
        return None if note["mode"] == MOMENTARY else OwnerInfo(**note)

    def _load_configuration(self) -> None:
        before, self._in_force = self._in_force, read_rules_in_force(self._folder.config)
        if self._revision == 0 or self._in_force.rules != before.rules:
            self._revision += 1
        self._configuration = None
