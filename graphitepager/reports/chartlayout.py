"""A series over a stretch of time as a picture: what is drawn where, for whoever draws it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from graphitepager.curves import bands, finite
from graphitepager.printable import printable
from graphitepager.reports.scales import Scale, fitting_unit, outline, runs, time_ticks, value_ticks
from graphitepager.rules import Level
from graphitepager.thresholds import describe, format_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from graphitepager.curves import Curve
    from graphitepager.rules import Entry
    from graphitepager.thresholds import Threshold

    Corners = Sequence[tuple[float, float]]

# Room around the plot, in pixels.
_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 10.0, 8.0, 24.0
_HEADING, _SUBHEADING = 24.0, 18.0
# The shares of the height that stay empty above and below the values.
_MARGIN = 0.1
# A threshold that is further away than so many times the range of the values would press them flat.
_FAR = 10.0
# Values that come near zero are shown with it.
_NEAR_ZERO = 0.4
_LINE_HEIGHT = 13.0
_TICK_WIDTH, _TICK_HEIGHT = 66.0, 42.0
_LETTER, _BOLD_LETTER = 6.4, 9.4
_LONGEST_HEADING = 300
_MOST_DESCRIBED = 20
_LEAST_WIDTH = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of time with a meaning: an incident at a level, or a time in which triggers are held back (no level).

    It goes on where `ends_at` is None. `words` say what it is.
    """

    level: Level | None
    begins_at: datetime
    ends_at: datetime | None
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What is to be drawn: a curve from `begin` to `end`, by the thresholds of its entry, with what happened then.

    Without a heading it is for a page that has one. `note` says why there is nothing to see.
    """

    name: str
    curve: Curve
    entry: Entry | None
    begin: datetime
    end: datetime
    spans: Sequence[Span] = ()
    heading: str = ""
    note: str = ""
    width: int = 760
    height: int = 260


class Box(NamedTuple):
    """A rectangle; `kind` is a level's value or `muted`."""

    kind: str
    left: float
    width: float
    words: str


class Label(NamedTuple):
    """A text that begins, has its middle or ends (`start`, `middle`, `end`) at a point of its base line."""

    kind: str
    x: float
    y: float
    anchor: str
    text: str


class Line(NamedTuple):
    """A horizontal line: `grid`, or the threshold of a level."""

    kind: str
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A picture laid out, in pixels from the upper left corner. `left`, `top`, `right`, `bottom` are the plot's edges.

    `areas` are closed, `strokes` are not. `uprights` are where the ticks of the time stand.
    """

    title: str
    description: str
    width: int
    height: int
    left: float
    top: float
    right: float
    bottom: float
    boxes: Sequence[Box]
    lines: Sequence[Line]
    uprights: Sequence[float]
    areas: Sequence[Corners]
    strokes: Sequence[Corners]
    labels: Sequence[Label]


def laid_out(picture: Picture) -> Chart:
    """Find out what lies where."""
    thresholds = _thresholds(picture.entry)
    curve = picture.curve.between(picture.begin.timestamp(), picture.end.timestamp())
    drawn = finite(curve.values)
    shown_in = fitting_unit(drawn, [one for _, one in thresholds])
    near = [(level, bound) for level, one in thresholds for bound in one.bounds if _is_near(bound, drawn)]
    scale = _scale(drawn, [bound for _, bound in near])
    top = _TOP + (_HEADING + _SUBHEADING if picture.heading else 0.0)
    bottom = picture.height - _BOTTOM
    ticks = value_ticks(scale, shown_in, max(int((bottom - top) / _TICK_HEIGHT), 2))
    left = max(_LEFT, 14 + _LETTER * max((len(label) for _, label in ticks), default=0))
    plot = _Plot(left, top, picture.width - _RIGHT, bottom, picture.begin, picture.end)

    def y_of(value: float) -> float:
        return plot.bottom - scale.share(value) * (plot.bottom - plot.top)

    times = time_ticks(picture.begin, picture.end, max(int((plot.right - plot.left) / _TICK_WIDTH), 2))
    areas, strokes = _shapes(curve, plot, y_of)
    return Chart(
        title=printable(picture.name),
        description=" ".join(_sentences(picture, drawn, thresholds, shown_in)),
        width=picture.width,
        height=picture.height,
        left=plot.left,
        top=plot.top,
        right=plot.right,
        bottom=plot.bottom,
        boxes=[plot.box(one) for one in picture.spans if plot.shows(one)],
        lines=[Line("grid", y_of(value)) for value, _ in ticks]
        + [Line(level.value, y_of(bound)) for level, bound in near],
        uprights=[plot.x_of(moment.timestamp()) for moment, _ in times],
        areas=areas,
        strokes=strokes,
        labels=[
            *_heading(picture, drawn, shown_in),
            *(Label("value", plot.left - 6, y_of(value) + 4, "end", label) for value, label in ticks),
            *_time_labels(times, plot),
            *_threshold_labels(thresholds, drawn, y_of, plot),
            *_note(picture, drawn, plot),
        ],
    )


class _Plot(NamedTuple):
    """Where the curve is drawn, and the time that this stands for."""

    left: float
    top: float
    right: float
    bottom: float
    begin: datetime
    end: datetime

    def x_of(self, second: float) -> float:
        begin, end = self.begin.timestamp(), self.end.timestamp()
        share = (second - begin) / ((end - begin) or 1.0)
        return self.left + min(max(share, 0.0), 1.0) * (self.right - self.left)

    def shows(self, span: Span) -> bool:
        return span.begins_at < self.end and (span.ends_at is None or span.ends_at > self.begin)

    def box(self, span: Span) -> Box:
        left = self.x_of(span.begins_at.timestamp())
        width = self.x_of((span.ends_at or self.end).timestamp()) - left
        kind = span.level.value if span.level else "muted"
        return Box(kind, min(left, self.right - _LEAST_WIDTH), max(width, _LEAST_WIDTH), printable(span.words))


def _thresholds(entry: Entry | None) -> list[tuple[Level, Threshold]]:
    levels = (Level.WARNING, Level.CRITICAL) if entry else ()
    return [(level, one) for level in levels if entry and (one := entry.threshold(level))]


def _is_near(bound: float, drawn: Sequence[float]) -> bool:
    if not drawn or not math.isfinite(bound):
        return math.isfinite(bound)
    least, most = min(drawn), max(drawn)
    size = max(most / 2 - least / 2, abs(most) / 2, abs(least) / 2) * 2
    return not size or max(bound / _FAR - most / _FAR, least / _FAR - bound / _FAR) <= size


def _scale(drawn: Sequence[float], bounds: Sequence[float]) -> Scale:
    values = [*drawn, *bounds]
    least, most = min(values, default=0.0), max(values, default=0.0)
    is_near_zero = 0 <= least <= most * _NEAR_ZERO
    scale = Scale.around(values, margin=_MARGIN)
    return Scale(0.0, scale.most) if is_near_zero and most else scale


def _shapes(curve: Curve, plot: _Plot, y_of: Callable[[float], float]) -> tuple[list[Corners], list[Corners]]:
    """The areas and the strokes of a curve; as bands where it has more values than there are pixels."""
    pixels = int(plot.right - plot.left)
    if len(curve.values) > pixels:
        low, high = bands(curve, plot.begin.timestamp(), plot.end.timestamp(), pixels)
        corners = [outline(run, low, high, y_of) for run in runs(high)]
        return [[(x + plot.left, y) for x, y in one] for one in corners], []
    areas: list[Corners] = []
    strokes: list[Corners] = []
    for run in runs(curve.values):
        line = [(plot.x_of(curve.begin + place * curve.step), y_of(curve.values[place])) for place in run]
        if len(line) == 1:  # as long as its interval, to be seen at all
            after = plot.x_of(curve.begin + (run[0] + 1) * curve.step)
            line.append((max(after, line[0][0] + _LEAST_WIDTH), line[0][1]))
        strokes.append(line)
        areas.append([*line, (line[-1][0], plot.bottom), (line[0][0], plot.bottom)])
    return areas, strokes


def _heading(picture: Picture, drawn: Sequence[float], shown_in: Threshold | None) -> Iterator[Label]:
    if not picture.heading:
        return
    room = int((picture.width - 2 * _RIGHT) / _BOLD_LETTER)
    yield Label("heading", _RIGHT, _TOP + 13, "start", shortened(printable(picture.heading), room))
    newest = f", last {format_value(drawn[-1], shown_in)}" if drawn else ""
    times = f"{picture.begin:%Y-%m-%d %H:%M} to {picture.end:%H:%M} UTC"
    yield Label("soft", _RIGHT, _TOP + 31, "start", f"{times}{newest}")


def _time_labels(times: Sequence[tuple[datetime, str]], plot: _Plot) -> Iterator[Label]:
    y = plot.bottom + 16
    room = plot.right - len("UTC") * _LETTER - 22
    for moment, label in times:
        x = plot.x_of(moment.timestamp())
        if x <= room:
            yield Label("time", x, y, "middle", label)
    yield Label("time", plot.right, y, "end", "UTC")


def _threshold_labels(
    thresholds: Sequence[tuple[Level, Threshold]], drawn: Sequence[float], y_of: Callable[[float], float], plot: _Plot
) -> Iterator[Label]:
    """Each above its line, none over another; what is too far away for the picture is at its edge, with an arrow."""
    wanted = []
    for level, one in thresholds:
        for bound in one.bounds:
            text = f"{level.value} {describe(one)}"
            if not _is_near(bound, drawn):
                text += " ↑" if drawn and bound > max(drawn) else " ↓"
            wanted.append((y_of(bound) - 4, level, text))
    taken = plot.bottom + _LINE_HEIGHT - 4
    for y, level, text in sorted(wanted, key=lambda one: -one[0]):
        taken = min(y, taken - _LINE_HEIGHT)
        yield Label(level.value, plot.right - 4, max(taken, plot.top + 10), "end", text)


def _note(picture: Picture, drawn: Sequence[float], plot: _Plot) -> Iterator[Label]:
    note = picture.note or ("" if drawn else "no datapoints in this time")
    if note:
        room = int((plot.right - plot.left) / _LETTER)
        middle = (plot.left + plot.right) / 2
        yield Label("note", middle, (plot.top + plot.bottom) / 2, "middle", shortened(printable(note), room))


def _sentences(
    picture: Picture,
    drawn: Sequence[float],
    thresholds: Sequence[tuple[Level, Threshold]],
    shown_in: Threshold | None,
) -> Iterator[str]:
    """What the picture shows, for those who do not see it."""
    yield f"From {picture.begin:%Y-%m-%d %H:%M} to {picture.end:%Y-%m-%d %H:%M} UTC:"
    if drawn:
        least, most, last = (format_value(one, shown_in) for one in (min(drawn), max(drawn), drawn[-1]))
        yield f"between {least} and {most}, last {last}."
    else:
        yield "no datapoints."
    if picture.note:
        yield f"{printable(picture.note)}."
    for level, one in thresholds:
        yield f"{level.label}: {describe(one)}."
    for span in picture.spans[:_MOST_DESCRIBED]:
        yield f"{printable(span.words)}."
    if len(picture.spans) > _MOST_DESCRIBED:
        yield f"And {len(picture.spans) - _MOST_DESCRIBED} more."


def shortened(text: str, length: int) -> str:
    """At most so many characters, with a mark where something is left out in the middle."""
    length = min(max(length, 3), _LONGEST_HEADING)
    if len(text) <= length:
        return text
    front = (length - 1) * 2 // 3
    return f"{text[:front]}…{text[len(text) - (length - 1 - front) :]}"
