"""How fast the outbox sends: no faster than each address bears, and nothing waits for longer than it must."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from graphitepager.errors import SendError
from graphitepager.model import EventKind
from graphitepager.notifiers.pagerduty import PagerDuty
from graphitepager.records import Backlog
from graphitepager.rules import Level
from tests.fakes.pagerduty import FakePagerDuty, Fault
from tests.integration.outbox_support import (
    MINUTE,
    OTHER_KEY,
    OTHER_ROUTE,
    ROUTE,
    SECOND,
    STDOUT,
    Clock,
    Scripted,
    drain,
    history,
    outbox_of,
    pages,
    send,
)
from tests.integration.store_support import NOON, record, repeated, resolved, triggered

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphitepager.model import Message
    from graphitepager.store import Store

# One kind of database is enough: what the others do differently is tested elsewhere.
pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


def fullest_minute(fake: FakePagerDuty) -> int:
    times = sorted(event.at for event in fake.events())
    return max(sum(start <= at < start + MINUTE for at in times) for start in times)


def test_three_hundred_pages_at_once_take_as_many_requests_and_no_minute_holds_more_than_a_hundred(
    store: Store, clock: Clock, fake: FakePagerDuty, capsys: pytest.CaptureFixture[str]
) -> None:
    record(store, *pages(300))
    drain(outbox_of(store, clock, PagerDuty(fake.url)), store, clock)
    with capsys.disabled():
        print(f"\n300 pages: {fake.request_count()} requests, the last after {clock.now - NOON}")  # noqa: T201
    assert (fake.request_count(), len(fake.open_incidents()), fullest_minute(fake)) == (300, 300, 100)
    assert clock.now - NOON == 2 * MINUTE


@pytest.mark.parametrize(("tells", "most_requests"), [(True, 306), (False, 345)])
def test_a_receiver_that_takes_less_than_we_send_costs_few_requests(
    store: Store, clock: Clock, capsys: pytest.CaptureFixture[str], most_requests: int, *, tells: bool
) -> None:
    """Other tools send with the same key."""
    record(store, *pages(300))
    with FakePagerDuty(clock=lambda: clock.now, rate_limit=60, tells_retry_after=tells) as fake:
        drain(outbox_of(store, clock, PagerDuty(fake.url)), store, clock)
        spent = f"{fake.request_count()} requests, the last after {clock.now - NOON}"
        with capsys.disabled():
            print(f"\n300 pages at 60 a minute, Retry-After {tells}: {spent}")  # noqa: T201
        assert len(fake.open_incidents()) == 300
        assert fake.request_count() <= most_requests
    assert store.backlog() == Backlog(pending=0, dead=0)


def test_after_a_429_a_critical_page_leaves_with_the_next_free_slot(
    store: Store, clock: Clock, fake: FakePagerDuty
) -> None:
    record(store, *pages(20))
    outbox = outbox_of(store, clock, PagerDuty(fake.url))
    fake.fail_next(Fault.RATE_LIMITED_FOR_SECONDS)
    send(outbox)
    assert fake.request_count() == 1
    record(store, triggered("critical", ROUTE, level=Level.CRITICAL), resolved("web0"))
    send(outbox)
    assert (fake.request_count(), outbox.next_due()) == (1, NOON + 30 * SECOND)
    clock.now = NOON + 30 * SECOND
    send(outbox)
    assert fake.events()[0].payload["severity"] == "critical"


def test_while_one_key_rests_the_others_go_on(store: Store, clock: Clock, fake: FakePagerDuty) -> None:
    record(store, *pages(3), triggered("other", OTHER_ROUTE))
    fake.fail_next(Fault.RATE_LIMITED)
    send(outbox_of(store, clock, PagerDuty(fake.url)))
    assert [event.routing_key for event in fake.events()] == [OTHER_KEY]
    assert fake.request_count() == 2


def test_throttled_again_and_again_a_key_rests_longer_whatever_is_sent_first(store: Store, clock: Clock) -> None:
    def refuse(message: Message, address: str) -> str:
        raise SendError("429", is_throttled=True)

    notifier = Scripted(refuse)
    outbox = outbox_of(store, clock, notifier)
    waits = []
    for number in range(8):
        record(store, triggered(f"{number}", ROUTE, level=Level.CRITICAL, at=NOON - number * SECOND))
        send(outbox)
        due = outbox.next_due()
        assert due is not None
        waits.append((due - clock.now).total_seconds())
        clock.now = due
    assert waits == [1, 2, 4, 8, 16, 30, 30, 30]
    assert len(notifier.sent) == 8


def test_a_restart_begins_no_new_minute_and_a_critical_page_gets_its_first_slot(store: Store, clock: Clock) -> None:
    record(store, *pages(150))
    notifier = Scripted(lambda _message, _address: "202")
    send(outbox_of(store, clock, notifier))
    clock.now += 30 * SECOND
    record(store, triggered("critical", ROUTE, level=Level.CRITICAL))
    restarted = outbox_of(store, clock, notifier)
    send(restarted)
    assert (len(notifier.sent), restarted.next_due()) == (100, NOON + MINUTE)
    clock.now = NOON + MINUTE
    send(restarted)
    assert (len(notifier.sent), notifier.sent[100][1]) == (151, "critical")


def test_standard_output_has_no_limit(store: Store, clock: Clock) -> None:
    record(store, *pages(250, STDOUT))
    notifier = Scripted(lambda _message, _address: "printed")
    send(outbox_of(store, clock, notifier, "stdout"))
    assert len(notifier.sent) == 250


# Waiting.


@pytest.mark.parametrize("change", [triggered, repeated, resolved], ids=lambda one: str(one)[:20])
def test_nothing_waits_for_longer_than_a_minute(store: Store, clock: Clock, change: Callable[..., Any]) -> None:
    errors: list[SendError] = []

    def answer(message: Message, address: str) -> str:
        if errors:
            raise errors.pop()
        return "202"

    outbox = outbox_of(store, clock, Scripted(answer))
    if change is not triggered:
        record(store, triggered("a", ROUTE))
        send(outbox)
    record(store, triggered("a", ROUTE) if change is triggered else change("a"))
    errors.append(SendError("503", retry_after=timedelta(hours=2)))
    send(outbox)
    assert store.next_due(clock.now) == NOON + MINUTE


def test_a_resolve_that_a_proxy_refuses_for_a_while_arrives_all_the_same(store: Store, clock: Clock) -> None:
    refusals = [SendError("PagerDuty answered 307", permanent=True) for _ in range(30)]

    def answer(message: Message, address: str) -> str:
        if message.kind is EventKind.RESOLVED and refusals:
            raise refusals.pop()
        return "202"

    outbox = outbox_of(store, clock, Scripted(answer))
    record(store, triggered("a", ROUTE))
    send(outbox)
    record(store, resolved("a"))
    drain(outbox, store, clock)
    assert (store.backlog(), history(store, "attempts")) == (Backlog(pending=0, dead=0), [(0,), (30,)])


def test_one_that_is_refused_for_an_hour_is_given_up(store: Store, clock: Clock) -> None:
    def answer(message: Message, address: str) -> str:
        if message.kind is EventKind.RESOLVED:
            raise SendError("PagerDuty answered 403", permanent=True)
        return "202"

    outbox = outbox_of(store, clock, Scripted(answer))
    record(store, triggered("a", ROUTE))
    send(outbox)
    record(store, resolved("a"))
    drain(outbox, store, clock)
    assert store.backlog() == Backlog(pending=0, dead=1)
    assert timedelta(hours=1) <= clock.now - NOON < timedelta(hours=1, minutes=2)


def test_a_page_waits_behind_a_throttled_resolve_for_a_minute_only(store: Store, clock: Clock) -> None:
    wishes = [SendError("429", is_throttled=True, retry_after=timedelta(minutes=8))]

    def answer(message: Message, address: str) -> str:
        if message.kind is EventKind.RESOLVED and wishes:
            raise wishes.pop()
        return "202"

    notifier = Scripted(answer)
    outbox = outbox_of(store, clock, notifier)
    record(store, triggered("a", ROUTE))
    send(outbox)
    record(store, resolved("a"))
    send(outbox)
    record(store, triggered("a", ROUTE))
    clock.now = NOON + MINUTE
    send(outbox)
    assert [kind for kind, _, _ in notifier.sent] == [
        EventKind.TRIGGERED,
        EventKind.RESOLVED,
        EventKind.RESOLVED,
        EventKind.TRIGGERED,
    ]


def test_a_page_that_fails_is_tried_again_until_it_is_taken(store: Store, clock: Clock, fake: FakePagerDuty) -> None:
    record(store, triggered("a", ROUTE))
    fake.fail_next(Fault.SERVER_ERROR, times=4)
    drain(outbox_of(store, clock, PagerDuty(fake.url)), store, clock)
    assert clock.now - NOON == (1 + 2 + 4 + 8) * SECOND
    ((attempts, error, answer),) = history(store, "attempts", "last_error", "answer")
    assert (attempts, error[:22], answer) == (4, "PagerDuty answered 500", "202 Event processed")
