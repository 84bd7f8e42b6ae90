r"""Bytes of Graphite's raw format in, series out, without touching points that nobody asks for.

One line is `name,start,end,step|v,v,...\n`. Names come unescaped and may hold commas, bars and quotes, so a line is
taken apart from the right. Values are Python's: `None 1.0 1e-05 nan inf`. Source: graphite-web's rawdata renderer.

The lines of an answer mostly say the same times, and mostly bear the names of the answer before. So what is alike is
looked at once for all of them, and what a series costs is a few calls into C.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from graphitepager.model import Series
from graphitepager.roll import Roll

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Every letter of None, nan, NaN and null, and the comma: stripping them from the right leaves the last number.
# No number ends in one of them (`inf` ends in f, exponents in a digit).
_ABSENT = b"NoneaNul,"

# The last second that a datetime can hold; a line with times beyond it is no series.
_END_OF_TIME = 253_402_300_799


class Block(NamedTuple):
    """The series of an answer that have the same times: their names and their points, in the same order."""

    start: int
    end: int
    step: int
    names: Sequence[bytes]
    points: Sequence[bytes]

    def series(self, place: int) -> Series:
        """One of them, by its place here; where its name is no UTF-8, it stays recognisable."""
        name = self.names[place].decode("utf-8", "backslashreplace")
        return Series(name, self.start, self.end, self.step, self.points[place])


class RawAnswer(NamedTuple):
    """What one answer held: its series, the names of them all, and the start of each line that cannot be a series."""

    blocks: Sequence[Block]
    roll: Roll
    bad_lines: Sequence[str]

    @property
    def series(self) -> list[Series]:
        """Every series, one by one: those with the times of the first one, then the others."""
        return [block.series(place) for block in self.blocks for place in range(len(block.names))]


class LastPoint(NamedTuple):
    """The newest datapoint of a series; it speaks for the interval that ends at `covered_until` (epoch seconds)."""

    value: float
    covered_until: int


def parse(body: bytes, before: Roll | None = None) -> RawAnswer:
    """Take an answer apart; a line that cannot be a series is reported and does not harm the others.

    `before` is the roll of the last answer to the same query: the new one's, where the names are the same.
    """
    *lines, rest = body.split(b"\n")
    alike, lines = _alike(lines, body.count(b"|"))
    others, bad_lines = _one_by_one(lines)
    blocks = alike + others
    if rest:  # Graphite ends every line, so this one was cut off
        bad_lines.append(_show(rest))
    return RawAnswer(blocks, Roll.of([name for block in blocks for name in block.names], before), bad_lines)


def holding(series: Iterable[Series], bad_lines: Sequence[str] = ()) -> RawAnswer:
    """Make an answer of series, as `parse` would have returned it."""
    alike: dict[tuple[int, int, int], list[Series]] = {}
    for one in series:
        alike.setdefault((one.start, one.end, one.step), []).append(one)
    blocks = [
        Block(
            *times,
            [one.name.encode("utf-8", "surrogatepass") for one in group],
            [one.points for one in group],
        )
        for times, group in alike.items()
    ]
    return RawAnswer(blocks, Roll.of([name for block in blocks for name in block.names]), list(bad_lines))


def newest(block: Block) -> list[float]:
    """The newest datapoint of each series, nan where there is none; ValueError when one of them is no number."""
    texts = [points.rstrip(_ABSENT).rpartition(b",")[2] for points in block.points]
    try:
        return list(map(float, texts))
    except ValueError:
        return [float(text) if text else math.nan for text in texts]


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


def _alike(lines: list[bytes], bars: int) -> tuple[list[Block], list[bytes]]:
    """The series that have the times of the first one, and the lines that have others, or may have.

    `bars` is how many there are in all of the lines.
    """
    said = _times(lines[0]) if lines else None
    if said is None:
        return [], lines
    name, start, end, step = said
    between = lines[0][len(name) : lines[0].rindex(b"|") + 1]
    parts = [line.partition(between) for line in lines]
    found = [part[1] for part in parts]
    others: list[bytes] = []
    if bars != len(lines) or not all(found):  # else there is one in each, and this is it
        # With another bar behind it, what was found is within the name.
        others = [line for line, part in zip(lines, parts, strict=True) if not part[1] or b"|" in part[2]]
        parts = [part for part in parts if part[1] and b"|" not in part[2]]
    names, points = [part[0] for part in parts], [part[2] for part in parts]
    return [Block(start, end, step, names, points)] if parts else [], others


def _one_by_one(lines: Iterable[bytes]) -> tuple[list[Block], list[str]]:
    """The series of these lines by their times, and the lines that are none."""
    blocks: dict[tuple[int, int, int], tuple[list[bytes], list[bytes]]] = {}
    bad_lines = []
    for line in lines:
        found = _times(line)
        if found is not None:
            name, start, end, step = found
            names, points = blocks.setdefault((start, end, step), ([], []))
            names.append(name)
            points.append(line[line.rindex(b"|") + 1 :])
        elif line:
            bad_lines.append(_show(line))
    return [Block(*times, names, points) for times, (names, points) in blocks.items()], bad_lines


def _times(line: bytes) -> tuple[bytes, int, int, int] | None:
    """The name, start, end and step that a line says; None where it is no series."""
    try:
        name, *texts = line.rpartition(b"|")[0].rsplit(b",", 3)
        start, end, step = map(int, texts)
    except ValueError:
        return None
    return (name, start, end, step) if 0 <= start <= _END_OF_TIME and step > 0 else None


def _show(line: bytes) -> str:
    """Return enough of a bad line to recognise it by, fit for a log."""
    return ascii(line[:120].decode("utf-8", "backslashreplace"))[1:-1]
