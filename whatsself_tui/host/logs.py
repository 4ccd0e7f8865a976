"""Log files: one JSON object a line, rotated by size, never in the way of the robot.

Who logs puts no message text in, and masks phone numbers with `phones.mask`.
"""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import queue
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import structlog

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class LogFiles:
    """The process's log, written by a thread of its own."""

    def __init__(self, folder: Path, level: str, max_mb: int, keep: int) -> None:
        # A full disk must not stop the robot, nor write tracebacks over its screen.
        logging.raiseExceptions = False
        self._logger = logging.getLogger("whatsself_tui")
        self._logger.propagate = False
        handler = logging.handlers.RotatingFileHandler(
            folder / "whatsself.jsonl", maxBytes=max_mb * 1_000_000, backupCount=keep, encoding="utf-8", delay=True
        )
        lines: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
        self._front = logging.handlers.QueueHandler(lines)
        self._listener = logging.handlers.QueueListener(lines, handler)
        self._back = handler
        self._logger.addHandler(self._front)
        self.set_level(level)
        _route_structlog()
        self._listener.start()

    def set_level(self, level: str) -> None:
        """`debug`, `info`, `warning` or `error`."""
        self._logger.setLevel(_LEVELS[level])

    def close(self) -> None:
        """Write what is queued and close the file."""
        self._logger.removeHandler(self._front)
        self._listener.stop()
        with contextlib.suppress(OSError):  # a full disk: what could not be written cannot be told either
            self._back.close()


def _route_structlog() -> None:
    import structlog

    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False, sort_keys=False),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


class Logger:
    """A component's logger: an event's name and its fields. structlog is loaded when it is first used."""

    def __init__(self, component: str) -> None:
        self._component = component
        self._bound: structlog.stdlib.BoundLogger | None = None

    def debug(self, event: str, **fields: object) -> None:
        """For whoever looks for a fault."""
        self._log.debug(event, **fields)

    def info(self, event: str, **fields: object) -> None:
        """What the robot does."""
        self._log.info(event, **fields)

    def warning(self, event: str, **fields: object) -> None:
        """Something to look at some time."""
        self._log.warning(event, **fields)

    def error(self, event: str, **fields: object) -> None:
        """Something that does not work."""
        self._log.error(event, **fields)

    def critical(self, event: str, **fields: object) -> None:
        """Something that ends the program."""
        self._log.critical(event, **fields)

    def exception(self, event: str, **fields: object) -> None:
        """An error just caught, with where it happened, in one line as everything else."""
        self._log.error(event, exc_info=True, **fields)

    @property
    def _log(self) -> structlog.stdlib.BoundLogger:
        if self._bound is None:
            import structlog

            self._bound = structlog.stdlib.get_logger("whatsself_tui", component=self._component)
        return self._bound


def logger(component: str) -> Logger:
    """A logger whose events carry the component's name."""
    return Logger(component)
