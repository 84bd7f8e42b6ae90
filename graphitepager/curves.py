"""A series over a stretch of time, and the least and the greatest of it where there is no room for every value."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Curve(NamedTuple):
    """The values of a series, NaN where there is none.

    `begin` is when the interval of the first one begins (epoch seconds), `step` how long each interval is (seconds).
    """

    begin: int
    step: int
    values: Sequence[float]

    @property
    def end(self) -> int:
        """Where the interval of the last value ends."""
        return self.begin + self.step * len(self.values)

    def place_of(self, second: float) -> int:
        """The place of the first value whose interval begins then or later, from 0 to the number of values."""
        return min(max(math.ceil((second - self.begin) / self.step), 0), len(self.values))

    def between(self, begin: float, end: float) -> Curve:
        """The values whose intervals begin in that time."""
        first, after = self.place_of(begin), self.place_of(end)
        return Curve(self.begin + first * self.step, self.step, self.values[first:after])


class Bands(NamedTuple):
    """The least and the greatest value of each part of a time; NaN where there is none."""

    low: Sequence[float]
    high: Sequence[float]


def bands(curve: Curve, begin: float, end: float, parts: int) -> Bands:
    """The curve from `begin` to `end` (epoch seconds), in so many equal parts."""
    low, high = [math.nan] * parts, [math.nan] * parts
    part_s = (end - begin) / parts
    after = curve.place_of(begin)
    for part in range(parts):
        first, after = after, curve.place_of(begin + (part + 1) * part_s)
        if there := [value for value in curve.values[first:after] if not math.isnan(value)]:
            low[part], high[part] = min(there), max(there)
    return Bands(low, high)


def finite(values: Iterable[float]) -> list[float]:
    """Those of the values that can be drawn to scale."""
    return [value for value in values if math.isfinite(value)]
