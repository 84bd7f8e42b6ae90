r"""Bytes of Graphite's raw format in, series out, without touching points that nobody asks for.

One line is `name,start,end,step|v,v,...\n`. Names come unescaped and may hold commas, bars and quotes, so a line is
taken apart from the right. Values are Python's: `None 1.0 1e-05 nan inf`. Source: graphite-web's rawdata renderer.
"""

from __future__ import annotations

from typing import NamedTuple

from graphitepager.model import Series

# Every letter of None, nan, NaN and null, and the comma: stripping them from the right leaves the last number.
# No number ends in one of them (`inf` ends in f, exponents in a digit).
_ABSENT = b"NoneaNul,"

# The last second that a datetime can hold; a line with times beyond it is no series.
_END_OF_TIME = 253_402_300_799


class RawAnswer(NamedTuple):
    """What one answer held: the series in Graphite's order, and the start of each line that cannot be a series."""

    series: list[Series]
    bad_lines: list[str]


class LastPoint(NamedTuple):
    """The newest datapoint of a series; it speaks for the interval that ends at `covered_until` (epoch seconds)."""

    value: float
    covered_until: int


def parse(body: bytes) -> RawAnswer:
    """Take an answer apart; a line that cannot be a series is reported and does not harm the others."""
    series: list[Series] = []
    bad_lines: list[str] = []
    *lines, rest = body.split(b"\n")
    for line in lines:
        head, _, points = line.rpartition(b"|")
        try:
            name, start, end, step = head.rsplit(b",", 3)
            one = Series(name.decode("utf-8", "backslashreplace"), int(start), int(end), int(step), points)
        except ValueError:
            if line:
                bad_lines.append(_show(line))
            continue
        if 0 <= one.start <= _END_OF_TIME and one.step > 0:
            series.append(one)
        else:
            bad_lines.append(_show(line))
    if rest:  # Graphite ends every line, so this one was cut off
        bad_lines.append(_show(rest))
    return RawAnswer(series, bad_lines)


def last_point(series: Series) -> LastPoint | None:
    """Find the newest datapoint that holds a number; `None` and `nan` are no datapoint, `inf` is one.

    Raises ValueError when the text in its place is no number.
    """
    points = series.points
    present = points.rstrip(_ABSENT)
    if not present:
        return None
    value = float(present[present.rfind(b",") + 1 :])
    # Counted from the start: the number of points is not always (end - start) / step, constantLine() sends three.
    return LastPoint(value, min(series.start + (present.count(b",") + 1) * series.step, _END_OF_TIME))


def _show(line: bytes) -> str:
    """Return enough of a bad line to recognise it by, fit for a log."""
    return ascii(line[:120].decode("utf-8", "backslashreplace"))[1:-1]
