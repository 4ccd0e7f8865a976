"""The command `queue`: an operator's decision about some messages, or about all that it can mean."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from whatsself_tui.robot.link import CommandResult
from whatsself_tui.store import decisions
from whatsself_tui.store.database import Store, Tx

#: Messages decided in one transaction; others may write in between.
BATCH = 500

#: Refusals that are told one by one.
MOST_REASONS = 20


class QueueArgs(BaseModel):
    """Which messages, and what is to become of them."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    action: Literal["retry", "cancel", "discard", "confirm"]
    ids: list[Annotated[int, Field(ge=1, le=1 << 53)]] = Field(default_factory=list, max_length=BATCH)
    all: bool = False
    """All that wait (cancel), that have failed (retry, discard) or that are unconfirmed (confirm)."""

    @model_validator(mode="after")
    def _one_of_both(self) -> QueueArgs:
        if bool(self.ids) == self.all:
            raise ValueError("give the numbers of messages, or all of them")
        return self


def decide(tx: Tx, args: QueueArgs) -> CommandResult:
    """The decision about the messages that were named, in one transaction."""
    decision, _, word = decisions.DECISIONS[args.action]
    refusals = [reason for message_id in dict.fromkeys(args.ids) if (reason := decision(tx, message_id))]
    return _result(word, len(dict.fromkeys(args.ids)) - len(refusals), refusals)


async def decide_all(store: Store, args: QueueArgs) -> CommandResult:
    """The decision about every message it can be meant for, in batches: broken off, it goes on where it was."""
    decision, state, word = decisions.DECISIONS[args.action]
    done, refusals, last = 0, list[str](), 0

    def batch(tx: Tx) -> tuple[int, list[str], int]:
        ids = decisions.in_state(tx.connection, state, last, BATCH)
        reasons = [reason for message_id in ids if (reason := decision(tx, message_id))]
        return len(ids), reasons, ids[-1] if ids else last

    while True:
        seen, reasons, last = await store.write(batch)
        done += seen - len(reasons)
        refusals += reasons
        if seen < BATCH:
            return _result(word, done, refusals)


def _result(word: str, done: int, refusals: list[str]) -> CommandResult:
    told = f"{done} {word}." if done or not refusals else ""
    shown = " ".join(refusals[:MOST_REASONS])
    more = f" And {len(refusals) - MOST_REASONS} more." if len(refusals) > MOST_REASONS else ""
    message = f"{told} Not done: {shown}{more}".strip() if refusals else told
    data = {"done": done, "refused": refusals[:MOST_REASONS]}
    return CommandResult(not refusals, message, data, 1 if refusals else 0)
