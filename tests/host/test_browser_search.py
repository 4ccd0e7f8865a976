"""Finding a browser on made-up machines of three systems."""

from __future__ import annotations

import os
import plistlib
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest

from whatsself_tui.host.browser_places import Machine
from whatsself_tui.host.browser_search import find_all, find_browser
from whatsself_tui.host.browsers import Brand, BrowserMissing

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="runs shell scripts")

CHROME = "Google/Chrome/Application/chrome.exe"
EDGE = "Microsoft/Edge/Application/msedge.exe"


def windows(
    root: Path,
    environment: Mapping[str, str] | None = None,
    *,
    registered: Mapping[Brand, Path] | None = None,
    last_run: str = "",
) -> Machine:
    """A machine of Windows with its folders below `root`, without a registry but for what is given."""
    folders = {
        "PROGRAMFILES": str(root / "Program Files"),
        "PROGRAMFILES(X86)": str(root / "Program Files (x86)"),
        "LOCALAPPDATA": str(root / "Local"),
    }
    known = registered or {}
    return Machine(
        "win32",
        {**folders, **(environment or {})},
        root / "home",
        root,
        lambda brand: [known[brand]] if brand in known else [],
        lambda _: last_run,
    )


def installed(program: Path, *versions: str) -> Path:
    """An installation as Windows has it: the program, and a folder for each version beside it."""
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_bytes(b"MZ")
    for version in versions:
        (program.parent / version).mkdir()
    return program


def linux(root: Path, environment: Mapping[str, str] | None = None) -> Machine:
    return Machine("linux", {"PATH": str(root / "bin"), **(environment or {})}, root / "home", root)


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def says(path: Path, version: str) -> Path:
    return script(path, f'echo "{version}"')


def application(folder: Path, name: str, identifier: str, version: str) -> Path:
    """An application as macOS has it; the program in it."""
    contents = folder / f"{name}.app" / "Contents"
    program = contents / "MacOS" / name
    program.parent.mkdir(parents=True)
    program.write_bytes(b"")
    info = {"CFBundleIdentifier": identifier, "CFBundleShortVersionString": version}
    (contents / "Info.plist").write_bytes(plistlib.dumps(info))
    return program


# --- Windows ---------------------------------------------------------------------------------------------------------


def test_windows_takes_chrome_before_edge_and_tells_its_version_by_the_folder(tmp_path: Path) -> None:
    installed(tmp_path / "Program Files (x86)" / EDGE, "140.0.3485.54")
    edge = find_browser("", windows(tmp_path))
    assert (edge.brand, edge.version) == (Brand.EDGE, "140.0.3485.54")
    chrome = installed(tmp_path / "Local" / CHROME, "139.0.7258.66", "SetupMetrics")
    found = find_browser("", windows(tmp_path))
    assert (found.path, found.brand, found.version) == (chrome, Brand.CHROME, "139.0.7258.66")


def test_windows_update_that_waits_is_not_the_version_that_runs(tmp_path: Path) -> None:
    program = installed(tmp_path / "Program Files" / CHROME, "99.0.4844.51", "139.0.7258.66")
    assert find_browser("", windows(tmp_path)).version == "139.0.7258.66"
    program.with_name("new_chrome.exe").write_bytes(b"MZ")
    assert find_browser("", windows(tmp_path)).version == "99.0.4844.51"


def test_windows_registry_leads_to_a_browser_in_an_unusual_place(tmp_path: Path) -> None:
    program = installed(tmp_path / "D" / "Apps" / "brave.exe")
    machine = windows(tmp_path, registered={Brand.BRAVE: program}, last_run="139.1.81.135")
    found = find_browser("", machine)
    assert (found.path, found.brand, found.version) == (program, Brand.BRAVE, "139.1.81.135")


def test_windows_registry_entry_of_a_removed_browser_is_passed_over(tmp_path: Path) -> None:
    installed(tmp_path / "Program Files (x86)" / EDGE, "140.0.3485.54")
    machine = windows(tmp_path, registered={Brand.CHROME: tmp_path / "gone" / "chrome.exe"})
    assert find_browser("", machine).brand is Brand.EDGE


def test_windows_chromium_is_not_taken_for_chrome_though_its_program_has_the_same_name(tmp_path: Path) -> None:
    program = installed(tmp_path / "Local" / "Chromium" / "Application" / "chrome.exe", "141.0.1.2")
    machine = windows(tmp_path, registered={Brand.CHROME: program})
    assert find_browser("", machine).brand is Brand.CHROMIUM
    with pytest.raises(BrowserMissing, match="is Chromium"):
        find_browser("chrome", machine)


def test_windows_browser_without_a_version_is_told_and_the_next_one_taken(tmp_path: Path) -> None:
    chrome = installed(tmp_path / "Program Files" / CHROME)
    with pytest.raises(BrowserMissing, match="does not tell its version"):
        find_browser(str(chrome), windows(tmp_path))
    installed(tmp_path / "Program Files" / EDGE, "140.0.3485.54")
    assert find_browser("", windows(tmp_path)).brand is Brand.EDGE


def test_windows_unpacked_archive_tells_its_version_by_its_manifest(tmp_path: Path) -> None:
    program = installed(tmp_path / "unpacked chromium" / "chrome.exe")
    program.with_name("141.0.7390.37.manifest").write_bytes(b"<assembly/>")
    assert find_browser(str(program), windows(tmp_path)).version == "141.0.7390.37"


# --- macOS -----------------------------------------------------------------------------------------------------------


def test_macos_reads_brand_and_version_of_the_application(tmp_path: Path) -> None:
    program = application(tmp_path / "Applications", "Google Chrome", "com.google.Chrome", "139.0.7258.66")
    machine = Machine("darwin", {}, tmp_path / "home", tmp_path)
    found = find_browser("", machine)
    assert (found.path, found.brand, found.version) == (program, Brand.CHROME, "139.0.7258.66")


def test_macos_application_in_the_home_folder_can_be_named_as_a_whole(tmp_path: Path) -> None:
    home = tmp_path / "home"
    program = application(home / "Applications", "Microsoft Edge", "com.microsoft.edgemac.Beta", "140.0.3485.6")
    machine = Machine("darwin", {}, home, tmp_path)
    assert find_browser("~/Applications/Microsoft Edge.app", machine).path == program
    assert find_browser("edge", machine).version == "140.0.3485.6"


def test_macos_braves_own_count_is_not_taken_for_chromiums_version(tmp_path: Path) -> None:
    program = application(tmp_path / "Applications", "Brave Browser", "com.brave.Browser", "1.81.135.0")
    framework = program.parent.parent / "Frameworks" / "Brave Browser Framework.framework" / "Versions"
    (framework / "139.1.81.135").mkdir(parents=True)
    assert find_browser("", Machine("darwin", {}, tmp_path, tmp_path)).version == "139.1.81.135"


@pytest.mark.parametrize("info", [b"", b"bplist00broken", b"<plist><array/></plist>", b"\x00" * 100])
def test_macos_damaged_application_is_told(tmp_path: Path, info: bytes) -> None:
    program = application(tmp_path / "Applications", "Google Chrome", "com.google.Chrome", "139.0.7258.66")
    (program.parent.parent / "Info.plist").write_bytes(info)
    with pytest.raises(BrowserMissing, match=r"Google Chrome (is|does)"):
        find_browser("", Machine("darwin", {}, tmp_path, tmp_path))


# --- Linux -----------------------------------------------------------------------------------------------------------


@posix_only
@pytest.mark.parametrize(
    ("name", "printed", "brand", "version"),
    [
        ("google-chrome", "Google Chrome 139.0.7258.66 ", Brand.CHROME, "139.0.7258.66"),
        ("google-chrome-stable", "Google Chrome 139.0.7258.66 beta", Brand.CHROME, "139.0.7258.66"),
        ("google-chrome", "Google Chrome for Testing 139.0.7258.66", Brand.CHROME, "139.0.7258.66"),
        ("microsoft-edge", "Microsoft Edge 140.0.3485.54 unknown", Brand.EDGE, "140.0.3485.54"),
        ("brave-browser", "Brave Browser 139.1.81.135 ", Brand.BRAVE, "139.1.81.135"),
        ("chromium", "Chromium 140.0.7339.80 built on Debian GNU/Linux 12", Brand.CHROMIUM, "140.0.7339.80"),
        ("chromium-browser", "Chromium 140.0.7339.80 snap", Brand.CHROMIUM, "140.0.7339.80"),
    ],
)
def test_linux_program_on_the_path_says_what_it_is(
    tmp_path: Path, name: str, printed: str, brand: Brand, version: str
) -> None:
    program = says(tmp_path / "bin" / name, printed)
    found = find_browser("", linux(tmp_path))
    assert (found.path, found.brand, found.version) == (program, brand, version)


@posix_only
def test_linux_wrapper_may_complain_on_stderr(tmp_path: Path) -> None:
    script(tmp_path / "bin" / "chromium", 'echo "[: 1 2: Chrome 1.2.3.4" >&2; echo "Chromium 140.0.7339.80"')
    assert find_browser("", linux(tmp_path)).version == "140.0.7339.80"


@posix_only
def test_linux_packages_are_found_off_the_path(tmp_path: Path) -> None:
    program = says(tmp_path / "opt" / "google" / "chrome" / "google-chrome", "Google Chrome 139.0.7258.66")
    assert find_browser("", linux(tmp_path)).path == program


@posix_only
def test_linux_program_that_does_not_answer_is_ended_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whatsself_tui.host.browser_versions.TIMEOUT_S", 0.05)
    os.mkfifo(tmp_path / "pipe")
    program = script(tmp_path / "bin" / "chromium", f"cat {tmp_path}/pipe; echo Chromium 140.0.7339.80")
    with pytest.raises(BrowserMissing, match="did not tell its version"):
        find_browser(str(program), linux(tmp_path, {"PATH": os.environ["PATH"]}))
    commands = [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]
    assert not [command for command in commands if str(tmp_path) in command]


@posix_only
def test_linux_broken_browser_is_told_and_the_next_one_taken(tmp_path: Path) -> None:
    script(tmp_path / "bin" / "google-chrome", "exit 127")
    with pytest.raises(BrowserMissing, match="google-chrome does not say") as told:
        find_browser("", linux(tmp_path))
    assert "Install Google Chrome" in told.value.advice
    says(tmp_path / "bin" / "chromium", "Chromium 140.0.7339.80")
    assert find_browser("", linux(tmp_path)).brand is Brand.CHROMIUM


@posix_only
def test_linux_two_names_of_one_program_are_one_browser(tmp_path: Path) -> None:
    program = says(tmp_path / "bin" / "google-chrome-stable", "Google Chrome 139.0.7258.66")
    (tmp_path / "bin" / "google-chrome").symlink_to(program)
    chromium = says(tmp_path / "bin" / "chromium", "Chromium 140.0.7339.80")
    assert [found.path for found in find_all("", linux(tmp_path))] == [tmp_path / "bin" / "google-chrome", chromium]


# --- What somebody names ---------------------------------------------------------------------------------------------


def test_setting_goes_before_the_environment_and_that_before_the_usual_places(tmp_path: Path) -> None:
    installed(tmp_path / "Program Files" / CHROME, "139.0.7258.66")
    installed(tmp_path / "Program Files" / EDGE, "140.0.3485.54")
    own = installed(tmp_path / "own" / "chromium.exe", "141.0.1.2")
    machine = windows(tmp_path, {"WHATSSELF_BROWSER": "edge"})
    chosen = [find_browser(setting, machine) for setting in (str(own), "", " Chrome ")]
    assert [found.brand for found in chosen] == [Brand.CHROMIUM, Brand.EDGE, Brand.CHROME]
    assert [found.found_by for found in chosen] == ["transport.browser", "WHATSSELF_BROWSER", "transport.browser"]
    assert find_browser("", windows(tmp_path)).found_by == "its usual place"


def test_named_browser_that_is_missing_is_never_replaced_by_another(tmp_path: Path) -> None:
    installed(tmp_path / "Program Files" / CHROME, "139.0.7258.66")
    for machine, setting in ((windows(tmp_path), "edge"), (windows(tmp_path, {"WHATSSELF_BROWSER": "edge"}), "")):
        with pytest.raises(BrowserMissing, match="Microsoft Edge was not found, which") as told:
            find_browser(setting, machine)
        assert EDGE in told.value.message
        assert [found.brand for found in find_all(setting, machine)] == [Brand.CHROME]


@pytest.mark.parametrize("setting", ["firefox", "/nowhere/chrome", "~/chrome", "\x1b[31mred", "chrome\0"])
def test_name_of_nothing_is_told_harmlessly_with_what_is_allowed(tmp_path: Path, setting: str) -> None:
    with pytest.raises(BrowserMissing, match=r"transport\.browser") as told:
        find_browser(setting, windows(tmp_path))
    assert "chrome, edge, brave, chromium" in told.value.advice
    assert "\x1b" not in str(told.value)


def test_program_that_is_no_such_browser_is_refused(tmp_path: Path) -> None:
    program = installed(tmp_path / "firefox.exe", "139.0.7258.66")
    with pytest.raises(BrowserMissing, match="is not the program of Chrome, Edge, Brave or Chromium"):
        find_browser(str(program), windows(tmp_path))


@pytest.mark.parametrize("platform", ["win32", "darwin", "linux"])
def test_machine_without_a_browser_is_told_where_was_looked_and_what_to_install(tmp_path: Path, platform: str) -> None:
    machine = Machine(platform, {}, tmp_path, tmp_path, lambda _: [], lambda _: "")
    with pytest.raises(BrowserMissing) as told:
        find_browser("", machine)
    for name in ("Google Chrome", "Microsoft Edge", "Brave", "Chromium"):
        assert name in told.value.message
    assert told.value.advice.startswith("Install ")
    assert find_all("", machine) == []


@posix_only
def test_name_of_a_program_on_the_path_is_enough(tmp_path: Path) -> None:
    program = says(tmp_path / "bin" / "google-chrome-beta", "Google Chrome 140.0.7339.5 beta")
    assert find_browser("google-chrome-beta", linux(tmp_path)).path == program
