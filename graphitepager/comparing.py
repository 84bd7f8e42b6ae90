"""Series held against what they were some time earlier."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from graphitepager import folding, rawdata
from graphitepager.derived import NoValueError, Results, Sourced, datapoints, quotient, written
from graphitepager.durations import format_duration
from graphitepager.rules import ComparedAs, Judged

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from graphitepager.model import Series
    from graphitepager.rules import Compare


def compared(judged: Judged, compare: Compare, present: Sourced, past: Sourced, now: datetime) -> Sourced:
    """Hold each series against the one that had its name then."""
    then = _by_name(past.answer.series)
    results = Results()
    for name, group in _by_name(present.answer.series).items():
        try:
            before = _partner(name, group, then.get(name, ()), compare, present, past)
            results.add(_held_against(judged, compare, group[0], before, now))
        except NoValueError as reason:
            results.add_none(name, group[0], str(reason))
        except ValueError:
            results.add_unreadable(name, group[0])
    return results.sourced()


def _partner(
    name: str, group: Sequence[Series], before: Sequence[Series], compare: Compare, present: Sourced, past: Sourced
) -> Series:
    """The series to compare with, where it is plain which; ValueError where its points are no numbers, or ours."""
    if name in present.unreadable or name in past.unreadable:
        raise ValueError(name)
    ago = format_duration(compare.ago)
    if name in present.reasons:
        raise NoValueError(present.reasons[name])
    if name in past.reasons:
        raise NoValueError(f"{ago} earlier: {past.reasons[name]}")
    if not before:
        raise NoValueError(f"there was no such series {ago} earlier")
    if len(group) > 1 or len(before) > 1:
        raise NoValueError("cannot be compared: several series have this name")
    return before[0]


def _by_name(series: Iterable[Series]) -> dict[str, list[Series]]:
    groups: dict[str, list[Series]] = {}
    for one in dict.fromkeys(series):  # what came twice, and is the same down to its points, counts once
        groups.setdefault(one.name, []).append(one)
    return groups


def _held_against(judged: Judged, compare: Compare, series: Series, before: Series, now: datetime) -> Series:
    if judged is Judged.LAST:
        return _point_by_point(compare, series, before)
    return _folded(judged, compare, series, before, now)


def _point_by_point(compare: Compare, series: Series, before: Series) -> Series:
    """Hold each datapoint against the interval of the past that its time lies in: the past may have coarser ones."""
    past = [folding.number(text) for text in before.points.split(b",")]
    ago_s = int(compare.ago.total_seconds())
    values: dict[int, float] = {}
    reason = ""
    for time, value in datapoints(series):
        place = (time - ago_s - before.start) // before.step
        earlier = past[place] if 0 <= place < len(past) else None
        try:
            values[time] = _comparison(compare, value, earlier)
        except NoValueError as why:
            reason = str(why)
    if not values:
        raise NoValueError(reason)
    times = range(series.start, series.start + series.points.count(b",") * series.step + 1, series.step)
    return written(series.name, series.start, series.step, [values.get(time) for time in times])


def _folded(judged: Judged, compare: Compare, series: Series, before: Series, now: datetime) -> Series:
    """Fold both windows, then compare: one datapoint, at the time of the newest one of now."""
    if judged in {Judged.SUM, Judged.COUNT} and series.step != before.step:
        was = f"the past is kept in steps of {before.step} s, not {series.step} s"
        raise NoValueError(f"cannot be compared: {was}, which makes another {judged.value}")
    last = rawdata.last_point(series)
    end = last.covered_until if last else series.start + (series.points.count(b",") + 1) * series.step
    value = folding.fold(judged, series, now)
    if value is None:
        raise NoValueError("")
    ago_s = int(compare.ago.total_seconds())
    earlier = folding.fold(judged, _between(before, series.start - ago_s, end - ago_s), now)
    return written(series.name, end - series.step, series.step, [_comparison(compare, value, earlier)])


def _between(series: Series, start: int, end: int) -> Series:
    """The part of a series whose intervals lie in a stretch of time, or reach into it."""
    first = max(0, (start - series.start) // series.step)
    after = max(first, -((series.start - end) // series.step))
    points = series.points.split(b",")[first:after]
    return series._replace(start=series.start + first * series.step, points=b",".join(points))


def _comparison(compare: Compare, value: float, earlier: float | None) -> float:
    ago = format_duration(compare.ago)
    if earlier is None:
        raise NoValueError(f"no datapoint {ago} earlier")
    if compare.compared_as is ComparedAs.DIFFERENCE:
        result = value - earlier
    elif not earlier:
        raise NoValueError(f"division by zero: it was 0 {ago} earlier")
    elif compare.compared_as is ComparedAs.RATIO:
        result = value / earlier
    else:
        result = quotient(value - earlier, earlier, 100)
    if math.isnan(result):  # infinity against infinity
        raise NoValueError(f"{value:g} cannot be held against {earlier:g}, {ago} earlier")
    return result
