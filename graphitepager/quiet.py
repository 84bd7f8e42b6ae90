"""Which polls a stretch of a series need not be looked at: those at which its level can be nothing but OK.

Everything here errs on the side of looking: a poll that is not named quiet is judged as the daemon judges it.
"""

from __future__ import annotations

import math
from itertools import accumulate
from typing import TYPE_CHECKING

from graphitepager.checks import level_of
from graphitepager.folding import number
from graphitepager.rules import Judged, Level
from graphitepager.thresholds import Operator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from graphitepager.history import Bounds, Track
    from graphitepager.rules import Entry

# The number that is judged is one of the datapoints; it lies among them; it is their sum. All others are looked at.
_ONE_OF_THEM = frozenset({Judged.LAST, Judged.MIN, Judged.MAX, Judged.P95})
_AMONG_THEM = frozenset({Judged.AVERAGE, Judged.MEDIAN})
# Values between two good ones are good, unless a threshold has bad values in its middle.
_HOLED = frozenset({Operator.INSIDE, Operator.EQUAL})
# An average of floats can leave their range by its rounding.
_ROUNDING = 1e-9


def values_of(track: Track) -> list[float]:
    """The datapoints as numbers, NaN where there is none; ValueError where one is no number."""
    try:
        return list(map(float, track.points.replace(b"None", b"nan").split(b",")))
    except ValueError:
        return [math.nan if (value := number(text)) is None else value for text in track.texts]


class Windows:
    """Which datapoints of a stretch each poll sees; the same for all series that begin together with one step."""

    def __init__(self, bounds: Sequence[Bounds]) -> None:
        self.bounds = bounds
        self.longest = max((one.after - one.first for one in bounds), default=0)
        self._without: dict[int, tuple[int, ...]] = {}

    def without_datapoint(self, count: int) -> tuple[int, ...]:
        """The polls that see none, of a stretch that is full of so many."""
        if count not in self._without:
            self._without[count] = tuple(
                place for place, (first, _, visible) in enumerate(self.bounds) if min(visible, count) <= max(first, 0)
            )
        return self._without[count]


def loud_polls(values: Sequence[float], entry: Entry, windows: Windows) -> Sequence[int]:
    """The polls at which the series may be at another level than OK, by their places, in order.

    `values` are those of the whole stretch.
    """
    is_good = _goodness(entry, windows.longest)
    if is_good is None:
        return range(len(windows.bounds))
    if _has_no_gap(values) and not _is_holed(entry) and is_good(min(values)) and is_good(max(values)):
        return windows.without_datapoint(len(values))
    return list(_loud(values, entry, windows.bounds, is_good))


def _has_no_gap(values: Sequence[float]) -> bool:
    return bool(values) and not math.isnan(sum(values))


def _loud(
    values: Sequence[float], entry: Entry, bounds: Sequence[Bounds], is_good: Callable[[float], bool]
) -> Iterator[int]:
    is_there = [not math.isnan(value) for value in values]
    last_there = list(accumulate((place if there else -1 for place, there in enumerate(is_there)), max))
    is_bad = (there and not is_good(value) for value, there in zip(values, is_there, strict=True))
    last_bad = list(accumulate((place if bad else -1 for place, bad in enumerate(is_bad)), max))
    count = len(values)
    is_last = entry.judged is Judged.LAST
    for place, (first, _, visible) in enumerate(bounds):
        newest = min(visible, count) - 1
        there = last_there[newest] if newest >= 0 else -1
        # A datapoint that is bad harms until a newer one is there; in a fold, for as long as it is in the window.
        since = there if is_last else max(first, 0)
        if there < first or there < 0 or last_bad[newest] >= since:
            yield place


def _goodness(entry: Entry, longest: int) -> Callable[[float], bool] | None:
    """Tell by one datapoint that it makes no window of such datapoints breach; None where nothing can tell that."""
    if entry.ratio is not None or entry.compare is not None:
        return None
    if entry.judged in _ONE_OF_THEM:
        return lambda value: level_of(value, entry) is Level.OK
    if _is_holed(entry) or not (entry.judged in _AMONG_THEM or entry.judged is Judged.SUM):
        return None
    most = longest if entry.judged is Judged.SUM else 1

    def is_good(value: float) -> bool:
        margin = abs(value) * _ROUNDING
        return math.isfinite(value * most) and all(
            level_of(each * times, entry) is Level.OK
            for each in (value - margin, value + margin)
            for times in {1, most}
        )

    return is_good


def _is_holed(entry: Entry) -> bool:
    return any(one is not None and one.operator in _HOLED for one in (entry.warning, entry.critical))
