"""What the robot remembers of its WhatsApp account, for the transport; see `mailbox.Memory`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from whatsself_tui.store import account, cursors
from whatsself_tui.store.database import Store
from whatsself_tui.transport.whatsapp_web.catch_up import Seen


class AccountMemory:
    """Kept in the database."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def account(self) -> str:
        """The phone it was paired with, digits; empty before."""
        return (await self._store.read(account.read)).account

    async def paired_as(self, phone: str) -> None:
        """It is logged in as this phone."""
        await self._store.write(lambda tx: account.paired_as(tx, phone))

    async def seen(self, chats: Sequence[str]) -> Mapping[str, Seen]:
        """How far those conversations are known without a gap."""
        found = await self._store.read(lambda connection: cursors.of_chats(connection, chats))
        return {chat: Seen(cursor.key, cursor.written_at_ms) for chat, cursor in found.items()}

    async def reached(self, chat: str, seen: Seen) -> None:
        """Nothing of the conversation up to there is missing."""
        await self._store.write(lambda tx: cursors.reach(tx, chat, seen.key, seen.written_at_ms))

    async def caught_up_at_ms(self) -> int | None:
        """When nothing was missing the last time."""
        return (await self._store.read(account.read)).caught_up_at_ms

    async def caught_up(self, at_ms: int) -> None:
        """Nothing written before `at_ms` is missing."""
        await self._store.write(lambda tx: account.caught_up(tx, at_ms))
