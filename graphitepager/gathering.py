"""Has Graphite asked for what alerts need, and hands on each alert as soon as all of its answers are in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from graphitepager import checks
from graphitepager.errors import FetchError
from graphitepager.telemetry import log

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from threading import Event as ThreadEvent

    from graphitepager.rawdata import RawAnswer
    from graphitepager.rules import Alert, Query, Settings

# The share of a heartbeat that fetching may take; the rest is for evaluating and recording.
_DEADLINE_SHARE = 0.9


class Fetches(Protocol):
    """What the poller wants of a graphite.Fetcher."""

    def fetch(
        self, queries: Iterable[Query], *, deadline_s: float, stop: ThreadEvent
    ) -> Iterator[tuple[Query, RawAnswer | FetchError]]:
        """Yield each query once with its answer, as they arrive; fewer when `stop` is set."""
        ...


def answered(
    due: Sequence[Alert], settings: Settings, fetcher: Fetches, stop: ThreadEvent
) -> Iterator[tuple[Alert, Mapping[Query, RawAnswer | FetchError]]]:
    """Yield each alert as soon as all of its queries are answered, and let go of answers that nobody waits for."""
    queries = {alert.name: checks.queries_of([alert]) for alert in due}
    asked_by: dict[Query, list[Alert]] = {}
    for alert in due:
        for query in queries[alert.name]:
            asked_by.setdefault(query, []).append(alert)
    missing = {name: len(asked) for name, asked in queries.items()}
    users = {query: len(alerts) for query, alerts in asked_by.items()}
    answers: dict[Query, RawAnswer | FetchError] = {}
    deadline_s = settings.heartbeat_s * _DEADLINE_SHARE
    for query, answer in fetcher.fetch(asked_by, deadline_s=deadline_s, stop=stop):
        answers[query] = answer
        if settings.verbose and not isinstance(answer, FetchError):
            log.debug("fetched", target=query.target, series=len(answer.roll))
        for alert in asked_by[query]:
            missing[alert.name] -= 1
            if missing[alert.name]:
                continue
            yield alert, answers
            for used in queries[alert.name]:
                users[used] -= 1
                if not users[used]:
                    del answers[used]


def failures(alert: Alert, answers: Mapping[Query, RawAnswer | FetchError]) -> dict[Query, FetchError]:
    """The queries of an alert that got no usable answer."""
    found = ((query, answers[query]) for query in checks.queries_of([alert]))
    return {query: answer for query, answer in found if isinstance(answer, FetchError)}
