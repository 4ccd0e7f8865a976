"""The data folder: where it is, and every path in it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from whatsself_tui.errors import DataError

ENVIRONMENT = "WHATSSELF_DATA"


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Paths of one robot's data."""

    root: Path

    @property
    def database(self) -> Path:
        """The one truth."""
        return self.root / "whatsself.db"

    @property
    def config(self) -> Path:
        """`settings.toml` and `automation.toml`."""
        return self.root / "config"

    @property
    def settings_file(self) -> Path:
        """The settings a person edits."""
        return self.config / "settings.toml"

    @property
    def simulator(self) -> Path:
        """What the simulated phone received."""
        return self.root / "simulator"

    @property
    def session(self) -> Path:
        """The browser profile that holds the login."""
        return self.root / "whatsapp_session"

    @property
    def bridge(self) -> Path:
        """The page library that speaks to WhatsApp Web (wa-js)."""
        return self.root / "bridge"

    @property
    def outgoing(self) -> Path:
        """Copies of files that are queued to be sent."""
        return self.root / "media" / "outgoing"

    @property
    def downloads(self) -> Path:
        """Media of contacts that somebody has asked for."""
        return self.root / "media" / "received"

    @property
    def backups(self) -> Path:
        """One archive for each backup."""
        return self.root / "backups"

    @property
    def damaged(self) -> Path:
        """Databases that were found damaged; nothing is ever deleted there."""
        return self.root / "damaged"

    @property
    def replaced(self) -> Path:
        """What a restored backup has taken the place of; nothing is ever deleted there."""
        return self.root / "replaced"

    @property
    def restoring(self) -> Path:
        """A backup that is being put in place; gone when that is done."""
        return self.root / "restoring"

    @property
    def logs(self) -> Path:
        """Log files."""
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """State of the running robot."""
        return self.root / "run"

    @property
    def lock(self) -> Path:
        """Locked by the owner; the lock dies with its process."""
        return self.run / "owner.lock"

    @property
    def owner(self) -> Path:
        """Who the owner is; believed only while the lock is held."""
        return self.run / "owner.json"

    @property
    def changed(self) -> Path:
        """Touched by the owner when attached consoles have something to read."""
        return self.run / "changed"

    @property
    def began(self) -> Path:
        """There once a robot has had a database here: from then on a missing one is a loss, not a beginning."""
        return self.run / "began"

    @property
    def suspect(self) -> Path:
        """There from the moment damage was met in the database until somebody has looked closer."""
        return self.run / "suspect"

    @property
    def trouble(self) -> Path:
        """Why the database takes nothing at present; there only as long as that lasts."""
        return self.run / "trouble"

    @property
    def whatsapp(self) -> Path:
        """What there is to tell of WhatsApp's page right now; its owner's alone, for it holds pairing codes."""
        return self.run / "whatsapp.json"

    @property
    def browser_log(self) -> Path:
        """What the browser's driver says of itself."""
        return self.logs / "browser.log"

    @property
    def commands(self) -> Path:
        """Commands for the owner."""
        return self.run / "commands"

    @property
    def results(self) -> Path:
        """What became of them."""
        return self.run / "results"

    @property
    def rejected(self) -> Path:
        """Command files that could not be taken, for a person to look at."""
        return self.run / "rejected"

    @property
    def consoles(self) -> Path:
        """One locked file for each attached console."""
        return self.run / "consoles"

    def create(self) -> None:
        """Make what is missing. Raises DataError if the folder cannot be used."""
        try:
            for folder in (self.config, self.commands, self.results, self.rejected, self.consoles, self.simulator):
                folder.mkdir(parents=True, exist_ok=True)
            for folder in (self.logs, self.backups):
                folder.mkdir(exist_ok=True)
            probe = self.run / f".probe-{os.getpid()}"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise DataError(
                f"The data folder {self.root} cannot be used: {error.strerror or error}.",
                f"Check its permissions and the disk, or name another with --data-dir or {ENVIRONMENT}.",
            ) from error

    def require(self) -> None:
        """Raises DataError if there is no data here to read."""
        if not self.database.is_file():
            raise DataError(
                f"There is no robot's data in {self.root}.",
                "Start the console or `run --headless` once, or name the folder with --data-dir.",
            )


def locate(argument: str | None) -> DataFolder:
    """`--data-dir`, else WHATSSELF_DATA, else ./data of a checkout, else the platform's place."""
    named = argument or os.environ.get(ENVIRONMENT)
    if named:
        return DataFolder(Path(named).expanduser().absolute())
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "pyproject.toml").is_file() and (checkout / "start.py").is_file():
        return DataFolder(checkout / "data")
    return DataFolder(Path(platformdirs.user_data_dir("whatsself", appauthor=False, roaming=False)))
