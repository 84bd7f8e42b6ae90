"""Small examples of the domain's values, for tests that care about one thing in them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from graphitepager.model import Alert, Entry, Level, Operator, Query, Reading, SeriesKey, Settings, Threshold

NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
KEY = SeriesKey("MongoDB lock", "db1")

PAGERDUTY_KEY = "0123456789abcdef0123456789abcdef"
GRAPHITE_URL = "https://graphite.example.com"


def entry(target: str = "servers.*.lock", *, warning: float = 50, critical: float = 70, **other: Any) -> Entry:
    """An entry for which high values are bad, unless warning is above critical; `clear` as in alerts.yml."""
    operator = Operator.AT_MOST if warning > critical else Operator.AT_LEAST
    clear = other.pop("clear", {})
    return Entry(
        query=other.pop("query", Query(target, "-1min", None)),
        warning=Threshold(operator=operator, bound=warning, clear=clear.get("warning")),
        critical=Threshold(operator=operator, bound=critical, clear=clear.get("critical")),
        line=1,
        **other,
    )


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
