"""The change feed: tells attached consoles, in other processes, what there is to read.

`run/changed` holds how often each topic has changed since the owner started. It is written in
place, so a reader may see it torn: whoever cannot read it takes everything for changed.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter

from whatsself_tui.host.data_folder import DataFolder
from whatsself_tui.host.logs import logger
from whatsself_tui.host.ownership import is_locked
from whatsself_tui.store.topics import Topic

log = logger("feed")

#: At most five touches a second, the first at once.
INTERVAL_S = 0.2


class ChangeFeed:
    """Writes `run/changed` after commits, as long as a console is attached."""

    def __init__(self, folder: DataFolder, started_ms: int) -> None:
        self._folder = folder
        self._started_ms = started_ms
        self._counts: Counter[Topic] = Counter()
        self._timer: asyncio.TimerHandle | None = None
        self._again = False

    def changed(self, topics: frozenset[Topic]) -> None:
        """Something was committed."""
        self._counts.update(topics)
        if self._timer is not None:
            self._again = True
        elif self._anybody_attached():
            self._write()
            self._timer = asyncio.get_running_loop().call_later(INTERVAL_S, self._rested)

    def close(self) -> None:
        """Tell what has not been told yet, and stop."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            if self._again:
                self._write()

    def forget_the_dead(self) -> None:
        """Delete the files of consoles whose process is gone."""
        for entry in self._folder.consoles.iterdir():
            if not is_locked(entry):
                entry.unlink(missing_ok=True)

    def _rested(self) -> None:
        self._timer = None
        if self._again:
            self._again = False
            self.changed(frozenset())

    def _anybody_attached(self) -> bool:
        try:
            with os.scandir(self._folder.consoles) as entries:
                return any(True for _ in entries)
        except OSError as error:
            log.warning("consoles cannot be listed", error=str(error))
            return False

    def _write(self) -> None:
        content = json.dumps({"owner": self._started_ms, **self._counts})
        try:
            self._folder.changed.write_text(content, encoding="ascii")
        except OSError as error:
            log.warning("change feed not written", error=str(error))


def read_feed(folder: DataFolder) -> dict[str, int] | None:
    """What the owner last wrote: counts by topic, and `owner` for the run they belong to; None if unreadable."""
    try:
        content = json.loads(folder.changed.read_bytes())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def topics_between(before: dict[str, int] | None, after: dict[str, int] | None) -> frozenset[Topic]:
    """The topics that changed from one reading of the feed to the next; all of them when in doubt."""
    if before == after:
        return frozenset()
    if before is None or after is None or before.get("owner") != after.get("owner"):
        return frozenset(Topic)
    return frozenset(topic for topic in Topic if before.get(topic) != after.get(topic))
