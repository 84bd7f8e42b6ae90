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
    from collections.abc import Set as AbstractSet

    from graphitepager.rawdata import RawAnswer
    from graphitepager.roll import Claim
    from graphitepager.thresholds import Threshold

_NONE: frozenset[str] = frozenset()

# When two series of one entry share a name, the worse reading speaks for both: a breach must not hide.
_BADNESS = {Level.NO_DATA: 0, Level.OK: 1, Level.WARNING: 2, Level.CRITICAL: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What one poll says of one alert.

    `owned` names the series that are each entry's own, in the order of the entries, as far as these were judged.
    `readings` holds a reading for each of those that is not fine, or that is watched. `excluded` names the series that
    an entry owns in order to leave them out. `unreadable` names the owned series whose points are no numbers; nothing
    is known of them. `left_out` names those that no entry owns, because none of their targets' entries includes them.
    `is_complete` is False when an entry's fetch failed: then a series that is missing here may well exist.
    """

    readings: Mapping[str, Reading]
    owned: tuple[frozenset[str], ...]
    excluded: frozenset[str] = _NONE
    unreadable: frozenset[str] = _NONE
    is_complete: bool = True
    left_out: frozenset[str] = _NONE

    @property
    def has_series(self) -> bool:
        """Whether Graphite returned any series that is this alert's."""
        return bool(any(self.owned) or self.excluded)

    @property
    def judged(self) -> int:
        """How many series it says something of."""
        return sum(map(len, self.owned)) - len(self.unreadable)


def evaluate(
    alert: Alert,
    answers: Mapping[Query, RawAnswer | FetchError],
    now: datetime,
    watched: AbstractSet[str] | None = None,
) -> Evaluation:
    """Judge every series of the alert; the first entry that returns a series owns it, also when it excludes it.

    `watched` names the series whose readings are wanted even where they are fine; None stands for all.
    After an entry that could not be fetched the later ones are not judged: they might own series that are not theirs.
    """
    readings: dict[str, Reading] = {}
    unreadable: set[str] = set()
    claims: list[Claim] = []
    for entry in alert.entries:
        sourced = sources.series_of(entry, answers, now)
        if isinstance(sourced, FetchError):
            break
        claim = sourced.answer.roll.claim(entry)
        for earlier in claims:
            claim = claim.without(earlier.own | earlier.excluded)
        claims.append(claim)
        for series in _worth_judging(entry, sourced.answer, watched):
            name = series.name
            if name not in claim.own or name in unreadable:
                continue
            if name in sourced.unreadable:
                unreadable.add(name)
                continue
            try:
                reading = judge(alert.name, entry, series, now, sourced.reasons.get(name))
            except ValueError:
                unreadable.add(name)
                continue
            twin = readings.get(name)
            if twin is None or _BADNESS[twin.level] < _BADNESS[reading.level]:
                readings[name] = reading
    is_complete = len(claims) == len(alert.entries)
    owned = tuple([claim.own for claim in claims])
    excluded = _NONE.union(*[claim.excluded for claim in claims])
    left_out = _NONE.union(*[claim.left_out for claim in claims]) if is_complete else _NONE
    return Evaluation(
        readings=readings,
        owned=owned,
        excluded=excluded,
        unreadable=frozenset(unreadable),
        is_complete=is_complete,
        left_out=left_out and left_out.difference(excluded, *owned),
    )


def _worth_judging(entry: Entry, answer: RawAnswer, watched: AbstractSet[str] | None) -> Iterator[Series]:
    """Yield the series that may be worse than fine, and those that are watched.

    Where the newest datapoint is what is judged, most are told to be fine by that alone.
    """
    if watched is None or not _is_newest_judged(entry) or answer.roll.has_twins:
        yield from answer.series
        return
    low, high = entry.good_range
    names = iter(answer.roll.texts()) if not watched.isdisjoint(answer.roll.distinct) else None
    for block in answer.blocks:
        places: Iterable[int]
        try:
            values = rawdata.newest(block)
        except ValueError:
            places = range(len(block.names))
        else:
            places = [place for place, value in enumerate(values) if not low <= value <= high]  # nan is in no range
        if names is not None:
            seen = [place for place, name in enumerate(itertools.islice(names, len(block.names))) if name in watched]
            places = sorted({*places, *seen})
        yield from map(block.series, places)


def _is_newest_judged(entry: Entry) -> bool:
    """Whether the newest datapoint says it all; what is compared was folded already, into a single one."""
    return entry.judged is Judged.LAST or entry.compare is not None


def judge(alert_name: str, entry: Entry, series: Series, now: datetime, reason: str | None = None) -> Reading:
    """Judge one series by its window; ValueError when a point that counts is no number.

    `reason` is why it has no datapoint, should it have none.
    """
    key = SeriesKey(alert_name, series.name)
    last = rawdata.last_point(series)
    is_last = entry.judged is Judged.LAST
    value = (last and last.value) if _is_newest_judged(entry) else folding.fold(entry.judged, series, now)
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
    if not evaluation.is_complete or not evaluation.has_series:
        return
    for name, index, entry in counted(alert):
        count = len(evaluation.owned[index])
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
