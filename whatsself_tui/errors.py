"""The errors a person may meet, and the problems found in a file.

Every error says what is wrong and, where there is one, what to do about it. `exit_code` is the
contract of the command line: 1 failed, 2 usage or configuration, 3 needs a running robot,
4 the folder has another owner.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class WhatsSelfError(Exception):
    """Something failed in a way that can be told in a sentence."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message} {self.advice}".strip()


class UsageError(WhatsSelfError):
    """An argument that cannot be taken."""

    exit_code = 2


class RobotNotRunning(WhatsSelfError):
    """The command needs a running robot on this data folder."""

    exit_code = 3


class FolderOwned(WhatsSelfError):
    """Another process holds the data folder."""

    exit_code = 4


class NoAnswer(WhatsSelfError):
    """The robot took a command and has not answered in time; it is carried out once all the same."""


class DataError(WhatsSelfError):
    """The data folder or the database in it cannot be used."""


class CommandRefused(WhatsSelfError):
    """A well-formed command that cannot be carried out as things stand."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in one file, as a person needs it told."""

    file: str
    """Name of the file, without its folder."""
    line: int | None
    """Line in the file, counted from 1; None where there is none to point at."""
    field: str
    """Dotted name, such as `limits.per_minute` or `trigger[2].template`; may be empty."""
    message: str
    """What is wrong, what is allowed, and the nearest known name for a typo."""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.field}: {self.message}" if self.field else f"{place}: {self.message}"


class ConfigError(WhatsSelfError):
    """Files that cannot be used as a configuration; `problems` lists all that is wrong."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
