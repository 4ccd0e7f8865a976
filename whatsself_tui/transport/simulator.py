"""The embedded simulator: a phone in a folder, durable and without a network.

Every message it accepts is one JSON line in `received.jsonl`, on disk before it is acknowledged;
look-ups are answered from that file. It does not recognise copies: a message sent twice stands
there twice, so that nothing can hide behind it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import mmap
import os
import random
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from whatsself_tui.clock import Clock
from whatsself_tui.transport.base import (
    Acknowledged,
    Attachment,
    DownloadFailed,
    Event,
    LinkState,
    LookUp,
    Outcome,
    Received,
    SendResult,
    Sink,
    StateChanged,
    TypingShown,
)

#: A simulated contact reads a message this long after it was delivered.
READ_AFTER_S = 2.0

OFFLINE_DETAIL = "The simulated phone is offline (simulator.offline = true)."


@dataclass(frozen=True, slots=True)
class SimulatorOptions:
    """How the simulated phone behaves; see `[simulator]` in the settings."""

    latency_ms: int = 50
    fail_rate: float = 0.0
    offline: bool = False


class Simulator:
    """A phone that accepts messages and lets simulated contacts write."""

    kind = "simulator"

    def __init__(self, folder: Path, clock: Clock, options: SimulatorOptions, rng: random.Random | None = None) -> None:
        self._log = folder / "received.jsonl"
        self._clock = clock
        self._options = options
        self._rng = rng or random.Random()
        self._sink: Sink | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, sink: Sink) -> None:
        """Be there; a torn last line of a crash is closed off, it was never acknowledged."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        await asyncio.to_thread(_end_torn_line, self._log)
        self._sink = sink
        await self._tell(self._state())

    async def stop(self) -> None:
        """Go away: pending deliveries and reads are not told any more."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._sink = None

    async def configure(self, options: SimulatorOptions) -> None:
        """Behave differently from now on."""
        was_offline = self._options.offline
        self._options = options
        if self._sink and was_offline != options.offline:
            await self._tell(self._state())

    async def send(self, chat: str, text: str, wa_id: str, attachment: Attachment | None = None) -> SendResult:
        """Accept a message after the latency, or refuse it as often as `fail_rate` says."""
        if self._sink is None or self._options.offline:
            return SendResult(Outcome.NOT_CONNECTED, OFFLINE_DETAIL, counts=False)
        if self._options.latency_ms:
            await self._clock.sleep(self._options.latency_ms / 1000)
        if self._rng.random() < self._options.fail_rate:
            return SendResult(Outcome.RETRYABLE, "the simulated phone refused it (simulator.fail_rate)")
        line: dict[str, Any] = {"id": wa_id, "chat": chat, "text": text, "time": _iso(self._clock.now_ms())}
        if attachment is not None:
            try:
                line["media"] = await asyncio.to_thread(_taken_in, attachment)
            except OSError as error:
                reason = f"the file to send cannot be read: {error.strerror or error}"
                return SendResult(Outcome.PERMANENT, reason, counts=False)
        try:
            await asyncio.to_thread(_append, self._log, json.dumps(line, ensure_ascii=False))
        except _UnsureError as error:
            return SendResult(Outcome.UNKNOWN, f"{self._log.name} may be written or not: {error}", counts=False)
        except OSError as error:  # nothing was accepted, as without a connection
            reason = f"{self._log.name} cannot be written: {error.strerror}"
            return SendResult(Outcome.NOT_CONNECTED, reason, counts=False)
        self._spawn(self._acknowledge(wa_id))
        return SendResult(Outcome.SENT)

    async def look_up(self, chat: str, wa_id: str) -> LookUp:
        """Whether the phone's file holds the id."""
        try:
            found = await asyncio.to_thread(_holds, self._log, wa_id)
        except OSError:
            return LookUp.UNKNOWN
        return LookUp.PRESENT if found else LookUp.ABSENT

    async def show_typing(self, chat: str, duration_ms: int) -> None:
        """The simulated contact sees it for that long; told as an event when it begins."""
        await self._tell(TypingShown(chat, duration_ms))
        await self._clock.sleep(duration_ms / 1000)

    async def download(self, key: str, limit_bytes: int) -> bytes:
        """Raises DownloadFailed: what simulated contacts write has media by name only."""
        raise DownloadFailed("The simulated phone keeps no media.")

    async def deliver(self, message: Received) -> None:
        """A simulated contact has written: tell the robot as the phone would."""
        await self._tell(message)

    def _state(self) -> StateChanged:
        if self._options.offline:
            return StateChanged(LinkState.OFFLINE, OFFLINE_DETAIL)
        return StateChanged(LinkState.READY, "")

    async def _tell(self, event: Event) -> None:
        if self._sink is None:
            raise RuntimeError("the simulator is not started")
        await self._sink(event)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _acknowledge(self, wa_id: str) -> None:
        await self._clock.sleep(self._options.latency_ms / 1000)
        await self._tell(Acknowledged(wa_id, 2))
        await self._clock.sleep(READ_AFTER_S)
        await self._tell(Acknowledged(wa_id, 3))


def received_lines(log: Path) -> Iterator[dict[str, Any]]:
    """What the simulated phone has accepted, in order; lines torn by a crash are left out."""
    if not log.exists():
        return
    with log.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            if not line.endswith("\n"):
                return
            try:
                entry = json.loads(line)
            except json.JSONDecodeError:
                continue
            if isinstance(entry, dict):
                yield entry


def _taken_in(attachment: Attachment) -> dict[str, Any]:
    """What the phone notes of a file: enough to tell whether the contact has got this one. Raises OSError."""
    with attachment.path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.tell()
    media = {"kind": attachment.kind, "name": attachment.file_name, "mimetype": attachment.mimetype}
    return {**media, "size": size, "sha256": digest}


def _holds(log: Path, wa_id: str) -> bool:
    """Look for the id from the end: who asks wants to know about a message of late, in a log of years."""
    if not log.exists() or log.stat().st_size == 0:
        return False
    quoted = json.dumps(wa_id, ensure_ascii=False).encode()
    with log.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        at = content.rfind(quoted)
        while at >= 0:
            begin, end = content.rfind(b"\n", 0, at) + 1, content.find(b"\n", at)
            if end >= 0 and _id_of(content[begin:end]) == wa_id:
                return True
            at = content.rfind(quoted, 0, at)
    return False


def _id_of(line: bytes) -> object:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry.get("id") if isinstance(entry, dict) else None


def _append(log: Path, line: str) -> None:
    data = (line + "\n").encode()
    descriptor = os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY | getattr(os, "O_BINARY", 0), 0o600)
    try:
        before = os.fstat(descriptor).st_size
        written = os.write(descriptor, data)
        if written < len(data):
            os.ftruncate(descriptor, before)
            raise OSError(28, "not enough room on the disk")
        try:
            os.fsync(descriptor)
        except OSError as error:
            raise _UnsureError(str(error)) from error
    finally:
        os.close(descriptor)


class _UnsureError(Exception):
    """The line was written, and nobody knows whether it is on the disk."""


def _end_torn_line(log: Path) -> None:
    if not log.exists() or log.stat().st_size == 0:
        return
    with log.open("rb+") as file:
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":
            file.write(b"\n")
            file.flush()
            os.fsync(file.fileno())


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
