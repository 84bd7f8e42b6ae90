"""What an alert's answers say of its series: `evaluate(alert, answers)` gives one reading for each."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from graphitepager import folding, rawdata, sources
from graphitepager.errors import FetchError
from graphitepager.model import COUNT, Reading, Run, Series, SeriesKey
from graphitepager.rules import Alert, Entry, Judged, Level, Query

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from graphitepager.rawdata import RawAnswer
    from graphitepager.thresholds import Threshold

# When two series of one entry share a name, the worse reading speaks for both: a breach must not hide.
_BADNESS = {Level.NO_DATA: 0, Level.OK: 1, Level.WARNING: 2, Level.CRITICAL: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What one poll says of one alert.

    `readings` holds a reading for every series that an entry owns. `excluded` names the series that an entry owns
    in order to leave them out. `unreadable` names the series whose points are no numbers; nothing is known of them.
    `left_out` names those that no entry owns, because none of their targets' entries includes them. `is_complete` is
    False when an entry's fetch failed: then a series that is missing here may well exist. `counts` is how many series
    each entry owns and does not exclude, in the order of the entries; empty where that is not known of all.
    """

    readings: Mapping[str, Reading]
    excluded: frozenset[str]
    unreadable: frozenset[str]
    is_complete: bool
    left_out: frozenset[str] = frozenset()
    counts: tuple[int, ...] = ()

    @property
    def has_series(self) -> bool:
        """Whether Graphite returned any series that is this alert's."""
        return bool(self.readings or self.excluded or self.unreadable)


def evaluate(alert: Alert, answers: Mapping[Query, RawAnswer | FetchError], now: datetime) -> Evaluation:
    """Judge every series of the alert; the first entry that returns a series owns it, also when it excludes it.

    After an entry that could not be fetched the later ones are not judged: they might own series that are not theirs.
    """
    readings: dict[str, Reading] = {}
    excluded: set[str] = set()
    unreadable: set[str] = set()
    left_out: set[str] = set()
    counts: list[int] = []
    for entry in alert.entries:
        sourced = sources.series_of(entry, answers, now)
        if isinstance(sourced, FetchError):
            return Evaluation(
                readings=readings, excluded=frozenset(excluded), unreadable=frozenset(unreadable), is_complete=False
            )
        owned: dict[str, Reading] = {}
        puzzling = len(unreadable)
        for series in sourced.series:
            name = series.name
            if name in readings or name in excluded or name in unreadable:
                continue
            if not entry.takes(name):
                left_out.add(name)
                continue
            if name in entry.exclude:
                excluded.add(name)
                continue
            if name in sourced.unreadable:
                unreadable.add(name)
                continue
            try:
                reading = judge(alert.name, entry, series, now, sourced.reasons.get(name))
            except ValueError:
                unreadable.add(name)
                continue
            twin = owned.get(name)
            if twin is None or _BADNESS[twin.level] < _BADNESS[reading.level]:
                owned[name] = reading
        readings |= owned
        counts.append(len(owned) + len(unreadable) - puzzling)
    return Evaluation(
        readings=readings,
        excluded=frozenset(excluded),
        unreadable=frozenset(unreadable),
        is_complete=True,
        left_out=frozenset(left_out - readings.keys() - excluded - unreadable),
        counts=tuple(counts),
    )


def judge(alert_name: str, entry: Entry, series: Series, now: datetime, reason: str | None = None) -> Reading:
    """Judge one series by its window; ValueError when a point that counts is no number.

    `reason` is why it has no datapoint, should it have none.
    """
    key = SeriesKey(alert_name, series.name)
    last = rawdata.last_point(series)
    is_last = entry.judged is Judged.LAST
    is_folded = entry.compare is not None  # or there was nothing to fold: the newest datapoint is the answer
    value = (last and last.value) if is_last or is_folded else folding.fold(entry.judged, series, now)
    if value is None or (last is None and entry.judged is not Judged.COUNT):
        covered_until = _moment(series.start)
        return Reading(key=key, entry=entry, level=Level.NO_DATA, covered_until=covered_until, detail=reason)
    level = level_of(value, entry)
    covered_s = last.covered_until if last else series.end
    is_critical_timed = is_last and level is Level.CRITICAL and bool(entry.for_critical)
    is_warning_timed = is_last and level is not Level.OK and bool(entry.for_warning)
    return Reading(
        key=key,
        entry=entry,
        level=level,
        value=value,
        covered_from=_moment(covered_s - series.step),
        covered_until=_moment(covered_s),
        warning_run=_run(series, entry.warning) if is_warning_timed and entry.warning else None,
        critical_run=_run(series, entry.critical) if is_critical_timed and entry.critical else None,
    )


def level_of(value: float, entry: Entry) -> Level:
    """Compare a value with the entry's thresholds; where both are breached, critical wins."""
    if entry.critical is not None and entry.critical.is_breached_by(value):
        return Level.CRITICAL
    if entry.warning is not None and entry.warning.is_breached_by(value):
        return Level.WARNING
    return Level.OK


def counted(alert: Alert) -> Iterator[tuple[str, int, Entry]]:
    """Yield what stands for the number of series of each entry that expects one, its index, and by what it is judged.

    That is the entry without thresholds: those are for the series.
    """
    names = (COUNT if number == 1 else f"{COUNT} {number}" for number in itertools.count(1))
    for index, entry in enumerate(alert.entries):
        if entry.expect_series is not None:
            yield next(names), index, replace(entry, warning=None, critical=None)


def judge_counts(alert: Alert, evaluation: Evaluation) -> Iterator[Reading]:
    """Judge how many series the entries own; without any series at all that is no matter of how many."""
    if not evaluation.counts or not evaluation.has_series:
        return
    for name, index, entry in counted(alert):
        count = evaluation.counts[index]
        if entry.expect_series is not None:
            level = Level.OK if entry.expect_series.is_met_by(count) else entry.expect_series.level
            yield Reading(key=SeriesKey(alert.name, name), entry=entry, level=level, value=float(count))


def queries_of(alerts: Iterable[Alert]) -> tuple[Query, ...]:
    """Every distinct query of these alerts, in file order: each is fetched once a tick."""
    return tuple(dict.fromkeys(query for alert in alerts for entry in alert.entries for query in entry.queries))


def _run(series: Series, threshold: Threshold) -> Run | None:
    run = folding.breaching_run(series, threshold.is_breached_by)
    return run and Run(_moment(run[0]), run[1])


def _moment(epoch_s: int) -> datetime:
    return datetime.fromtimestamp(epoch_s, UTC)
