"""What series that are computed here are made of: their datapoints, and the reasons for which there are none."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from graphitepager import folding, rawdata
from graphitepager.model import Series

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from graphitepager.rawdata import RawAnswer

# What a reason quotes of a target: enough to know it by.
_LONGEST_QUOTE = 120


class Sourced(NamedTuple):
    """The series of an entry; why some have no datapoint, by name; and those whose points are no numbers."""

    answer: RawAnswer
    reasons: Mapping[str, str]
    unreadable: frozenset[str] = frozenset()


class NoValueError(Exception):
    """There is nothing to judge; the text says why, or is empty where the series itself says it."""


class Results:
    """Collects the series of an entry, each with its new points or with the reason for which it has none."""

    def __init__(self) -> None:
        self._series: list[Series] = []
        self._reasons: dict[str, str] = {}
        self._unreadable: set[str] = set()

    def add(self, series: Series) -> None:
        self._series.append(series)

    def add_none(self, name: str, like: Series, reason: str) -> None:
        self._series.append(like._replace(name=name, points=b"None"))
        if reason:
            self._reasons.setdefault(name, reason)

    def add_unreadable(self, name: str, like: Series) -> None:
        self._series.append(like._replace(name=name))
        self._unreadable.add(name)

    def sourced(self) -> Sourced:
        return Sourced(rawdata.holding(self._series), self._reasons, frozenset(self._unreadable))


def datapoints(series: Series) -> Iterator[tuple[int, float]]:
    """The datapoints with their times; ValueError where a point is no number."""
    times = range(series.start, series.start + (series.points.count(b",") + 1) * series.step, series.step)
    for time, text in zip(times, series.points.split(b","), strict=True):
        value = folding.number(text)
        if value is not None:
            yield time, value


def written(name: str, start: int, step: int, values: Sequence[float | None]) -> Series:
    """Make a series of values, as Graphite would have written it."""
    return Series(name, start, start + step * len(values), step, ",".join(map(repr, values)).encode())


def quoted(target: str) -> str:
    """A target as a reason names it."""
    return target if len(target) <= _LONGEST_QUOTE else f"{target[: _LONGEST_QUOTE - 1]}…"


def quotient(top: float, bottom: float, scale: float) -> float:
    """Scale first: 100 * 8.24 / 10 is 82.4, and 8.24 / 10 * 100 is a little less."""
    scaled = scale * top
    return scaled / bottom if math.isfinite(scaled) or not math.isfinite(top) else top / bottom * scale
