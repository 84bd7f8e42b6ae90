"""What the outbox does with what a receiver refuses: never silent about what is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from graphitepager.notifiers.pagerduty import PagerDuty
from graphitepager.records import Backlog
from tests.fakes.pagerduty import Answer, FakePagerDuty, Fault
from tests.integration.outbox_support import (
    MINUTE,
    ROUTE,
    Clock,
    drain,
    history,
    outbox_of,
    send,
)
from tests.integration.store_support import NOON, record, resolved, triggered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphitepager.store import Store


INVALID = Answer.of_json(400, {"message": "Event object is invalid", "errors": ["'links' are bad"]})

# One kind of database is enough: what the others do differently is tested elsewhere.
pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


def test_a_message_that_is_found_invalid_is_sent_at_once_with_as_little_as_can_be(
    store: Store, clock: Clock, fake: FakePagerDuty, logged: Sequence[Mapping[str, Any]]
) -> None:
    record(store, triggered("wĕb1", ROUTE))
    fake.fail_next(INVALID)
    send(outbox_of(store, clock, PagerDuty(fake.url)))
    (event,) = fake.events()
    assert event.payload["summary"] == "Warning: w?b1"
    assert (event.body["links"], event.payload["custom_details"]) == ([], {})
    assert event.dedup_key == triggered("wĕb1").message.dedup_key
    assert [(entry["log_level"], entry["event"]) for entry in logged] == [
        ("error", "message_refused"),
        ("info", "sent"),
    ]
    ((attempts, error, answer),) = history(store, "attempts", "last_error", "answer")
    assert (attempts, answer) == (1, "202 Event processed")
    assert "'links' are bad" in error
    record(store, resolved("wĕb1"))
    send(outbox_of(store, clock, PagerDuty(fake.url)))
    assert fake.open_incidents() == ()


def test_a_message_that_is_invalid_even_so_is_given_up_loudly(
    store: Store, clock: Clock, fake: FakePagerDuty, logged: Sequence[Mapping[str, Any]]
) -> None:
    record(store, triggered("a", ROUTE))
    fake.fault = INVALID
    drain(outbox_of(store, clock, PagerDuty(fake.url)), store, clock)
    assert (fake.request_count(), store.backlog()) == (2, Backlog(pending=0, dead=1, unheard=1))
    assert [(entry["log_level"], entry["event"]) for entry in logged] == [
        ("error", "message_refused"),
        ("error", "not_delivered"),
    ]
    assert history(store, "attempts") == [(2,)]


@pytest.mark.parametrize("fault", [Fault.REDIRECT, Answer(401), Answer(403), Answer(404)])
def test_what_a_proxy_may_have_refused_is_tried_for_an_hour(
    store: Store, clock: Clock, fake: FakePagerDuty, fault: Fault | Answer
) -> None:
    record(store, triggered("a", ROUTE))
    fake.fault = fault
    drain(outbox_of(store, clock, PagerDuty(fake.url)), store, clock)
    assert store.backlog() == Backlog(pending=0, dead=1, unheard=1)
    assert timedelta(hours=1) <= clock.now - NOON < timedelta(hours=1, minutes=2)


def test_a_page_that_was_refused_for_once_arrives(store: Store, clock: Clock, fake: FakePagerDuty) -> None:
    record(store, triggered("a", ROUTE))
    fake.fail_next(Answer(403))
    drain(outbox_of(store, clock, PagerDuty(fake.url)), store, clock)
    assert len(fake.open_incidents()) == 1


def test_a_key_that_pagerduty_does_not_know_is_given_up_at_once(
    store: Store, clock: Clock, fake: FakePagerDuty, logged: Sequence[Mapping[str, Any]]
) -> None:
    record(store, triggered("a", ROUTE))
    fake.fault = Fault.UNKNOWN_KEY
    drain(outbox_of(store, clock, PagerDuty(fake.url)), store, clock)
    assert (fake.request_count(), store.backlog()) == (1, Backlog(pending=0, dead=1, unheard=1))
    assert [entry["event"] for entry in logged] == ["not_delivered"]


def test_the_minimal_form_outlives_a_restart(store: Store, clock: Clock, fake: FakePagerDuty) -> None:
    record(store, triggered("a", ROUTE))
    fake.fail_next(INVALID)
    fake.fail_next(Fault.BAD_GATEWAY)
    send(outbox_of(store, clock, PagerDuty(fake.url)))
    clock.now += MINUTE
    send(outbox_of(store, clock, PagerDuty(fake.url)))
    assert [event.payload["custom_details"] for event in fake.events()] == [{}]
