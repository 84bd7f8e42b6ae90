"""A window of datapoints in, one number out; and since when its newest datapoints breach."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from graphitepager import rawdata
from graphitepager.rules import Judged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from graphitepager.model import Series

# What stands in the place of a datapoint that is none; NaN is sorted out as a number, however it is spelt.
_ABSENT = frozenset({b"None", b"null", b""})
_P95 = 95


def fold(judged: Judged, series: Series, now: datetime) -> float | None:
    """Make one number of the datapoints in the window; None where they make none.

    `None` and `nan` are no datapoints, `inf` is one. A window without datapoints has a count, which is 0, and nothing
    else. `now` is for the age. Raises ValueError when the text in the place of a datapoint is no number.
    """
    if judged is Judged.LAST or judged is Judged.AGE:
        last = rawdata.last_point(series)
        if last is None:
            return None
        return last.value if judged is Judged.LAST else max(0.0, now.timestamp() - last.covered_until)
    values = [value for text in series.points.split(b",") if (value := number(text)) is not None]
    if judged is Judged.COUNT:
        return float(len(values))
    if not values:
        return None
    folded = _FOLDS[judged](values)
    return None if math.isnan(folded) else folded


def breaching_run(series: Series, is_breached: Callable[[float], bool]) -> tuple[int, bool] | None:
    """Find the unbroken run of breaching datapoints at the end of the window; None where the last one is good.

    Returns where the interval of its first datapoint begins (epoch seconds), and whether it reaches back to the first
    datapoint of the window: then it may have begun earlier. Places without a datapoint neither break nor lengthen it.
    Only the run and the datapoint before it are read. ValueError when one of those is no number.
    """
    last = rawdata.last_point(series)
    if last is None or not is_breached(last.value):
        return None
    points = series.points
    end = len(points)
    first = 0
    is_whole_window = True
    while end >= 0 and is_whole_window:
        start = points.rfind(b",", 0, end) + 1
        value = number(points[start:end])
        if value is not None:
            is_whole_window = is_breached(value)
            first = start if is_whole_window else first
        end = start - 1
    # Never later than what it covers, which fits into a datetime whatever the answer says.
    return min(series.start + points.count(b",", 0, first) * series.step, last.covered_until), is_whole_window


def numbers(series: Series) -> list[float | None]:
    """Every point of the window, None where it is no datapoint. ValueError where one is no number."""
    return [number(text) for text in series.points.split(b",")] if series.points else []


def number(text: bytes) -> float | None:
    """Read one point; None where it is no datapoint. ValueError where it is no number."""
    if text in _ABSENT:
        return None
    value = float(text)
    return None if math.isnan(value) else value


def _average(values: Sequence[float]) -> float:
    try:
        return math.fsum(values) / len(values)
    except OverflowError:  # the sum, not the average
        return math.fsum(value / len(values) for value in values)
    except ValueError:  # inf and -inf
        return math.nan


def _sum(values: Sequence[float]) -> float:
    try:
        return math.fsum(values)
    except OverflowError:  # the sum is not always what overflows, it may be the way there
        return _average(values) * len(values)
    except ValueError:  # inf and -inf
        return math.nan


def _median(values: Sequence[float]) -> float:
    ranked = sorted(values)
    middle = len(ranked) // 2
    return ranked[middle] if len(ranked) % 2 else _average(ranked[middle - 1 : middle + 1])


def _p95(values: Sequence[float]) -> float:
    """By nearest rank: the smallest datapoint that is not below 95 % of them; always one of them, up to 19 the max."""
    rank = -(-_P95 * len(values) // 100)
    return sorted(values)[rank - 1]


def _change(values: Sequence[float]) -> float:
    return values[-1] - values[0]


_FOLDS: Mapping[Judged, Callable[[Sequence[float]], float]] = {
    Judged.AVERAGE: _average,
    Judged.MIN: min,
    Judged.MAX: max,
    Judged.SUM: _sum,
    Judged.MEDIAN: _median,
    Judged.P95: _p95,
    Judged.CHANGE: _change,
}
