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
    from collections.abc import Iterable, Iterator

    from graphitepager.rawdata import RawAnswer
    from graphitepager.roll import Roll
    from graphitepager.rules import Query, Settings

    Outcome: TypeAlias = RawAnswer | FetchError

# How often a wait looks at `stop`; an answer ends the wait at once.
_POLL_S = 0.1
# How many workers may be overdue for each one that counts, before nobody takes their places any more.
_MAX_OVERDUE = 4
_CLOSE_S = 0.1


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

    def fetch(
        self, queries: Iterable[Query], *, deadline_s: float, stop: threading.Event
    ) -> Iterator[tuple[Query, Outcome]]:
        """Yield each distinct query once, with its answer or error, in the order in which they arrive.

        What has not arrived after `deadline_s`, counted from the first `next()`, is a FetchError. Once `stop` is set
        it ends at once, and the queries that were still out are not yielded.
        """
        waiting = dict.fromkeys(queries)
        fetch = _Round(deadline_s)
        for query in waiting:
            self._jobs.put(_Job(query, fetch, self._rolls.get(query)))
        try:
            while waiting and not stop.is_set():
                self._staff()
                try:
                    query, outcome = fetch.answers.get(timeout=max(0.0, min(_POLL_S, fetch.remaining_s())))
                except queue.Empty:
                    if fetch.remaining_s() <= 0:
                        break
                else:
                    del waiting[query]
                    if not isinstance(outcome, FetchError):
                        self._rolls[query] = outcome.roll
                    yield query, outcome
            if not stop.is_set():
                reason = f"no answer within the tick's deadline of {deadline_s:g} s"
                for query in waiting:
                    yield query, FetchError(query.target, reason)
        finally:
            fetch.end()
            self._drop_jobs()

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
    """One call of fetch(), as its workers see it: where answers go, and how long they are wanted."""

    def __init__(self, deadline_s: float) -> None:
        self.answers: queue.SimpleQueue[tuple[Query, Outcome]] = queue.SimpleQueue()
        self._deadline = time.monotonic() + deadline_s

    def remaining_s(self) -> float:
        return self._deadline - time.monotonic()

    def end(self) -> None:
        self._deadline = float("-inf")


class _Job(NamedTuple):
    query: Query
    round: _Round
    before: Roll | None


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
            outcome = self._connection.ask(job.query, job.round.remaining_s, job.before)
        except FetchError as error:
            outcome = error.with_traceback(None)  # or it would keep the request's frames alive
        except Exception as error:  # noqa: BLE001 - a worker that died without a word would pass for a slow Graphite
            outcome = FetchError(job.query.target, f"graphite-pager failed at this answer ({type(error).__name__})")
            outcome.__cause__ = error
        if job.round.remaining_s() > 0:
            job.round.answers.put((job.query, outcome))
