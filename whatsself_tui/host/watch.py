"""Folders watched for changes, without waking an idle event loop.

An event only says "look again": files may still be half-written, several changes come as one, and
none is promised on network drives (where WATCHFILES_FORCE_POLLING=1 makes `watchfiles` poll) or for a
file outside the folder that a link in it points to. Who must not miss anything also looks at times by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path

from watchfiles import Change, awatch

from whatsself_tui.errors import DataError
from whatsself_tui.host.atomic import is_temporary

#: How often the native thread looks at what the system has reported, in milliseconds. A change is told
#: at its second look, so after one to two steps: measured 80 to 147 ms with 75, 108 to 195 with 100.
#: Each look costs about 75 µs of CPU on a small virtual machine (two thirds of it waking up at all):
#: 0.16 % with 50, 0.11 % with 70, 0.07 % with 100, 0.038 % with 200. 70 is the cheapest that
#: still notices a command file within 150 ms.
STEP_MS = 70

#: The event loop is woken this often although nothing changed, so that the native thread of a loop that
#: died without closing its generators ends some day; any shorter time only costs wake-ups.
_IDLE_WAKE_MS = 600_000


async def watch_folders(
    folders: Sequence[Path], stop: asyncio.Event, *, step_ms: int = STEP_MS
) -> AsyncGenerator[frozenset[Path], None]:
    """Yield what changed in `folders` (not in folders below them) until `stop` is set.

    The first item comes at once, when the watch stands, and is the folders themselves: who looks
    through them then misses nothing. They come again when changes may have been lost, because a folder was
    replaced by another of its name or the system's notification failed. All other items are the
    changed, new and removed entries, as `folder / name`, without the temporary files of `write_atomic`.
    `stop` is only read; cancelling takes effect at once, `stop` within one step.

    Raises DataError if a folder does not exist, or no longer does: who owns it decides whether to
    make it again.
    """
    while not stop.is_set():
        async with aclosing(_watch_until_lost(folders, stop, step_ms)) as changes:
            async for changed in changes:
                yield changed


class _WatchLost(Exception):
    """The system's notification failed after it had been set up."""


class _Stop:
    """What `awatch` may set when it is cancelled, without setting the caller's event."""

    def __init__(self, event: asyncio.Event) -> None:
        self._event = event
        self._cancelled = False

    def is_set(self) -> bool:
        return self._cancelled or self._event.is_set()

    def set(self) -> None:
        self._cancelled = True


async def _watch_until_lost(
    folders: Sequence[Path], stop: asyncio.Event, step_ms: int
) -> AsyncGenerator[frozenset[Path], None]:
    """`watch_folders` up to the moment when the watch must be made anew."""
    # The system reports real paths (no links, no Windows short names); the caller knows his own.
    known_as = {folder.resolve(): folder for folder in folders}
    identities = _identities(known_as)
    batches = awatch(
        *known_as,
        watch_filter=lambda _, path: not is_temporary(Path(path).name),
        debounce=step_ms,
        step=step_ms,
        stop_event=_Stop(stop),
        rust_timeout=_IDLE_WAKE_MS,
        recursive=False,
    )
    async with aclosing(batches):
        waiting = asyncio.ensure_future(_next(batches))
        try:
            await asyncio.sleep(0)  # `awatch` sets its watch up before it first waits
            yield frozenset(folders)
            while (batch := await waiting) is not None:
                waiting = asyncio.ensure_future(_next(batches))
                if any(path in known_as for path in batch) and _identities(known_as) != identities:
                    return
                if changed := _renamed(batch, known_as):
                    yield changed
        except _WatchLost:
            # For one, a name that is no text: the system's report is dropped, with what came along.
            return
        finally:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)


async def _next(batches: AsyncGenerator[set[tuple[Change, str]], None]) -> frozenset[Path] | None:
    """The paths of the next batch of changes; None at the end.

    Raises DataError if the watch cannot be set up, _WatchLost if it failed later.
    """
    try:
        batch = await anext(batches, None)
    except OSError as error:
        raise DataError(f"A folder cannot be watched for changes: {error}.") from error
    except ExceptionGroup as group:
        raise _WatchLost from group  # only `awatch`'s waiting runs in a task group
    return None if batch is None else frozenset(Path(path) for _, path in batch)


def _identities(folders: Mapping[Path, Path]) -> list[tuple[int, int]]:
    """What tells a folder from another one of the same name; raises DataError if one is out of reach."""
    found = []
    for folder in folders:
        try:
            status = folder.stat()
        except OSError as error:
            raise DataError(f"The folder {folders[folder]} cannot be watched: {error.strerror}.") from error
        found.append((status.st_dev, status.st_ino))
    return found


def _renamed(batch: frozenset[Path], known_as: Mapping[Path, Path]) -> frozenset[Path]:
    """The paths as the caller knows them, without the folders themselves."""
    return frozenset(
        known_as[path.parent] / path.name if path.parent in known_as else path for path in batch if path not in known_as
    )
