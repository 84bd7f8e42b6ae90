"""The past of one series for a picture: asked for in a thread of its own, kept for a while, waited for not long."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from graphitepager.errors import FetchError, describe_bug
from graphitepager.graphite import Fetcher
from graphitepager.retracing import Retrace
from graphitepager.telemetry import log

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime
    from typing import TypeAlias

    from graphitepager.model import SeriesKey
    from graphitepager.retracing import Answers, Traced
    from graphitepager.rules import Config, Query, Settings

    Ask: TypeAlias = Callable[[Settings, Collection[Query]], Answers]
    Start: TypeAlias = Callable[[Callable[[], None]], None]

_CONCURRENCY = 4
_DEADLINE_S = 20.0
# How many pictures' curves are kept: those of a day of minutes take 12 kB each.
_MOST_KEPT = 100
# A failure is kept for a moment only: lest a page full of pictures asks a Graphite that is down again and again.
_FAILURE_KEPT_S = 5.0
# What is over does not change any more.
_PAST_KEPT_S = 3600.0


class _Wanted(NamedTuple):
    key: SeriesKey
    begin: int
    end: int


class _Job(NamedTuple):
    outcome: Future[Traced | FetchError]
    since: float


class PastCurves:
    """Knows how a series went between two times. Thread-safe.

    At most four are fetched at once, and at most `waiting` callers wait: a server has threads to keep for others.
    """

    def __init__(
        self,
        configuration: Callable[[], Config],
        clock: Callable[[], datetime],
        ask: Ask | None = None,
        *,
        waiting: int = _CONCURRENCY,
        start: Start | None = None,
    ) -> None:
        """Ask nothing yet. `start` has something done in a thread."""
        self._configuration = configuration
        self._clock = clock
        self._ask = ask or ask_graphite
        self._start = start or in_a_thread
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(waiting)
        self._jobs: OrderedDict[_Wanted, _Job] = OrderedDict()

    def of(self, key: SeriesKey, begin: datetime, end: datetime, patience_s: float) -> Traced | FetchError:
        """What is known after `patience_s` at the latest, or why it is not; the begin and end are cut to heartbeats."""
        heartbeat_s = max(round(self._configuration().settings.heartbeat_s), 1)
        first, last = (int(moment.timestamp()) // heartbeat_s * heartbeat_s for moment in (begin, end))
        job = self._job(_Wanted(key, first, last), heartbeat_s)
        if job is None:
            return FetchError(key.series, "Graphite is busy with other charts; reload to see this one")
        if not job.outcome.done() and self._places.acquire(blocking=False):
            with contextlib.suppress(FutureTimeoutError), contextlib.ExitStack() as at_the_end:
                at_the_end.callback(self._places.release)
                return job.outcome.result(patience_s)
        if job.outcome.done():
            return job.outcome.result()
        return FetchError(key.series, "Graphite has not answered yet; reload to see the chart")

    def _job(self, wanted: _Wanted, heartbeat_s: int) -> _Job | None:
        """The newest job for it; None where a new one is needed and too many are at work."""
        now = self._clock().timestamp()
        with self._lock:
            known = self._jobs.get(wanted)
            if known is not None and not _is_stale(known, wanted, now, heartbeat_s):
                self._jobs.move_to_end(wanted)
                return known
            if sum(not one.outcome.done() for one in self._jobs.values()) >= _CONCURRENCY:
                return None
            job = self._jobs[wanted] = _Job(Future(), now)
            self._jobs.move_to_end(wanted)
            while len(self._jobs) > _MOST_KEPT:
                self._jobs.popitem(last=False)
        self._start(lambda: self._work(wanted, job))
        return job

    def _work(self, wanted: _Wanted, job: _Job) -> None:
        try:
            outcome = self._fetched(wanted)
        except Exception as error:  # noqa: BLE001 - a thread that ended without a word would be waited for
            log.error("chart_failed", reason=describe_bug(error))
            outcome = FetchError(wanted.key.series, "this chart cannot be drawn: the log says why")
        job.outcome.set_result(outcome)

    def _fetched(self, wanted: _Wanted) -> Traced | FetchError:
        config = self._configuration()
        name = wanted.key.series
        alert = next((one for one in config.alerts if one.name == wanted.key.alert), None)
        if alert is None:
            return FetchError(name, "alerts.yml holds no alert of this name any more")
        heartbeat_s = max(round(config.settings.heartbeat_s), 1)
        retrace = Retrace(
            alert=alert, names=frozenset({name}), begin=wanted.begin, end=wanted.end, heartbeat_s=heartbeat_s
        )
        asked = retrace.asked()
        given = self._ask(config.settings, set(asked.values()))
        answers = {query: given[over] for query, over in asked.items()}
        traced = retrace.curves(answers).get(name)
        if traced is not None:
            return traced
        failed = next((one for one in answers.values() if isinstance(one, FetchError)), None)
        return FetchError(name, failed.reason if failed else "Graphite returns no series of this name")


def in_a_thread(run: Callable[[], None]) -> None:
    """Have it done beside everything else; it does not keep the process from ending."""
    threading.Thread(target=run, name="curves", daemon=True).start()


def ask_graphite(settings: Settings, queries: Collection[Query]) -> Answers:
    """Each query's answer, or what was wrong with it; a few requests at once, and within 20 s."""
    few = replace(settings, graphite_concurrency=min(settings.graphite_concurrency, _CONCURRENCY))
    with contextlib.closing(Fetcher(few)) as fetcher:
        return fetcher.fetch_all(queries, deadline_s=_DEADLINE_S)


def _is_stale(job: _Job, wanted: _Wanted, now: float, heartbeat_s: int) -> bool:
    if not job.outcome.done():
        return False
    if isinstance(job.outcome.result(), FetchError):
        return now - job.since > _FAILURE_KEPT_S
    is_past = wanted.end < job.since - 2 * heartbeat_s
    return now - job.since > (_PAST_KEPT_S if is_past else heartbeat_s)
