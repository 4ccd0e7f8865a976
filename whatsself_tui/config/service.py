"""The configuration in force, and how an edited file comes into force without a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

from whatsself_tui.automation.model import Catalogue
from whatsself_tui.automation.rulebook import RuleBook
from whatsself_tui.clock import Clock
from whatsself_tui.config.changes import FieldChange, rule_changes
from whatsself_tui.config.files import Rules
from whatsself_tui.config.folder import (
    LAST_GOOD_FOLDER,
    Snapshot,
    evaluate,
    keep_last_good,
    rested_snapshot,
    take_snapshot,
)
from whatsself_tui.config.rules import rule_book
from whatsself_tui.config.schema import Settings
from whatsself_tui.errors import ConfigError, Problem

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the robot goes by; replaced as a whole, never changed."""

    settings: Settings
    catalogue: Catalogue
    revision: int
    """1 after the start, one more with every change."""
    warnings: tuple[Problem, ...]
    """What is doubtful in the files."""
    rule_book: RuleBook = field(compare=False, repr=False)
    """The rules for messages that both files make."""


@dataclass(frozen=True, slots=True)
class Applied:
    """The files are in force as they are."""

    configuration: Configuration
    changes: tuple[FieldChange, ...]
    """Empty if only comments changed, or if a rejected file was put back as it had been."""
    who: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """What a look at the files came to."""

    result: Literal["unchanged", "applied", "rejected"]
    """`unchanged`: the files are what they were at the last look, or what is in force."""
    changes: tuple[FieldChange, ...] = ()
    problems: tuple[Problem, ...] = ()


class ConfigService:
    """Holds the configuration of one folder and applies its valid edits.

    The files are validated as a whole, both together. Files with problems change nothing: what was in
    force stays. What is in force is also kept in `last-good/`, for a start that finds invalid files.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._lock = asyncio.Lock()
        self._current: Configuration | None = None
        self._problems: tuple[Problem, ...] = ()
        self._applied_digest: str | None = None
        self._rejected_digest: str | None = None
        self._on_applied: list[Callable[[Applied], Awaitable[None]]] = []
        self._on_rejected: list[Callable[[tuple[Problem, ...]], Awaitable[None]]] = []

    @property
    def current(self) -> Configuration:
        """The configuration in force; `load` has to come first."""
        if self._current is None:
            raise RuntimeError("the configuration has not been loaded")
        return self._current

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the files now; empty when they are in force."""
        return self._problems

    def on_applied(self, callback: Callable[[Applied], Awaitable[None]]) -> None:
        """Call `callback` whenever the files come into force, or `problems` are settled without a change.

        The listeners are awaited one after another, inside the check: none may call `check` itself.
        """
        self._on_applied.append(callback)

    def on_rejected(self, callback: Callable[[tuple[Problem, ...]], Awaitable[None]]) -> None:
        """Call `callback` whenever there are other `problems` than before."""
        self._on_rejected.append(callback)

    def load(self) -> Applied:
        """Put the files in force, or the last good copies if the files have problems. Blocks.

        The changes are those made since the last run. No listener is called. Raises ConfigError with
        all problems if there are no valid copies either.
        """
        snapshot = take_snapshot(self._folder)
        loaded = evaluate(snapshot)
        last_good = take_snapshot(self._folder / LAST_GOOD_FOLDER)
        loaded_before = evaluate(last_good)
        before = loaded_before.value
        if loaded.value is not None:
            rules, warnings, self._applied_digest = loaded.value, loaded.warnings, snapshot.digest
            self._problems = keep_last_good(self._folder, snapshot)
        elif before is not None:
            rules, warnings, self._applied_digest = before, loaded_before.warnings, last_good.digest
            self._problems, self._rejected_digest = loaded.problems, snapshot.digest
        else:
            raise ConfigError(loaded.problems)
        changes = rule_changes(before, rules) if before is not None else ()
        self._current = _configuration(rules, 1, warnings)
        return Applied(self._current, changes, "file edit while stopped", self._clock.now_ms())

    async def check(self, who: str = "file edit") -> CheckOutcome:
        """Look at the files and apply or reject what they say; returns after all listeners have.

        Cheap when nothing changed; otherwise it waits until the files rest. Overlapping calls take
        turns. If listeners fail, all are called nevertheless, the configuration is in force, and an
        ExceptionGroup is raised.
        """
        async with self._lock:
            known = (self._applied_digest, self._rejected_digest)
            snapshot = await rested_snapshot(self._folder, self._clock, known)
            if snapshot.digest == self._applied_digest:
                return await self._settle(snapshot, who)
            if snapshot.digest == self._rejected_digest:
                return CheckOutcome("unchanged", problems=self._problems)
            loaded = await asyncio.to_thread(evaluate, snapshot)
            if loaded.value is not None:
                return await self._apply(snapshot, loaded.value, loaded.warnings, who)
            self._rejected_digest = snapshot.digest
            await self._tell_problems(loaded.problems)
            return CheckOutcome("rejected", problems=loaded.problems)

    async def _apply(self, snapshot: Snapshot, rules: Rules, warnings: tuple[Problem, ...], who: str) -> CheckOutcome:
        kept = await asyncio.to_thread(keep_last_good, self._folder, snapshot)
        current = self.current
        changes = rule_changes(Rules(current.settings, current.catalogue), rules)
        revision = current.revision + bool(changes)
        self._current = await asyncio.to_thread(_configuration, rules, revision, warnings)
        self._applied_digest, self._rejected_digest = snapshot.digest, None
        self._problems = ()
        await self._tell_applied(changes, who)
        await self._tell_problems(kept)
        return CheckOutcome("applied", changes, kept)

    async def _settle(self, snapshot: Snapshot, who: str) -> CheckOutcome:
        """The files are what is in force: nothing is wrong with them any more."""
        self._rejected_digest = None
        kept = await asyncio.to_thread(keep_last_good, self._folder, snapshot)
        if self._problems and not kept:
            self._problems = ()
            await self._tell_applied((), who)
        await self._tell_problems(kept)
        return CheckOutcome("unchanged", problems=kept)

    async def _tell_applied(self, changes: tuple[FieldChange, ...], who: str) -> None:
        await _call_all(self._on_applied, Applied(self.current, changes, who, self._clock.now_ms()))

    async def _tell_problems(self, problems: tuple[Problem, ...]) -> None:
        if problems and problems != self._problems:
            self._problems = problems
            await _call_all(self._on_rejected, problems)


def _configuration(rules: Rules, revision: int, warnings: tuple[Problem, ...]) -> Configuration:
    book = rule_book(rules.settings, rules.catalogue)
    return Configuration(rules.settings, rules.catalogue, revision, warnings, book)


async def _call_all(callbacks: list[Callable[[T], Awaitable[None]]], news: T) -> None:
    """Await every callback, then raise what any of them raised."""
    failures: list[Exception] = []
    for callback in tuple(callbacks):
        try:
            await callback(news)
        except Exception as error:  # one that fails must not keep the news from the others
            failures.append(error)
    if failures:
        raise ExceptionGroup("listeners of the configuration failed", failures)
