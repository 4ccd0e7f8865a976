"""The settings themselves: types, defaults, limits."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from whatsself_tui.config.explain import allowed
from whatsself_tui.config.schema import LimitSettings, Section, Settings, TransportSettings


def _fields() -> list[tuple[str, str]]:
    return [(section, key) for section, value in Settings() for key, _ in value]


def _with(section: str, **keys: object) -> Settings:
    return Settings.model_validate({section: keys})


def test_what_is_not_given_has_its_default() -> None:
    assert Settings.model_validate({}) == Settings()
    settings = _with("limits", per_contact=3)
    assert settings.limits == LimitSettings(per_contact=3)
    assert settings.queue == Settings().queue


@pytest.mark.parametrize(("section", "key"), _fields())
def test_every_setting_has_a_description_and_can_say_what_it_takes(section: str, key: str) -> None:
    part: type[Section] = type(getattr(Settings(), section))
    description = part.model_fields[key].description
    assert description
    assert description.endswith(".")
    assert allowed(part.model_json_schema()["properties"][key])


@pytest.mark.parametrize(
    ("section", "key", "good", "bad"),
    [
        ("business", "name", ["x", "x" * 100, "Padaria São João 🥖"], ["", " \u2800", "x" * 101, 3, None]),
        (
            "business",
            "time_zone",
            ["Europe/Lisbon", "UTC"],
            ["", "America", "../etc/passwd", "/etc/localtime", "a\0", 3],
        ),
        ("transport", "kind", ["simulator", "whatsapp_web"], ["whatsapp", "Simulator", "", 1]),
        ("transport", "browser", ["", "edge", "/opt/brave/brave"], ["x" * 1001, 3, None]),
        ("transport", "headless", ["auto", "always", "never"], ["", True, "no"]),
        ("transport", "browser_memory_mb", [0, 100_000], [-1, 100_001, 1.5, "1"]),
        ("simulator", "latency_ms", [0, 60_000], [-1, 60_001, 1.0, "1", True]),
        ("simulator", "fail_rate", [0, 0.0, 0.25, 1, 1.0], [-0.1, 1.01, float("nan"), float("inf"), "0", True]),
        ("simulator", "offline", [True, False], [0, 1, "true"]),
        ("limits", "per_minute", [1, 100, 101, 100_000], [0, -1, 100_001, 12.0, "12", True]),
        ("limits", "per_contact", [1, 2, 6], [0, 21, 7]),
        ("limits", "per_contact_reply", [2, 60], [1, 61, 0]),
        ("limits", "contact_window_s", [1, 86_400], [0, 86_401]),
        ("queue", "max_attempts", [1, 20], [0, 21]),
        ("queue", "retry_base_s", [1, 3_600], [0, 3_601]),
        ("queue", "aging_s", [10, 86_400], [9, 86_401]),
        ("queue", "backlog_alert", [1, 1_000_000], [0, 1_000_001]),
        ("queue", "oldest_alert_s", [10, 604_800], [9, 604_801]),
        (
            "consent",
            "opt_out",
            [["PARE"], ["x" * 50] * 50],
            [[], "PARE", ["x" * 51], ["x"] * 51, [1], ["!"], [""], {"a": 1}],
        ),
        ("consent", "opt_in", [[], ["quero"], ["🙂"]], [["Parár!"], ["parar 😡"], ["..."], "VOLTAR"]),
        ("consent", "opt_out_text", ["ok", "Tchau, {{ first_name }}"], ["", " ", "{{nmae}}", "{{", 3, "x" * 65_537]),
        ("consent", "opt_in_text", ["ok"], ["", "{{nmae}}"]),
        ("logs", "level", ["debug", "info", "warning", "error"], ["INFO", "warn", 20]),
        ("logs", "max_mb", [1, 1_000], [0, 1_001]),
        ("logs", "keep", [1, 1_000], [0, 1_001]),
    ],
)
def test_the_limits_of_every_setting(section: str, key: str, good: list[object], bad: list[object]) -> None:
    for value in good:
        read = getattr(getattr(_with(section, **{key: value}), section), key)
        assert read == (tuple(value) if isinstance(value, list) else value)
    for value in bad:
        with pytest.raises(ValidationError):
            _with(section, **{key: value})


def test_settings_cannot_be_changed() -> None:
    settings = Settings()
    with pytest.raises(ValidationError):
        settings.limits.per_minute = 5  # type: ignore[misc]
    assert settings == Settings()


def test_the_zone_is_the_time_zone_named() -> None:
    assert Settings().business.zone == ZoneInfo("America/Sao_Paulo")
    moved = _with("business", time_zone="Europe/Lisbon")
    assert moved.business.zone.key == "Europe/Lisbon"
    assert moved == _with("business", time_zone="Europe/Lisbon")  # looking at the zone changes nothing


def test_only_the_simulator_may_send_more_than_a_hundred_a_minute() -> None:
    kind: Any = "whatsapp_web"
    real = TransportSettings.model_construct(kind=kind)
    assert Settings.model_validate({"transport": real, "limits": {"per_minute": 100}}).limits.per_minute == 100
    with pytest.raises(ValidationError, match="above 100"):
        Settings.model_validate({"transport": real, "limits": {"per_minute": 101}})
