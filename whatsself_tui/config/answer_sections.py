"""The sections of the settings that say when the robot answers, and what besides the automation."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from whatsself_tui.config.fields import MessageText, Section


class AnswersSettings(Section):
    """When the robot answers, and when a person does."""

    debounce_ms: int = Field(
        default=2_000,
        ge=0,
        le=30_000,
        description="Messages of one contact within this time are answered as one, in milliseconds.",
    )
    max_age_h: int = Field(
        default=12, ge=1, le=168, description="Messages older than this are recorded and not answered, in hours."
    )
    handover_after: int = Field(
        default=3, ge=0, le=100, description="Messages in a row nothing matched until a person takes over; 0 is never."
    )
    handover_text: MessageText = Field(
        default="Desculpe, não consegui entender. Vou chamar uma pessoa da equipe, que responde por aqui.",
        description="What the contact is told then.",
    )
    pause_on_human_min: int = Field(
        default=60,
        ge=0,
        le=10_080,
        description="Silence for a contact after a person typed to them on the phone, in minutes; 0 is none.",
    )
    outside_hours: Literal["answer", "silent"] = Field(
        default="answer", description="Whether the rules answer while the business is closed."
    )


class WelcomeSettings(Section):
    """The message for a first contact."""

    enabled: bool = Field(default=False, description="Whether somebody who writes for the first time is welcomed.")
    text: MessageText = Field(
        default="{{greeting}}! Aqui é {{business}}. Para não receber mensagens, responda SAIR.",
        description="The welcome message, before whatever else is answered.",
    )


class AwaySettings(Section):
    """The message outside of business hours."""

    enabled: bool = Field(default=False, description="Whether somebody who writes while it is closed is told so.")
    text: MessageText = Field(
        default="Agora estamos fechados. Respondemos a sua mensagem assim que abrirmos.",
        description="The away message, once for each time it is closed.",
    )
