"""WhatsSelf TUI: a WhatsApp robot for small businesses and the console that runs it."""

__version__ = "0.1.0"
