"""Small examples of the domain's values, for tests that care about one thing in them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from graphitepager.model import Reading, SeriesKey
from graphitepager.rules import Alert, Entry, Level, Query, Settings
from graphitepager.thresholds import Operator, Threshold

NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
KEY = SeriesKey("MongoDB lock", "db1")

PAGERDUTY_KEY = "0123456789abcdef0123456789abcdef"
GRAPHITE_URL = "https://graphite.example.com"


def entry(
    target: str = "servers.*.lock", *, warning: float | None = 50, critical: float | None = 70, **other: Any
) -> Entry:
    """An entry for which high values are bad, unless warning is above critical; `clear` as in alerts.yml."""
    is_low_bad = warning is not None and critical is not None and warning > critical
    operator = Operator.AT_MOST if is_low_bad else Operator.AT_LEAST
    clear = other.pop("clear", {})

    def threshold(level: str, bound: float | None) -> Threshold | None:
        return None if bound is None else Threshold(operator=operator, bound=bound, clear=clear.get(level))

    return Entry(
        query=other.pop("query", Query(target, "-1min", None)),
        warning=threshold("warning", warning),
        critical=threshold("critical", critical),
        line=1,
        **other,
    )


def bound_of(threshold: Threshold | None) -> float:
    """The bound of a threshold that there is."""
    assert threshold is not None
    return threshold.bound


def alert(*entries: Entry, name: str = KEY.alert, **other: Any) -> Alert:
    return Alert(name=name, entries=entries or (entry(),), **other)


def reading(level: Level, value: float | None = None, *, of: Entry | None = None, **other: Any) -> Reading:
    """A fresh reading of db1, with a value that suits its level."""
    typical = {Level.OK: 12.5, Level.WARNING: 52.5, Level.CRITICAL: 82.4, Level.NO_DATA: None}
    return Reading(
        key=other.pop("key", KEY),
        entry=of or entry(),
        level=level,
        value=typical[level] if value is None else value,
        covered_until=other.pop("covered_until", None if level is Level.NO_DATA else NOON),
    )


def settings(**other: Any) -> Settings:
    return Settings(graphite_url=GRAPHITE_URL, **other)
