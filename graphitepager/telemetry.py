"""Logs in logfmt on standard output: an event's name and its keys, and never a secret."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, TextIO

import structlog

if TYPE_CHECKING:
    from collections.abc import Iterable

    from structlog.typing import EventDict, WrappedLogger

# Heroku splits longer lines; nobody reads them either.
_VALUE_LIMIT = 1000
_MASK = "***"
_SHORTEST_SECRET = 4  # masking every "a" in the log because a password is "a" would hide the log, not the password

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


def configure(
    *, secrets: Iterable[str] = (), verbose: bool = False, timestamps: bool = True, stream: TextIO | None = None
) -> None:
    """Send every log line to `stream` (standard output), `secrets` masked; again when the secrets have changed.

    What libraries log at WARNING and above goes the same way; at lower levels they say too much.
    """
    scrub: Any = _Scrubber(secrets)  # takes the finished line, which structlog's own type does not foresee
    processors: list[structlog.typing.Processor] = [structlog.processors.add_log_level]
    if timestamps:
        processors.append(structlog.processors.TimeStamper(fmt="%Y-%m-%dT%H:%M:%SZ", utc=True, key="at"))
    processors += [
        _bound_values,
        structlog.processors.LogfmtRenderer(key_order=["at", "level", "event"], drop_missing=True),
        scrub,
    ]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if verbose else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stdout),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_ToOurLog()], level=logging.WARNING, force=True)


class _Scrubber:
    """Takes every known secret out of a finished line, wherever it came from."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = sorted({one for one in secrets if len(one) >= _SHORTEST_SECRET}, key=len, reverse=True)

    def __call__(self, _logger: WrappedLogger, _method: str, line: str) -> str:
        for secret in self._secrets:
            line = line.replace(secret, _MASK)
        return line


class _ToOurLog(logging.Handler):
    """Hands a library's own log record to our log, without its traceback."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except (TypeError, ValueError):  # a library's broken format string must not break us
            text = str(record.msg)
        log.warning("library", logger=record.name, message=text)


def _bound_values(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {key: _bounded(value) for key, value in event.items() if value is not None}


def _bounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, bool | int):
        return value
    text = str(value)
    return text if len(text) <= _VALUE_LIMIT else text[:_VALUE_LIMIT] + "…"
