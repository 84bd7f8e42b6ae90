"""The store among real processes and threads: starts that race, kills at any moment, writers that meet."""

from __future__ import annotations

import contextlib
import multiprocessing
import random
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from graphitepager.errors import StoreError
from graphitepager.model import SeriesKey, SeriesState
from graphitepager.records import Backlog
from graphitepager.store import Store
from tests.integration.store_support import KINDS, NOON, empty_database, poll, record, triggered

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkServerContext
    from pathlib import Path

    from sqlalchemy.engine import URL

PER_POLL = 20
SECOND = timedelta(seconds=1)
LEASE = 30 * SECOND


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Real processes that start in milliseconds: they fork from one that has imported everything."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "alembic.command"])
    return context


def open_and_tell(url: URL, at: float, result: Connection) -> None:
    time.sleep(max(0.0, at - time.time()))
    try:
        with Store.open(url) as store:
            result.send(str(store.load().last_poll))
    except StoreError as error:
        result.send(str(error))


def record_until_killed(url: URL, first: int, committed: Connection) -> None:
    with Store.open(url) as store:
        for number in range(first, first + 10_000):
            names = [f"{number}.{one}" for one in range(PER_POLL)]
            states = [SeriesState(key=SeriesKey("Load", name), no_data_since=NOON) for name in names]
            at = NOON + number * SECOND
            store.record(
                poll(*map(triggered, names), states=states, at=at, follows=at - SECOND if number > 1 else None)
            )
            committed.send(number)


def test_processes_that_start_at_once_on_an_empty_database_all_succeed(
    url: URL, processes: ForkServerContext, tmp_path: Path
) -> None:
    at = time.time() + 0.6
    pipes = [processes.Pipe(duplex=False) for _ in range(4)]
    workers = [processes.Process(target=open_and_tell, args=(url, at, sender)) for _, sender in pipes]
    for worker in workers:
        worker.start()
    answers = [receiver.recv() if receiver.poll(20) else "no answer" for receiver, _ in pipes]
    for worker in workers:
        worker.join()
        worker.close()
    for pipe in pipes:
        pipe[0].close()
        pipe[1].close()
    assert answers == ["None"] * 4


@pytest.mark.parametrize("kind", KINDS)
def test_threads_that_start_at_once_on_an_empty_database_all_succeed(kind: str, tmp_path: Path) -> None:
    """Closer together than processes ever are; eight times, because SQLite's races are rare."""
    answers: list[str] = []
    start = threading.Barrier(6)

    def run(url: URL) -> None:
        start.wait(10)
        try:
            with Store.open(url) as store:
                answers.append(str(store.load().last_poll))
        except StoreError as error:
            answers.append(str(error))

    for number in range(8):
        directory = tmp_path / str(number)
        directory.mkdir()
        with empty_database(kind, directory) as url:
            threads = [threading.Thread(target=run, args=(url,)) for _ in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    assert answers == ["None"] * 48


def test_a_poll_interrupted_by_kill_9_is_there_as_a_whole_or_not_at_all(url: URL, processes: ForkServerContext) -> None:
    moments = random.Random(20260301)  # noqa: S311 - nothing here is secret
    with Store.open(url):
        pass
    number = 0
    for _ in range(10):
        receiver, sender = processes.Pipe(duplex=False)
        worker = processes.Process(target=record_until_killed, args=(url, number + 1, sender))
        worker.start()
        sender.close()
        acknowledged = receiver.recv()
        time.sleep(moments.uniform(0, 0.08))
        worker.kill()
        worker.join()
        with contextlib.suppress(EOFError):
            while True:
                acknowledged = receiver.recv()
        worker.close()
        receiver.close()
        with Store.open(url) as store:
            snapshot = store.load()
            backlog = store.backlog()
        assert snapshot.last_poll is not None
        number = (snapshot.last_poll.started_at - NOON) // SECOND
        assert number in {acknowledged, acknowledged + 1}
        assert len(snapshot.memories["Load"].states) == number * PER_POLL
        assert backlog == Backlog(pending=number * PER_POLL, dead=0, oldest_page=NOON)


def test_the_poller_and_the_outbox_do_not_get_in_each_others_way(url: URL) -> None:
    """Far more often than in life, beside a reader, for a second."""
    errors: list[BaseException] = []
    counts = {"recorded": 0, "sent": 0, "read": 0}
    until = time.monotonic() + 1

    def record_one(store: Store) -> None:
        record(store, triggered(f"{counts['recorded']}"))
        counts["recorded"] += 1

    def send(store: Store) -> None:
        for delivery in store.claim(NOON, worker="w", lease=LEASE, limit=1):
            assert store.mark_sent(delivery.id, "w", NOON, "202")
            counts["sent"] += 1

    def read(store: Store) -> None:
        store.load()
        store.next_due(NOON)
        store.backlog()
        counts["read"] += 1

    def repeat(job: Callable[[Store], None], store: Store) -> None:
        try:
            while time.monotonic() < until:
                job(store)
                time.sleep(0.005)  # SQLite's lock goes to whoever asks at the right moment: no fairness without a gap
        except BaseException as error:  # noqa: BLE001 - raised again in the test's own thread
            errors.append(error)

    with Store.open(url) as store:
        threads = [threading.Thread(target=repeat, args=(job, store)) for job in (record_one, send, read)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        assert min(counts.values()) > 5
        assert store.backlog().pending == counts["recorded"] - counts["sent"]
