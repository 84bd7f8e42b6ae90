"""Has Graphite asked for what alerts need, and each alert judged as soon as all of its answers are in."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from graphitepager import checks
from graphitepager.errors import FetchError
from graphitepager.telemetry import log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from threading import Event as ThreadEvent

    from graphitepager.graphite import Take
    from graphitepager.rawdata import RawAnswer
    from graphitepager.rules import Alert, Query, Settings

# The share of a heartbeat that fetching may take; the rest is for evaluating and recording.
_DEADLINE_SHARE = 0.9


class Fetches(Protocol):
    """What the poller wants of a graphite.Fetcher."""

    def fetch(self, queries: Iterable[Query], take: Take, *, deadline_s: float, stop: ThreadEvent) -> None:
        """Have each query taken once with its answer, one at a time, as they arrive; fewer when `stop` is set."""
        ...


class Gathered(NamedTuple):
    """How many queries got a usable answer; which did not, and the alerts that wanted those, in file order."""

    answered: int
    failures: Mapping[Query, FetchError]
    unanswered: tuple[str, ...]


def gather(
    due: Sequence[Alert],
    settings: Settings,
    fetcher: Fetches,
    judge: Callable[[Alert, Mapping[Query, RawAnswer | FetchError]], object],
    stop: ThreadEvent,
) -> Gathered:
    """Have each alert judged as soon as all of its queries are answered; let go of answers that nobody waits for."""
    queries = {alert.name: checks.queries_of([alert]) for alert in due}
    asked_by: dict[Query, list[Alert]] = {}
    for alert in due:
        for query in queries[alert.name]:
            asked_by.setdefault(query, []).append(alert)
    missing = {name: len(asked) for name, asked in queries.items()}
    users = {query: len(alerts) for query, alerts in asked_by.items()}
    answers: dict[Query, RawAnswer | FetchError] = {}
    failed: dict[Query, FetchError] = {}

    def take(query: Query, answer: RawAnswer | FetchError) -> None:
        answers[query] = answer
        if isinstance(answer, FetchError):
            failed[query] = answer
        elif settings.verbose:
            log.debug("fetched", target=query.target, series=len(answer.roll))
        for alert in asked_by[query]:
            missing[alert.name] -= 1
            if missing[alert.name]:
                continue
            judge(alert, answers)
            for used in queries[alert.name]:
                users[used] -= 1
                if not users[used]:
                    del answers[used]

    fetcher.fetch(asked_by, take, deadline_s=settings.heartbeat_s * _DEADLINE_SHARE, stop=stop)
    return Gathered(
        answered=len(asked_by) - len(failed),
        failures={query: failed[query] for query in asked_by if query in failed},
        unanswered=tuple(alert.name for alert in due if not failed.keys().isdisjoint(queries[alert.name])),
    )
