"""States of a robot, as the tests and the pictures show them."""

from __future__ import annotations

from dataclasses import replace

from support.fake_link import NOW_MS, FakeLink

from whatsself_tui.errors import Problem
from whatsself_tui.store.readings import (
    AlertReading,
    BreakerReading,
    ContactLimitReading,
    LimitsReading,
    MessageReading,
    QueueReading,
    RobotReading,
    WaitingMessage,
)

#: Texts that would do harm if a terminal or a markup parser took them at their word.
HOSTILE = {
    "markup": "[red]x[/] [b]bold",
    "link": "[@click=app.quit]x[/]",
    "escape": "a\x1b[2J\x1b]0;owned\x07\x1b[31mb\x9b5mc",
    "override": "abc\u202edef\u2066ghi\u200fj",
    "long": "y" * 100_000,
    "surrogate": "\ud800lone\udfff",
    "lines": "one\r\ntwo\nthree\u2028four\x00\x08five",
    "marks": "Z" + "\u0301" * 500,
    "wide": "漢字" * 100 + "👩‍👩‍👧‍👦🏳️‍🌈" * 20,
}

_PEOPLE = ("Ana Lima", "Bruno Carvalho", "Márcia Nunes de Oliveira Prado", "João Pereira", "5511987650004")
_TEXTS = (
    "Oi! Vocês entregam no sábado?",
    "Olá Ana, entregamos sim: sábados das 9h às 14h. Posso separar para você?",
    "Seu pedido 1042 saiu para entrega e chega até as 18h. Obrigado por comprar com a gente!",
    "Bom dia! Abrimos às 9h.",
    "Quero falar com uma pessoa",
)
_STATUSES = ("handled", "read", "delivered", "sent", "pending", "sending", "failed", "unconfirmed", "cancelled")


def busy_link(mode: str = "owner") -> FakeLink:
    """A robot in the middle of its work, with a bit of everything."""
    link = FakeLink(mode)
    link.breaker = BreakerReading("closed", 24, 2, 2 / 24, 0.25, 20, None, 1)
    link.queue = QueueReading(
        queued=12,
        scheduled=2,
        sending=1,
        dead=1,
        unconfirmed=1,
        by_priority=((10, 1), (5, 6), (3, 5)),
        oldest_waiting_since_ms=NOW_MS - 192_000,
        next_wake_at_ms=NOW_MS + 4_000,
        waits_for="pace",
        next_up=tuple(_waiting(number) for number in range(8)),
    )
    link.limits = LimitsReading(7, 12, None, tuple(_limit(number) for number in range(5)), 12, 50)
    link.alerts = (
        AlertReading(
            2,
            "unconfirmed",
            "error",
            "One message to Bruno Carvalho may or may not have arrived."
            " Look at the chat, then confirm it or send it again.",
            NOW_MS - 65_000,
            None,
            None,
        ),
        AlertReading(
            1,
            "backlog_high",
            "warning",
            "12 messages wait, more than 10. If this lasts, raise limits.per_minute.",
            NOW_MS - 600_000,
            None,
            NOW_MS - 300_000,
        ),
    )
    link.messages = tuple(_message(number) for number in range(30))
    link.today = {"inbound": 31, "outbound": 28, "failed": 1}
    return link


def troubled_link() -> FakeLink:
    """Paused, offline, the breaker open, alerts."""
    link = busy_link()
    link.robot = RobotReading(True, "simulator", "offline", "The simulated phone has no connection.")
    link.breaker = BreakerReading("open", 40, 14, 0.35, 0.25, 20, NOW_MS + 251_000, 2)
    link.queue = replace(link.queue, waits_for="paused", next_wake_at_ms=None)
    link.limits = replace(link.limits, minute_used=12, minute_free_at_ms=NOW_MS + 21_000)
    return link


def hostile_link(text: str) -> FakeLink:
    """A robot whose every foreign text is `text`."""
    link = busy_link()
    link.robot = RobotReading(False, text, text, text)
    link.breaker = replace(link.breaker, state=text)
    link.queue = replace(
        link.queue, next_up=tuple(replace(m, contact=text, body=text, address=text) for m in link.queue.next_up)
    )
    link.limits = replace(
        link.limits, contacts=tuple(replace(c, contact=text, address=text) for c in link.limits.contacts)
    )
    link.alerts = tuple(replace(alert, text=text) for alert in link.alerts)
    link.messages = tuple(replace(m, contact=text, body=text, note=text, address=text) for m in link.messages)
    return link


def rejected_problem() -> Problem:
    """What is wrong with a settings file."""
    return Problem("settings.toml", 12, "limits.per_minute", "must be at least 1")


def alert(number: int, text: str = "Something is wrong.") -> AlertReading:
    """An alert that holds, raised now."""
    return AlertReading(number, "dead_letters", "error", text, NOW_MS, None, None)


def message(number: int, text: str, status: str = "sent") -> MessageReading:
    """A message of now."""
    return MessageReading(f"out:{number}", "out", NOW_MS, "Ana Lima", "5511999990001", text, status, "manual")


def _waiting(number: int) -> WaitingMessage:
    eligible_at = (NOW_MS, None, NOW_MS + 7_000, NOW_MS + 65_000, NOW_MS + 3_725_000)[number % 5]
    return WaitingMessage(number, _PEOPLE[number % 5], "551199999", 5, _TEXTS[number % 5], eligible_at)


def _limit(number: int) -> ContactLimitReading:
    free_at = (NOW_MS + 192_000, NOW_MS + 7_000, None, None, None)[number]
    return ContactLimitReading(_PEOPLE[number], "551199999", 2 if free_at else 1, 2, 6, free_at)


def _message(number: int) -> MessageReading:
    status = _STATUSES[number % 9]
    incoming = status in ("handled", "pending")
    at_ms = NOW_MS - number * (41_000 if number < 14 else 4_000_000)
    note = {"failed": "number is not on WhatsApp", "unconfirmed": "timed out"}.get(status, "trigger: entrega")
    key = f"{'in' if incoming else 'out'}:{number}"
    text = _TEXTS[number % 5]
    return MessageReading(key, "in" if incoming else "out", at_ms, _PEOPLE[number % 5], "5511", text, status, note)
