"""Log files: one JSON object a line, rotated by size, never in the way of the robot.

Who logs puts no message text in, and masks phone numbers with `phones.mask`.
"""

from __future__ import annotations

import logging
import logging.handlers
import queue
from pathlib import Path

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
        self._back.close()


def _route_structlog() -> None:
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


def logger(component: str) -> structlog.stdlib.BoundLogger:
    """A logger whose events carry the component's name."""
    log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("whatsself_tui", component=component)
    return log
