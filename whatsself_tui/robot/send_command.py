"""The command `send`: a message that a person wants sent, with a file or without."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from whatsself_tui.errors import CommandRefused, UsageError
from whatsself_tui.host.media_types import Kind
from whatsself_tui.phones import parse_phone
from whatsself_tui.robot.link import CommandResult
from whatsself_tui.robot.media import AttachmentArgs
from whatsself_tui.store import contacts, outbox
from whatsself_tui.store.database import Tx

#: WhatsApp's limit for one text message, in characters.
MAX_TEXT = 65_536

#: WhatsApp's limit for the text of a picture or a document, in characters (its business platform's documentation).
MAX_CAPTION = 1_024


class SendArgs(BaseModel):
    """A message a person wants sent."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    phone: str
    text: str = Field(default="", max_length=MAX_TEXT)
    """With an attachment, its caption."""
    attachment: AttachmentArgs | None = None
    priority: int = Field(default=5, ge=0, le=10)
    not_before_ms: int | None = Field(default=None, ge=0, le=1 << 53)
    expires_at_ms: int | None = Field(default=None, ge=0, le=1 << 53)
    dedup: str | None = Field(default=None, min_length=1, max_length=200)
    in_hours: bool = False


def check_text(text: str, kind: Kind | None) -> None:
    """Raises UsageError for a text that WhatsApp does not take, alone (`kind` None) or with such a file."""
    blank = not text.strip()
    if kind is None and blank:
        raise UsageError("The text is empty.", "WhatsApp takes no message of blanks alone: give a text, or a file.")
    if kind == "audio" and not blank:
        raise UsageError("Audio has no caption in WhatsApp.", "Send the text as a message of its own.")
    if kind is not None and len(text) > MAX_CAPTION:
        raise UsageError(
            f"The text is too long for a file's caption: {len(text):,} characters.",
            f"WhatsApp takes at most {MAX_CAPTION:,}; a message of its own takes {MAX_TEXT:,}.",
        )


def decide(tx: Tx, args: SendArgs, attachment: outbox.AttachmentRow | None) -> CommandResult:
    """Queue it, once for each dedup key. Raises UsageError or CommandRefused."""
    if args.expires_at_ms is not None and args.expires_at_ms <= max(tx.now_ms, args.not_before_ms or 0):
        raise UsageError("The message would expire before it could be sent.")
    contact = contacts.at_address(tx, f"{parse_phone(args.phone)}@c.us")
    if contact.consent == "out":
        raise CommandRefused("The contact has opted out: nothing may be sent to them.")
    message = outbox.Outgoing(
        body=args.text if args.text.strip() else "",
        priority=args.priority,
        not_before_ms=args.not_before_ms,
        expires_at_ms=args.expires_at_ms,
        dedup=f"user:{args.dedup}" if args.dedup else None,
        in_hours=args.in_hours,
        attachment=attachment,
    )
    queued = outbox.enqueue(tx, contact, message)
    text = f"Message {queued.id} is queued." if queued.is_new else f"It is queued already, as message {queued.id}."
    return CommandResult(True, text, {"id": queued.id, "new": queued.is_new})
