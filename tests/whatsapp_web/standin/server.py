"""WhatsApp's side of the stand-in: the server, and the local database of the one device that is linked to it.

It lives in the test, so it survives the death of the browser and can judge what happened. It answers every request of
https://web.whatsapp.com/; the page asks for orders every 40 ms, so the controls work without a handle on the page and
across restarts. All of it may be called from any thread.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import asdict
from typing import Any

from whatsapp_web.standin.backend import Backend, Step
from whatsapp_web.standin.world import Message


class FakeWhatsApp(Backend):
    """WhatsApp as a test commands it; what happened is in the attributes of `Backend`."""

    def receive(
        self,
        sender: str,
        text: str = "",
        *,
        kind: str = "chat",
        name: str = "Cliente",
        author: str = "",
        silent: bool = False,
        t: int | None = None,
        media: tuple[str, str, bytes] | None = None,
        bare: str = "",
    ) -> str:
        """Somebody writes; returns the full id.

        It comes to a connected page at once, else when one connects. `silent`: into the local database without the
        page telling anybody. `kind`: WhatsApp's type. `media`: (MIME type, file name, content);
        `text` is its caption.
        """
        with self._lock:
            message = Message(
                bare=bare or f"3A{next(self._ids):018X}",
                chat=self._chat_of(sender),
                type=kind,
                body="" if media else text,
                caption=text if media else "",
                t=int(time.time()) if t is None else t,
                name=name,
                author=author,
            )
            if media:
                message.mimetype, message.file_name, content = media
                message.size = len(content)
                self.media[message.bare] = content
            if silent:
                self._file(message)
                self._order("message", row=message.row(), silent=True)
            else:
                self.waiting.append(message)
        self.happened()
        return message.key

    def typed_by_hand(self, to: str, text: str) -> str:
        """The owner writes on the phone; returns the full id."""
        with self._lock:
            message = Message(
                bare=f"3A{next(self._ids):018X}", chat=self._chat_of(to), body=text, t=int(time.time()), from_me=True
            )
            self.waiting.append(message)
        self.happened()
        return message.key

    def decrypt(self, key: str, text: str) -> None:
        """A message that was received as `ciphertext` has become readable."""
        with self._lock:
            self._amend(key, type="chat", body=text)
            self._order("decrypted", key=key, body=text)
        self.happened()

    def edit(self, key: str, text: str, at_ms: int | None = None) -> None:
        """The writer has changed the text."""
        with self._lock:
            message = self._find(key)
            self._amend(key, **({"caption": text} if message.caption else {"body": text}))
            self._order("edit", key=key, text=text, at_ms=at_ms or int(time.time() * 1000))
        self.happened()

    def revoke(self, key: str) -> None:
        """The writer has taken it back."""
        with self._lock:
            self._amend(key, type="revoked", body="", caption="")
            self._order("revoke", key=key, t=int(time.time()))
        self.happened()

    def ack(self, bare: str, level: int) -> None:
        """A message of ours was delivered (2), read (3) or played (4)."""
        with self._lock:
            message = next(one for one in self.local.values() if one.from_me and one.bare == bare)
            message.ack = max(message.ack, level)
            self._order("receipt", key=message.key, ack=level)
        self.happened()

    def scan(self, history_ms: int = 0) -> None:
        """The phone has scanned the code; older conversations come for `history_ms` more."""
        with self._lock:
            self.pair()
            self._order(
                "paired", device=self.device, account=asdict(self.account), history_ms=history_ms, **self._known()
            )
        self.happened()

    def pair(self) -> str:
        """Link a new device; returns what its profile has to hold (localStorage `standin.device`)."""
        with self._lock:
            self.device = secrets.token_hex(8)
            return self.device

    def rotate_code(self) -> None:
        """The QR code changes."""
        self._order("new_code")

    def idle_code(self) -> None:
        """Nobody scanned: the page shows no code any more."""
        self._order("idle")

    def phone_code_event(self, name: str) -> None:
        """Such as `refresh_alt_linking_code`, `force_manual_refresh`, `error_alt_linking`."""
        self._order("link_event", event=name)

    def offline(self) -> None:
        """The browser has no network, as far as WhatsApp is concerned."""
        with self._lock:
            self.network = False
            self._order("network", on=False)

    def online(self) -> None:
        """It has again."""
        with self._lock:
            self.network = True
            self._order("network", on=True)

    def conflict(self) -> None:
        """The same login is used elsewhere, until this one takes over."""
        self._enter("CONFLICT", "conflict")

    def end_conflict(self) -> None:
        """The other one has gone by itself."""
        self._enter("MAIN", "main")

    def ban(self) -> None:
        """The number is blocked, until `unban`."""
        self._enter("TOS_BLOCK", "block")

    def unban(self) -> None:
        """It is free again."""
        self._enter("MAIN", "main")

    def needs_update(self) -> None:
        """The page asks to be loaded anew."""
        self._order("needs_update")

    def logout(self, reason: str = "unknown_companion") -> None:
        """The phone unlinked the browser, whose page loads itself anew and shows a code."""
        self.log_out(reason)

    def hang(self, ms: int) -> None:
        """The page's main thread is blocked."""
        self._order("hang", ms=ms)

    def load_modules(self) -> None:
        """The modules of `cfg.late` arrive."""
        with self._lock:
            self.modules_came = True
            self._order("load_modules")

    def configure(self, **knobs: Any) -> None:
        """Change the knobs, of a running page as well."""
        with self._lock:
            for name, value in knobs.items():
                setattr(self.cfg, name, value)
            self._order("config", config=self.cfg.of_the_page())

    def contact(self, address: str, **attributes: Any) -> None:
        """Known from the address book at the next start of the page: `name`, `pushname`, `isBusiness`."""
        self.contacts[address] = attributes

    def link(self, phone: str, lid: str) -> None:
        """Both addresses are one person's."""
        with self._lock:
            self.links[phone] = lid
            self._order("link", phone=phone, lid=lid)

    def hold(self, step: Step) -> None:
        """Let no message get past storing, delivering, or the answer to the page, until `release`."""
        with self._lock:
            self._held.add(step)

    def release(self, step: Step) -> None:
        """Let them go on."""
        with self._lock:
            self._held.discard(step)

    def read(self, address: str) -> None:
        """The owner has read the conversation on the phone; known to a page at its next start."""
        self.chats[self._chat_of(address)].unread = 0
