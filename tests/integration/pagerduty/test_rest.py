"""Which incidents are open, asked of PagerDuty's REST API over real sockets to a strict fake."""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from graphitepager.incidents import DEDUP_PREFIX
from graphitepager.notifiers.pagerduty_rest import ListingError, open_incidents
from graphitepager.reconciling import RemoteIncident, RemoteStatus
from graphitepager.rules import Settings
from tests.fakes.pagerduty import Answer, FakePagerDuty, Fault, assert_no_secret
from tests.integration.pagerduty.support import KEY, follow_up, post, trigger
from tests.support import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("token_stays_secret")

OURS = DEDUP_PREFIX + "0123456789abcdef"


@pytest.fixture
def token_stays_secret(caplog: pytest.LogCaptureFixture, fake: FakePagerDuty) -> Iterator[None]:
    """Watch all that anybody logs, at every level."""
    caplog.set_level(logging.DEBUG)
    yield
    records = caplog.get_records("call")
    logged = "\n".join(map(logging.Formatter("%(name)s %(message)s").format, records))
    assert_no_secret(logged, [fake.api_token, fake.api_token[-4:]])
    assert [record.getMessage() for record in records if record.levelno >= logging.WARNING] == []


def settings(fake: FakePagerDuty, **fields: Any) -> Settings:
    everything = {"pagerduty_api_url": fake.url, "pagerduty_api_token": fake.api_token} | fields
    return Settings(graphite_url="https://graphite.example.com", **everything)


def ask(fake: FakePagerDuty, *, timeout_s: float = 5.0, deadline_s: float = 10.0) -> list[RemoteIncident]:
    return open_incidents(settings(fake), timeout_s=timeout_s, deadline_s=deadline_s, pause_s=0.01)


def refusal(fake: FakePagerDuty, **bounds: float) -> str:
    with pytest.raises(ListingError) as caught:
        ask(fake, **bounds)
    assert_no_secret(f"{caught.value!r} {caught.value.__cause__!r}", [fake.api_token, fake.api_token[-4:]])
    return str(caught.value)


def listing(*incidents: dict[str, Any], more: bool = False) -> Answer:
    return Answer.of_json(200, {"incidents": incidents, "limit": 100, "offset": 0, "total": None, "more": more})


def incident(number: int, **fields: Any) -> dict[str, Any]:
    counts = {"all": 0, "triggered": 0, "resolved": 0}
    plain = {"id": f"Q{number}", "status": "triggered", "incident_key": f"{OURS}{number}", "alert_counts": counts}
    return plain | fields


def test_an_open_incident_comes_with_what_people_need_to_find_it(fake: FakePagerDuty) -> None:
    post(fake, trigger({"summary": "CRITICAL Load: web7 is 12.6"}, dedup_key=OURS))
    (found,) = ask(fake)
    assert found.opened_at is not None
    assert abs(found.opened_at - datetime.now(UTC)).total_seconds() < 60
    assert (found.dedup_key, found.id, found.title, found.status, found.service, found.url) == (
        OURS,
        "Q000001",
        "CRITICAL Load: web7 is 12.6",
        RemoteStatus.TRIGGERED,
        "Service 1",
        "https://example.pagerduty.com/incidents/Q000001",
    )


@pytest.mark.parametrize("makes_alerts", [True, False])
def test_our_open_incidents_are_found_however_the_service_is_set_up(
    makes_alerts: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with FakePagerDuty(makes_alerts=makes_alerts) as fake:
        for name in ("a", "b", "c"):
            post(fake, trigger(dedup_key=OURS + name))
        post(fake, trigger(dedup_key="somebody else's"))
        fake.acknowledge(KEY, OURS + "b")
        post(fake, follow_up("resolve", dedup_key=OURS + "c"))
        assert [(found.dedup_key, found.status) for found in ask(fake)] == [
            (OURS + "a", RemoteStatus.TRIGGERED),
            (OURS + "b", RemoteStatus.ACKNOWLEDGED),
        ]
        assert fake.rejected() == ()
        assert fake.api_token not in caplog.text


def test_no_incident_is_no_error(fake: FakePagerDuty) -> None:
    assert ask(fake) == []


def test_an_incident_of_last_year_is_still_listed() -> None:
    moments = [datetime(2025, 1, 1, tzinfo=UTC)]
    with FakePagerDuty(clock=lambda: moments[-1]) as fake:
        post(fake, trigger(dedup_key=OURS))
        moments.append(datetime(2026, 1, 1, tzinfo=UTC))
        assert len(ask(fake)) == 1


def test_every_page_is_read() -> None:
    with FakePagerDuty(makes_alerts=False, rate_limit=1000) as fake:
        for number in range(201):
            post(fake, trigger(dedup_key=f"{OURS}{number}"))
        before = fake.request_count()
        assert {found.dedup_key for found in ask(fake)} == {f"{OURS}{number}" for number in range(201)}
        assert (fake.request_count() - before, fake.rejected()) == (3, ())


def test_an_incident_that_holds_several_alerts_comes_once_for_each_of_ours(fake: FakePagerDuty) -> None:
    fake.fail_next_listing(listing(incident(1, incident_key="theirs", alert_counts={"all": 3})))
    alerts = [{"alert_key": OURS + "a"}, {"alert_key": "theirs"}, {"alert_key": None}, {"alert_key": OURS + "b"}]
    fake.fail_next_listing(Answer.of_json(200, {"alerts": alerts, "more": False}))
    assert [(found.dedup_key, found.id) for found in ask(fake)] == [(OURS + "a", "Q1"), (OURS + "b", "Q1")]


def test_an_incident_that_was_merged_since_it_was_listed_has_no_alerts(fake: FakePagerDuty) -> None:
    fake.fail_next_listing(listing(incident(99, alert_counts={"all": 2}), incident(1)))
    assert [found.id for found in ask(fake)] == ["Q1"]


def test_what_pagerduty_leaves_out_is_not_needed(fake: FakePagerDuty) -> None:
    fake.fail_next_listing(listing(incident(1, created_at="soon", service=None), incident(2, status="resolved")))
    (found,) = ask(fake)
    assert (found.title, found.service, found.url, found.opened_at) == ("", "", "", None)


@pytest.mark.parametrize(
    "fault",
    [
        Fault.RATE_LIMITED,
        Fault.SERVER_ERROR,
        Fault.BAD_GATEWAY,
        Fault.UNAVAILABLE,
        Fault.REQUEST_TIMEOUT,
        Fault.RESET_BEFORE_INGEST,
    ],
)
def test_what_may_pass_is_tried_three_more_times(fake: FakePagerDuty, fault: Fault) -> None:
    post(fake, trigger(dedup_key=OURS))
    fake.fail_next_listing(fault, times=3)
    assert len(ask(fake)) == 1
    asked = fake.request_count()
    fake.rest_fault = fault
    refusal(fake)
    assert fake.request_count() - asked == 4


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault.REFUSED, "gave no answer: [Errno 111] Connection refused: check the network and PAGERDUTY_API_URL"),
        (Fault.RESET_BEFORE_INGEST, "reset by peer"),
        (Fault.UNAVAILABLE, "PagerDuty answered 503: try again later"),
        (Fault.RATE_LIMITED, "429 (Rate Limit Exceeded): too many requests: ask again in a minute"),
        (Fault.REDIRECT, "307: try again later, or check PAGERDUTY_API_URL"),
        (Fault.ACCEPTED_HTML, "202"),
        (Answer(200, (), b"<html>"), "answered 200 with no list of incidents: check PAGERDUTY_API_URL"),
        (Answer.of_json(200, {"incidents": {}}), "no list of incidents"),
        (Answer.of_json(200, {"incidents": ["Q1"]}), "no list of incidents"),
        (listing({"status": "triggered"} | incident(1, id="../users")), "an incident without an id"),
        (Answer(404), "404: check PAGERDUTY_API_URL (in the EU https://api.eu.pagerduty.com)"),
        (Answer.of_json(403, {"error": {"message": "Access Denied"}}), "403 (Access Denied): the token may not read"),
        (Answer.of_json(400, {"error": "bad\n\x1b[31m"}), "400"),
    ],
)
def test_what_does_not_pass_is_told_with_what_to_do(fake: FakePagerDuty, fault: Fault | Answer, reason: str) -> None:
    if fault is Fault.REFUSED:
        fake.fault = fault
    else:
        fake.rest_fault = fault
    said = refusal(fake)
    assert reason in said
    assert said.isprintable()


def test_a_wrong_token_is_told_at_once_with_what_it_may_be(fake: FakePagerDuty) -> None:
    with pytest.raises(ListingError) as caught:
        open_incidents(settings(fake, pagerduty_api_token="u+wr0ngt0ken"))
    said = str(caught.value)
    assert "401 (Authentication failed): the token is wrong, or of another service region" in said
    assert "PAGERDUTY_API_URL=https://api.eu.pagerduty.com" in said
    assert_no_secret(said, ["u+wr0ngt0ken", "0ken"])
    assert fake.request_count() == 1


def test_a_token_that_pagerduty_quotes_is_not_repeated(fake: FakePagerDuty) -> None:
    fake.rest_fault = Answer.of_json(400, {"error": {"message": f"no {fake.api_token.upper()}"}})
    assert "400 (no (token))" in refusal(fake)


def test_without_a_token_nothing_is_asked(fake: FakePagerDuty) -> None:
    with pytest.raises(ListingError, match="PAGERDUTY_API_TOKEN is not set: make a read-only REST API key"):
        open_incidents(settings(fake, pagerduty_api_token=None))
    assert fake.request_count() == 0


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "schlüssel"])
def test_a_token_that_cannot_travel_is_not_quoted(fake: FakePagerDuty, token: str) -> None:
    with pytest.raises(ListingError) as caught:
        open_incidents(settings(fake, pagerduty_api_token=token))
    assert "copy it again" in str(caught.value)
    assert_no_secret(str(caught.value), token.split())


def test_a_short_wish_to_wait_is_granted_and_a_long_one_ends_it(fake: FakePagerDuty) -> None:
    begun = time.monotonic()
    fake.fail_next_listing(Answer(429, (("ratelimit-reset", "1"),)))
    assert ask(fake) == []
    assert time.monotonic() - begun >= 1
    asked = fake.request_count()
    fake.fail_next_listing(Fault.RATE_LIMITED_FOR_SECONDS)
    assert "429" in refusal(fake)
    assert fake.request_count() - asked == 1


def test_silence_ends_with_the_timeouts(fake: FakePagerDuty) -> None:
    fake.rest_fault = Fault.HANG
    assert "gave no answer: timed out" in refusal(fake, timeout_s=0.05)
    assert fake.request_count() == 4


@pytest.mark.parametrize("fault", [Fault.SLOW_DRIP, Fault.HANG])
def test_an_endless_answer_ends_with_the_deadline_and_leaves_no_thread_behind(
    fake: FakePagerDuty, fault: Fault
) -> None:
    fake.rest_fault = fault
    assert "did not list the open incidents within 0.2 s" in refusal(fake, deadline_s=0.2)
    fake.rest_fault = None
    assert eventually(lambda: not any(thread.name == "within-0.2s" for thread in threading.enumerate()))
    assert fake.request_count() == 1


def test_a_list_without_end_is_not_read_for_ever(fake: FakePagerDuty) -> None:
    fake.rest_fault = listing(more=True)
    assert "more than 10000 open incidents" in refusal(fake)
    assert fake.request_count() == 100


def test_the_password_of_a_proxys_url_is_not_told(fake: FakePagerDuty) -> None:
    fake.fault = Fault.REFUSED
    with pytest.raises(ListingError) as caught:
        open_incidents(settings(fake, pagerduty_api_url=f"http://pager:hunter2@127.0.0.1:{fake.port}"), pause_s=0.01)
    assert_no_secret(str(caught.value), ["hunter2"])
    assert f"127.0.0.1:{fake.port}" in str(caught.value)
