"""A sample of each kind of message, in the words that a real one would have: for trying out a notifier."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from graphitepager import messages, storms
from graphitepager.model import Event, EventKind, Message, SeriesKey
from graphitepager.rules import Entry, Level, Query
from graphitepager.thresholds import Operator, Threshold

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

ALERT = "graphite-pager test"
# From the first of them to the last.
LASTING = timedelta(hours=6)

_STORM = [f"test-{number}" for number in range(1, 26)]


def samples(now: datetime, graphite_url: str, runbook_base: str | None) -> Iterator[tuple[str, Message]]:
    """Yield each message with the name of its kind; every incident that a trigger opens is resolved at the end.

    `now` is when all of it begins: another time gives other incidents.
    """
    entry = Entry(
        query=Query("aliasByNode(servers.*.loadavg.01, 1)", "-1min", None),
        warning=Threshold(operator=Operator.AT_LEAST, bound=8),
        critical=Threshold(operator=Operator.AT_LEAST, bound=12),
        line=1,
        runbook_base=runbook_base,
        labels={"team": "example"},
    )
    storm = SeriesKey(ALERT, f"{storms.name_of(Level.CRITICAL)}×1")
    openings = {
        "warning": _opening("test-1", Level.WARNING, 8.25, entry, now),
        "critical": _opening("test-1", Level.CRITICAL, 12.6, entry, now),
        "no data": _opening("test-2", Level.NO_DATA, None, entry, now),
        "storm": replace(
            _opening("", Level.CRITICAL, None, entry, now), key=storm, size=len(_STORM), detail=storms.detail(_STORM)
        ),
    }
    critical = openings["critical"]
    events = [
        *openings.items(),
        ("repeat", replace(critical, kind=EventKind.REPEATED, at=now + timedelta(hours=4))),
        ("flapping", replace(critical, kind=EventKind.FLAPPING, at=now + timedelta(hours=5))),
        *((f"resolve of {name}", _ending(event)) for name, event in openings.items()),
    ]
    rendered = [(name, messages.render(event, graphite_url)) for name, event in events]
    digest = messages.digest([message for _, message in rendered if message.level is Level.WARNING])
    for name, message in [*rendered, ("digest", digest)]:
        yield name, replace(message, summary=f"TEST {message.summary}")


def _opening(series: str, level: Level, value: float | None, entry: Entry, now: datetime) -> Event:
    key = SeriesKey(ALERT, series)
    return Event(kind=EventKind.TRIGGERED, key=key, level=level, at=now, since=now, value=value, entry=entry)


def _ending(event: Event) -> Event:
    at = event.at + LASTING
    return replace(event, kind=EventKind.RESOLVED, at=at, value=1.5, reason="back to Nominal")
