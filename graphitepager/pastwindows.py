"""Fetches Graphite's past window by window, so that memory is bounded by the window and not by the history."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from graphitepager import history
from graphitepager.errors import FetchError
from graphitepager.graphite import Fetcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from graphitepager.history import Track
    from graphitepager.rawdata import RawAnswer
    from graphitepager.rules import Query, Settings

# How many datapoints a window may have, of all series together: some 100 MB with all that is made of them.
_MOST_POINTS = 2_000_000
_SHORTEST_S, _LONGEST_S = 7_200, 86_400
# What is fetched before a window: what functions such as derivative() lack at the begin of an answer, and the series
# that have been silent for a while.
_LEAD_S = 3_600
# Graphite takes longer for a day than for the minute that the daemon asks for.
_PATIENCE_S = 120.0
_DEADLINE_S = 900.0
_MOST_TRIES = 2

Answers = dict["Query", "RawAnswer | FetchError"]


class Coarse(NamedTuple):
    """A target whose past is kept in longer steps than its present, in seconds."""

    target: str
    past: int
    present: int


class Replayed(NamedTuple):
    """What fetching has found out: the alerts that could not be replayed, with the reason; and what is coarse."""

    failed: Mapping[str, str]
    coarse: tuple[Coarse, ...]


class PastWindows:
    """The past of the targets of these queries. `failures` are those that cannot be fetched, or not be replayed."""

    def __init__(self, settings: Settings, queries: Iterable[Query]) -> None:
        patience_s = max(_PATIENCE_S, settings.graphite_read_timeout_s)
        self._fetcher = Fetcher(replace(settings, graphite_read_timeout_s=patience_s))
        self._steps: dict[Query, Mapping[str, int]] = {}
        self._series: dict[Query, int] = {}
        self._coarse: dict[str, Coarse] = {}
        self.failures: dict[Query, FetchError] = {}
        self._survey(list(queries))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._fetcher.close()

    @property
    def coarse(self) -> tuple[Coarse, ...]:
        """The targets of which the windows so far were coarser than the present."""
        return tuple(self._coarse.values())

    def _survey(self, queries: Sequence[Query]) -> None:
        """Ask each query once as the daemon does: how many series there are, and in which steps they are kept now."""
        movable = []
        for query in queries:
            try:
                history.span_of(query)
                movable.append(query)
            except ValueError as reason:
                self.failures[query] = FetchError(query.target, str(reason))
        for query, answer in self._fetch(movable).items():
            if isinstance(answer, FetchError):
                self.failures[query] = answer
            else:
                self._steps[query] = history.steps_of(answer)
                self._series[query] = len(answer.series)

    def window_s(self) -> int:
        """How long a window may be for what there is."""
        a_second = sum(self._series[query] / min(steps.values(), default=60) for query, steps in self._steps.items())
        fitting = int(_MOST_POINTS / a_second) if a_second else _LONGEST_S
        return min(max(fitting, _SHORTEST_S), _LONGEST_S)

    def each(self, times: Sequence[int], use: Callable[[Sequence[int], Mapping[Query, Sequence[Track]]], None]) -> None:
        """Call `use` with the polls of each window and what they see. FetchError when Graphite fails on the way."""
        if not times:
            return
        step = times[1] - times[0] if len(times) > 1 else 1
        size = max(self.window_s() // step, 1)
        for place in range(0, len(times), size):
            polls = times[place : place + size]
            use(polls, self._tracks(polls))

    def _tracks(self, polls: Sequence[int]) -> dict[Query, Sequence[Track]]:
        asked = {query: history.asked_over(query, polls[0], polls[-1], _LEAD_S) for query in self._steps}
        answers = self._fetch(list(dict.fromkeys(asked.values())))
        found: dict[Query, Sequence[Track]] = {}
        for query, past in asked.items():
            answer = answers[past]
            if isinstance(answer, FetchError):
                raise answer
            if coarse := history.coarsest(answer, self._steps[query]):
                known = self._coarse.get(query.target)
                self._coarse[query.target] = max(known or Coarse(query.target, 0, 0), Coarse(query.target, *coarse))
            found[query] = history.tracks_of(answer, self._steps[query])
        return found

    def _fetch(self, queries: Sequence[Query]) -> Answers:
        """Every query's answer; what failed is asked for once more."""
        answers: Answers = {}
        for _ in range(_MOST_TRIES):
            missing = [query for query in queries if isinstance(answers.get(query, FetchError("", "")), FetchError)]
            answers |= self._fetcher.fetch_all(missing, deadline_s=_DEADLINE_S)
        return answers
