"""A Chromium-family browser, and what has to be known to start it for WhatsApp Web."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from whatsself_tui.errors import WhatsSelfError

#: The only names a browser of ours can resolve: WhatsApp's own.
ALLOWED_HOSTS = ("*.whatsapp.com", "*.whatsapp.net")

#: While a phone is linked, the two tunnels of Google and Apple through which a passkey on it is asked.
PAIRING_HOSTS = ("cable.ua5v.com", "cable.auth.com")

#: Said once where the sandbox has to be left out.
NO_SANDBOX_WARNING = (
    "The robot runs as root, and a Chromium browser starts for root only without its sandbox: a page that breaks out"
    " of it would have the whole machine. Run the robot as an ordinary user."
)

#: What every Chromium says of its system, whatever the system really is (user-agent reduction).
_SYSTEMS = {"win32": "Windows NT 10.0; Win64; x64", "darwin": "Macintosh; Intel Mac OS X 10_15_7"}
_OTHER_SYSTEM = "X11; Linux x86_64"

_HOST = re.compile(r"[A-Za-z0-9._:-]+")


class Brand(StrEnum):
    """The browsers WhatsApp Web is driven in; the order is that of the search."""

    CHROME = "chrome"
    EDGE = "edge"
    BRAVE = "brave"
    CHROMIUM = "chromium"


#: What a person calls them.
NAMES = {
    Brand.CHROME: "Google Chrome",
    Brand.EDGE: "Microsoft Edge",
    Brand.BRAVE: "Brave",
    Brand.CHROMIUM: "Chromium",
}


class BrowserMissing(WhatsSelfError):
    """There is no browser to drive."""


@dataclass(frozen=True, slots=True)
class Browser:
    """One that is installed."""

    path: Path
    brand: Brand
    version: str
    """Four numbers, such as `156.0.8078.79`."""
    found_by: str = field(default="", compare=False)
    """Who named it, for a person: the setting, the environment, or its usual place."""

    @property
    def major(self) -> int:
        """The first number of the version, which is that of Chromium in all brands."""
        return int(self.version.partition(".")[0])

    @property
    def name(self) -> str:
        """What a person calls it."""
        return NAMES[self.brand]


def user_agent(browser: Browser, platform: str = sys.platform) -> str:
    """What the browser calls itself with a window; without one it adds `Headless`, which WhatsApp turns away.

    Chromium's reduced form, which names the major version alone.
    """
    system = _SYSTEMS.get(platform, _OTHER_SYSTEM)
    version = f"{browser.major}.0.0.0"
    edge = f" Edg/{version}" if browser.brand is Brand.EDGE else ""
    return f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version} Safari/537.36{edge}"


def has_display(environment: Mapping[str, str], platform: str, session_id: int | None) -> bool:
    """Whether a window can be shown to somebody.

    `session_id` is that of Windows, where session 0 belongs to services and SSH and has no desktop.
    """
    if platform == "win32":
        return session_id != 0
    if platform == "darwin":
        return not (environment.get("SSH_CONNECTION") or environment.get("SSH_TTY"))
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def can_show_window() -> bool:
    """`has_display` of this process."""
    return has_display(os.environ, sys.platform, _session_id())


def needs_no_sandbox(platform: str = sys.platform, user_id: int | None = None) -> bool:
    """Whether the browser would refuse to start with its sandbox: for root on Linux, and nowhere else.

    `user_id` is the effective one; None asks for that of this process.
    """
    if not platform.startswith("linux"):
        return False
    return (_user_id() if user_id is None else user_id) == 0


def resolver_rules(*, pairing: bool, proxies: Mapping[str, str] | None = None) -> str:
    """Value of `--host-resolver-rules`: every name but WhatsApp's is unknown to the browser, addresses too.

    A proxy has to be known as well, and from there on it is the proxy that finds names. `proxies` is an address
    for each scheme, None asks the system as the browser does; one that only a script of the network names is missed.
    """
    if proxies is None:
        import urllib.request  # loads much that nobody else needs

        proxies = urllib.request.getproxies()
    hosts = (*ALLOWED_HOSTS, *(PAIRING_HOSTS if pairing else ()), *_hosts_of(proxies))
    return ", ".join(("MAP * ~NOTFOUND", *(f"EXCLUDE {host}" for host in hosts)))


def _hosts_of(proxies: Mapping[str, str]) -> list[str]:
    """The machines that proxies are on. What is no plain host name could be read as another rule and is left out."""
    names = {_host_of(address) for scheme, address in proxies.items() if scheme != "no"}
    return sorted(name for name in names if _HOST.fullmatch(name))


def _host_of(address: str) -> str:
    try:
        return urlsplit(address if "://" in address else f"//{address}").hostname or ""
    except ValueError:
        return ""  # no address: the browser cannot use it either


def _user_id() -> int | None:
    if sys.platform == "win32":
        return None
    return os.geteuid()


def _session_id() -> int | None:
    """Windows' session of this process; None elsewhere, or where it cannot be told."""
    if sys.platform != "win32":
        return None
    import ctypes

    session = ctypes.c_ulong()
    if not ctypes.windll.kernel32.ProcessIdToSessionId(os.getpid(), ctypes.byref(session)):
        return None
    return session.value
