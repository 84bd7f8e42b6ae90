"""The fake PagerDuty fails as it is told to, tells what happened, and ends what hangs when it stops."""

from __future__ import annotations

import http.client
import json
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.fakes.pagerduty import Answer, Effect, Event, FakePagerDuty, Fault, assert_no_secret
from tests.integration.pagerduty.support import JSON, KEY, follow_up, post, trigger

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def fake() -> Iterator[FakePagerDuty]:
    with FakePagerDuty() as running:
        yield running


@pytest.mark.parametrize(
    ("fault", "status", "header", "body"),
    [
        (Fault.SERVER_ERROR, 500, ("Content-Type", "text/html"), b"<html>"),
        (Fault.BAD_GATEWAY, 502, ("Content-Type", "text/html"), b"<html>"),
        (Fault.UNAVAILABLE, 503, ("Content-Type", "text/html"), b"<html>"),
        (Fault.REQUEST_TIMEOUT, 408, ("Content-Length", "0"), b""),
        (Fault.ACCEPTED_HTML, 202, ("Content-Type", "text/html"), b"<html>"),
        (Fault.ACCEPTED_EMPTY, 202, ("Content-Length", "0"), b""),
        (Fault.REDIRECT, 307, ("Location", "/v2/enqueue"), b""),
        (Fault.RATE_LIMITED, 429, ("Retry-After", None), b"throttle exceeded"),
        (Fault.RATE_LIMITED_FOR_SECONDS, 429, ("Retry-After", "30"), b"throttle exceeded"),
        (Fault.RATE_LIMITED_UNTIL_DATE, 429, ("Date", "Wed, 21 Oct 2026 07:28:00 GMT"), b"throttle exceeded"),
        (Fault.UNKNOWN_KEY, 400, ("Content-Type", "text/plain"), b"Invalid routing key"),
        (Answer(418, (("X-Pot", "tea"),), b"short"), 418, ("X-Pot", "tea"), b"short"),
    ],
)
def test_an_answer_can_be_a_fault_and_then_nothing_was_ingested(
    fake: FakePagerDuty, fault: Fault | Answer, status: int, header: tuple[str, str | None], body: bytes
) -> None:
    fake.fail_next(fault)
    reply = post(fake, trigger())
    assert (reply.status, reply.headers[header[0]]) == (status, header[1])
    assert body in reply.body
    assert fake.events() == ()


@pytest.mark.parametrize(("fault", "ingested"), [(Fault.RESET_BEFORE_INGEST, 0), (Fault.RESET_AFTER_INGEST, 1)])
def test_a_reset_comes_before_or_after_the_event_is_ingested(fake: FakePagerDuty, fault: Fault, ingested: int) -> None:
    fake.fail_next(fault)
    with pytest.raises(ConnectionResetError):
        post(fake, trigger())
    assert len(fake.open_incidents()) == ingested


def test_a_hanging_request_ends_when_the_fake_stops(fake: FakePagerDuty) -> None:
    fake.fail_next(Fault.HANG)
    hanging = threading.Thread(target=pytest.raises, args=(OSError, post, fake, trigger()))
    hanging.start()
    assert fake.wait_until(lambda: fake.request_count() == 1)
    fake.stop()
    hanging.join(2)
    assert not hanging.is_alive()
    assert fake.events() == ()


def test_a_dripping_answer_outlives_a_read_timeout_and_ends_when_the_fake_stops(fake: FakePagerDuty) -> None:
    fake.fail_next(Fault.SLOW_DRIP)
    with closing(http.client.HTTPConnection("127.0.0.1", fake.port, timeout=0.2)) as connection:
        connection.request("POST", "/v2/enqueue", json.dumps(trigger()), JSON)
        begun = time.monotonic()
        threading.Timer(0.3, fake.stop).start()
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            connection.getresponse()
    assert time.monotonic() - begun > 0.25
    assert len(fake.events()) == 1


def test_a_refused_port_is_closed_until_the_fault_is_over(fake: FakePagerDuty) -> None:
    fake.fault = Fault.REFUSED
    with pytest.raises(ConnectionRefusedError):
        post(fake, trigger())
    fake.fault = None
    assert post(fake, trigger()).status == 202


def test_refusing_cannot_be_counted(fake: FakePagerDuty) -> None:
    with pytest.raises(ValueError, match=r"set fault = Fault\.REFUSED"):
        fake.fail_next(Fault.REFUSED)


def test_queued_faults_strike_in_order_before_the_standing_one(fake: FakePagerDuty) -> None:
    fake.fault = Fault.UNAVAILABLE
    fake.fail_next(Fault.SERVER_ERROR, times=2)
    fake.fail_next(Fault.BAD_GATEWAY)
    assert [post(fake, trigger()).status for _ in range(5)] == [500, 500, 502, 503, 503]
    fake.fault = None
    assert post(fake, trigger()).status == 202


def test_a_service_in_maintenance_accepts_and_opens_nothing(fake: FakePagerDuty) -> None:
    fake.fail_next(Fault.ACCEPT_WITHOUT_INCIDENT)
    reply = post(fake, trigger())
    assert (reply.status, reply.json["status"], reply.json["dedup_key"]) == (202, "success", "db1")
    assert (fake.events()[0].effect, fake.incidents()) == (Effect.NOTHING, ())


def test_a_senders_mistake_is_remembered_even_when_a_fault_hides_it(fake: FakePagerDuty) -> None:
    fake.fail_next(Fault.UNAVAILABLE)
    assert post(fake, trigger({"severity": "bad"})).status == 503
    assert len(fake.rejected()) == 1


def test_every_accepted_event_is_told() -> None:
    told: list[Event] = []
    with FakePagerDuty(on_event=told.append) as fake:
        for event in (trigger(), {}, follow_up("resolve")):
            post(fake, event)
    assert [event.effect for event in told] == [Effect.OPENED, Effect.RESOLVED]


def test_a_cleared_fake_remembers_nothing(fake: FakePagerDuty) -> None:
    post(fake, trigger())
    post(fake, {})
    fake.fail_next(Fault.HANG)
    fake.clear()
    assert (fake.incidents(), fake.events(), fake.rejected(), fake.request_count()) == ((), (), (), 0)
    assert post(fake, trigger()).status == 202


def test_waiting_gives_up_in_time(fake: FakePagerDuty) -> None:
    assert not fake.wait_until(fake.events, timeout_s=0.02)


def test_a_leaked_key_is_found_in_any_case_and_not_repeated() -> None:
    assert_no_secret("all is well", [KEY])
    with pytest.raises(AssertionError, match="secret 1 shows up in line 2 of 2") as failure:
        assert_no_secret(f"first\nrouting_key={KEY.upper()}", [KEY])
    assert KEY.lower() not in str(failure.value).lower()
