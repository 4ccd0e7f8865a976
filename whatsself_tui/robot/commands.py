"""What an operator may ask of the robot; each command is carried out once, whoever asks how often.

A command's effect and the note that it was done are one transaction, so an owner that dies half-way
has either done it or not, and the next owner knows which.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, Literal, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from whatsself_tui.clock import Clock
from whatsself_tui.delivery.circuit import Action
from whatsself_tui.errors import CommandRefused, DataError, RobotNotRunning, UsageError
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.host.logs import logger
from whatsself_tui.phones import is_personal, parse_phone
from whatsself_tui.robot import connection_command, contact_command, send_command
from whatsself_tui.robot.connection import Connection
from whatsself_tui.robot.connection_command import PairCodeArgs
from whatsself_tui.robot.contact_command import ContactArgs
from whatsself_tui.robot.link import CommandResult
from whatsself_tui.robot.media import accepted
from whatsself_tui.robot.media_command import Downloads, MediaArgs
from whatsself_tui.robot.queue_command import QueueArgs, decide, decide_all
from whatsself_tui.robot.send_command import SendArgs, check_text
from whatsself_tui.robot.spool import SpooledCommand
from whatsself_tui.session.making import BackupMaker, size_text
from whatsself_tui.session.restore import RESTORED
from whatsself_tui.store import account, alerts, breaker, state
from whatsself_tui.store.database import Store, Tx
from whatsself_tui.transport.base import Received, TypedByHand

log = logger("commands")


class _Args(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


A = TypeVar("A", bound=BaseModel)


class NoArgs(_Args):
    """A command without arguments."""


class ReceivedArgs(_Args):
    """One message for the simulated phone."""

    wa_id: str = Field(min_length=1, max_length=200)
    chat: str = Field(min_length=1, max_length=100)
    body: str
    written_at_ms: int
    name: str = ""
    kind: str = Field(default="text", max_length=20)
    by_hand: bool = False
    """A person of the business typed it on the phone."""


class ReceiveArgs(_Args):
    """Messages the simulated phone delivers, in order."""

    messages: list[ReceivedArgs] = Field(min_length=1)


class BreakerArgs(_Args):
    """What the operator decides about the breaker."""

    action: Literal["reset", "open", "close", "auto", "measure"]


class AlertArgs(_Args):
    """An alert."""

    id: int


class Host(Protocol):
    """What carrying out commands needs of the robot."""

    folder: DataFolder
    """The data folder it owns."""
    clock: Clock
    """The one clock."""

    connection: Connection
    """Its way to WhatsApp."""

    @property
    def store(self) -> Store:
        """The database."""
        ...

    async def deliver(self, message: Received) -> bool:
        """Let a message arrive; False if it was seen before."""
        ...

    async def typed_by_hand(self, message: TypedByHand) -> None:
        """Let a message be there that a person typed on the phone."""
        ...

    async def download(self, key: str, limit_bytes: int) -> bytes:
        """The medium of a received message, by WhatsApp's full id.

        Raises DownloadFailed, also for more than `limit_bytes`; RobotNotRunning where nothing is connected.
        """
        ...


class Commands:
    """Carries out commands, one at a time for each id."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._backups = BackupMaker(host.folder)
        self._downloads = Downloads(host)
        self._known: dict[str, Callable[[SpooledCommand], Awaitable[CommandResult]]] = {
            "pause": self._pause,
            "resume": self._resume,
            "send": self._send,
            "receive": self._receive,
            "alert_ack": self._acknowledge,
            "breaker": self._breaker,
            "queue": self._queue,
            "contact": self._contact,
            "backup": self._backup,
            "media": self._media,
            "connect": self._connect,
            "pair_code": self._pair_code,
            "pair_qr": self._pair_qr,
        }

    async def execute(self, command: SpooledCommand) -> CommandResult:
        """The command's result: a new one, or the stored one if it was carried out before.

        A refusal is a result too (`ok` false); only a failing database raises.
        """
        handler = self._known.get(command.name)
        if handler is None:
            return refused(f"There is no command {command.name[:40]!r}.", 2)
        try:
            result = await handler(command)
        except ValidationError as error:
            return refused(f"{command.name}: {_first_problem(error)}", 2)
        except (UsageError, CommandRefused, RobotNotRunning) as error:
            return refused(str(error), error.exit_code)
        log.info("command", command=command.name, id=command.id, ok=result.ok)
        return result

    async def _once(self, command: SpooledCommand, job: Callable[[Tx], CommandResult]) -> CommandResult:
        def transaction(tx: Tx) -> CommandResult:
            known = state.known_result(tx, command.id)
            if known is not None:
                return CommandResult(**known)
            result = job(tx)
            state.remember_result(tx, command.id, command.name, asdict(result))
            return result

        return await self._host.store.write(transaction)

    async def _known_result(self, command: SpooledCommand) -> CommandResult | None:
        """What a command that takes several transactions came to, if it was carried out before."""
        known = await self._host.store.write(lambda tx: state.known_result(tx, command.id))
        return None if known is None else CommandResult(**known)

    async def _pause(self, command: SpooledCommand) -> CommandResult:
        return await self._set_paused(command, True)

    async def _resume(self, command: SpooledCommand) -> CommandResult:
        was_blocked = bool((await self._host.store.read(account.read)).blocked_reason)
        result = await self._set_paused(command, False)
        if was_blocked:
            await self._host.connection.try_again()
        return result

    async def _connect(self, command: SpooledCommand) -> CommandResult:
        _parse(NoArgs, command)
        return await connection_command.connect(self._host.connection)

    async def _pair_code(self, command: SpooledCommand) -> CommandResult:
        return await connection_command.pair_code(self._host.connection, _parse(PairCodeArgs, command))

    async def _pair_qr(self, command: SpooledCommand) -> CommandResult:
        _parse(NoArgs, command)
        return await connection_command.pair_qr(self._host.connection)

    async def _set_paused(self, command: SpooledCommand, paused: bool) -> CommandResult:
        _parse(NoArgs, command)

        def job(tx: Tx) -> CommandResult:
            changed = state.set_paused(tx, paused)
            if not paused:
                alerts.clear_alert(tx, RESTORED)
                account.unblock(tx)
            word = "paused: nothing is sent, nothing is lost" if paused else "running: it sends again"
            return done(f"The robot is {word}.", paused=paused, changed=changed)

        return await self._once(command, job)

    async def _send(self, command: SpooledCommand) -> CommandResult:
        args = _parse(SendArgs, command)
        parse_phone(args.phone)
        check_text(args.text, args.attachment.kind if args.attachment else None)
        if args.attachment is None:
            return await self._once(command, lambda tx: send_command.decide(tx, args, None))
        known = await self._known_result(command)
        if known is not None:  # its file may have been sent and swept since
            return known
        attachment = await asyncio.to_thread(accepted, self._host.folder, args.attachment)
        return await self._once(command, lambda tx: send_command.decide(tx, args, attachment))

    async def _media(self, command: SpooledCommand) -> CommandResult:
        return await self._downloads.fetch(_parse(MediaArgs, command))

    async def _receive(self, command: SpooledCommand) -> CommandResult:
        """Ids make this idempotent: what was seen before is not handled again."""
        args = _parse(ReceiveArgs, command)
        new = 0
        for message in args.messages:
            new += await self._deliver(message)
        seen = len(args.messages) - new
        text = f"{new} received." if not seen else f"{new} received, {seen} seen before."
        return done(text, received=new, seen_before=seen)

    async def _deliver(self, message: ReceivedArgs) -> bool:
        if message.by_hand:
            typed = TypedByHand(message.wa_id, message.chat, message.body, message.written_at_ms)
            await self._host.typed_by_hand(typed)
            return True
        return await self._host.deliver(Received(**message.model_dump(exclude={"by_hand"})))

    async def _acknowledge(self, command: SpooledCommand) -> CommandResult:
        args = _parse(AlertArgs, command)

        def job(tx: Tx) -> CommandResult:
            if not alerts.acknowledge(tx, args.id):
                return refused("There is no such alert, or it was acknowledged before.")
            return done("Acknowledged.", id=args.id)

        return await self._once(command, job)

    async def _breaker(self, command: SpooledCommand) -> CommandResult:
        args = _parse(BreakerArgs, command)

        def job(tx: Tx) -> CommandResult:
            change = breaker.operate(tx, Action(args.action))
            now = breaker.load(tx.connection)
            word = f"The breaker is {now.state.replace('_', ' ')} ({now.mode.replace('_', ' ')})"
            text = f"{word}: {change.cause}." if change else f"{word}, as it was."
            return done(text, state=now.state, mode=now.mode, changed=change is not None)

        return await self._once(command, job)

    async def _queue(self, command: SpooledCommand) -> CommandResult:
        args = _parse(QueueArgs, command)
        if not args.all:
            return await self._once(command, lambda tx: decide(tx, args))
        known = await self._known_result(command)
        if known is not None:
            return known
        result = await decide_all(self._host.store, args)
        return await self._once(command, lambda tx: result)

    async def _contact(self, command: SpooledCommand) -> CommandResult:
        args = _parse(ContactArgs, command)
        if not is_personal(args.chat):
            return refused(f"{args.chat!r} is not a person's chat.", 2)
        return await self._once(command, lambda tx: contact_command.decide(tx, args))

    async def _backup(self, command: SpooledCommand) -> CommandResult:
        """Made outside of a transaction: the archive carries the command's id, so that a repetition finds it."""
        _parse(NoArgs, command)
        known = await self._known_result(command)
        if known is not None:
            return known
        try:
            made = await self._host.connection.at_rest(
                lambda: self._backups.make(command.id, self._host.clock.now_ms(), self._host.store.zone)
            )
        except DataError as error:
            log.warning("backup failed", reason=str(error))
            return refused(str(error))
        count = len(made.manifest.files)
        text = f"{made.path.name} is written and verified: {count} files, {size_text(made.size_bytes)}."
        result = done(text, file=made.path.name, path=str(made.path), size_bytes=made.size_bytes, files=count)
        return await self._once(command, lambda tx: result)


def done(message: str, **data: Any) -> CommandResult:
    """A command that was carried out."""
    return CommandResult(True, message, data)


def refused(message: str, exit_code: int = 1) -> CommandResult:
    """A command that was not."""
    return CommandResult(False, message, {}, exit_code)


def _parse(model: type[A], command: SpooledCommand) -> A:
    return model.model_validate(dict(command.args))


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else str(first["msg"])
