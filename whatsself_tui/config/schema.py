"""Every setting of `settings.toml`: type, unit (in the name), default, limits and a sentence about it.

The models are frozen and strict: `"12"` is no number, `true` is no 1, an unknown key is an error.
The descriptions and limits are also what error messages, forms and documentation are made from.
"""

from __future__ import annotations

import zoneinfo
from difflib import get_close_matches
from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from whatsself_tui.automation.consent import is_keyword
from whatsself_tui.config.answer_sections import AnswersSettings, AwaySettings, WelcomeSettings
from whatsself_tui.config.fields import Holiday, Keyword, MessageText, OpeningLine, not_blank
from whatsself_tui.config.fields import Section as Section
from whatsself_tui.config.fields import refusal as _refusal

#: Sends a minute above which a real account would be at risk.
SAFE_PER_MINUTE = 100


class BusinessSettings(Section):
    """Who the robot answers for."""

    name: Annotated[str, AfterValidator(not_blank)] = Field(
        default="Minha Loja",
        min_length=1,
        max_length=100,
        description="Name of the business, as {{business}} writes it in messages.",
    )
    time_zone: str = Field(
        default="America/Sao_Paulo",
        description="IANA time zone of the business: greetings, dates and the days of the statistics follow it.",
    )
    hours: Annotated[tuple[OpeningLine, ...], Field(strict=False)] = Field(
        default=("mon-fri 09:00-18:00",),
        max_length=50,
        description="Opening hours, such as mon-fri 09:00-12:00 13:30-18:00; an end before its beginning is next day.",
    )
    holidays: Annotated[tuple[Holiday, ...], Field(strict=False)] = Field(
        default=(),
        max_length=400,
        description="Days it stays closed: dates such as 2026-12-24, BR for Brazil's holidays, BR-SP for a state's.",
    )

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            zoneinfo.ZoneInfo(value)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            # OSError: a folder of zones such as "America" (a fault of Python before 3.12).
            raise _refusal(f"no IANA time zone has that name; {_nearest_zone(value)}") from None
        return value

    @cached_property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The time zone itself."""
        return zoneinfo.ZoneInfo(self.time_zone)


class TransportSettings(Section):
    """The way to WhatsApp."""

    kind: Literal["simulator", "whatsapp_web"] = Field(
        default="simulator",
        description="simulator: a phone inside the program, no network. whatsapp_web: WhatsApp in your own browser.",
    )
    browser: str = Field(
        default="",
        max_length=1_000,
        description="Browser for whatsapp_web: chrome, edge, brave, chromium or a path; empty: found by itself.",
    )
    headless: Literal["auto", "always", "never"] = Field(
        default="auto",
        description="Whether the browser shows no window; auto: a window for pairing only, where there is a screen.",
    )
    browser_memory_mb: int = Field(
        default=1_500,
        ge=0,
        le=100_000,
        description="Memory of the browser above which its page is loaded anew in a quiet moment; 0: no bound.",
    )


class SimulatorSettings(Section):
    """How the simulated phone behaves."""

    latency_ms: int = Field(
        default=50, ge=0, le=60_000, description="Time the simulated phone takes to accept a message, in milliseconds."
    )
    fail_rate: float = Field(
        default=0.0, ge=0.0, le=1.0, description="Share of sends that fail: 0.0 never, 1.0 always."
    )
    offline: bool = Field(default=False, description="Whether the simulated phone has no connection.")


class LimitSettings(Section):
    """How much may be sent: sliding windows over the times of real sends."""

    per_minute: int = Field(
        default=12,
        ge=1,
        le=100_000,
        description="Messages to all contacts together in any 60 seconds; above 100 only with the simulator.",
    )
    per_contact: int = Field(
        default=2, ge=1, le=20, description="Messages to one contact in any window of contact_window_s."
    )
    per_contact_reply: int = Field(
        default=6,
        ge=1,
        le=60,
        description="The same limit for replies, so that a conversation can go on; at least per_contact.",
    )
    contact_window_s: int = Field(
        default=300, ge=1, le=86_400, description="Length of the window of one contact's limits, in seconds."
    )

    daily_new_contacts: int = Field(
        default=50,
        ge=0,
        le=10_000,
        description="First messages a day to people who never wrote; 0 means no limit.",
    )

    @field_validator("per_contact_reply")
    @classmethod
    def _replies_not_fewer(cls, value: int, info: ValidationInfo) -> int:
        least: int | None = info.data.get("per_contact")
        if least is not None and value < least:
            raise _refusal(f"it must not be below per_contact, which is {least}")
        return value


class PaceSettings(Section):
    """What a person would take before each send: looking at the chat, typing. Both run together."""

    enabled: bool = Field(default=True, description="Whether each message waits as long as a person would take.")
    delay_min_ms: int = Field(default=3_000, ge=0, le=600_000, description="Least wait before a send, in milliseconds.")
    delay_max_ms: int = Field(
        default=7_000, ge=0, le=600_000, description="Longest wait before a send, in milliseconds."
    )
    typing_min_ms: int = Field(
        default=1_500,
        ge=0,
        le=120_000,
        description="Least time the contact sees somebody typing, in milliseconds; doubled for long texts.",
    )
    typing_max_ms: int = Field(
        default=3_500,
        ge=0,
        le=120_000,
        description="Longest time of typing for a short text, in milliseconds; doubled for long texts.",
    )

    @field_validator("delay_max_ms", "typing_max_ms")
    @classmethod
    def _not_below_the_least(cls, value: int, info: ValidationInfo) -> int:
        name = str(info.field_name).replace("max", "min")
        least: int | None = info.data.get(name)
        if least is not None and value < least:
            raise _refusal(f"it must not be below {name}, which is {least}")
        return value


class QueueSettings(Section):
    """How the outbox retries, and when its length is worth an alert."""

    max_attempts: int = Field(default=5, ge=1, le=20, description="Sends tried before a message becomes a dead letter.")
    retry_base_s: int = Field(
        default=5,
        ge=1,
        le=3_600,
        description="Wait before the second try, in seconds; it doubles with each further one.",
    )
    aging_s: int = Field(
        default=600, ge=10, le=86_400, description="Waiting this many seconds moves a message up one class of priority."
    )
    backlog_alert: int = Field(default=20, ge=1, le=1_000_000, description="Messages waiting that raise an alert.")
    oldest_alert_s: int = Field(
        default=900,
        ge=10,
        le=604_800,
        description="Wait of the oldest sendable message that raises an alert, in seconds.",
    )


class BreakerSettings(Section):
    """When to stop sending because WhatsApp refuses too much, and how to feel the way back."""

    window_s: int = Field(
        default=300, ge=10, le=86_400, description="Outcomes of sends count for this long, in seconds."
    )
    window_attempts: int = Field(
        default=50, ge=1, le=1_000, description="At most this many of the last outcomes count; at least min_attempts."
    )
    min_attempts: int = Field(
        default=20, ge=1, le=1_000, description="With fewer outcomes in the window it does not open."
    )
    fail_rate: float = Field(default=0.25, ge=0.01, le=1.0, description="Share of failed sends that opens it.")
    cooldown_initial_s: int = Field(
        default=300,
        ge=1,
        le=86_400,
        description="How long nothing is sent after it opened for the first time, in seconds.",
    )
    cooldown_max_s: int = Field(
        default=1_800,
        ge=1,
        le=604_800,
        description="The cool-down doubles when the tests fail, up to this, in seconds.",
    )
    probe_interval_s: int = Field(
        default=45, ge=0, le=3_600, description="Time from one test send to the next, in seconds."
    )
    probe_samples: int = Field(default=10, ge=1, le=100, description="Test sends it takes to close again.")
    probe_success: float = Field(default=0.9, ge=0.01, le=1.0, description="Share of test sends that have to succeed.")

    @field_validator("min_attempts")
    @classmethod
    def _fits_the_window(cls, value: int, info: ValidationInfo) -> int:
        most: int | None = info.data.get("window_attempts")
        if most is not None and value > most:
            raise PydanticCustomError("too_high", "must not be above breaker.window_attempts ({most})", {"most": most})
        return value


class ConsentSettings(Section):
    """How a contact refuses messages, and takes them up again.

    A keyword is the whole message; case, accents and punctuation do not matter.
    """

    opt_out: Annotated[tuple[Keyword, ...], Field(strict=False)] = Field(
        default=("PARAR", "SAIR", "CANCELAR", "STOP", "UNSUBSCRIBE", "DESCADASTRAR", "REMOVER", "EXCLUIR"),
        min_length=1,
        max_length=50,
        description="Messages that withdraw a contact's consent at once.",
    )
    opt_in: Annotated[tuple[Keyword, ...], Field(strict=False)] = Field(
        default=("VOLTAR", "START"),
        max_length=50,
        description="Messages that give consent again, from somebody who had withdrawn it.",
    )
    opt_out_text: MessageText = Field(
        default="Pronto! Você não vai mais receber mensagens de {{business}}. Se mudar de ideia, responda VOLTAR.",
        description="The one confirmation sent after an opt-out.",
    )
    opt_in_text: MessageText = Field(
        default="Que bom ter você de volta! Para parar de receber mensagens, responda SAIR.",
        description="The one confirmation sent after an opt-in.",
    )

    @field_validator("opt_in")
    @classmethod
    def _not_both(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        refusing: tuple[str, ...] = info.data.get("opt_out", ())
        for index, keyword in enumerate(value):
            if is_keyword(keyword, refusing):
                raise _refusal("it is an opt_out keyword too", key=index, value=keyword)
        return value


class LogSettings(Section):
    """What the log files keep."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least severe events that are written."
    )
    max_mb: int = Field(default=10, ge=1, le=1_000, description="Size at which a new log file is begun, in megabytes.")
    keep: int = Field(default=10, ge=1, le=1_000, description="Number of finished log files kept.")


class Settings(Section):
    """All of `settings.toml`; `Settings()` is a new data folder's."""

    business: BusinessSettings = Field(default=BusinessSettings(), description="Who the robot answers for.")
    transport: TransportSettings = Field(default=TransportSettings(), description="The way to WhatsApp.")
    simulator: SimulatorSettings = Field(default=SimulatorSettings(), description="How the simulated phone behaves.")
    limits: LimitSettings = Field(default=LimitSettings(), description="How much may be sent.")
    pace: PaceSettings = Field(default=PaceSettings(), description="What a person would take before each send.")
    queue: QueueSettings = Field(default=QueueSettings(), description="Retries and alerts of the outbox.")
    breaker: BreakerSettings = Field(default=BreakerSettings(), description="Stopping when WhatsApp refuses too much.")
    consent: ConsentSettings = Field(default=ConsentSettings(), description="How a contact refuses messages.")
    answers: AnswersSettings = Field(default=AnswersSettings(), description="When the robot answers.")
    welcome: WelcomeSettings = Field(default=WelcomeSettings(), description="The message for a first contact.")
    away: AwaySettings = Field(default=AwaySettings(), description="The message outside of business hours.")
    logs: LogSettings = Field(default=LogSettings(), description="What the log files keep.")

    @field_validator("limits")
    @classmethod
    def _real_accounts_are_careful(cls, value: LimitSettings, info: ValidationInfo) -> LimitSettings:
        transport: TransportSettings | None = info.data.get("transport")
        if transport is not None and transport.kind != "simulator" and value.per_minute > SAFE_PER_MINUTE:
            raise _refusal(
                f'above {SAFE_PER_MINUTE} is allowed only with transport.kind = "simulator"',
                key="per_minute",
                value=value.per_minute,
            )
        return value


def _nearest_zone(name: str) -> str:
    zones = {zone.casefold(): zone for zone in zoneinfo.available_timezones()}
    nearest = get_close_matches(name.casefold().replace(" ", "_"), zones, n=1)
    return f'did you mean "{zones[nearest[0]]}"?' if nearest else 'for example "America/Sao_Paulo"'
