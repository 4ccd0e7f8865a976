"""A console that is the same on every machine: none of the developer's own settings reach it."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No colour, theme or editor of the developer's."""
    for name in list(os.environ):
        if name.startswith("TEXTUAL") or name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "VISUAL", "EDITOR"):
            monkeypatch.delenv(name)
