"""A guard on what a poll costs: counts of calls, and times within one run, so that a busy machine does not matter."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from benchmarks.loops import asked_plainly, config, judged_plainly
from benchmarks.stub import answer, serving
from graphitepager import rawdata
from graphitepager.graphite.render import Connection
from graphitepager.poller import Poller
from graphitepager.store import Store, database_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from types import FrameType

    from graphitepager.graphite import Take
    from graphitepager.roll import Roll
    from graphitepager.rules import Query

# Taking a line apart and finding its newest datapoint; the rest is done for all series of an answer at once.
CALLS_FOR_A_SERIES = 4
# From the answer's bytes to what is recorded of the alert.
CALLS_FOR_AN_ALERT = 140
# How many calls a request and its answer take, parsing included, for each one that http.client alone makes.
TIMES_HTTP_CLIENT = 1.35
# How much longer than a loop that does nothing but compare.
TIMES_THE_PLAIN_LOOP = 1.3


class Answers:
    """A Graphite in this process, whose answers are parsed as those of the real one."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._rolls: dict[Query, Roll] = {}

    def fetch(self, queries: Iterable[Query], take: Take, *, deadline_s: float, stop: threading.Event) -> None:
        for query in queries:
            parsed = rawdata.parse(self._body, self._rolls.get(query))
            self._rolls[query] = parsed.roll
            take(query, parsed)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(database_url(None, beside=str(tmp_path), on_heroku=False)) as store:
        yield store


def polling(store: Store, alerts: int, body: bytes) -> Callable[[], None]:
    """A poll of so many alerts that all get this answer, after the first, in which every series is new."""
    poller = Poller(store, lambda: datetime.now(UTC))
    answers, wanted = Answers(body), config("http://graphite.example.com", alerts)

    def poll() -> None:
        assert poller.tick(wanted, answers, threading.Event()) is not None

    poll()
    return poll


def calls(run: Callable[[], None]) -> int:
    """How many functions a run calls, in Python or in C."""
    count = 0

    def note(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(None)
    return count


def test_a_quiet_series_costs_a_few_calls_however_many_there_are(store: Store) -> None:
    few, many = (calls(polling(store, 1, answer(series, 6))) for series in (1_000, 11_000))
    print(f"calls for a series: {(many - few) / 10_000:.2f}")  # noqa: T201
    assert many - few <= CALLS_FOR_A_SERIES * 10_000


def test_a_quiet_alert_costs_a_bounded_number_of_calls(store: Store) -> None:
    few, many = (calls(polling(store, alerts, answer(1, 6))) for alerts in (10, 110))
    print(f"calls for an alert: {(many - few) / 100:.1f}")  # noqa: T201
    assert many - few <= CALLS_FOR_AN_ALERT * 100


def test_a_request_takes_few_calls_more_than_http_client_makes() -> None:
    with serving([answer(1, 6)]) as stub, closing(HTTPConnection(urlsplit(stub.url).netloc)) as host:
        wanted = config(stub.url, 101)
        with closing(Connection(wanted.settings)) as connection:

            def ask() -> None:
                for alert in wanted.alerts[1:]:
                    connection.ask(alert.entries[0].query, lambda: 5.0)

            def ask_plainly() -> None:
                for alert in wanted.alerts[1:]:
                    asked_plainly(host, alert)

            connection.ask(wanted.alerts[0].entries[0].query, lambda: 5.0)
            asked_plainly(host, wanted.alerts[0])
            ratio = calls(ask) / calls(ask_plainly)
    print(f"a request takes {ratio:.2f} of http.client's calls")  # noqa: T201
    assert ratio <= TIMES_HTTP_CLIENT


def test_a_whole_poll_is_about_as_fast_as_a_loop_that_only_compares(store: Store) -> None:
    body = answer(5_000, 6)
    levels: dict[tuple[str, bytes], bool] = {}
    poll = polling(store, 4, body)

    def plain() -> None:
        for number in range(4):
            judged_plainly(f"CPU {number}", body, levels)

    times: dict[Callable[[], None], list[float]] = {poll: [], plain: []}
    for _ in range(9):
        for run, seconds in times.items():
            began = time.process_time()
            run()
            seconds.append(time.process_time() - began)
    ratio = min(times[poll]) / min(times[plain])
    print(f"a whole poll takes {ratio:.2f} of the plain loop's time")  # noqa: T201
    assert ratio <= TIMES_THE_PLAIN_LOOP
