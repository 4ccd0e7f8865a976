"""The command `contact`: an operator decides about one contact's consent, or takes it over."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from whatsself_tui.automation.decision import HandOver
from whatsself_tui.robot.link import CommandResult
from whatsself_tui.store import contacts, conversation, outbox
from whatsself_tui.store.database import Tx

#: What a hand-over by the operator says about its reason.
BY_OPERATOR = "the operator has taken over"


class ContactArgs(BaseModel):
    """Who, and what is decided."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    action: Literal["opt-in", "opt-out", "handover", "release"]
    chat: str = Field(min_length=1, max_length=100)
    """Address such as `5511999990001@c.us`."""
    minutes: int | None = Field(default=None, ge=1, le=525_600)
    """How long a hand-over lasts; None until it is released."""


def decide(tx: Tx, args: ContactArgs) -> CommandResult:
    """One decision; a contact nobody knew is made, so that consent can be recorded before the first message.

    Raises ValueError for a chat that is no person's.
    """
    contact = contacts.at_address(tx, args.chat)
    if args.action == "opt-in":
        contacts.set_consent(tx, contact.id, "in")
        return CommandResult(True, "The contact is opted in.", {"consent": "in"})
    if args.action == "opt-out":
        contacts.set_consent(tx, contact.id, "out")
        cancelled = outbox.cancel_automatic(tx, contact.id, "the contact has opted out")
        text = f"The contact is opted out; {cancelled} automatic messages were cancelled."
        return CommandResult(True, text, {"consent": "out", "cancelled": cancelled})
    if args.action == "handover":
        until_ms = None if args.minutes is None else tx.now_ms + args.minutes * 60_000
        conversation.hand_over(tx, contact.id, HandOver(BY_OPERATOR, until_ms), hold=True)
        contacts.person_wrote(tx, contact.id)
        span = "until released" if args.minutes is None else f"for {args.minutes} min"
        return CommandResult(True, f"The contact is left to a person {span}: the robot answers nothing.", {})
    released = conversation.release(tx, contact.id)
    text = "The robot answers the contact again." if released else "Nobody had taken the contact over."
    return CommandResult(True, text, {"released": released})
