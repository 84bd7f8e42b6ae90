"""Small pictures of many series over a long time: the least and the greatest value of each part of it."""

from __future__ import annotations

import math
from array import array
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from graphitepager import quiet, rawdata, sources
from graphitepager.curves import Curve, finite
from graphitepager.errors import FetchError
from graphitepager.history import Track

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from graphitepager.model import SeriesKey
    from graphitepager.rules import Config, Entry, Query

PLACES = 420


class Sketch(NamedTuple):
    """The least and the greatest value in each of PLACES equal parts of the time; NaN where there is none."""

    entry: Entry
    low: array[float]
    high: array[float]


class Sketches:
    """Sketches every series of a configuration from `begin` to `end` (epoch seconds), window by window.

    What is sketched is what Graphite has, or what ratio and compare make of it; not what `value` makes of a window.
    """

    def __init__(self, config: Config, begin: int, end: int) -> None:
        self._config = config
        self._begin = begin
        self._part_s = max(end - begin, 1) / PLACES
        self._sketches: dict[tuple[str, str], Sketch] = {}

    def of(self, key: SeriesKey) -> Sketch | None:
        return self._sketches.get((key.alert, key.series))

    def add(self, times: Sequence[int], history: Mapping[Query, Sequence[Track]]) -> None:
        """Take in what the polls at these times see."""
        for alert in self._config.alerts:
            if not all(query in history for entry in alert.entries for query in entry.queries):
                continue  # one that is left out
            seen: set[str] = set()
            for entry in alert.entries:
                for track in _tracks(entry, history, times[-1]):
                    if track.name not in seen and entry.takes(track.name):
                        seen.add(track.name)
                        self._add((alert.name, track.name), entry, track, times)

    def _add(self, key: tuple[str, str], entry: Entry, track: Track, times: Sequence[int]) -> None:
        try:
            values = quiet.values_of(track)
        except ValueError:
            return
        if key not in self._sketches:
            nothing = array("f", [math.nan]) * PLACES
            self._sketches[key] = Sketch(entry, nothing, nothing[:])
        _, low, high = self._sketches[key]
        curve = Curve(track.start, track.step, values)
        first = max(int((times[0] - self._begin) / self._part_s), 0)
        last = min(int((times[-1] - self._begin) / self._part_s), PLACES - 1)
        for place in range(first, last + 1):
            begin = max(self._begin + place * self._part_s, times[0])
            until = min(self._begin + (place + 1) * self._part_s, times[-1] + 1)
            if there := finite(curve.between(begin, until).values):
                low[place] = min(*there, low[place]) if low[place] == low[place] else min(there)
                high[place] = max(*there, high[place]) if high[place] == high[place] else max(there)


def _tracks(entry: Entry, history: Mapping[Query, Sequence[Track]], now: int) -> Iterator[Track]:
    if entry.ratio is None and entry.compare is None:
        yield from history[entry.query]
        return
    answers = {query: rawdata.holding(one.whole() for one in history[query]) for query in entry.queries}
    sourced = sources.series_of(entry, answers, datetime.fromtimestamp(now, UTC))
    if not isinstance(sourced, FetchError):
        yield from map(Track, sourced.answer.series)
