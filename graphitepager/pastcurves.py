"""The past of one series for a picture: asked for in a thread of its own, kept for a while, waited for not long."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from graphitepager import checks
from graphitepager.errors import FetchError, describe_bug
from graphitepager.graphite import Fetcher
from graphitepager.model import WHOLE_ALERT, SeriesKey
from graphitepager.retracing import Retrace, Traced
from graphitepager.telemetry import log

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime
    from typing import TypeAlias

    from graphitepager.retracing import Answers
    from graphitepager.rules import Alert, Config, Query, Settings

    Ask: TypeAlias = Callable[[Settings, Collection[Query]], Answers]
    Start: TypeAlias = Callable[[Callable[[], None]], None]
    Work: TypeAlias = Callable[[], Traced | FetchError | Answers]

_CONCURRENCY = 4
_DEADLINE_S = 20.0
# How many pictures' curves are kept: those of a day of minutes take 12 kB each.
_MOST_KEPT = 100
# A failure is kept for a moment only: lest a page full of pictures asks a Graphite that is down again and again.
_FAILURE_KEPT_S = 5.0
_NOT_YET = "Graphite has not answered yet; reload to see it"
# What is over does not change any more.
_PAST_KEPT_S = 3600.0


class _Wanted(NamedTuple):
    """What a job is for: a series between two times (epoch seconds), or an alert as it is asked for now."""

    key: SeriesKey
    begin: int = 0
    end: int = 0


class _Job(NamedTuple):
    outcome: Future[Traced | FetchError | Answers]
    since: float


class PastCurves:
    """Knows how a series went between two times, and how an alert is now. Thread-safe.

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
        config = self._configuration()
        heartbeat_s = max(round(config.settings.heartbeat_s), 1)
        first, last = (int(moment.timestamp()) // heartbeat_s * heartbeat_s for moment in (begin, end))
        wanted = _Wanted(key, first, last)
        outcome = self._outcome(wanted, lambda: self._traced(wanted, config), heartbeat_s, patience_s)
        return outcome if isinstance(outcome, Traced | FetchError) else FetchError(key.series, _NOT_YET)

    def answers(self, alert: Alert, patience_s: float) -> Answers:
        """What Graphite says of an alert now, to each of its queries; the same limits hold."""
        settings = self._configuration().settings
        queries = checks.queries_of([alert])
        wanted = _Wanted(SeriesKey(alert.name, WHOLE_ALERT))
        outcome = self._outcome(
            wanted, lambda: self._ask(settings, queries), max(round(settings.heartbeat_s), 1), patience_s
        )
        given = {} if isinstance(outcome, Traced | FetchError) else outcome
        reason = outcome.reason if isinstance(outcome, FetchError) else _NOT_YET
        return {query: given.get(query, FetchError(query.target, reason)) for query in queries}

    def _outcome(
        self, wanted: _Wanted, work: Work, heartbeat_s: int, patience_s: float
    ) -> Traced | FetchError | Answers:
        job = self._job(wanted, work, heartbeat_s)
        if job is None:
            return FetchError(wanted.key.series, "Graphite is busy with other pictures; reload to see this one")
        if not job.outcome.done() and self._places.acquire(blocking=False):
            try:
                return job.outcome.result(patience_s)
            except FutureTimeoutError:
                pass
            finally:
                self._places.release()
        return job.outcome.result() if job.outcome.done() else FetchError(wanted.key.series, _NOT_YET)

    def _job(self, wanted: _Wanted, work: Work, heartbeat_s: int) -> _Job | None:
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
        self._start(lambda: _do(wanted, work, job))
        return job

    def _traced(self, wanted: _Wanted, config: Config) -> Traced | FetchError:
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


def _do(wanted: _Wanted, work: Work, job: _Job) -> None:
    try:
        outcome = work()
    except Exception as error:  # noqa: BLE001 - a thread that ended without a word would be waited for
        log.error("chart_failed", reason=describe_bug(error))
        outcome = FetchError(wanted.key.series, "this cannot be shown: the log says why")
    job.outcome.set_result(outcome)


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
    is_past = 0 < wanted.end < job.since - 2 * heartbeat_s
    return now - job.since > (_PAST_KEPT_S if is_past else heartbeat_s)
