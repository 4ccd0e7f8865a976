"""What the robot remembers of its WhatsApp account, for the transport; see `mailbox.Memory`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from whatsself_tui.store import account, acknowledgements, cursors
from whatsself_tui.store.database import Store
from whatsself_tui.transport.whatsapp_web.catch_up import Seen

#: WhatsApp may hand over a message this long after others that were written later.
LATE_MS = 86_400_000


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

    async def unread(self) -> Sequence[tuple[str, str]]:
        """(chat, id) of our messages of the last days that nobody is known to have read."""
        return await self._store.write(acknowledgements.unread)

    async def caught_up_at_ms(self) -> int | None:
        """When nothing was missing the last time; a day earlier, for messages may come late, but not before the login.

        What lies before the login is history.
        """
        known = await self._store.read(account.read)
        if known.caught_up_at_ms is None:
            return None
        return max(known.caught_up_at_ms - LATE_MS, known.paired_at_ms or 0)

    async def caught_up(self, at_ms: int) -> None:
        """Nothing written before `at_ms` is missing."""
        await self._store.write(lambda tx: account.caught_up(tx, at_ms))
