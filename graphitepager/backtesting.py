"""What a replay comes to: the incidents of each alert, its pages and near misses, and how two such reports differ."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from graphitepager import messages
from graphitepager.model import Event, EventKind, SeriesKey
from graphitepager.rules import Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from graphitepager.replay import Poll
    from graphitepager.rules import Alert, Config

_BADNESS = {Level.OK: 0, Level.WARNING: 1, Level.NO_DATA: 2, Level.CRITICAL: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class PastIncident:
    """An incident that would have been: from the poll that opened it to the one that ended it.

    `series` is as people know it. `ends_at` is None where it was open at the end. `pages` is how often somebody would
    have been paged for it, 0 for one that was held back to its end; `held_by` says by what it was held back last.
    """

    key: SeriesKey
    level: Level
    series: str
    begins_at: datetime
    ends_at: datetime | None = None
    value: float | None = None
    pages: int = 0
    held_by: str | None = None
    summary: str = ""

    def lasts(self, end: datetime) -> timedelta:
        """How long; `end` is that of the replay."""
        return (self.ends_at or end) - self.begins_at


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertReport:
    """What would have become of one alert; `firing` is the time in which any of its incidents was open."""

    alert: Alert
    incidents: tuple[PastIncident, ...]
    near_misses: int
    firing: timedelta
    longest: PastIncident | None

    @property
    def pages(self) -> int:
        return sum(one.pages for one in self.incidents)

    @property
    def noisiest(self) -> tuple[str, int] | None:
        """The series that would have paged most, and how often."""
        pages = Counter[str]()
        for one in self.incidents:
            pages[one.series] += one.pages
        return next(((series, count) for series, count in pages.most_common(1) if count), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole backtest; the alerts are in file order."""

    begin: datetime
    end: datetime
    alerts: tuple[AlertReport, ...]

    @property
    def pages(self) -> int:
        return sum(one.pages for one in self.alerts)


@dataclass(slots=True)
class Tally:
    """Collects the polls of a replay, of which it keeps the incidents only."""

    config: Config
    _incidents: list[PastIncident] = field(default_factory=list)
    _open: dict[tuple[SeriesKey, Level], PastIncident] = field(default_factory=dict)
    _near_misses: Counter[str] = field(default_factory=Counter)

    def add(self, poll: Poll) -> None:
        for miss in poll.near_misses:
            self._near_misses[miss.key.alert] += 1
        for event in poll.events:
            identity = (event.key, event.level)
            if event.kind is EventKind.TRIGGERED:
                self._open[identity] = self._triggered(event, self._open.get(identity))
            elif event.kind is EventKind.RESOLVED and identity in self._open:
                self._incidents.append(replace(self._open.pop(identity), ends_at=event.at))

    def _triggered(self, event: Event, known: PastIncident | None) -> PastIncident:
        message = messages.render(event, self.config.settings.graphite_url)
        incident = known or PastIncident(
            key=event.key, level=event.level, series=message.series, begins_at=event.at, value=event.value
        )
        return replace(
            incident,
            summary=message.summary,
            pages=incident.pages + is_page(event),
            held_by=event.held_by or incident.held_by,
        )

    def report(self, begin: datetime, end: datetime) -> Report:
        """What it comes to, between the first poll and the last."""
        incidents: dict[str, list[PastIncident]] = {}
        for one in sorted((*self._incidents, *self._open.values()), key=lambda one: (one.begins_at, one.key)):
            incidents.setdefault(one.key.alert, []).append(one)
        alerts = (self._of_alert(alert, incidents.get(alert.name, []), end) for alert in self.config.alerts)
        return Report(begin=begin, end=end, alerts=tuple(alerts))

    def _of_alert(self, alert: Alert, incidents: Sequence[PastIncident], end: datetime) -> AlertReport:
        return AlertReport(
            alert=alert,
            incidents=tuple(incidents),
            near_misses=self._near_misses[alert.name],
            firing=_union(incidents, end),
            longest=max(incidents, key=lambda one: one.lasts(end), default=None),
        )


def is_page(event: Event) -> bool:
    """Whether the event would page somebody, given that there is somebody: CI has no routing keys."""
    entries = (event.entry, *event.others) if event.entry else ()
    is_told = event.kind is EventKind.TRIGGERED and event.held_by is None
    return is_told and any(one.notify.get(event.level, ("",)) and event.level in one.page_on for one in entries)


def timeline(incidents: Iterable[PastIncident], begin: datetime, end: datetime, places: int) -> list[Level]:
    """The worst level that was open in each of so many equal parts of the time."""
    levels = [Level.OK] * places
    length = max(end - begin, timedelta(seconds=1)) / places
    for one in incidents:
        first = int((one.begins_at - begin) / length)
        last = int(((one.ends_at or end) - begin) / length)
        for place in range(max(first, 0), min(last, places - 1) + 1):
            levels[place] = worst((levels[place], one.level))
    return levels


def worst(levels: Iterable[Level]) -> Level:
    """The worst of these; OK where there is none."""
    return max(levels, key=lambda level: _BADNESS[level], default=Level.OK)


def _union(incidents: Iterable[PastIncident], end: datetime) -> timedelta:
    """The time in which any of the incidents was open; they come in the order of their begins."""
    total, until = timedelta(0), None
    for one in incidents:
        ends = one.ends_at or end
        begins = one.begins_at if until is None else max(one.begins_at, until)
        total += max(ends - begins, timedelta(0))
        until = ends if until is None else max(until, ends)
    return total


class Moved(NamedTuple):
    """An incident that begins at another time."""

    before: PastIncident
    after: PastIncident


class Difference(NamedTuple):
    """What a changed configuration does to the pages of the same history."""

    gained: tuple[PastIncident, ...]
    lost: tuple[PastIncident, ...]
    later: tuple[Moved, ...]
    earlier: tuple[Moved, ...]


def difference(before: Report, after: Report) -> Difference:
    """Compare what pages: incidents are the same if alert, series and level are, and their times meet."""
    old, new = (_paging(report) for report in (before, after))
    gained: list[PastIncident] = []
    moved: list[Moved] = []
    matched: set[int] = set()
    for identity, incidents in new.items():
        for one in incidents:
            number, partner = next(
                (
                    (id(other), other)
                    for other in old.get(identity, ())
                    if id(other) not in matched and _overlap(one, other, before.end)
                ),
                (0, None),
            )
            if partner is None:
                gained.append(one)
                continue
            matched.add(number)
            moved.append(Moved(partner, one))
    lost = (one for incidents in old.values() for one in incidents if id(one) not in matched)
    return Difference(
        gained=_in_order(gained),
        lost=_in_order(lost),
        later=tuple(pair for pair in moved if pair.after.begins_at > pair.before.begins_at),
        earlier=tuple(pair for pair in moved if pair.after.begins_at < pair.before.begins_at),
    )


def _paging(report: Report) -> dict[tuple[SeriesKey, Level], list[PastIncident]]:
    found: dict[tuple[SeriesKey, Level], list[PastIncident]] = {}
    for one in (one for alert in report.alerts for one in alert.incidents if one.pages):
        found.setdefault((one.key, one.level), []).append(one)
    return found


def _overlap(one: PastIncident, other: PastIncident, end: datetime) -> bool:
    return one.begins_at <= (other.ends_at or end) and other.begins_at <= (one.ends_at or end)


def _in_order(incidents: Iterable[PastIncident]) -> tuple[PastIncident, ...]:
    return tuple(sorted(incidents, key=lambda one: (one.begins_at, one.key)))
