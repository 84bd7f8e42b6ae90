"""What happens to alerts: series, readings, states, incidents, events, messages, deliveries.

Frozen data: no I/O, no clock. Every datetime is aware and in UTC. The words are those of docs/lifecycle.md.
"""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from graphitepager.rules import Level

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from graphitepager.rules import Entry, Route, Severity


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
        """The alert and the series as people know them: in a page, in the log, in a silence."""
        alert = "graphite-pager" if self.alert == OWN else self.alert
        return alert, (self.series or "(series without a name)") if self.is_series else "(all series)"


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
    """A change worth telling; or, of messages only, several of them together. The values are stored."""

    TRIGGERED = "trigger"
    RESOLVED = "resolve"
    REPEATED = "repeat"
    FLAPPING = "flapping"
    DIGEST = "digest"


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


class Image(NamedTuple):
    """A picture shown with a message, and what it is in words."""

    src: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """An event in words, as every notifier gets it: rendered once, stored, then sent from the stored row.

    `summary` is one line of at most 1024 characters. `details` holds JSON values only (no NaN, no datetime).
    `severity` is None where the level alone says how bad it is. `since` is when its incident began; None in what an
    older version has stored. `in_reply_to` is what the receiver answered to the trigger of the incident, where it has
    had that: it is known only when this is sent. `image` is the chart of the series, for those who can show one.
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
    since: datetime | None = None
    in_reply_to: str | None = None
    image: Image | None = None

    @property
    def id(self) -> str:
        """32 hexadecimal digits, the same at each attempt to send it."""
        return _short_hash(self.kind.value, self.dedup_key, self.at.isoformat())

    @property
    def incident_id(self) -> str:
        """32 hexadecimal digits, the same in all that is told of one incident, and another for the next one."""
        return _short_hash(self.dedup_key, "" if self.since is None else self.since.isoformat())


def _short_hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message on its way to one route, as stored. `attempts` counts the failed ones so far.

    `is_minimal` says that the receiver found the message invalid, and is to get the least that it must take;
    `is_digest`, that it is to be told together with the others that are collected for the same route.
    """

    id: int
    message: Message
    route: Route
    attempts: int
    is_minimal: bool = False
    is_digest: bool = False
