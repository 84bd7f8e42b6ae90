"""A stretch of Graphite's past, cut into the windows that it would have answered a poll with at the time."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from graphitepager import folding, rawdata
from graphitepager.durations import parse_offset
from graphitepager.model import Series

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from graphitepager.rawdata import RawAnswer
    from graphitepager.rules import Query

# What holds for a series that is in no answer of now: the step that most others have.
_MOST = ""


class Span(NamedTuple):
    """Where the window of a query lies, seen from the time of the poll, in seconds."""

    begin: int
    end: int


class Bounds(NamedTuple):
    """Of one window: the first place, the one behind the last, and the one behind the last that exists by then."""

    first: int
    after: int
    visible: int


def span_of(query: Query) -> Span:
    """Where the window of a query lies; ValueError, whose text can be shown to the user, where it does not move."""
    offsets = []
    for text in (query.from_, query.until or "now"):
        offset = parse_offset(text)
        if offset is None:
            raise ValueError(f"{text} is a fixed time: such a window does not move with the polls")
        offsets.append(int(offset.total_seconds()))
    return Span(min(offsets), max(offsets))


def asked_over(query: Query, first: int, last: int, lead_s: int) -> Query:
    """What to ask once for all that polls from `first` to `last` (epoch seconds) see by this query.

    `lead_s` is how much earlier that begins, for what functions lack at the begin of an answer. ValueError: span_of.
    """
    span = span_of(query)
    return query._replace(from_=str(first + span.begin - lead_s), until=str(last + span.end))


class Track:
    """The datapoints of one series over a stretch of time.

    `start` and `step` are in epoch seconds; a datapoint is there from the second in which its interval begins.
    `begins_at` is when the series comes into being: with its first datapoint. None where it has none.
    """

    __slots__ = ("_texts", "begins_at", "name", "points", "start", "step")

    def __init__(self, series: Series, *, step: int | None = None) -> None:
        """Take a series as Graphite gave it; where it has steps that are coarser than `step`, fill them with copies."""
        self.name = series.name
        self.start = series.start
        self.step = series.step
        self.points = series.points
        self._texts: list[bytes] | None = None
        if step and series.step > step and not series.step % step:
            copies = series.step // step
            self._texts = [text for text in series.points.split(b",") for _ in range(copies)]
            self.points = b",".join(self._texts)
            self.step = step
        self.begins_at = self._begins_at()

    @property
    def texts(self) -> list[bytes]:
        """Each datapoint as Graphite wrote it."""
        if self._texts is None:
            self._texts = self.points.split(b",")
        return self._texts

    def bounds(self, span: Span, now: int) -> Bounds:
        """Where the window of a poll lies in `texts`, partly outside perhaps, as whisper aligns it."""
        first = (now + span.begin - self.start) // self.step + 1
        after = (now + span.end - self.start) // self.step + 1
        if first == after:  # an empty time range: whisper adds the next point
            after += 1
        return Bounds(first, after, min(after, (now - self.start) // self.step + 1))

    def window(self, span: Span, now: int) -> Series:
        """What Graphite would have answered a poll at `now` (epoch seconds)."""
        first, after, visible = self.bounds(span, now)
        texts = self.texts[max(first, 0) : max(visible, 0)]
        before = min(max(-first, 0), after - first)
        behind = after - first - before - len(texts)
        points = b",".join([b"None"] * before + texts + [b"None"] * behind)
        return Series(self.name, self.start + first * self.step, self.start + after * self.step, self.step, points)

    def whole(self) -> Series:
        """All of it, as Graphite would have answered a query for all of it."""
        end = self.start + self.step * (self.points.count(b",") + 1)
        return Series(self.name, self.start, end, self.step, self.points)

    def _begins_at(self) -> int | None:
        for place, text in enumerate(self.texts if self.points[:1] in b"Nn," else self.points.split(b",", 1)):
            try:
                is_point = folding.number(text) is not None
            except ValueError:
                is_point = True
            if is_point:
                return self.start + place * self.step
        return None


def tracks_of(answer: RawAnswer, steps: Mapping[str, int]) -> list[Track]:
    """The series of an answer that spans a stretch of time; `steps` are those of now, from `steps_of`."""
    usual = steps.get(_MOST)
    return [Track(one, step=steps.get(one.name, usual)) for one in answer.series]


def steps_of(answer: RawAnswer) -> dict[str, int]:
    """The step in which each series is kept, by its name, and the commonest one for all others."""
    steps = {one.name: one.step for one in answer.series}
    for step, _ in Counter(steps.values()).most_common(1):
        steps[_MOST] = step
    return steps


def coarsest(answer: RawAnswer, steps: Mapping[str, int]) -> tuple[int, int] | None:
    """The coarsest step of a stretch of the past beside that of now; None where no series is coarser than now."""
    usual = steps.get(_MOST)
    pairs = ((one.step, steps.get(one.name, usual)) for one in answer.series)
    return max(((then, now) for then, now in pairs if now is not None and then > now), default=None)


def note_births(births: dict[str, dict[str, int]], history: Mapping[Query, Iterable[Track]]) -> None:
    """Note when each series came into being, by target and name, where that is earlier than what is noted."""
    for query, tracks in history.items():
        of_target = births.setdefault(query.target, {})
        for one in tracks:
            if one.begins_at is not None:
                of_target[one.name] = min(one.begins_at, of_target.get(one.name, one.begins_at))


def answer_at(tracks: Iterable[Track], span: Span, now: int, births: Mapping[str, int]) -> RawAnswer:
    """What a poll at `now` was answered; a series that came into being later was no part of it."""
    return rawdata.holding(one.window(span, now) for one in tracks if births.get(one.name, now + 1) <= now)


def sorted_times(begin: int, end: int, step: int) -> Sequence[int]:
    """The times of the polls from `begin` to `end`, multiples of the step."""
    return range(begin // step * step, end + 1, step)
