"""Deliveries leave when they are due, in the order of their lane, through one worker at a time."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from graphitepager.model import EventKind, Level, Route
from graphitepager.records import Backlog
from graphitepager.store import Store
from tests.integration.store_support import NOON, record, resolved, triggered

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import URL

    from graphitepager.model import Delivery

SECOND = timedelta(seconds=1)
LEASE = 30 * SECOND


def claim(store: Store, now: datetime = NOON, *, worker: str = "w", limit: int = 100) -> list[Delivery]:
    return store.claim(now, worker=worker, lease=LEASE, limit=limit)


def series(deliveries: list[Delivery]) -> list[str]:
    return [each.message.series for each in deliveries]


def test_critical_leaves_first_then_the_oldest(store: Store) -> None:
    record(store, triggered("a"), triggered("b", level=Level.CRITICAL), triggered("c", level=Level.NO_DATA))
    record(store, triggered("d", level=Level.CRITICAL))
    assert series(claim(store, limit=3)) == ["b", "d", "a"]
    assert series(claim(store)) == ["c"]


def test_a_resolve_waits_for_its_trigger(store: Store) -> None:
    record(store, triggered("a"), resolved("a"))
    (trigger,) = claim(store)
    assert trigger.message.kind is EventKind.TRIGGERED
    assert claim(store) == []
    store.mark_failed(trigger.id, "w", "timeout", NOON + 5 * SECOND)
    assert claim(store) == []
    (trigger,) = claim(store, NOON + 5 * SECOND)
    store.mark_sent(trigger.id, "w", NOON, "202")
    (resolve,) = claim(store)
    assert resolve.message.kind is EventKind.RESOLVED


def test_a_lane_that_waits_holds_up_no_other(store: Store) -> None:
    record(store, triggered("a", Route("pagerduty", "k"), Route("stdout", "")), triggered("b"))
    first = claim(store, limit=1)[0]
    store.mark_failed(first.id, "w", "500", NOON + LEASE)
    assert [(each.message.series, each.route.notifier) for each in claim(store)] == [
        ("a", "stdout"),
        ("b", "pagerduty"),
    ]


def test_a_dead_delivery_lets_the_next_of_its_lane_go(store: Store) -> None:
    record(store, triggered("a"), resolved("a"))
    (trigger,) = claim(store)
    assert store.mark_dead(trigger.id, "w", NOON, "invalid routing key")
    assert series(claim(store)) == ["a"]
    assert store.backlog() == Backlog(pending=1, dead=1)


def test_failed_attempts_are_counted(store: Store) -> None:
    record(store, triggered("a"))
    for attempts in range(3):
        (delivery,) = claim(store)
        assert delivery.attempts == attempts
        assert store.mark_failed(delivery.id, "w", "connection refused", NOON)


def test_what_one_worker_has_claimed_no_other_gets_while_the_lease_lasts(store: Store) -> None:
    record(store, triggered("a"))
    assert series(claim(store)) == ["a"]
    assert claim(store, NOON + LEASE - SECOND, worker="other") == []
    assert series(claim(store, NOON + LEASE, worker="other")) == ["a"]


def test_a_worker_whose_lease_was_taken_over_marks_nothing(store: Store) -> None:
    record(store, triggered("a"))
    (delivery,) = claim(store)
    claim(store, NOON + LEASE, worker="other")
    assert not store.mark_sent(delivery.id, "w", NOON, "202")
    assert not store.mark_failed(delivery.id, "w", "late", NOON)
    assert not store.mark_dead(delivery.id, "w", NOON, "late")
    assert store.mark_sent(delivery.id, "other", NOON, "202")
    assert not store.mark_dead(delivery.id, "other", NOON, "sent already")
    assert store.backlog() == Backlog(pending=0, dead=0)


def test_a_worker_late_but_not_replaced_may_mark(store: Store) -> None:
    record(store, triggered("a"))
    (delivery,) = claim(store)
    assert store.mark_sent(delivery.id, "w", NOON + 2 * LEASE, "202")


def test_a_worker_gives_back_what_it_has_not_sent(store: Store) -> None:
    record(store, triggered("a"), triggered("b"), triggered("c"))
    mine = claim(store, limit=2)
    assert series(claim(store, worker="other")) == ["c"]
    store.mark_sent(mine[0].id, "w", NOON, "202")
    store.release("w")
    assert series(claim(store, worker="third")) == ["b"]


def test_the_next_due_time_is_when_something_could_be_sent(store: Store) -> None:
    record(store, triggered("a"), resolved("a"), at=NOON)
    assert store.next_due(NOON) == NOON
    (delivery,) = claim(store)
    assert store.next_due(NOON + SECOND) == NOON + LEASE
    store.mark_failed(delivery.id, "w", "500", NOON + 3 * SECOND)
    assert store.next_due(NOON) == NOON + 3 * SECOND
    assert claim(store, NOON + 3 * SECOND - timedelta(microseconds=1)) == []
    store.mark_sent(claim(store, NOON + 3 * SECOND)[0].id, "w", NOON, "202")
    assert store.next_due(NOON) == NOON
    store.mark_sent(claim(store)[0].id, "w", NOON, "202")
    assert store.next_due(NOON) is None


@pytest.mark.parametrize("set_back", [timedelta(minutes=16), timedelta(hours=2), timedelta(days=9000)])
def test_what_a_clock_that_was_wrong_has_put_off_is_due(store: Store, set_back: timedelta) -> None:
    record(store, triggered("new", at=NOON + set_back), triggered("failed"), triggered("claimed"), triggered("early"))
    new, failed, claimed, early = (claim(store, NOON + set_back, worker="gone", limit=1)[0] for _ in range(4))
    store.mark_failed(new.id, "gone", "500", NOON + set_back)
    store.mark_failed(failed.id, "gone", "500", NOON + set_back)
    store.mark_sent(early.id, "gone", NOON, "202")
    assert store.next_due(NOON) == NOON
    assert series(claim(store)) == ["new", "failed", "claimed"]
    assert store.next_due(NOON) == NOON + LEASE
    assert claim(store) == []
    assert not store.mark_sent(claimed.id, "gone", NOON, "202")


def test_a_wait_of_ten_minutes_that_a_receiver_asked_for_is_kept(store: Store) -> None:
    record(store, triggered("a"))
    store.mark_failed(claim(store)[0].id, "w", "429", NOON + timedelta(minutes=10))
    assert claim(store) == []
    assert store.next_due(NOON) == NOON + timedelta(minutes=10)


def test_each_notifier_may_be_served_by_itself(store: Store) -> None:
    record(store, triggered("a", Route("pagerduty", "k"), Route("stdout", "")), triggered("b", Route("stdout", "")))
    assert store.next_due(NOON, "email") is None
    assert store.claim(NOON, worker="w", lease=LEASE, limit=100, notifier="email") == []
    mine = store.claim(NOON, worker="w", lease=LEASE, limit=100, notifier="stdout")
    assert [(each.message.series, each.route.notifier) for each in mine] == [("a", "stdout"), ("b", "stdout")]
    assert store.next_due(NOON, "stdout") == NOON + LEASE
    assert store.next_due(NOON, "pagerduty") == NOON
    assert [each.route.notifier for each in claim(store)] == ["pagerduty"]


def test_many_workers_send_each_delivery_once_and_lanes_in_order(url: URL, store: Store) -> None:
    """Eight workers on two engines, as in two processes, against a queue of 20 lanes of 4."""
    for _ in range(2):
        record(store, *(triggered(f"{lane}") for lane in range(20)))
        record(store, *(resolved(f"{lane}") for lane in range(20)))
    sent: list[Delivery] = []
    errors: list[Exception] = []

    def work(own: Store, worker: str) -> None:
        try:
            while own.backlog().pending:
                for delivery in own.claim(NOON, worker=worker, lease=LEASE, limit=3):
                    sent.append(delivery)
                    assert own.mark_sent(delivery.id, worker, NOON, "202")
        except Exception as error:  # noqa: BLE001 - raised again in the test's own thread
            errors.append(error)

    with Store.open(url) as other:
        threads = [threading.Thread(target=work, args=((store, other)[n % 2], f"w{n}")) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert errors == []
    assert set(Counter(each.id for each in sent).values()) == {1}
    for lane in range(20):
        ids = [each.id for each in sent if each.message.series == f"{lane}"]
        assert len(ids) == 4
        assert ids == sorted(ids)
