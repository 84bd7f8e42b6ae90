"""The drawing of a series as an SVG path, its thresholds and its incidents: numbers in, places in per cent out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from graphitepager.curves import finite
from graphitepager.reports.scales import Scale, outline, path, runs
from graphitepager.rules import Level
from graphitepager.thresholds import describe, format_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from graphitepager.backtesting import PastIncident
    from graphitepager.rules import Entry
    from graphitepager.sketches import Sketch

HEIGHT = 100.0
# The share of the height that stays empty above and below the values.
_MARGIN = 0.08


class Line(NamedTuple):
    """A threshold: its level, what it says, and how far from the top it is, in per cent."""

    level: str
    label: str
    top: float


class Box(NamedTuple):
    """A stretch of time: its level, where it begins and how wide it is, in per cent, and what it is in words."""

    level: str
    left: float
    width: float
    title: str


class Plot(NamedTuple):
    """One series, drawn. `area` is the `d` of a path in a box of PLACES by HEIGHT; `least` and `most` are its range."""

    series: str
    area: str
    lines: tuple[Line, ...]
    boxes: tuple[Box, ...]
    least: str
    most: str
    pages: int


def plot(series: str, sketch: Sketch, incidents: Sequence[PastIncident], begin: datetime, end: datetime) -> Plot:
    """Draw a series with those of its incidents."""
    entry = sketch.entry
    thresholds = [(level, one) for level in (Level.WARNING, Level.CRITICAL) if (one := entry.threshold(level))]
    values = finite((*sketch.low, *sketch.high))
    values += [bound for _, one in thresholds for bound in one.bounds]
    least, most = min(values, default=0.0), max(values, default=1.0)
    scale = Scale.around(values, margin=_MARGIN)

    def top(value: float) -> float:
        return round(HEIGHT - scale.share(value) * HEIGHT, 2)

    return Plot(
        series=series,
        area=" ".join(path(outline(run, sketch.low, sketch.high, top), is_closed=True) for run in runs(sketch.high)),
        lines=tuple(Line(level.value, describe(one), top(bound)) for level, one in thresholds for bound in one.bounds),
        boxes=tuple(boxes(incidents, begin, end)),
        least=_in_words(least, entry),
        most=_in_words(most, entry),
        pages=sum(one.pages for one in incidents),
    )


def boxes(incidents: Iterable[PastIncident], begin: datetime, end: datetime) -> Iterator[Box]:
    """Where incidents lie in the time from `begin` to `end`."""
    whole = (end - begin).total_seconds() or 1.0
    for one in incidents:
        left = (one.begins_at - begin).total_seconds() / whole * 100
        width = one.lasts(end).total_seconds() / whole * 100
        yield Box(one.level.value, round(left, 3), round(max(width, 0.25), 3), one.summary)


def _in_words(value: float, entry: Entry) -> str:
    return format_value(value, entry.critical or entry.warning)
