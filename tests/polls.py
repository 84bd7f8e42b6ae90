"""One alert, polled through the whole core: windows of datapoints in, what is told out."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

from graphitepager import alerting, checks, rawdata, telling
from graphitepager.alerting import AlertMemory, Progress
from graphitepager.errors import FetchError
from graphitepager.model import Event, Series, SeriesState, Silence
from graphitepager.silences import parse_matcher
from graphitepager.telling import Holds
from tests.examples import MINUTE, NOON, alert

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphitepager.model import NearMiss
    from graphitepager.rawdata import RawAnswer
    from graphitepager.rules import Alert, Entry

# The newest datapoint of a series, or the whole window, oldest first.
Points: TypeAlias = "float | Sequence[float | None] | None"
Answer: TypeAlias = "Mapping[str, Points] | FetchError"
Told: TypeAlias = "list[tuple[str, ...]]"

FINE, UNEASY, BAD = 10.0, 60.0, 90.0
FAILED = FetchError("servers.*.lock", "timed out")
NOTHING = timedelta(0)
STEP = timedelta(seconds=60)


class Polls:
    """Polls an alert every minute from noon; each poll says what every entry's query answered.

    A window's newest datapoint is that of the minute which ends at the time of the poll.
    """

    def __init__(self, *entries: Entry, storm_limit: int = 20) -> None:
        self.alert: Alert = alert(*entries, storm_limit=storm_limit)
        self.memory = AlertMemory()
        self.now = NOON
        self.holds = Holds()
        self.progress = Progress(memory=self.memory)
        self.events: list[Event] = []
        self.near_misses: list[NearMiss] = []

    def poll(self, *answers: Answer, wait: timedelta = MINUTE, unobserved: timedelta = NOTHING) -> Told:
        """Return what is told: kind, series, level; what is held back is not."""
        given = {
            one.query: answer if isinstance(answer, FetchError) else self._answer(answer)
            for one, answer in zip(self.alert.entries, answers, strict=True)
        }
        evaluation = checks.evaluate(self.alert, given, self.now)
        self.progress = alerting.advance(self.alert, evaluation, self.memory, self.now, unobserved)
        told = telling.tell(self.alert, self.progress, self.now, self.holds)
        self.memory = told.memory
        self.events = list(told.events)
        self.near_misses += self.progress.near_misses
        self.now += wait
        return [(one.kind.value, one.key.series, one.level.value) for one in told.events if one.held_by is None]

    def each(self, *answers: Answer, times: int) -> Told:
        """The same answers so many times; what is told by all of the polls."""
        return [told for _ in range(times) for told in self.poll(*answers)]

    def state(self, series: str = "db1") -> SeriesState:
        return self.memory.states[series]

    def _answer(self, windows: Mapping[str, Points]) -> RawAnswer:
        return rawdata.holding([self._series(name, points) for name, points in windows.items()])

    def _series(self, name: str, points: Points) -> Series:
        window = [points] if points is None or isinstance(points, float) else list(points)
        end = int(self.now.timestamp())
        step = int(STEP.total_seconds())
        start = end - step * len(window)
        return Series(name, start, end, step, ",".join(map(repr, window)).encode())


class OneSeries(Polls):
    """Polls an alert that has one series, db1."""

    def see(self, *points: float | None, wait: timedelta = MINUTE) -> list[str]:
        """Poll once with this window; return what is told as `trigger critical`."""
        return [f"{kind} {level}" for kind, _, level in self.poll({"db1": list(points)}, wait=wait)]

    def see_each(self, *points: float | None) -> list[list[str]]:
        """Poll once for each of these datapoints; return what each poll tells."""
        return [self.see(point) for point in points]

    def level(self) -> str:
        return self.memory.states["db1"].level.value if "db1" in self.memory.states else "ok"


def hosts(count: int, value: float = BAD, *, first: int = 0) -> dict[str, float]:
    """That many series with this value."""
    return {f"host{number:03}": value for number in range(first, first + count)}


def silence(*matchers: str, lasts: timedelta = timedelta(hours=1)) -> Silence:
    return Silence(
        id=3,
        matchers=tuple(map(parse_matcher, matchers)),
        author="ann",
        comment="new disks",
        begins_at=NOON,
        ends_at=NOON + lasts,
    )


def silenced(series: Polls, *matchers: str) -> None:
    series.holds = Holds(silences=(silence(*matchers),))
