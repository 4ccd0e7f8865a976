"""What starting a browser needs: its user agent, a screen, the sandbox, and the names it may ask for."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from whatsself_tui.host.browsers import (
    NAMES,
    Brand,
    Browser,
    has_display,
    needs_no_sandbox,
    resolver_rules,
    user_agent,
)


def browser(brand: Brand, version: str = "139.0.7258.66") -> Browser:
    return Browser(Path("/somewhere/browser"), brand, version)


@pytest.mark.parametrize(
    ("platform", "system"),
    [
        ("win32", "Windows NT 10.0; Win64; x64"),
        ("darwin", "Macintosh; Intel Mac OS X 10_15_7"),
        ("linux", "X11; Linux x86_64"),
    ],
)
def test_user_agent_is_that_of_the_system_with_the_major_version_alone(platform: str, system: str) -> None:
    expected = f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36"
    assert user_agent(browser(Brand.CHROME), platform) == expected
    assert user_agent(browser(Brand.CHROMIUM), platform) == expected
    assert user_agent(browser(Brand.BRAVE, "139.1.81.135"), platform) == expected
    assert user_agent(browser(Brand.EDGE), platform) == f"{expected} Edg/139.0.0.0"


def test_every_brand_has_a_name_and_a_major_version() -> None:
    assert [browser(brand).name for brand in Brand] == ["Google Chrome", "Microsoft Edge", "Brave", "Chromium"]
    assert set(NAMES) == set(Brand)
    assert browser(Brand.EDGE, "9.10.11.12").major == 9


def test_who_named_a_browser_makes_it_no_other_one() -> None:
    assert browser(Brand.EDGE) == Browser(Path("/somewhere/browser"), Brand.EDGE, "139.0.7258.66", "the setting")


@pytest.mark.parametrize(
    ("environment", "platform", "session_id", "can"),
    [
        ({"DISPLAY": ":0"}, "linux", None, True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", None, True),
        ({"DISPLAY": "localhost:10.0", "SSH_CONNECTION": "1 2 3 4"}, "linux", None, True),
        ({"DISPLAY": ""}, "linux", None, False),
        ({}, "linux", None, False),
        ({}, "win32", 0, False),
        ({"DISPLAY": ":0"}, "win32", 0, False),
        ({}, "win32", 1, True),
        ({}, "win32", None, True),
        ({}, "darwin", None, True),
        ({"SSH_CONNECTION": "1 2 3 4"}, "darwin", None, False),
        ({"SSH_TTY": "/dev/ttys001"}, "darwin", None, False),
    ],
)
def test_a_window_needs_a_screen(environment: dict[str, str], platform: str, session_id: int | None, can: bool) -> None:
    assert has_display(environment, platform, session_id) is can


def test_only_root_on_linux_goes_without_the_sandbox() -> None:
    assert needs_no_sandbox("linux", 0)
    assert not needs_no_sandbox("linux", 1000)
    assert not needs_no_sandbox("darwin", 0)
    assert not needs_no_sandbox("win32", None)


@pytest.mark.skipif(sys.platform != "linux", reason="root is asked for on Linux alone")
def test_this_process_is_asked_for_its_user() -> None:
    assert needs_no_sandbox() is (os.geteuid() == 0)


def test_only_whatsapp_can_be_resolved_and_the_tunnels_while_pairing() -> None:
    daily = resolver_rules(pairing=False, proxies={})
    assert daily == "MAP * ~NOTFOUND, EXCLUDE *.whatsapp.com, EXCLUDE *.whatsapp.net"
    assert resolver_rules(pairing=True, proxies={}) == f"{daily}, EXCLUDE cable.ua5v.com, EXCLUDE cable.auth.com"


def test_a_proxy_can_be_resolved_and_brings_no_rule_of_its_own() -> None:
    proxies = {
        "http": "http://user:secret@proxy.example:3128/",
        "https": "proxy.example:3128",
        "ftp": "socks5://10.0.0.1:1080",
        "no": "localhost,intranet.example",
        "all": "http://evil,MAP * 10.0.0.2:1/",
        "gopher": "http://[broken:1/",
        "socks": "",
    }
    rules = resolver_rules(pairing=False, proxies=proxies).split(", ")
    assert rules[3:] == ["EXCLUDE 10.0.0.1", "EXCLUDE proxy.example"]


def test_the_systems_proxy_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    assert resolver_rules(pairing=False).endswith(", EXCLUDE proxy.example")
