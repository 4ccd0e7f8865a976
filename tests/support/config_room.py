"""A configuration folder with a service on it, and everything the service told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from whatsself_tui.clock import Clock
from whatsself_tui.config.files import AUTOMATION_FILE, SETTINGS_FILE
from whatsself_tui.config.service import Applied, ConfigService
from whatsself_tui.errors import Problem

GOOD_SETTINGS = "[limits]\nper_minute = 12\n"
GOOD_AUTOMATION = """
[[template]]
name = "menu"
text = "Oi"

[[trigger]]
name = "oi"
equals = ["oi"]
template = "menu"
"""


@dataclass
class ConfigRoom:
    """The service of one folder; `applied` and `rejected` collect what its listeners heard."""

    folder: Path
    service: ConfigService
    applied: list[Applied] = field(default_factory=list)
    rejected: list[tuple[Problem, ...]] = field(default_factory=list)

    @property
    def settings(self) -> Path:
        return self.folder / SETTINGS_FILE

    @property
    def automation(self) -> Path:
        return self.folder / AUTOMATION_FILE

    @property
    def per_minute(self) -> int:
        return self.service.current.settings.limits.per_minute

    def restarted(self, clock: Clock) -> ConfigRoom:
        """The same folder as the next process finds it; not loaded yet."""
        return _listening(self.folder, clock)


def config_room(folder: Path, clock: Clock) -> ConfigRoom:
    """A folder with two small valid files, in force."""
    folder.mkdir(exist_ok=True)
    (folder / SETTINGS_FILE).write_bytes(GOOD_SETTINGS.encode())
    (folder / AUTOMATION_FILE).write_bytes(GOOD_AUTOMATION.encode())
    room = _listening(folder, clock)
    room.service.load()
    return room


def _listening(folder: Path, clock: Clock) -> ConfigRoom:
    room = ConfigRoom(folder, ConfigService(folder, clock))

    async def applied(news: Applied) -> None:
        room.applied.append(news)

    async def rejected(problems: tuple[Problem, ...]) -> None:
        room.rejected.append(problems)

    room.service.on_applied(applied)
    room.service.on_rejected(rejected)
    return room
