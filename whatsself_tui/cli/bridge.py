"""`bridge status|install`: the library inside WhatsApp's page, and the browser it would run in."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from whatsself_tui.cli.output import clock_time, document, iso, line, narrate
from whatsself_tui.config.in_force import read_in_force
from whatsself_tui.errors import DataError, Problem, UsageError
from whatsself_tui.host.browser_packaging import cautions
from whatsself_tui.host.browser_search import find_all, find_browser
from whatsself_tui.host.browsers import (
    NAMES,
    NO_SANDBOX_WARNING,
    Browser,
    BrowserMissing,
    can_show_window,
    needs_no_sandbox,
)
from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.host.profile import ProfileRecord, read_record, warnings_before
from whatsself_tui.host.profile_holder import Holder, holder_of
from whatsself_tui.text import visible
from whatsself_tui.transport.whatsapp_web import wa_js
from whatsself_tui.transport.whatsapp_web.wa_js import WaJsStatus
from whatsself_tui.transport.whatsapp_web.wa_js_install import install as install_wa_js


@dataclass(frozen=True, slots=True)
class _Found:
    """All that `bridge status` has to tell."""

    library: WaJsStatus
    browser: Browser | None
    problem: str
    """Why there is no browser; else empty."""
    others: list[Browser]
    profile: Path
    record: ProfileRecord | None
    holder: Holder | None
    window: bool
    """Whether a window could be shown."""
    warnings: list[str]

    @property
    def ok(self) -> bool:
        return self.library.state == "ok" and self.browser is not None


def status(folder: DataFolder, args: Namespace) -> int:
    """Print what WhatsApp Web needs on this machine; 1 if something is missing."""
    settings, problems = read_in_force(folder.config)
    found = _look(folder, settings.transport.browser, problems)
    if args.json:
        document(_document(found, settings.business.zone))
    else:
        _print(found, settings.business.zone)
    return 0 if found.ok else 1


def install(folder: DataFolder, args: Namespace) -> int:
    """Fetch wa-js, or take it from a file, and verify it."""
    if args.source is not None and not args.source.strip():
        raise UsageError("`--from` needs a file.")
    source = None if args.source is None else Path(args.source).expanduser()
    if source is None and wa_js.status(folder.bridge).state != "ok":
        narrate(f"Fetching wa-js {wa_js.VERSION} ...")
    installed = install_wa_js(folder.bridge, source)
    if args.json:
        document(
            {
                "ok": True,
                "message": installed.how,
                "path": str(installed.path),
                "version": wa_js.VERSION,
                "sha256": wa_js.SHA256,
            }
        )
    else:
        line(installed.how)
    return 0


def _look(folder: DataFolder, setting: str, problems: Sequence[Problem]) -> _Found:
    browser, problem = None, ""
    try:
        browser = find_browser(setting)
    except BrowserMissing as error:
        problem = str(error)
    warnings = [f"The settings as they are written are not in force: {problem}" for problem in problems[:1]]
    record = None
    try:
        record = read_record(folder.session)
    except DataError as error:
        warnings.append(str(error))
    if browser is not None:
        warnings += [*warnings_before(record, browser), *cautions(browser, folder.session)]
    if needs_no_sandbox():
        warnings.append(NO_SANDBOX_WARNING)
    return _Found(
        wa_js.status(folder.bridge),
        browser,
        problem,
        [other for other in find_all(setting) if other != browser],
        folder.session,
        record,
        holder_of(folder.session),
        can_show_window(),
        warnings,
    )


def _document(found: _Found, zone: ZoneInfo) -> dict[str, Any]:
    record, holder = found.record, found.holder
    return {
        "ok": found.ok,
        "wa_js": {
            "version": found.library.version,
            "state": found.library.state,
            "path": str(found.library.path),
            "detail": found.library.detail,
        },
        "browser": found.browser and _browser(found.browser),
        "browser_problem": found.problem or None,
        "other_browsers": [_browser(other) for other in found.others],
        "can_show_window": found.window,
        "profile": {
            "folder": str(found.profile),
            "last_used_by": record
            and {
                "brand": record.brand,
                "major": record.major,
                "path": record.path,
                "last_used": iso(record.last_used_ms, zone),
                "paired": record.paired,
            },
            "in_use_by": holder and asdict(holder),
        },
        "warnings": found.warnings,
    }


def _browser(browser: Browser) -> dict[str, str]:
    return {
        "brand": browser.brand,
        "name": browser.name,
        "version": browser.version,
        "path": str(browser.path),
        "found_by": browser.found_by,
    }


def _print(found: _Found, zone: ZoneInfo) -> None:
    line(f"wa-js    {found.library.detail}")
    if found.library.state != "ok":
        line("         `bridge install` fetches it.")
    if found.browser is None:
        line(f"browser  {found.problem}")
    else:
        line(f"browser  {_named(found.browser)}, by {found.browser.found_by}")
    for other in found.others:
        line(f"         also there: {_named(other)}")
    line(f"window   {'can be shown here' if found.window else 'cannot be shown here'}")
    line(f"profile  {_profile(found, zone)}")
    if found.holder is not None:
        line(f"         {found.holder.sentence}")
    for warning in found.warnings:
        narrate(f"Warning: {warning}")


def _named(browser: Browser) -> str:
    return f"{browser.name} {browser.version}, {visible(str(browser.path), 300)}"


def _profile(found: _Found, zone: ZoneInfo) -> str:
    record = found.record
    if record is None:
        return f"{found.profile}, {'with no note which browser used it' if found.profile.is_dir() else 'not there yet'}"
    login = "with a login" if record.paired else "without a login"
    return (
        f"{found.profile}, {login}, last used by {NAMES[record.brand]} {record.major}"
        f" on {clock_time(record.last_used_ms, zone)}"
    )
