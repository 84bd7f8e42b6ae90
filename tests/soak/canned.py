"""Graphite as the soak test needs it: series that change, pause and go, and answers that fail."""

from __future__ import annotations

import enum
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

from graphitepager.durations import parse_offset
from graphitepager.errors import FetchError
from graphitepager.rawdata import RawAnswer, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from threading import Event as ThreadEvent

    from graphitepager.graphite import Take
    from graphitepager.model import Series
    from graphitepager.rules import Query
    from tests.soak.rulebook import Rulebook

STEP_S = 60


class Lack(enum.Enum):
    """What a series is where it has no value."""

    SILENT = "no datapoints"
    GONE = "not in the answer"


Measure: TypeAlias = "float | Lack"
Windows: TypeAlias = "dict[str, dict[str, Series]]"


class Canned:
    """What every series has measured, by the true clock. `down` holds the alerts whose queries fail."""

    def __init__(self, true_time: Callable[[], datetime]) -> None:
        self._true_time = true_time
        self._history: dict[str, list[tuple[float, Measure]]] = {}
        self.down: frozenset[str] = frozenset()

    def measure(self, series: str, what: Measure) -> None:
        """From now on it measures this; what it did before stays in the windows."""
        past = self._history.setdefault(series, [])
        past.append((self._true_time().timestamp(), what))
        del past[:-40]

    def now(self, series: str) -> Measure:
        return self._history[series][-1][1]

    def since(self, series: str) -> timedelta:
        """For how long it has measured that."""
        return timedelta(seconds=self._true_time().timestamp() - self._history[series][-1][0])

    def answer(self, query: Query, book: Rulebook) -> RawAnswer | FetchError:
        """The real parser's answer to the bytes that Graphite would send."""
        rule = next(one for one in book.rules if query.target.startswith(one.name.lower()))
        if rule.name in self.down:
            return FetchError(query.target, "timed out")
        moved = query.target.endswith(".moved.*")
        names = rule.series[:-1] if moved else rule.series
        offset = parse_offset(query.from_)
        assert offset is not None
        count = max(1, round(-offset.total_seconds() / STEP_S))
        lines = [self._line(name, count) for name in names if self.now(name) is not Lack.GONE]
        return parse("".join(lines).encode())

    def _line(self, name: str, count: int) -> str:
        now = self._true_time().timestamp()
        newest = int(now) // STEP_S * STEP_S
        starts = range(newest - (count - 1) * STEP_S, newest + STEP_S, STEP_S)
        points = ",".join(self._at(name, min(start + STEP_S - 0.001, now)) for start in starts)
        return f"{name},{starts[0]},{newest + STEP_S},{STEP_S}|{points}\n"

    def _at(self, name: str, moment: float) -> str:
        past = (what for at, what in reversed(self._history[name]) if at <= moment)
        what = next(past, Lack.SILENT)
        return "None" if isinstance(what, Lack) else repr(what)


class CannedFetcher:
    """One process's way to Graphite; `seen` is what it was last answered, by target and series."""

    def __init__(self, graphite: Canned, book: Callable[[], Rulebook], meanwhile: Callable[[str], None]) -> None:
        self._graphite = graphite
        self._book = book
        self._meanwhile = meanwhile
        self.seen: Windows = {}

    def fetch(self, queries: Iterable[Query], take: Take, *, deadline_s: float, stop: ThreadEvent) -> None:
        self.seen = {}
        for query in queries:
            answer = self._graphite.answer(query, self._book())
            if not isinstance(answer, FetchError):
                self.seen[query.target] = {one.name: one for one in answer.series}
            take(query, answer)
        self._meanwhile("fetch")
