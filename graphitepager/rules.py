"""What alerts.yml and the environment ask for: alerts with their entries, and the settings beside them.

Frozen data: no I/O, no clock.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import TYPE_CHECKING, NamedTuple

from graphitepager.selection import NO_NAMES
from graphitepager.websettings import WebSettings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

    from graphitepager.selection import Names
    from graphitepager.thresholds import Threshold


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


class Severity(enum.Enum):
    """How bad PagerDuty takes an incident to be. The values are its own words."""

    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class NoDataPolicy(enum.Enum):
    """What it means when a series has had no datapoint for `no_data_for`."""

    ALERT = "alert"
    OK = "ok"
    KEEP = "keep"


class OnVanish(enum.Enum):
    """What it means when a series is gone from an answer that is otherwise good."""

    NO_DATA = "no_data"
    RESOLVE = "resolve"
    HOLD = "hold"


class Judged(enum.Enum):
    """What of a window is held against the thresholds."""

    LAST = "last"
    AVERAGE = "average"
    MIN = "min"
    MAX = "max"
    SUM = "sum"
    MEDIAN = "median"
    P95 = "p95"
    COUNT = "count"
    CHANGE = "change"
    AGE = "age"


@dataclass(frozen=True, slots=True, kw_only=True)
class MuteWindow:
    """A recurring time in which triggers are held back.

    It begins at `begins` by the clocks of `zone` on each of `days` (0 is Monday), and ends at `ends`: the next day
    where that is not later than `begins`. `text` is how people call it.
    """

    text: str
    days: frozenset[int]
    begins: time
    ends: time
    zone: ZoneInfo
    levels: frozenset[Level]


class Query(NamedTuple):
    """What is asked of Graphite; entries with equal queries share one fetch a tick. Times are Graphite's own words."""

    target: str
    from_: str
    until: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """How many series an entry is to own, and the level of an incident when it owns fewer or more."""

    least: int | None
    most: int | None
    level: Level

    def is_met_by(self, count: int) -> bool:
        return (self.least is None or count >= self.least) and (self.most is None or count <= self.most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """An entry's series are divided by those that `to` asks for, each by the one with the same nodes in its name.

    `by` holds the nodes as aliasByNode takes them: numbers, negative from the end, and names of tags; None for every
    node but the last. `is_rate`: both are counters, so their growth is divided.
    """

    to: Query
    by: tuple[int | str, ...] | None = None
    scale: float = 1.0
    is_rate: bool = False


class ComparedAs(enum.Enum):
    """How a value is held against an earlier one."""

    PERCENT = "percent"
    RATIO = "ratio"
    DIFFERENCE = "difference"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    """An entry's series are held against what they were `ago`; `queries` ask for that, one for each of the entry's."""

    queries: tuple[Query, ...]
    ago: timedelta
    compared_as: ComparedAs = ComparedAs.PERCENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of alerts.yml: a query, its thresholds and where it pages.

    A series that `include` leaves out is not this entry's; None leaves out none. What it excludes is its own.
    `for_warning` and `for_critical` are how long a breach lasts before it fires, `keep_firing_for` how long good data
    lasts before that ends. `repeat_interval` is None where an open incident is told once only. `depends_on` names the
    alerts while one of which fires nothing is triggered here. `runbook_base` is the alert's doc_url or the file's
    docs_url. `pagerduty_key` and `slack_url` are the entry's own, if any. `line` is where the entry starts in its file,
    from 1. With a `ratio`, `query` asks for what is divided.

    `summary`, `description`, `labels` and `runbook` are templates (see templates.py), which may use `variables`. The
    runbook is the link itself and wins over `runbook_base`. `severity` holds the levels that have one of their own,
    `notify` the names of those who are told, for the levels at which not everybody's default applies. These
    are the values of its `for_each`, by their names.
    """

    query: Query
    warning: Threshold | None
    critical: Threshold | None
    line: int
    judged: Judged = Judged.LAST
    include: Names | None = None
    exclude: Names = NO_NAMES
    expect_series: Expected | None = None
    for_warning: timedelta = timedelta(0)
    for_critical: timedelta = timedelta(0)
    keep_firing_for: timedelta = timedelta(0)
    no_data: NoDataPolicy = NoDataPolicy.ALERT
    no_data_for: timedelta = timedelta(minutes=3)
    on_vanish: OnVanish = OnVanish.NO_DATA
    vanish_after: timedelta = timedelta(minutes=15)
    forget_after: timedelta = timedelta(hours=24)
    repeat_interval: timedelta | None = timedelta(hours=4)
    mute: tuple[MuteWindow, ...] = ()
    depends_on: frozenset[str] = frozenset()
    page_on: frozenset[Level] = frozenset({Level.WARNING, Level.CRITICAL, Level.NO_DATA})
    runbook_base: str | None = None
    pagerduty_key: str | None = field(default=None, repr=False)
    slack_url: str | None = field(default=None, repr=False)
    ratio: Ratio | None = None
    compare: Compare | None = None
    variables: Mapping[str, str] = field(default_factory=dict, hash=False)
    summary: str | None = None
    description: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    runbook: str | None = None
    severity: Mapping[Level, Severity] = field(default_factory=dict)
    notify: Mapping[Level, tuple[str, ...]] = field(default_factory=dict)

    @property
    def queries(self) -> tuple[Query, ...]:
        """All that is asked of Graphite: of now, then the same of earlier."""
        now = (self.query,) if self.ratio is None else (self.query, self.ratio.to)
        return now if self.compare is None else now + self.compare.queries

    @property
    def source(self) -> str:
        """Where its series get their names from: under this they are known."""
        if self.ratio is None:
            return self.query.target
        by = "" if self.ratio.by is None else f" by {','.join(map(str, self.ratio.by))}"
        return f"{self.query.target} / {self.ratio.to.target}{by}"

    def takes(self, series: str) -> bool:
        """Whether a series that is returned for it can be its own."""
        return self.include is None or series in self.include

    @property
    def good_range(self) -> tuple[float, float]:
        """From where to where, both included, no value breaches a threshold of it."""
        ranges = [one.good_range for one in (self.warning, self.critical) if one is not None]
        return max((low for low, _ in ranges), default=-math.inf), min((high for _, high in ranges), default=math.inf)

    def threshold(self, level: Level) -> Threshold | None:
        return {Level.WARNING: self.warning, Level.CRITICAL: self.critical}.get(level)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """The entries that share a name, in file order; the first entry that returns a series owns it.

    When more than `storm_limit` series start to fire together, one incident speaks for all of them. `interval` is how
    long it need not be checked after it was; 0 for a check at every heartbeat.
    """

    name: str
    entries: tuple[Entry, ...]
    storm_limit: int = 20
    interval: timedelta = timedelta(0)


class Route(NamedTuple):
    """Where a message goes: a notifier by its name, and that notifier's address (a routing key: a secret)."""

    notifier: str
    address: str

    def __repr__(self) -> str:
        return f"Route(notifier={self.notifier!r}, address=…)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """What alerts.yml says of a notifier besides where it is.

    `fallback` is told when it is dead, `escalate_to` when nobody has acknowledged an incident `escalate_after` it was
    told. With `digest`, warnings are collected for so long and told together.
    """

    name: str
    fallback: Route | None = None
    escalate_to: Route | None = None
    escalate_after: timedelta = timedelta(0)
    digest: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Who is told of what fits: labels that are like these globs, one of the levels, and a time in one of the windows.

    Without windows it is for any time.
    """

    notify: tuple[str, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    levels: frozenset[Level] = frozenset(Level)
    windows: tuple[MuteWindow, ...] = ()


class CarbonPlace(NamedTuple):
    """Where the pager's metrics about itself are sent, and what their names begin with."""

    host: str
    port: int
    prefix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that is not an alert, after environment and file are merged. Secrets stay out of repr.

    `notifiers` are the routes that the file gives a name; `notifier_secrets` is what no log may show of them,
    `handling` what else the file says of each. `rules` say who is told of alerts that do not say so themselves.
    `docs_url` is where the runbooks are, for alerts that do not say so themselves.
    """

    graphite_url: str
    docs_url: str | None = None
    graphite_user: str | None = None
    graphite_pass: str | None = field(default=None, repr=False)
    graphite_connect_timeout_s: float = 3.0
    graphite_read_timeout_s: float = 10.0
    graphite_concurrency: int = 4
    heartbeat_s: float = 60.0
    no_data_for: timedelta = timedelta(minutes=3)
    database_url: str | None = field(default=None, repr=False)
    keep_history: timedelta = timedelta(days=90)
    pagerduty_key: str | None = field(default=None, repr=False)
    pagerduty_keys: Mapping[Level, str] = field(default_factory=dict, repr=False)
    slack_url: str | None = field(default=None, repr=False)
    slack_urls: Mapping[Level, str] = field(default_factory=dict, repr=False)
    notifiers: Mapping[str, Route] = field(default_factory=dict, repr=False)
    handling: Mapping[Route, Handling] = field(default_factory=dict, repr=False)
    rules: tuple[Rule, ...] = ()
    notifier_secrets: tuple[str, ...] = field(default=(), repr=False)
    pagerduty_events_url: str = "https://events.pagerduty.com"
    pagerduty_api_url: str = "https://api.pagerduty.com"
    pagerduty_api_token: str | None = field(default=None, repr=False)
    heartbeat_ping_url: str | None = field(default=None, repr=False)
    stdout_enabled: bool = False
    carbon: CarbonPlace | None = None
    web: WebSettings = field(default_factory=WebSettings)
    verbose: bool = False

    def name_of(self, route: Route) -> str | None:
        """What the file calls it; None where it has no name there, or no more."""
        return next((name for name, one in self.notifiers.items() if one == route), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A whole configuration that can be run."""

    settings: Settings = field(repr=False)
    alerts: tuple[Alert, ...]
