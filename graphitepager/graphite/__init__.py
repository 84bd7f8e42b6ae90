"""Fetches many queries from Graphite at once: a bounded pool of connections, and an end to the waiting.

Slow answers cannot hold up the others for long: a request that is older than both of its timeouts has been rendered
and is only trickling in, so its worker is no longer counted and another takes its place.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from graphitepager.errors import FetchError
from graphitepager.graphite.render import Connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from graphitepager.rawdata import RawAnswer
    from graphitepager.roll import Roll
    from graphitepager.rules import Query, Settings

    Outcome: TypeAlias = RawAnswer | FetchError
    Take: TypeAlias = Callable[[Query, Outcome], object]

# How often a wait looks at `stop`; the last answer ends the wait at once.
_POLL_S = 0.1
# How many workers may be overdue for each one that counts, before nobody takes their places any more.
_MAX_OVERDUE = 4
_CLOSE_S = 0.1
_PAST = float("-inf")


class Fetcher:
    """The connections to one Graphite; they live from one tick to the next. For one thread at a time.

    Its threads are daemons, so that not even a Graphite that hangs can keep the process from ending.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._patience_s = settings.graphite_connect_timeout_s + settings.graphite_read_timeout_s
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._workers: list[_Worker] = []
        self._overdue: list[_Worker] = []
        self._rolls: dict[Query, Roll] = {}  # of the last answers

    def fetch(self, queries: Iterable[Query], take: Take, *, deadline_s: float, stop: threading.Event) -> None:
        """Have `take` called once for each distinct query, with its answer or error, as they arrive.

        It is called by the thread that has fetched the answer, because to pass one on takes longer than to judge it.
        But it is never called twice at a time, nor after this has returned; what it raises is raised here. What has not
        arrived after `deadline_s` is a FetchError. Once `stop` is set this ends at once, and nothing is said of the
        queries that were still out.
        """
        fetch = _Round(queries, take, self._rolls, deadline_s)
        for query in list(fetch.waiting):  # workers take from it at once
            self._jobs.put(_Job(query, fetch))
        try:
            while fetch.is_on and not stop.is_set():
                self._staff()
                fetch.wait(_POLL_S)
        finally:
            self._drop_jobs()
            late = fetch.end()
        if not stop.is_set():
            reason = f"no answer within the tick's deadline of {deadline_s:g} s"
            for query in late:
                take(query, FetchError(query.target, reason))

    def fetch_all(self, queries: Iterable[Query], *, deadline_s: float) -> dict[Query, Outcome]:
        """The answer or error of each distinct query, in their order."""
        asked = tuple(dict.fromkeys(queries))
        outcomes: dict[Query, Outcome] = {}
        self.fetch(asked, outcomes.__setitem__, deadline_s=deadline_s, stop=threading.Event())
        return {query: outcomes[query] for query in asked}

    def close(self) -> None:
        """End the idle workers; one that is stuck ends with its request or with the process."""
        self._drop_jobs()
        everyone = self._workers + self._overdue
        for _ in everyone:
            self._jobs.put(None)
        give_up = time.monotonic() + _CLOSE_S
        for worker in everyone:
            worker.thread.join(max(0.0, give_up - time.monotonic()))

    def _staff(self) -> None:
        """See to it that somebody takes the jobs that wait."""
        waiting = self._jobs.qsize()
        if not waiting:
            return
        self._overdue = [worker for worker in self._overdue if worker.thread.is_alive()]
        for worker in list(self._workers):
            full = len(self._overdue) >= _MAX_OVERDUE * self._settings.graphite_concurrency
            if worker.is_overdue(self._patience_s) and not full:
                worker.retire()
                self._workers.remove(worker)
                self._overdue.append(worker)
        while len(self._workers) < self._settings.graphite_concurrency and waiting:
            self._workers.append(_Worker(Connection(self._settings), self._jobs))
            waiting -= 1

    def _drop_jobs(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                self._jobs.get_nowait()


class _Round:
    """One call of fetch(): what is still waited for, how long, and who takes the answers."""

    def __init__(self, queries: Iterable[Query], take: Take, rolls: dict[Query, Roll], deadline_s: float) -> None:
        self.waiting = dict.fromkeys(queries)
        self.rolls = rolls
        self._take = take
        self._turn = threading.Lock()
        self._deadline = time.monotonic() + deadline_s
        self._is_over = threading.Event()
        self._failure: Exception | None = None
        if not self.waiting:
            self._is_over.set()

    @property
    def is_on(self) -> bool:
        return not self._is_over.is_set() and self.remaining_s() > 0

    def remaining_s(self) -> float:
        return self._deadline - time.monotonic()

    def wait(self, at_most_s: float) -> None:
        """Wait for the last answer."""
        self._is_over.wait(max(0.0, min(at_most_s, self.remaining_s())))

    def hand_over(self, query: Query, outcome: Outcome) -> None:
        """Have the outcome taken, if it is still wanted."""
        with self._turn:
            if self.remaining_s() <= 0:
                return
            del self.waiting[query]
            if not isinstance(outcome, FetchError):
                self.rolls[query] = outcome.roll
            try:
                self._take(query, outcome)
            except Exception as error:  # noqa: BLE001 - end() raises it, in the thread that can do something about it
                self._failure = error
                self._deadline = _PAST
            if not self.waiting or self._failure is not None:
                self._is_over.set()

    def end(self) -> list[Query]:
        """Have nothing taken any more; return what is still waited for. Raises what a take has raised."""
        with self._turn:
            self._deadline = _PAST
            if self._failure is not None:
                raise self._failure
            return list(self.waiting)


class _Job(NamedTuple):
    query: Query
    round: _Round


class _Worker:
    """A thread that takes jobs, one at a time, to a connection of its own."""

    def __init__(self, connection: Connection, jobs: queue.SimpleQueue[_Job | None]) -> None:
        self._connection = connection
        self._jobs = jobs
        self._busy: tuple[_Round, float] | None = None
        self._retired = False
        self.thread = threading.Thread(target=self._run, name="graphite-fetch", daemon=True)
        self.thread.start()

    def is_overdue(self, patience_s: float) -> bool:
        """Tell whether its answer is no longer wanted, or has been in coming for longer than `patience_s`."""
        if self._busy is None:
            return False
        fetch, since = self._busy
        return fetch.remaining_s() <= 0 or time.monotonic() - since > patience_s

    def retire(self) -> None:
        """Have it end after the job that it is at."""
        self._retired = True

    def _run(self) -> None:
        with contextlib.closing(self._connection):
            while not self._retired and (job := self._jobs.get()):
                self._busy = (job.round, time.monotonic())
                self._do(job)
                self._busy = None
                del job  # and with it the round and all of its answers: the next job may be a minute away

    def _do(self, job: _Job) -> None:
        outcome: Outcome
        try:
            if job.round.remaining_s() <= 0:
                return
            before = job.round.rolls.get(job.query)
            outcome = self._connection.ask(job.query, job.round.remaining_s, before)
        except FetchError as error:
            outcome = error.with_traceback(None)  # or it would keep the request's frames alive
        except Exception as error:  # noqa: BLE001 - a worker that died without a word would pass for a slow Graphite
            outcome = FetchError(job.query.target, f"graphite-pager failed at this answer ({type(error).__name__})")
            outcome.__cause__ = error
        job.round.hand_over(job.query, outcome)
