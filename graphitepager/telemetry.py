"""Logs in logfmt on standard output: an event's name and its keys, and never a secret."""

from __future__ import annotations

import atexit
import json
import logging
import re
import sys
from typing import TYPE_CHECKING, Any, TextIO
from urllib.parse import quote, quote_plus

import structlog

from graphitepager.logwriter import Writer
from graphitepager.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from structlog.typing import EventDict, WrappedLogger

# Heroku splits longer lines; nobody reads them either.
_VALUE_LIMIT = 1000
_MASK = "***"
LINES_DROPPED = "log_lines_dropped"  # the event that the log tells of itself
_SHORTEST_SECRET = 4  # masking every "a" in the log because a password is "a" would hide the log, not the password
# Not those of our own examples.
_CREDENTIALS = re.compile(r"(?<=://)(?!user:password@)[^\s/?#]+(?=@)")
_LAST_LINES_S = 0.2

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()

_secrets: tuple[str, ...] = ()  # in all their forms, the longest first
_writer: Writer | None = None


def configure(
    *, verbose: bool = False, quiet: bool = False, timestamps: bool = True, stream: TextIO | None = None
) -> None:
    """Send every log line to `stream` (standard output); `quiet` leaves out what is no warning.

    Call it again when the configuration has changed. What libraries log at WARNING and above goes the same way; at
    lower levels they say too much.
    """
    processors: list[structlog.typing.Processor] = [structlog.processors.add_log_level]
    if timestamps:
        processors.append(structlog.processors.TimeStamper(fmt="%Y-%m-%dT%H:%M:%SZ", utc=True, key="at"))
    processors += [
        _clean_values,
        structlog.processors.LogfmtRenderer(key_order=["at", "level", "event"], drop_missing=True),
        _scrub_line,
    ]

    def dropped_line(count: int) -> str:
        line: Any = {"event": LINES_DROPPED, "count": count}
        for process in processors:
            line = process(None, "warning", line)
        return str(line)

    writer = _writer_to(stream or sys.stdout)
    writer.dropped_line = dropped_line
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.WARNING if quiet else logging.DEBUG if verbose else logging.INFO
        ),
        logger_factory=lambda *_: writer,
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_ToOurLog()], level=logging.WARNING, force=True)


def keep_secret(secrets: Iterable[str]) -> None:
    """Have these, in whatever form, masked from now on; those named before stay masked."""
    global _secrets  # noqa: PLW0603 - there is one log in a process, as there is one standard output
    forms = {form for secret in secrets if len(secret) >= _SHORTEST_SECRET for form in _forms(secret)}
    _secrets = tuple(sorted(forms.union(_secrets), key=len, reverse=True))


def flush(timeout_s: float) -> bool:
    """Wait until all that was logged is written, but not longer than this; tell whether it is."""
    return _writer is None or _writer.flush(timeout_s)


def scrub(text: str) -> str:
    """Take out every secret that `keep_secret` was ever told, and what stands before the @ of a URL."""
    for secret in _secrets:
        text = text.replace(secret, _MASK)
    return _CREDENTIALS.sub(_MASK, text)


def _writer_to(stream: TextIO | None) -> Writer:
    """The writer of this stream: after a reload still the same one."""
    global _writer  # noqa: PLW0603 - as in configure()
    if _writer is None or _writer.stream is not stream:
        if _writer is not None:
            _writer.close()
        _writer = Writer(stream)
    return _writer


class _ToOurLog(logging.Handler):
    """Hands a library's own log record to our log, without its traceback."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except Exception:  # noqa: BLE001 - a library's broken format string, or what it shows, must not break us
            text = str(record.msg)
        log.warning("library", logger=record.name, message=text)


def _forms(secret: str) -> Iterator[str]:
    """How a secret may look in somebody's message: as it is, in a URL, in a form, in Python, in JSON, in our log."""
    yield secret
    yield quote(secret, errors="replace")
    yield quote(secret, safe="", errors="replace")
    yield quote_plus(secret, errors="replace")
    yield repr(secret)[1:-1]
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield printable(secret)


def _clean_values(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {key: _clean(value) for key, value in event.items() if value is not None}


def _clean(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, bool | int):
        return value
    try:
        text = str(value)
    except Exception:  # noqa: BLE001 - a line must not cost more than itself
        text = f"({type(value).__name__})"
    # Masked before it is cut: half a secret would not be known for one. Cut before it is escaped: that takes time.
    text = printable(scrub(text)[: _VALUE_LIMIT + 1])
    return text if len(text) <= _VALUE_LIMIT else text[:_VALUE_LIMIT] + "…"


def _scrub_line(_logger: WrappedLogger, _method: str, line: Any) -> Any:
    """Once more: a secret may be a number, or come together only here."""
    return scrub(line)


atexit.register(flush, _LAST_LINES_S)
