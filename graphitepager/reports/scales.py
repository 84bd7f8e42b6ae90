"""Values and times on their way into a picture: where they lie, what stands beside them, and how they are joined."""

from __future__ import annotations

import math
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from graphitepager.curves import finite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from graphitepager.thresholds import Threshold

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_STEPS = tuple(timedelta(minutes=one) for one in (1, 2, 5, 10, 15, 30)) + tuple(
    timedelta(hours=one) for one in (1, 2, 3, 6, 12, 24, 48, 168, 336, 672)
)
# The share of a value by which it lies above the bottom where there is no other.
_ALONE = 0.25
# Between these, a label on an axis is short as it is.
_SMALL, _LARGE, _ENORMOUS = 1e-4, 1e5, 1e15
_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
# The units that can have a prefix set before them.
_BASES = frozenset({"", "B", "bit"})


class Scale(NamedTuple):
    """A range of finite values; nothing overflows, however large they are."""

    least: float
    most: float

    @classmethod
    def around(cls, values: Iterable[float], *, margin: float = 0.0) -> Scale:
        """What holds all of these, and a share of that above and below."""
        there = finite(values)
        least, most = min(there, default=0.0), max(there, default=1.0)
        room = (most / 2 - least / 2) * 2 * margin if least < most else abs(most) * _ALONE or 1.0
        return cls(_bounded(least - room), _bounded(most + room))

    def share(self, value: float) -> float:
        """How far up a value lies, from 0 to 1; beyond the range it is at the edge."""
        # Halved, lest the difference of two large numbers be infinite.
        height = self.most / 2 - self.least / 2
        share = (value / 2 - self.least / 2) / height if height else 0.5
        return min(max(share, 0.0), 1.0)


def fitting_unit(values: Sequence[float], thresholds: Sequence[Threshold]) -> Threshold | None:
    """The threshold in whose unit these values are shown: the largest unit that does not make them fractions."""
    size = max(map(abs, values), default=math.inf)
    by_size = sorted(thresholds, key=lambda one: one.scale)
    return next((one for one in reversed(by_size) if one.scale <= size), by_size[0] if by_size else None)


def value_ticks(scale: Scale, threshold: Threshold | None, at_most: int) -> list[tuple[float, str]]:
    """Round values within the scale with their labels, in the unit of the threshold; from least to most."""
    unit = threshold.scale if threshold else 1.0
    least, most = scale.least / unit, scale.most / unit
    step = _round_step((most / 2 - least / 2) * 2 / max(at_most, 1) if most - least < math.inf else most / at_most)
    if not step or not math.isfinite(step):
        return []
    first, last = math.ceil(least / step), math.floor(most / step)
    size = max(abs(least), abs(most))
    places = range(first, last + 1) if last - first <= 2 * at_most else ()
    found = ((place * step * unit, _label(place * step, step, size, threshold)) for place in places)
    return [(value, label) for value, label in found if math.isfinite(value)]


def time_ticks(begin: datetime, end: datetime, at_most: int) -> list[tuple[datetime, str]]:
    """Midnights, hours or minutes from `begin` to `end`, as many as there is room for, with their labels."""
    whole = end - begin
    step = next((each for each in _STEPS if whole / each <= at_most), whole / at_most or _HOUR)
    moment = begin.replace(hour=0, minute=0, second=0, microsecond=0)
    moment += max((begin - moment) // step, 0) * step
    ticks = []
    while moment <= end:
        if moment >= begin:
            ticks.append((moment, f"{moment:{_time_form(moment, step, whole)}}"))
        moment += step
    return ticks


def runs(values: Sequence[float]) -> Iterator[range]:
    """The places of values that follow each other without a gap."""
    first = 0
    for place in range(len(values) + 1):
        if place == len(values) or math.isnan(values[place]):
            if place > first:
                yield range(first, place)
            first = place + 1


def outline(
    run: range, low: Sequence[float], high: Sequence[float], top: Callable[[float], float]
) -> list[tuple[float, float]]:
    """The corners of a run of bands, each one unit wide: along the top, and back along the bottom."""
    upper = [(float(place), top(high[place])) for place in run]
    lower = [(place + 1.0, top(low[place])) for place in reversed(run)]
    return [*upper, *lower]


def path(corners: Iterable[tuple[float, float]], *, is_closed: bool = False) -> str:
    """The `d` of an SVG path."""
    joined = "L".join(f"{x:.5g} {y:.5g}" for x, y in corners)
    return f"M{joined}{'Z' if is_closed else ''}"


def _time_form(moment: datetime, step: timedelta, whole: timedelta) -> str:
    if step < _DAY:
        return "%a %d" if not (moment.hour or moment.minute) and whole > _HOUR else "%H:%M"
    return "%a %d" if whole <= 8 * _DAY else "%d %b"


def _round_step(least: float) -> float:
    """The next of 1, 2, 2.5, 5, 10, 20, ... that is not smaller; 0 where there is none."""
    if not 0 < least < math.inf:
        return 0.0
    power: float = 10.0 ** math.floor(math.log10(least))
    return next((one * power for one in (1, 2, 2.5, 5, 10) if one * power >= least * (1 - 1e-9)), 0.0)


def _label(value: float, step: float, size: float, threshold: Threshold | None) -> str:
    """One of the values on an axis, `step` apart; `size` is that of the largest."""
    unit = threshold.unit if threshold else ""
    if not _SMALL <= size < _ENORMOUS:
        return f"{value:.3g}{unit}"
    factor, prefix = 1.0, ""
    if value and size >= _LARGE and unit in _BASES:
        factor, prefix = next(one for one in _PREFIXES if size >= one[0])
    decimals = next((each for each in range(16) if _is_whole(step / factor * 10**each)), 16) if value else 0
    return f"{value / factor:.{decimals}f}{prefix}{unit}"


def _is_whole(number: float) -> bool:
    return abs(number - round(number)) < 1e-6 * number


def _bounded(value: float) -> float:
    return min(max(value, -sys.float_info.max), sys.float_info.max)
