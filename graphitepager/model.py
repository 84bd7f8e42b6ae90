"""The domain's values: alerts, series, readings, states, events, messages, deliveries.

Frozen data: no I/O, no clock. Every datetime is aware and in UTC. The words are those of docs/lifecycle.md.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple

from graphitepager.selection import NO_NAMES

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
    docs_url. `pagerduty_key` is the entry's own key, if any. `line` is where the entry starts in its file, from 1.
    With a `ratio`, `query` asks for what is divided.

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that is not an alert, after environment and file are merged. Secrets stay out of repr.

    `notifiers` are the routes that the file gives a name.
    """

    graphite_url: str
    graphite_user: str | None = None
    graphite_pass: str | None = field(default=None, repr=False)
    graphite_connect_timeout_s: float = 3.0
    graphite_read_timeout_s: float = 10.0
    graphite_concurrency: int = 4
    heartbeat_s: float = 60.0
    no_data_for: timedelta = timedelta(minutes=3)
    database_url: str | None = field(default=None, repr=False)
    pagerduty_key: str | None = field(default=None, repr=False)
    pagerduty_keys: Mapping[Level, str] = field(default_factory=dict, repr=False)
    notifiers: Mapping[str, Route] = field(default_factory=dict, repr=False)
    pagerduty_events_url: str = "https://events.pagerduty.com"
    pagerduty_api_url: str = "https://api.pagerduty.com"
    pagerduty_api_token: str | None = field(default=None, repr=False)
    heartbeat_ping_url: str | None = field(default=None, repr=False)
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

# Stands there for how many series an entry owns; the second entry of an alert that counts them has a 2 behind it. No
# storm has this name: those bear that of their level.
COUNT = WHOLE_ALERT + "series"

# The alert under which graphite-pager watches itself. No alert of a file can have this name, which is blank.
OWN = "\n"


class SeriesKey(NamedTuple):
    """The identity of everything that is remembered: which alert, and which series of it (or WHOLE_ALERT)."""

    alert: str
    series: str

    @property
    def is_series(self) -> bool:
        """Whether it is one of Graphite's series, and not WHOLE_ALERT, a storm or a COUNT."""
        return not self.series.startswith(WHOLE_ALERT)

    @property
    def words(self) -> tuple[str, str]:
        """The alert and the series as people know them."""
        alert = "graphite-pager" if self.alert == OWN else self.alert
        return alert, self.series if self.is_series else "(all series)"


class Series(NamedTuple):
    """One line of Graphite's raw format. `points` is the undecoded text after the bar; times are epoch seconds."""

    name: str
    start: int
    end: int
    step: int
    points: bytes


class Run(NamedTuple):
    """The unbroken run of breaching datapoints at the end of a window: where it begins, and whether the window does."""

    since: datetime
    is_whole_window: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one evaluation says of one series, or of an alert as a whole.

    `value` is what was judged; None where there is nothing to judge. `covered_from` and `covered_until` are the begin
    and end of the newest interval that holds a datapoint (the window's start where none does); None when the answer
    did not hold the series at all. `entry` is the entry that owns the series (the first one, for a whole alert).
    `warning_run` and `critical_run` say since when the datapoints breach that threshold, where the entry asks for
    that and the window can tell. `detail` says in words what is wrong, where the level and the value do not.
    """

    key: SeriesKey
    entry: Entry
    level: Level
    value: float | None = None
    covered_from: datetime | None = None
    covered_until: datetime | None = None
    warning_run: Run | None = None
    critical_run: Run | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """An open problem of one series at one level.

    `since` is when it began. `told_at` is when somebody was told of it last; None while that is held back, and
    `held_by` then says by what. `in_storm` says that an incident of many series together speaks for it.
    """

    level: Level
    since: datetime
    told_at: datetime | None = None
    held_by: str | None = None
    in_storm: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesState:
    """What is remembered of a series between polls; a series without one is fine.

    `incident` is the open one at warning or critical, `no_data` the one for missing data; each has a track of its own.
    `value` is what was judged last. The moments are those of datapoints, None while the thing does not last:

    - `warning_since`, `critical_since`: it breaches that threshold, and does not fire at that level (yet);
    - `better_since`: it fires, and is better than the level at which it does; `good_since`: and needs no incident;
    - `no_data_since`: nothing has come; `data_since`: data is back, and the no-data incident is kept for flapping.

    `cycles` are the ends of its incidents of the last hour; many of them make it flap. The rest is for a storm only:
    `size` is how many series it spoke for when it was told last, `low` the fewest since, `page` counts its pages.
    """

    key: SeriesKey
    incident: Incident | None = None
    no_data: Incident | None = None
    value: float | None = None
    warning_since: datetime | None = None
    critical_since: datetime | None = None
    better_since: datetime | None = None
    good_since: datetime | None = None
    no_data_since: datetime | None = None
    data_since: datetime | None = None
    cycles: tuple[datetime, ...] = ()
    is_flapping: bool = False
    size: int = 0
    low: int = 0
    page: int = 0

    @property
    def level(self) -> Level:
        """That of its open incident; OK when none is open."""
        return Level.OK if self.incident is None else self.incident.level

    @property
    def incident_key(self) -> SeriesKey:
        """What its incidents are called: each page of a storm has its own, which nobody has acknowledged yet."""
        return self.key._replace(series=f"{self.key.series}×{self.page}") if self.page else self.key

    @property
    def is_quiet(self) -> bool:
        """Nothing is open, pending or counted, so nothing needs remembering."""
        is_open = self.incident is not None or self.no_data is not None
        is_pending = self.warning_since is not None or self.critical_since is not None or self.no_data_since is not None
        return not (is_open or is_pending or self.cycles)


class EventKind(enum.Enum):
    """A change worth telling. The values are stored."""

    TRIGGERED = "trigger"
    RESOLVED = "resolve"
    REPEATED = "repeat"
    FLAPPING = "flapping"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An incident of one series at one level begins, ends, still fires, or flaps.

    `since` is when the incident began. `entry` is what alerts.yml says of the series now; None when it says nothing any
    more. `others` are further entries that it concerns, where it speaks for several series. `reason` says in words why
    an incident ended. `held_by` says what keeps a trigger from being told: it is stored, and nobody hears of it. `size`
    is how many series a storm is made of. `detail`: see Reading.
    """

    kind: EventKind
    key: SeriesKey
    level: Level
    at: datetime
    since: datetime
    value: float | None = None
    entry: Entry | None = None
    others: tuple[Entry, ...] = ()
    reason: str | None = None
    held_by: str | None = None
    size: int = 0
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMiss:
    """A breach that ended before its time was up: it fired nothing, and `for` is why."""

    key: SeriesKey
    level: Level
    since: datetime
    until: datetime


class Matcher(NamedTuple):
    """One condition of a silence: `field` (alert, series or level) is, or is not, like the glob `pattern`."""

    field: str
    pattern: str
    is_negated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """An ad-hoc mute of everything that all of its matchers fit, from `begins_at` until `ends_at`."""

    id: int
    matchers: tuple[Matcher, ...]
    author: str
    comment: str
    begins_at: datetime
    ends_at: datetime


class Link(NamedTuple):
    """A link shown with a message."""

    href: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """An event in words, as every notifier gets it: rendered once, stored, then sent from the stored row.

    `summary` is one line of at most 1024 characters. `details` holds JSON values only (no NaN, no datetime).
    `severity` is None where the level alone says how bad it is.
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
    labels: Mapping[str, str] = field(default_factory=dict)
    severity: Severity | None = None


class Route(NamedTuple):
    """Where a message goes: a notifier by its name, and that notifier's address (a routing key: a secret)."""

    notifier: str
    address: str

    def __repr__(self) -> str:
        return f"Route(notifier={self.notifier!r}, address=…)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message on its way to one route, as stored. `attempts` counts the failed ones so far.

    `is_minimal` says that the receiver found the message invalid, and is to get the least that it must take.
    """

    id: int
    message: Message
    route: Route
    attempts: int
    is_minimal: bool = False
