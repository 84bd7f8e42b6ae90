"""The dead man's switch: when the call is made, and that it delays nobody and gives nothing away."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
import requests
from structlog.testing import capture_logs

from graphitepager.ping import Pinger, is_well
from graphitepager.poller import Tick
from graphitepager.records import Backlog, PollRecord
from tests.examples import NOON

URL = "https://user:pass@hc.example.com/s3cret-uuid?token=s3cret"
RECORD = PollRecord(started_at=NOON, finished_at=NOON, series=1, failed=0)


def backlog(oldest_page: timedelta | None = None) -> Backlog:
    return Backlog(pending=3, dead=2, oldest_page=None if oldest_page is None else NOON - oldest_page)


@pytest.mark.parametrize(
    ("failures", "oldest_page", "expected"),
    [
        ((), None, True),
        ((), timedelta(seconds=119), True),
        ((), timedelta(minutes=2), False),
        (("no answer",), None, False),
    ],
)
def test_all_is_well_when_graphite_answers_and_pages_get_out(
    failures: tuple[str, ...], oldest_page: timedelta | None, expected: bool
) -> None:
    assert is_well(Tick(RECORD, failures), backlog(oldest_page), NOON) is expected


def test_an_incident_that_nobody_will_hear_of_is_not_well() -> None:
    assert not is_well(Tick(RECORD, ()), Backlog(pending=0, dead=1, unheard=1), NOON)


def warnings_of(pinger: Pinger) -> list[dict[str, object]]:
    with capture_logs() as lines:
        pinger.ping(URL)
        pinger.finish()
    return [dict(line) for line in lines]


def test_an_accepted_call_is_not_worth_a_line() -> None:
    urls: list[str] = []

    def get(url: str) -> int:
        urls.append(url)
        return 200

    assert warnings_of(Pinger(get)) == []
    assert urls == [URL]


@pytest.mark.parametrize("secret", ["s3cret", "pass"])
def test_what_goes_wrong_is_a_warning_without_the_secret(secret: str) -> None:
    def fail(url: str) -> int:
        raise requests.ConnectionError(f"Max retries exceeded with url: {url}")

    for get, reason in ((fail, "ConnectionError"), (lambda _: 404, "it answered 404")):
        (line,) = warnings_of(Pinger(get))
        assert line == {"event": "ping_failed", "log_level": "warning", "host": "hc.example.com", "reason": reason}
        assert secret not in str(line)


def test_one_call_at_a_time_and_nobody_waits_for_it() -> None:
    calls = 0
    done = threading.Event()

    def hang(_url: str) -> int:
        nonlocal calls
        calls += 1
        done.wait(5)
        return 200

    pinger = Pinger(hang)
    began = time.monotonic()
    for _ in range(5):
        pinger.ping(URL)
    assert time.monotonic() - began < 1
    done.set()
    pinger.finish()
    assert calls == 1


def test_a_call_that_hangs_is_given_up() -> None:
    done = threading.Event()

    def hang(_url: str) -> int:
        done.wait(5)
        return 200

    (line,) = warnings_of(Pinger(hang, deadline_s=0.05))
    done.set()
    assert line["reason"] == "no answer within 0.05 s"
