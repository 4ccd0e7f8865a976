"""Everything that has to be there before a browser is started, or a sentence about what is not. It blocks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from whatsself_tui.errors import WhatsSelfError
from whatsself_tui.host import processes
from whatsself_tui.host.browser_packaging import cautions
from whatsself_tui.host.browser_search import find_browser
from whatsself_tui.host.browsers import NO_SANDBOX_WARNING, can_show_window, needs_no_sandbox
from whatsself_tui.host.profile import prepare_profile, read_record, record_use, warnings_for
from whatsself_tui.host.profile_holder import holder_of
from whatsself_tui.transport.whatsapp_web.browser_session import Launch
from whatsself_tui.transport.whatsapp_web.wa_js import read_verified

#: How long a browser of an earlier robot gets to leave by itself.
ORPHAN_PATIENCE_S = 15.0


class ProfileInUse(WhatsSelfError):
    """Another process works with the profile that holds the login."""


@dataclass(frozen=True, slots=True)
class Options:
    """Where things are, and what the settings say about the browser."""

    profile: Path
    bridge: Path
    """Folder of the wa-js file."""
    log_file: Path
    browser: str = ""
    """`transport.browser`."""
    headless: str = "auto"
    """`transport.headless`."""
    memory_mb: int = 0
    """`transport.browser_memory_mb`."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """How to start the browser, and what the operator should know about it."""

    launch: Launch
    warnings: tuple[str, ...]


def prepare(options: Options, window_failed: bool) -> Prepared:
    """Find the browser and the library, and see that nobody else has the profile.

    `window_failed`: a window could not be opened the last time. Raises BrowserMissing, DataError, ProfileInUse.
    """
    wa_js = read_verified(options.bridge)
    browser = find_browser(options.browser)
    prepare_profile(options.profile)
    _end_others(options.profile)
    record = read_record(options.profile)
    paired = record is not None and record.paired
    warnings = [*cautions(browser, options.profile), *warnings_for(options.profile, browser)]
    if needs_no_sandbox():
        warnings.append(NO_SANDBOX_WARNING)
    launch = Launch(
        browser=browser,
        profile=options.profile,
        headless=not wants_window(options.headless, paired=paired) or window_failed,
        pairing=not paired,
        wa_js=wa_js,
        log_file=options.log_file,
    )
    return Prepared(launch, tuple(warnings))


def wants_window(setting: str, *, paired: bool) -> bool:
    """Whether the browser shows itself: for pairing it should, because a passkey can only be confirmed there."""
    if setting == "auto":
        return not paired and can_show_window()
    return setting == "never"


def note_use(launch: Launch, now_ms: int, *, paired: bool | None = None) -> None:
    """Record with the profile which browser used it, and whether it holds a login."""
    record_use(launch.profile, launch.browser, now_ms=now_ms, paired=paired)


def _end_others(profile: Path) -> None:
    """A browser of ours that outlived its robot is ended; anybody else's is left alone, and named."""
    holder = holder_of(profile)
    if holder is None:
        return
    if not holder.ours:
        raise ProfileInUse(holder.sentence, "Close that browser; it is tried again by itself.")
    if not processes.end_tree(holder.pid, patience_s=ORPHAN_PATIENCE_S):
        raise ProfileInUse(holder.sentence, "It could not be ended: end that process, or restart the computer.")
