"""The two files of the configuration: their names, their defaults, and what is read from them.

Reading is pure: bytes in, values or problems out. Only `ensure_files` touches the disk.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path as FilePath
from typing import Generic, TypeVar

from pydantic import ValidationError

from whatsself_tui.automation.catalogue import read_catalogue
from whatsself_tui.automation.consent import folded_keywords, says
from whatsself_tui.automation.model import Catalogue
from whatsself_tui.config.explain import settings_problems
from whatsself_tui.config.schema import Settings
from whatsself_tui.config.toml_text import Document, Path, dotted, parse
from whatsself_tui.errors import ConfigError, DataError, Problem
from whatsself_tui.host.atomic import write_atomic

SETTINGS_FILE = "settings.toml"
AUTOMATION_FILE = "automation.toml"
FILES = (SETTINGS_FILE, AUTOMATION_FILE)

#: More than a person repairs in one go; a file that is something else entirely has thousands.
MAX_PROBLEMS = 50

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Loaded(Generic[T]):
    """What a file says, or everything that is wrong with it."""

    value: T | None
    """None if there are problems."""
    problems: tuple[Problem, ...] = ()
    """In the order of their lines, at most MAX_PROBLEMS of each file and a last one that says so."""
    warnings: tuple[Problem, ...] = ()
    """What is doubtful in a valid file, as `problems` are."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Both files, valid by themselves and together."""

    settings: Settings
    catalogue: Catalogue


def read_settings(content: bytes, file: str = SETTINGS_FILE) -> Loaded[Settings]:
    """The settings in a file's `content`; what it does not mention has its default."""
    try:
        document = parse(content, file)
    except ConfigError as error:
        return Loaded(None, error.problems)
    return _settings(document, file)


def read_automation(content: bytes, file: str = AUTOMATION_FILE) -> Loaded[Catalogue]:
    """The templates, triggers and flows in a file's `content`."""
    try:
        document = parse(content, file)
    except ConfigError as error:
        return Loaded(None, error.problems)
    return _automation(document, file)


def read_rules(settings: bytes, automation: bytes) -> Loaded[Rules]:
    """Both files as one: each by itself, and what one says against the other."""
    read = read_settings(settings)
    try:
        document = parse(automation, AUTOMATION_FILE)
    except ConfigError as error:
        return Loaded(None, read.problems + error.problems)
    shadowed = () if read.value is None else _shadowed_phrases(document, read.value)
    catalogue = _automation(document, AUTOMATION_FILE, shadowed)
    if read.value is None or catalogue.value is None:
        return Loaded(None, read.problems + catalogue.problems)
    return Loaded(Rules(read.value, catalogue.value), warnings=catalogue.warnings)


def ensure_files(folder: FilePath) -> tuple[str, ...]:
    """Write the commented default of every file that is missing from `folder`; the names of those written.

    Makes the folder if need be, and never overwrites. Raises DataError.
    """
    missing = tuple(name for name in FILES if not os.path.lexists(folder / name))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in missing:
            write_atomic(folder / name, default_content(name))
    except OSError as error:
        raise DataError(f"The configuration cannot be written into {folder}: {error.strerror}.") from error
    return missing


def default_content(name: str) -> bytes:
    """The commented file of that name which a new data folder gets."""
    return resources.files("whatsself_tui.config").joinpath("defaults", name).read_bytes()


def _settings(document: Document, file: str) -> Loaded[Settings]:
    try:
        return Loaded(Settings.model_validate(document.data))
    except ValidationError as error:
        return Loaded(None, _capped(settings_problems(error, document, file)))


def _automation(document: Document, file: str, more: Iterable[Problem] = ()) -> Loaded[Catalogue]:
    """The catalogue, unless something is wrong with it or there are `more` problems."""
    catalogue, findings = read_catalogue(document.data)
    told = [Problem(file, document.line_of(found.path), dotted(found.path), found.message) for found in findings]
    wrong = list(more) if catalogue is not None else [*told, *more]
    if wrong:
        return Loaded(None, _in_order(wrong))
    return Loaded(catalogue, warnings=_in_order(told))


def _in_order(problems: list[Problem]) -> tuple[Problem, ...]:
    return _capped(iter(sorted(problems, key=lambda problem: problem.line or 0)))


def _shadowed_phrases(document: Document, settings: Settings) -> Iterator[Problem]:
    """Awaited answers that are opt-out keywords: consent comes first, so they would never be taken."""
    keywords = folded_keywords(settings.consent.opt_out)
    for path, phrase in _whole_answers(document.data):
        if says(phrase, keywords):
            message = f"it can never answer: it is an opt-out keyword (consent.opt_out in {SETTINGS_FILE})"
            yield Problem(AUTOMATION_FILE, document.line_of(path), dotted(path), message)


def _whole_answers(data: dict[str, object]) -> Iterator[tuple[Path, str]]:
    """Every whole message that active triggers and questions wait for, and its place; what is no table is skipped."""
    for path, trigger in _tables(("trigger",), data.get("trigger")):
        if trigger.get("active", True) is True:
            yield from _texts((*path, "equals"), trigger.get("equals"))
    for path, flow in _tables(("flow",), data.get("flow")):
        for place, step in _tables((*path, "step"), flow.get("step")):
            answers = step.get("answers")
            if isinstance(answers, dict):
                yield from (((*place, "answers", answer), answer) for answer in answers)
            yield from _texts((*place, "options"), step.get("options"))


def _tables(path: Path, value: object) -> Iterator[tuple[Path, dict[str, object]]]:
    for index, table in enumerate(value if isinstance(value, list) else ()):
        if isinstance(table, dict):
            yield (*path, index), table


def _texts(path: Path, value: object) -> Iterator[tuple[Path, str]]:
    """The texts of a key that takes one or a list."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        yield from (((*path, index), text) for index, text in enumerate(value) if isinstance(text, str))


def _capped(problems: Iterator[Problem]) -> tuple[Problem, ...]:
    """At most MAX_PROBLEMS, and a last one that tells of more."""
    told: list[Problem] = []
    for problem in problems:
        if len(told) == MAX_PROBLEMS:
            told.append(Problem(problem.file, None, "", f"and more; only the first {MAX_PROBLEMS} are told"))
            break
        told.append(problem)
    return tuple(told)
