"""What goes out through the page: messages under ids chosen before, look-ups, typing; and media that come in."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any

from whatsself_tui.clock import Clock
from whatsself_tui.host.logs import logger
from whatsself_tui.phones import is_personal, mask
from whatsself_tui.transport.base import (
    Attachment,
    DownloadFailed,
    LookUp,
    Outcome,
    SamePerson,
    SendResult,
    Sink,
)
from whatsself_tui.transport.whatsapp_web.browser_session import BrowserSession, PageError

log = logger("whatsapp")

#: The page gives its verdict within this time; WhatsApp may send later all the same.
TEXT_DEADLINE_S = 45.0
FILE_DEADLINE_S = 150.0
LOOK_UP_DEADLINE_S = 15.0
RESOLVE_DEADLINE_S = 25.0
TYPING_DEADLINE_S = 10.0
DOWNLOAD_DEADLINE_S = 120.0

#: A page that has just been loaded may be too busy to look into its database.
_LOOK_UP_TRIES = 3

#: Python waits this much longer than the page, whose own answer says more.
_GRACE_S = 5.0

#: Numbers whose address is remembered.
_MOST_KNOWN = 10_000

_NOT_CONNECTED = SendResult(Outcome.NOT_CONNECTED, "WhatsApp is not connected", counts=False)
_LOOK_UPS = {
    "present": LookUp.PRESENT,
    "pending": LookUp.PENDING,
    "failed": LookUp.FAILED,
    "absent": LookUp.ABSENT,
}


class Sender:
    """Asks the page of `session`, which is None while nothing can be sent."""

    def __init__(self, clock: Clock, session: Callable[[], BrowserSession | None], sink: Sink) -> None:
        self._clock = clock
        self._session = session
        self._sink = sink
        self._known: dict[str, str] = {}
        self._under_way = 0

    @property
    def is_busy(self) -> bool:
        """Whether a message is on its way through the page."""
        return self._under_way > 0

    async def send(self, chat: str, text: str, wa_id: str, attachment: Attachment | None) -> SendResult:
        """Send once; an answer that does not come leaves the outcome unknown."""
        session = self._session()
        if session is None:
            return _NOT_CONNECTED
        self._under_way += 1
        try:
            return await self._send(session, chat, text, wa_id, attachment)
        finally:
            self._under_way -= 1

    async def _send(
        self, session: BrowserSession, chat: str, text: str, wa_id: str, attachment: Attachment | None
    ) -> SendResult:
        try:
            refusal = await self._resolve(session, chat)
        except PageError as error:
            return SendResult(Outcome.NOT_CONNECTED, str(error), counts=False)
        if refusal is not None:
            return refusal
        deadline_s = TEXT_DEADLINE_S if attachment is None else FILE_DEADLINE_S
        message: dict[str, Any] = {
            "to": self._known.get(chat, chat),
            "bare": wa_id,
            "text": text,
            "deadlineMs": round(deadline_s * 1000),
        }
        if attachment is not None:
            try:
                message["file"] = await asyncio.to_thread(_file, attachment)
            except OSError as error:
                return SendResult(Outcome.PERMANENT, f"the file cannot be read: {error.strerror}", counts=False)
        try:
            answer = await session.call("send", message, timeout_s=deadline_s + _GRACE_S)
        except PageError as error:
            return SendResult(Outcome.UNKNOWN, str(error), counts=False)
        return _verdict(answer)

    async def _resolve(self, session: BrowserSession, chat: str) -> SendResult | None:
        """Learn how WhatsApp itself addresses a phone number; a result only if nothing can be sent there.

        Brazil's mobile numbers have a ninth digit that old accounts lack: WhatsApp's answer decides.
        """
        phone, _, server = chat.partition("@")
        if server != "c.us" or chat in self._known:
            return None
        question = {"phone": phone, "deadlineMs": round(RESOLVE_DEADLINE_S * 1000)}
        answer = await session.call("resolve", question, timeout_s=RESOLVE_DEADLINE_S + _GRACE_S)
        state = answer.get("state") if isinstance(answer, Mapping) else None
        if state == "no":
            return SendResult(Outcome.PERMANENT, "the number is not on WhatsApp", counts=False)
        if state != "yes":
            reason = "WhatsApp did not tell whether the number exists"
            return SendResult(Outcome.RETRYABLE, reason, counts=False)
        await self._learn(chat, *(_address(answer.get(name)) for name in ("phone", "lid", "chat")))
        return None

    async def _learn(self, asked: str, phone: str, lid: str, chat: str) -> None:
        """Remember WhatsApp's own addresses of somebody (empty where it told none), and tell the robot."""
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[asked] = chat or lid or phone or asked
        if phone and phone != asked:
            log.info("addressed otherwise", asked=mask(asked), by_whatsapp=mask(phone))
            await self._sink(SamePerson(phone, asked))
        if lid:
            await self._sink(SamePerson(lid, phone or asked))

    async def look_up(self, chat: str, wa_id: str) -> LookUp:
        """Whether the page, or WhatsApp's database in it, has a message of ours with this id."""
        session = self._session()
        if session is None:
            return LookUp.NOT_CONNECTED
        question = {
            "to": self._known.get(chat, chat),
            "bare": wa_id,
            "deadlineMs": round(LOOK_UP_DEADLINE_S * 1000),
        }
        for _ in range(_LOOK_UP_TRIES):
            try:
                answer = await session.call("lookUp", question, timeout_s=LOOK_UP_DEADLINE_S + _GRACE_S)
            except PageError as error:
                log.warning("look-up failed", error=str(error))
                answer = None
            if session is not self._session():
                return LookUp.NOT_CONNECTED
            found = _LOOK_UPS.get(str(answer.get("state"))) if isinstance(answer, Mapping) else None
            if found is not None:
                return found
        return LookUp.UNKNOWN

    async def show_typing(self, chat: str, duration_ms: int) -> None:
        """Typing begins, and ends after `duration_ms`; only a chat that exists can show it."""
        session = self._session()
        if session is None:
            return
        to = self._known.get(chat, chat)
        if await session.call("typing", {"to": to, "on": True}, timeout_s=TYPING_DEADLINE_S) is True:
            try:
                await self._clock.sleep(duration_ms / 1000)
            finally:
                await session.call("typing", {"to": to, "on": False}, timeout_s=TYPING_DEADLINE_S)

    async def download(self, key: str, limit_bytes: int) -> bytes:
        """Raises DownloadFailed."""
        session = self._session()
        if session is None:
            raise DownloadFailed("WhatsApp is not connected.", "Try again when it is.")
        deadline_ms = round(DOWNLOAD_DEADLINE_S * 1000)
        question = {"key": key, "limitBytes": limit_bytes, "deadlineMs": deadline_ms}
        try:
            answer = await session.call("download", question, timeout_s=DOWNLOAD_DEADLINE_S + _GRACE_S)
        except PageError as error:
            raise DownloadFailed(str(error)) from error
        return _content(answer, limit_bytes)


def _address(value: object) -> str:
    return value if isinstance(value, str) and is_personal(value) else ""


def _verdict(answer: object) -> SendResult:
    if not isinstance(answer, Mapping):
        return SendResult(Outcome.NOT_CONNECTED, "WhatsApp's page was not ready", counts=False)
    state, ack = answer.get("state"), answer.get("ack")
    reason = _reason(answer)
    if state == "sent" or (state == "already" and isinstance(ack, int) and ack >= 1):
        return SendResult(Outcome.SENT)
    if state == "failed":
        return SendResult(Outcome.RETRYABLE, reason or "WhatsApp did not take it", id_is_spent=True)
    if state == "refused":
        gone = answer.get("error") in ("invalid_wid", "message_key_is_not_from_me")
        outcome = Outcome.PERMANENT if gone else Outcome.RETRYABLE
        return SendResult(outcome, reason or "WhatsApp's page refused it", counts=not gone)
    return SendResult(Outcome.UNKNOWN, reason or "WhatsApp has not answered yet", counts=False)


def _reason(answer: Mapping[str, Any]) -> str:
    told = (answer.get(name) for name in ("message", "error", "result"))
    return next((text[:200] for text in told if isinstance(text, str) and text), "")


def _file(attachment: Attachment) -> dict[str, str]:
    content = base64.b64encode(attachment.path.read_bytes()).decode("ascii")
    return {
        "data": f"data:{attachment.mimetype.partition(';')[0]};base64,{content}",
        "kind": attachment.kind,
        "mimetype": attachment.mimetype,
        "name": attachment.file_name,
    }


def _content(answer: object, limit_bytes: int) -> bytes:
    data = answer.get("data") if isinstance(answer, Mapping) else None
    if not isinstance(data, str):
        reason = _reason(answer) if isinstance(answer, Mapping) else ""
        raise DownloadFailed(f"WhatsApp does not give the medium: {reason or 'no answer'}.")
    try:
        content = base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise DownloadFailed("WhatsApp's page gave something that is no medium.") from error
    if len(content) > limit_bytes:
        raise DownloadFailed(f"The medium has {len(content):,} bytes; at most {limit_bytes:,} are taken.")
    return content
