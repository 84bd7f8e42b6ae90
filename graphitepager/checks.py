"""What an alert's answers say of its series: `evaluate(alert, answers)` gives one reading for each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from graphitepager import rawdata
from graphitepager.errors import FetchError
from graphitepager.model import Alert, Entry, Level, Query, Reading, Series, SeriesKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from graphitepager.rawdata import RawAnswer

# When two series of one entry share a name, the worse reading speaks for both: a breach must not hide.
_BADNESS = {Level.NO_DATA: 0, Level.OK: 1, Level.WARNING: 2, Level.CRITICAL: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What one poll says of one alert.

    `readings` holds a reading for every series that an entry owns. `excluded` names the series that an entry owns
    in order to leave them out. `unreadable` names the series whose points are no numbers; nothing is known of them.
    `is_complete` is False when an entry's fetch failed: then a series that is missing here may well exist.
    """

    readings: Mapping[str, Reading]
    excluded: frozenset[str]
    unreadable: frozenset[str]
    is_complete: bool

    @property
    def has_series(self) -> bool:
        """Whether Graphite returned anything at all for this alert."""
        return bool(self.readings or self.excluded or self.unreadable)


def evaluate(alert: Alert, answers: Mapping[Query, RawAnswer | FetchError]) -> Evaluation:
    """Judge every series of the alert; the first entry that returns a series owns it, also when it excludes it.

    After an entry that could not be fetched the later ones are not judged: they might own series that are not theirs.
    """
    readings: dict[str, Reading] = {}
    excluded: set[str] = set()
    unreadable: set[str] = set()
    for entry in alert.entries:
        answer = answers[entry.query]
        if isinstance(answer, FetchError):
            return Evaluation(
                readings=readings, excluded=frozenset(excluded), unreadable=frozenset(unreadable), is_complete=False
            )
        owned: dict[str, Reading] = {}
        for series in answer.series:
            name = series.name
            if name in readings or name in excluded or name in unreadable:
                continue
            if name in entry.exclude:
                excluded.add(name)
                continue
            try:
                reading = judge(alert.name, entry, series)
            except ValueError:
                unreadable.add(name)
                continue
            twin = owned.get(name)
            if twin is None or _BADNESS[twin.level] < _BADNESS[reading.level]:
                owned[name] = reading
        readings |= owned
    return Evaluation(
        readings=readings, excluded=frozenset(excluded), unreadable=frozenset(unreadable), is_complete=True
    )


def judge(alert_name: str, entry: Entry, series: Series) -> Reading:
    """Judge one series by its newest datapoint; ValueError when that is no number."""
    key = SeriesKey(alert_name, series.name)
    last = rawdata.last_point(series)
    if last is None:
        return Reading(key=key, entry=entry, level=Level.NO_DATA, value=None, covered_until=_moment(series.start))
    return Reading(
        key=key,
        entry=entry,
        level=level_of(last.value, entry),
        value=last.value,
        covered_until=_moment(last.covered_until),
    )


def level_of(value: float, entry: Entry) -> Level:
    """Compare a value with the entry's thresholds; where both are breached, critical wins."""
    if entry.critical.is_breached_by(value):
        return Level.CRITICAL
    if entry.warning.is_breached_by(value):
        return Level.WARNING
    return Level.OK


def queries_of(alerts: Iterable[Alert]) -> tuple[Query, ...]:
    """Every distinct query of these alerts, in file order: each is fetched once a tick."""
    return tuple(dict.fromkeys(entry.query for alert in alerts for entry in alert.entries))


def _moment(epoch_s: int) -> datetime:
    return datetime.fromtimestamp(epoch_s, UTC)
