"""The domain's values: alerts, series, readings, states, events, messages, deliveries.

Frozen data: no I/O, no clock. Every datetime is aware and in UTC. The words are those of docs/lifecycle.md.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Level(enum.Enum):
    """How a series is doing. The values are the words of alerts.yml and of the database."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    NO_DATA = "no_data"

    @property
    def label(self) -> str:
        """The word people read: Nominal, Warning, Critical, NO DATA."""
        return _LABELS[self]


_LABELS = {Level.OK: "Nominal", Level.WARNING: "Warning", Level.CRITICAL: "Critical", Level.NO_DATA: "NO DATA"}


class Operator(enum.Enum):
    """Which side of a bound is bad."""

    AT_LEAST = ">="
    AT_MOST = "<="


class NoDataPolicy(enum.Enum):
    """What it means when a series has had no datapoint for `no_data_for`."""

    ALERT = "alert"
    OK = "ok"
    KEEP = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A bound and the side of it that is bad."""

    operator: Operator
    bound: float

    def is_breached_by(self, value: float) -> bool:
        if self.operator is Operator.AT_LEAST:
            return value >= self.bound
        return value <= self.bound


class Query(NamedTuple):
    """What is asked of Graphite; entries with equal queries share one fetch a tick. Times are Graphite's own words."""

    target: str
    from_: str
    until: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of alerts.yml: a query, its thresholds and where it pages.

    `runbook_base` is the alert's doc_url or the file's docs_url. `pagerduty_key` is the entry's own key, if any.
    `line` is where the entry starts in its file, counted from 1.
    """

    query: Query
    warning: Threshold
    critical: Threshold
    line: int
    exclude: frozenset[str] = frozenset()
    no_data: NoDataPolicy = NoDataPolicy.ALERT
    no_data_for: timedelta = timedelta(minutes=3)
    page_on: frozenset[Level] = frozenset({Level.WARNING, Level.CRITICAL, Level.NO_DATA})
    runbook_base: str | None = None
    pagerduty_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """The entries that share a name, in file order; the first entry that returns a series owns it."""

    name: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that is not an alert, after environment and file are merged. Secrets stay out of repr."""

    graphite_url: str
    graphite_user: str | None = None
    graphite_pass: str | None = field(default=None, repr=False)
    graphite_connect_timeout_s: float = 3.0
    graphite_read_timeout_s: float = 10.0
    graphite_concurrency: int = 4
    heartbeat_s: float = 60.0
    database_url: str | None = field(default=None, repr=False)
    pagerduty_key: str | None = field(default=None, repr=False)
    pagerduty_keys: Mapping[Level, str] = field(default_factory=dict, repr=False)
    pagerduty_events_url: str = "https://events.pagerduty.com"
    stdout_enabled: bool = False
    verbose: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A whole configuration that can be run."""

    settings: Settings = field(repr=False)
    alerts: tuple[Alert, ...]


# Stands in a SeriesKey for all of an alert's series together. No series can have this name: Graphite's format ends a
# line there.
WHOLE_ALERT = "\n"


class SeriesKey(NamedTuple):
    """The identity of everything that is remembered: which alert, and which series of it (or WHOLE_ALERT)."""

    alert: str
    series: str


class Series(NamedTuple):
    """One line of Graphite's raw format. `points` is the undecoded text after the bar; times are epoch seconds."""

    name: str
    start: int
    end: int
    step: int
    points: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one evaluation says of one series, or of an alert as a whole.

    `value` is the last datapoint's; None where there is none. `covered_until` is the end of the newest interval that
    holds a datapoint (the window's start where none does); None when the answer did not hold the series at all.
    `entry` is the entry that owns the series (the first one, for a whole alert).
    """

    key: SeriesKey
    entry: Entry
    level: Level
    value: float | None = None
    covered_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesState:
    """What is remembered of a series between polls; a series without one is fine.

    `level` is that of its open incident (OK when none is open), `since` when that began, `value` what was judged last.
    `no_data_since` runs while nothing arrives; `no_data_open` says that an incident of its own is open for that.
    """

    key: SeriesKey
    level: Level = Level.OK
    since: datetime | None = None
    value: float | None = None
    no_data_since: datetime | None = None
    no_data_open: bool = False

    @property
    def is_quiet(self) -> bool:
        """Nothing is open and nothing is pending, so nothing needs remembering."""
        return self.level is Level.OK and self.no_data_since is None


class EventKind(enum.Enum):
    """A change worth telling. The values are stored, and are PagerDuty's event actions."""

    TRIGGERED = "trigger"
    RESOLVED = "resolve"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An incident of one series at one level begins or ends.

    `since` is when the incident began. `entry` is what alerts.yml says of the series now; None when it says nothing
    any more. `reason` says in words why an incident ended.
    """

    kind: EventKind
    key: SeriesKey
    level: Level
    at: datetime
    since: datetime
    value: float | None = None
    entry: Entry | None = None
    reason: str | None = None


class Link(NamedTuple):
    """A link shown with a message."""

    href: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """An event in words, as every notifier gets it: rendered once, stored, then sent from the stored row.

    `summary` is one line of at most 1024 characters. `details` holds JSON values only (no NaN, no datetime).
    """

    kind: EventKind
    level: Level
    dedup_key: str
    alert: str
    series: str
    summary: str
    at: datetime
    details: Mapping[str, str | float | None]
    links: tuple[Link, ...] = ()


class Route(NamedTuple):
    """Where a message goes: a notifier by its name, and that notifier's address (a routing key: a secret)."""

    notifier: str
    address: str

    def __repr__(self) -> str:
        return f"Route(notifier={self.notifier!r}, address=…)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message on its way to one route, as stored. `attempts` counts the failed ones so far."""

    id: int
    message: Message
    route: Route
    attempts: int
