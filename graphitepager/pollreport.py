"""What a poll says in the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphitepager.errors import FetchError
from graphitepager.model import EventKind
from graphitepager.telemetry import log

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from graphitepager.checks import Evaluation
    from graphitepager.rawdata import RawAnswer
    from graphitepager.records import Change, PollRecord
    from graphitepager.rules import Alert, Query


def failures(errors: Iterable[FetchError]) -> None:
    """Log each reason once: when Graphite is down, a line for every target would bury it."""
    targets: dict[str, list[str]] = {}
    for error in errors:
        targets.setdefault(error.reason, []).append(error.target)
    for reason, concerned in targets.items():
        log.error("fetch_failed", reason=reason, target=concerned[0], targets=len(concerned))


def unreadable(alert: Alert, answers: Mapping[Query, RawAnswer | FetchError], evaluation: Evaluation) -> None:
    """Log what of the answers for an alert made no sense."""
    for query in (query for entry in alert.entries for query in entry.queries):
        answer = answers[query]
        if not isinstance(answer, FetchError) and answer.bad_lines:
            log.warning("lines_unreadable", alert=alert.name, lines=len(answer.bad_lines), first=answer.bad_lines[0])
    if evaluation.unreadable:
        first = min(evaluation.unreadable)
        log.warning("series_unreadable", alert=alert.name, series=len(evaluation.unreadable), first=first)


def recorded(record: PollRecord, cancelled: Iterable[Change]) -> None:
    """Log what a poll changed, and that it is recorded."""
    for change in record.changes:
        _changed(change)
    for change in cancelled:
        message = change.message
        log.warning("cancelled", alert=message.alert, series=message.series, incident=message.level.value)
    for miss in record.near_misses:
        alert, series = miss.key.words
        seconds = (miss.until - miss.since).total_seconds()
        log.info("near_miss", alert=alert, series=series, level=miss.level.value, seconds=seconds)
    log.info(
        "poll",
        series=record.series,
        failed=record.failed,
        changes=len(record.changes),
        seconds=(record.finished_at - record.started_at).total_seconds(),
    )


def _changed(change: Change) -> None:
    event = change.event
    fields = {
        "alert": change.message.alert,
        "series": change.message.series,
        "incident": event.level.value,
        "value": event.value,
        "reason": event.held_by or event.reason or event.detail,
    }
    match event.kind:
        case EventKind.TRIGGERED if event.held_by:
            log.warning("held_back", **fields)
        case EventKind.TRIGGERED:
            log.warning("triggered", **fields, routes=len(change.routes))
        case EventKind.RESOLVED:
            log.warning("resolved", **fields)
        case EventKind.REPEATED:
            log.warning("repeated", **fields)
        case EventKind.FLAPPING:
            log.warning("flapping", **fields)
