"""The orchestrator: the robot of one data folder, from taking its lock to giving it back."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from whatsself_tui import __version__
from whatsself_tui.clock import Clock
from whatsself_tui.config.editor_schema import write_editor_schema
from whatsself_tui.config.files import ensure_files
from whatsself_tui.config.schema import Settings
from whatsself_tui.config.service import Applied, ConfigService
from whatsself_tui.errors import DataError, Problem, RobotNotRunning
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.host.logs import LogFiles, logger
from whatsself_tui.host.ownership import Ownership
from whatsself_tui.host.watch import watch_folders
from whatsself_tui.robot import spool
from whatsself_tui.robot.commands import Commands
from whatsself_tui.robot.connection import Connection
from whatsself_tui.robot.database_watch import give_up, open_store
from whatsself_tui.robot.desk import CommandDesk
from whatsself_tui.robot.dispatcher import Dispatcher
from whatsself_tui.robot.feed import ChangeFeed
from whatsself_tui.robot.inbound import Inbound
from whatsself_tui.robot.incoming import IncomingEvents
from whatsself_tui.robot.keeper import AlertKeeper
from whatsself_tui.robot.link import CommandResult
from whatsself_tui.robot.media import outgoing_attachment, sweep
from whatsself_tui.session.swap import finish_interrupted
from whatsself_tui.store import alerts, breaker, claims, clock_changes, lanes, pace, state, tally
from whatsself_tui.store.database import Store, Tx
from whatsself_tui.store.terms import limits_of, policy_of
from whatsself_tui.store.topics import Topic
from whatsself_tui.transport.base import LinkState, Received, TypedByHand

log = logger("robot")

Connect = Callable[[DataFolder, Store, Clock, Settings, random.Random], Connection]

#: How long stopping waits for the message in flight before it is left to the next start.
STOP_S = 10.0

#: The configuration is read again this often even if no change was noticed (network drives).
RECHECK_S = 60.0

#: What nobody needs any more is deleted this often.
HOUSEKEEPING_S = 3600.0

#: How often the watching thread looks, in milliseconds: what an idle robot costs comes from this.
WATCH_STEP_MS = 200

#: Pause before a part of the robot that failed is started again.
RESTART_PAUSE_S = 5.0


class Orchestrator:
    """Runs the robot: transport, inbox, rules, outbox, alerts, commands, configuration."""

    def __init__(
        self,
        folder: DataFolder,
        clock: Clock,
        *,
        mode: str,
        rng: random.Random | None = None,
        connect: Connect = Connection,
    ) -> None:
        self.folder = folder
        self.clock = clock
        self.mode = mode
        """`console`, `headless`, `pairing` (it only receives), or `command` for a process that only carries one out."""
        self._connect = connect
        self._rng = rng or random.Random()
        self._ownership = Ownership(folder)
        self._tasks: list[asyncio.Task[None]] = []
        self._stop = asyncio.Event()
        self._config_changed = asyncio.Event()
        self._started = False
        self._logs: LogFiles | None = None
        self._store: Store | None = None
        self.config = ConfigService(folder.config, clock)

    @property
    def store(self) -> Store:
        """The database; there from `open` to `close`."""
        if self._store is None:
            raise RuntimeError("the orchestrator is not open")
        return self._store

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.config.current.settings

    async def open(self) -> None:
        """Take the folder and open what is in it, without sending anything.

        Raises FolderOwned, DataError or ConfigError; nothing stays open then.
        """
        self.folder.create()
        await asyncio.to_thread(self._ownership.take, mode=self.mode, now_ms=self.clock.now_ms(), version=__version__)
        try:
            await asyncio.to_thread(finish_interrupted, self.folder)
            ensure_files(self.folder.config)
            write_editor_schema(self.folder.config)
            loaded = self.config.load()
            logs = self.settings.logs
            self._logs = LogFiles(self.folder.logs, logs.level, logs.max_mb, logs.keep)
            self._store = await open_store(self.folder, self.clock, self.settings.business.zone)
            self._build(self._store)
            await self._store.write(lambda tx: self._settle(tx, loaded))
        except sqlite3.Error as error:
            told = await self._give_up(error)
            await self.close()
            raise told from error
        except BaseException:
            await self.close()
            raise

    def _build(self, store: Store) -> None:
        self.inbound = Inbound(store, self.clock, lambda: self.config.current, self._rng)
        self.connection = self._connect(self.folder, store, self.clock, self.settings, self._rng)
        self.dispatcher = Dispatcher(
            store,
            self.connection,
            self.clock,
            lambda: self.settings,
            self._rng,
            attach=lambda row: outgoing_attachment(self.folder, row),
        )
        self.keeper = AlertKeeper(store, self.clock, lambda: self.settings)
        self.feed = ChangeFeed(self.folder, self.clock.now_ms())
        self.commands = Commands(self)
        self.desk = CommandDesk(self.folder, self.commands)
        store.listen(self._committed)
        store.on_refusal(self.keeper.refused)

    def _settle(self, tx: Tx, loaded: Applied) -> None:
        """Bring what is stored in line with the clock and the configuration of this start."""
        limits = limits_of(self.settings)
        if clock_changes.settle(tx, limits):
            log.warning("the clock was set back since the last run")
        lanes.apply_limits(tx, limits)
        breaker.recovered(tx, policy_of(self.settings))
        _record_changes(tx, loaded)
        alerts.clear_alert(tx, "part_failed")
        self._tell_problems(tx)

    async def start(self) -> None:
        """Connect, settle what a crash left, and run. Raises DataError, and has let the database go then."""
        try:
            await self._start()
        except sqlite3.Error as error:
            raise await self._give_up(error) from error
        except OSError as error:
            where = error.filename or self.folder.root
            raise DataError(f"The robot cannot start: {where}: {error.strerror or error}.") from error

    async def _give_up(self, error: sqlite3.Error) -> DataError:
        """Stop what has begun; the database is looked at while the folder is still this process's."""
        if self._started:
            self._started = False
            await self.connection.stop()
        store, self._store = self.store, None
        self.feed.close()
        return await give_up(self.folder, store, error, self.clock)

    async def _start(self) -> None:
        self._started = True
        self.config.on_applied(self._applied)
        self.config.on_rejected(self._rejected)
        self.feed.forget_the_dead()
        spool.sweep_results(self.folder, self.clock.now_ms())
        await self.connection.start(IncomingEvents(self.store, self.inbound, self.dispatcher, self.connection).take)
        handled = await self.inbound.handle_pending()
        in_flight = len(await self.store.read(claims.in_flight))  # looked up once there is a connection
        log.info("started", version=__version__, mode=self.mode, pending=handled, in_flight=in_flight)
        for name, work in (
            *(() if self.mode == "pairing" else (("dispatcher", self.dispatcher.run),)),
            ("inbound", self.inbound.run),
            ("alerts", self.keeper.run),
            ("watch", self._watch),
            ("configuration", self._keep_config),
            ("housekeeping", self._keep_house),
        ):
            self._tasks.append(asyncio.get_running_loop().create_task(self._supervise(name, work), name=name))

    async def close(self) -> None:
        """Stop: nothing new is claimed, the message in flight is finished, the folder is let go."""
        self._stop.set()
        self._config_changed.set()
        if self._started:
            await self._stop_running()
        if self._store is not None:
            await self._store.close()
            self._store = None
            self.feed.close()
        if self._logs is not None:
            log.info("stopped")
            self._logs.close()
            self._logs = None
        self._ownership.release()

    async def _stop_running(self) -> None:
        self._started = False
        self.dispatcher.stop()
        self.inbound.stop()
        self.keeper.stop()
        await self.desk.close()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=STOP_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.connection.stop()
        with contextlib.suppress(sqlite3.Error):
            await self.keeper.look()  # what became true in the last moment is told too
        try:
            await self.store.write(lambda tx: state.set_transport(tx, self.connection.kind, LinkState.STOPPED, ""))
        except sqlite3.Error as error:
            log.error("last state not stored", error=str(error))  # readers see by the lock that nobody runs

    async def execute(self, name: str, args: Mapping[str, Any]) -> CommandResult:
        """Carry out a command of this process's own operator."""
        return await self.commands.execute(spool.SpooledCommand(spool.new_id(self.clock.now_ms()), name, args))

    async def deliver(self, message: Received) -> bool:
        """Let a message arrive at the simulated phone; False if it was seen before. On disk when this returns.

        Raises CommandRefused with WhatsApp.
        """
        self.connection.require_simulator()
        return await self.inbound.receive(message)

    async def typed_by_hand(self, message: TypedByHand) -> None:
        """Let a message be there that a person typed on the simulated phone. Raises CommandRefused with WhatsApp."""
        self.connection.require_simulator()
        await self.inbound.typed(message)

    async def download(self, key: str, limit_bytes: int) -> bytes:
        """The medium of a received message. Raises DownloadFailed; RobotNotRunning where nothing is connected."""
        if not self._started:
            raise RobotNotRunning("Only a running robot is connected to WhatsApp.")
        return await self.connection.download(key, limit_bytes)

    async def until_idle(self) -> str:
        """Wait until nothing is left to do now; returns why not everything is done, or nothing.

        What is scheduled for later does not count; what waits for a limit or a retry does.
        """
        changed = asyncio.Event()
        stop = self.store.listen(lambda _: changed.set())
        try:
            while True:
                changed.clear()
                left, blocked = await self.store.read(lambda con: _left(con, self.clock.now_ms()))
                if not (left or self.inbound.waits) or blocked:
                    return blocked if left else ""
                await self.clock.wait(changed, RECHECK_S)
        finally:
            stop()

    def _committed(self, topics: frozenset[Topic]) -> None:
        if topics & {Topic.QUEUE, Topic.ROBOT, Topic.CONFIG, Topic.LIMITS, Topic.BREAKER}:
            self.dispatcher.kick()
        self.keeper.changed(topics)
        self.feed.changed(topics)

    async def _applied(self, applied: Applied) -> None:
        settings = applied.configuration.settings
        self.store.zone = settings.business.zone
        if self._logs is not None:
            self._logs.set_level(settings.logs.level)

        def job(tx: Tx) -> None:
            _record_changes(tx, applied)
            lanes.apply_limits(tx, limits_of(settings))
            if any(change.field.startswith("pace.") for change in applied.changes):
                pace.forget(tx)
            tx.touch(Topic.LIMITS, Topic.QUEUE)
            self._tell_problems(tx)

        await self.store.write(job)
        await self.connection.apply(settings)
        log.info("configuration applied", who=applied.who, fields=[change.field for change in applied.changes])

    async def _rejected(self, problems: tuple[Problem, ...]) -> None:
        log.warning("configuration rejected", problems=[str(problem) for problem in problems])
        await self.store.write(self._tell_problems)

    def _tell_problems(self, tx: Tx) -> None:
        problems = self.config.problems
        if problems:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            text = f"{problems[0]}{more}. The last good configuration stays in force; `config check` tells all."
            alerts.raise_alert(tx, "config_rejected", "error", text)
        else:
            alerts.clear_alert(tx, "config_rejected")
        tx.touch(Topic.CONFIG)

    async def _supervise(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run a part of the robot; one that fails is told and started again."""
        while not self._stop.is_set():
            try:
                await work()
                return
            except Exception as error:
                log.exception("part failed", part=name)
                text = (
                    f"A part of the robot ({name}) failed and was started again: {type(error).__name__}. See the log."
                )
                with contextlib.suppress(sqlite3.Error):
                    await self.store.write(partial(_raise_error, "part_failed", text))
            await self.clock.wait(self._stop, RESTART_PAUSE_S)

    async def _watch(self) -> None:
        """Carry every edit of the configuration and every command file into the robot."""
        self.folder.create()
        watched = [self.folder.config, self.folder.commands]
        async for paths in watch_folders(watched, self._stop, step_ms=WATCH_STEP_MS):
            folders = {path if path in watched else path.parent for path in paths}
            if self.folder.config in folders:
                self._config_changed.set()
            if self.folder.commands in folders:
                await self.desk.work()

    async def _keep_house(self) -> None:
        """Files that went out with messages are not kept."""
        while not self._stop.is_set():
            await sweep(self.folder, self.store, self.clock.now_ms())
            await self.clock.wait(self._stop, HOUSEKEEPING_S)

    async def _keep_config(self) -> None:
        while not self._stop.is_set():
            await self.clock.wait(self._config_changed, RECHECK_S)
            self._config_changed.clear()
            if not self._stop.is_set():
                await self.config.check()


def _raise_error(kind: str, text: str, tx: Tx) -> None:
    alerts.raise_alert(tx, kind, "error", text)


def _record_changes(tx: Tx, applied: Applied) -> None:
    changes = [(change.file, change.field, change.old, change.new) for change in applied.changes]
    if changes:
        state.record_config_changes(tx, applied.who, changes)


def _left(con: sqlite3.Connection, now_ms: int) -> tuple[int, str]:
    queued = con.execute(
        "SELECT coalesce(sum(n), 0) FROM tally WHERE name LIKE 'queued:%' OR name = 'sending'"
    ).fetchone()
    paused, connection = con.execute("SELECT paused, transport_state FROM robot").fetchone()
    left = queued[0] - tally.later(con, now_ms)
    if paused:
        return left, f"{left} messages wait, and the robot is paused."
    if connection != LinkState.READY:
        return left, f"{left} messages wait, and the transport is {connection}."
    return left, ""
