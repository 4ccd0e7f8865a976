"""The console's own theme: dark, quiet, colour only where it means something."""

from __future__ import annotations

from typing import Final

from textual.theme import Theme

THEME: Final = Theme(
    name="whatsself",
    primary="#3fa796",
    secondary="#6b8f9c",
    accent="#62b6cb",
    success="#63c08a",
    warning="#e2b04a",
    error="#e5697a",
    foreground="#d8dee3",
    background="#101417",
    surface="#151b1f",
    panel="#1e262b",
    dark=True,
    variables={
        "text-muted": "#8695a0",
        "border": "#40525c",
        "border-blurred": "#40525c",
        "footer-background": "#151b1f",
        "scrollbar": "#40525c",
        "scrollbar-background": "#151b1f",
        "scrollbar-corner-color": "#151b1f",
    },
)
