"""What the PagerDuty notifier makes of every failure, over real sockets to a strict fake."""

from __future__ import annotations

import socket
import threading
import time
from datetime import timedelta
from typing import Any

import pytest

from graphitepager.notifiers.pagerduty import PagerDuty
from tests.fakes.pagerduty import Answer, Effect, FakePagerDuty, Fault
from tests.integration.pagerduty.support import KEY, message, refusal
from tests.support import eventually

pytestmark = pytest.mark.usefixtures("key_stays_secret")


@pytest.fixture
def hurried(fake: FakePagerDuty) -> PagerDuty:
    """For what only ends by a timeout, so that the tests need not wait for long."""
    return PagerDuty(fake.url, timeout_s=0.1, deadline_s=0.2)


@pytest.mark.parametrize(
    ("fault", "reason", "retry_after_s"),
    [
        (Fault.REFUSED, "Connection refused", None),
        (Fault.RESET_BEFORE_INGEST, "reset by peer", None),
        (Fault.RESET_AFTER_INGEST, "reset by peer", None),
        (Fault.SERVER_ERROR, "500: <html> <head>", None),
        (Fault.BAD_GATEWAY, "502", None),
        (Fault.UNAVAILABLE, "503", None),
        (Fault.REQUEST_TIMEOUT, "408", None),
        (Fault.ACCEPTED_HTML, "202: <html>", None),
        (Fault.ACCEPTED_EMPTY, "202", None),
        (Fault.RATE_LIMITED, "429: Event rate limit exceeded", None),
        (Fault.RATE_LIMITED_FOR_SECONDS, "429", 30),
        (Fault.RATE_LIMITED_UNTIL_DATE, "429", 90),
        (Answer.of_json(202, {"status": "invalid event", "dedup_key": "x"}), "202", None),
        (Answer.of_json(202, ["success"]), "202", None),
        (Answer.of_json(200, {"status": "success"}), "200", None),
        (Answer(202, (("Content-Encoding", "gzip"),), b"not gzip"), "incorrect header check", None),
        (Answer(429, (("Retry-After", "soon"),)), "429", None),
        (Answer(429, (("Retry-After", "-5"),)), "429", None),
        (Answer(429, (("Retry-After", "9" * 30),)), "429", None),
        (Answer(503, (("Retry-After", "7"),)), "503", 7),
        (Answer(503, (("Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT"),)), "503", 0),
    ],
)
def test_what_may_pass_is_told_as_temporary_after_one_request_and_no_sleep(
    fake: FakePagerDuty, notifier: PagerDuty, fault: Fault | Answer, reason: str, retry_after_s: int | None
) -> None:
    fake.fault = fault
    begun = time.monotonic()
    error = refusal(notifier)
    assert time.monotonic() - begun < 1  # the vendor's first sleep would take three
    assert reason in error.reason
    assert (error.permanent, error.is_invalid, error.retry_after) == (
        False,
        False,
        None if retry_after_s is None else timedelta(seconds=retry_after_s),
    )
    assert error.is_throttled == ("429" in reason)
    assert fake.request_count() == (fault is not Fault.REFUSED)


@pytest.mark.parametrize(
    ("fault", "reason", "is_invalid"),
    [
        (Fault.UNKNOWN_KEY, "400: Invalid routing key (check the routing key", False),
        (Fault.REDIRECT, "307 (check the routing key, and that pagerduty_events_url is", False),
        (Answer(400, (), f"No such key: {KEY.upper()}".encode()), "400: No such key: (routing key) (check", False),
        (
            Answer.of_json(400, {"message": "Invalid", "errors": ["'a' is bad", f"{KEY}?"]}),
            "400: Invalid; 'a' is",
            True,
        ),
        (Answer.of_json(400, {"message": None, "errors": "bad\n\x1b[31m"}), "400: bad [31m", True),
        (Answer.of_json(400, {"message": "bad"}), "400: bad (check", False),
        (Answer(401), "401", False),
        (Answer.of_json(401, {"errors": ["who?"]}), "401: who?", False),
        (Answer(403, (), b"x" * 5000), "403: xxx", False),
        (Answer(404), "404", False),
        (Answer(413), "413", True),
    ],
)
def test_what_cannot_pass_is_told_as_permanent_with_pagerdutys_own_words(
    fake: FakePagerDuty, notifier: PagerDuty, fault: Fault | Answer, reason: str, *, is_invalid: bool
) -> None:
    fake.fail_next(fault)
    error = refusal(notifier)
    assert reason in error.reason
    assert (error.permanent, error.is_invalid, error.is_throttled) == (True, is_invalid, False)
    assert error.retry_after is None
    assert len(error.reason) < 500
    assert error.reason.isprintable()
    assert (fake.request_count(), fake.events()) == (1, ())


def test_silence_ends_with_the_timeout(fake: FakePagerDuty, hurried: PagerDuty) -> None:
    fake.fail_next(Fault.HANG)
    error = refusal(hurried)
    assert ("timed out" in error.reason, error.permanent, fake.request_count()) == (True, False, 1)


def test_an_endless_answer_ends_with_the_deadline_and_leaves_no_thread_behind(
    fake: FakePagerDuty, hurried: PagerDuty
) -> None:
    before = threading.active_count()
    fake.fail_next(Fault.SLOW_DRIP)
    error = refusal(hurried)
    assert ("no whole answer within 0.2 s" in error.reason, error.permanent) == (True, False)
    assert eventually(lambda: threading.active_count() <= before)
    assert fake.request_count() == 1


@pytest.mark.parametrize("fault", [Fault.RESET_AFTER_INGEST, Fault.SLOW_DRIP])
def test_an_event_whose_answer_was_lost_can_be_sent_again(
    fake: FakePagerDuty, notifier: PagerDuty, hurried: PagerDuty, fault: Fault
) -> None:
    fake.fail_next(fault)
    refusal(hurried)
    assert notifier.send(message(), KEY) == "202 Event processed"
    assert [event.effect for event in fake.events()] == [Effect.OPENED, Effect.MERGED]


def test_an_answer_of_a_service_in_maintenance_is_an_answer(fake: FakePagerDuty, notifier: PagerDuty) -> None:
    fake.fail_next(Fault.ACCEPT_WITHOUT_INCIDENT)
    assert notifier.send(message(), KEY) == "202 Event processed"


def test_a_send_that_was_given_up_does_not_arrive_later(
    fake: FakePagerDuty, hurried: PagerDuty, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolver_answers = threading.Event()
    resolve = socket.getaddrinfo

    def slowly(*args: Any, **kwargs: Any) -> Any:
        resolver_answers.wait(5)
        return resolve(*args, **kwargs)

    before = threading.active_count()
    monkeypatch.setattr(socket, "getaddrinfo", slowly)
    assert "no whole answer within" in refusal(hurried).reason
    resolver_answers.set()
    assert eventually(lambda: threading.active_count() <= before)
    assert fake.events() == ()


def test_the_url_of_a_proxy_or_relay_is_not_quoted_with_its_password(fake: FakePagerDuty) -> None:
    fake.fault = Fault.REFUSED
    error = refusal(PagerDuty(f"http://pager:hunter2@127.0.0.1:{fake.port}"))
    assert "hunter2" not in error.reason
    assert f"127.0.0.1:{fake.port}" in error.reason


def test_a_region_in_https_is_not_spoken_to_in_plain_text(fake: FakePagerDuty) -> None:
    error = refusal(PagerDuty(fake.url.replace("http:", "https:")))
    assert (error.permanent, fake.request_count()) == (False, 0)
