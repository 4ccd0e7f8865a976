"""What can change: each transaction names the topics it touched, each reader the ones it shows."""

from __future__ import annotations

from enum import StrEnum


class Topic(StrEnum):
    """A part of the robot's state that readers can be told about."""

    ROBOT = "robot"
    """Paused or not, the state of the transport."""
    WHATSAPP = "whatsapp"
    """What `run/whatsapp.json` tells: pairing codes, browser, page."""
    QUEUE = "queue"
    PACE = "pace"
    """Which message is prepared, and when it goes."""
    BREAKER = "breaker"
    LIMITS = "limits"
    ALERTS = "alerts"
    MESSAGES = "messages"
    CONTACTS = "contacts"
    STATISTICS = "statistics"
    CONFIG = "config"
