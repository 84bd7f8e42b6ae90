"""Deliveries leave when they are due, in the order of their lane, through one worker at a time."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from graphitepager.model import EventKind
from graphitepager.records import Backlog
from graphitepager.rules import Level, Route
from graphitepager.store import Store
from tests.integration.store_support import NOON, record, repeated, resolved, triggered

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
    record(store, triggered("a"))
    (trigger,) = claim(store)
    record(store, resolved("a"))
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
    record(store, triggered("a"), triggered("a"))
    (trigger,) = claim(store)
    assert store.mark_dead(trigger.id, "w", NOON, "invalid routing key")
    assert series(claim(store)) == ["a"]
    assert store.backlog() == Backlog(pending=1, dead=1, oldest_page=NOON)


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
    (given_back,) = claim(store, worker="third")
    assert (given_back.message.series, given_back.attempts) == ("b", 1)  # for it may have arrived


def test_the_next_due_time_is_when_something_could_be_sent(store: Store) -> None:
    record(store, triggered("a"), at=NOON)
    assert store.next_due(NOON) == NOON
    (delivery,) = claim(store)
    record(store, resolved("a"))
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


def test_an_address_that_is_paused_holds_up_no_other(store: Store) -> None:
    slow, quick = Route("pagerduty", "slow"), Route("pagerduty", "quick")
    record(store, triggered("a", slow, level=Level.CRITICAL), triggered("b", slow), triggered("c", quick))
    assert store.next_due(NOON, "pagerduty", ["slow"]) == NOON
    mine = store.claim(NOON, worker="w", lease=LEASE, limit=9, notifier="pagerduty", paused=["slow"])
    assert series(mine) == ["c"]
    assert store.next_due(NOON, "pagerduty", ["slow"]) == NOON + LEASE
    assert store.next_due(NOON, "pagerduty", ["slow", "quick"]) is None
    assert store.claim(NOON, worker="w", lease=LEASE, limit=9, paused={"slow", "quick"}) == []
    assert series(claim(store)) == ["a", "b"]


def test_pages_leave_first_then_repeats_then_ends(store: Store) -> None:
    record(store, triggered("ended"), triggered("repeated", level=Level.CRITICAL))
    for delivery in claim(store):
        store.mark_sent(delivery.id, "w", NOON, "202")
    record(store, resolved("ended"), repeated("repeated", level=Level.CRITICAL), triggered("warning"))
    record(store, triggered("no data", level=Level.NO_DATA), triggered("critical", level=Level.CRITICAL))
    assert series(claim(store)) == ["critical", "warning", "no data", "repeated", "ended"]


def test_an_end_that_a_critical_page_waits_for_is_as_urgent_as_that(store: Store) -> None:
    record(store, triggered("a", level=Level.CRITICAL))
    store.mark_sent(claim(store)[0].id, "w", NOON, "202")
    record(store, resolved("a", level=Level.CRITICAL), triggered("b"))
    record(store, triggered("a", level=Level.CRITICAL))
    (first,) = claim(store, limit=1)
    assert (first.message.series, first.message.kind) == ("a", EventKind.RESOLVED)


def test_a_page_waits_only_for_what_is_told_of_its_own_level(store: Store) -> None:
    record(store, triggered("a", level=Level.NO_DATA))
    (failing,) = claim(store)
    store.mark_failed(failing.id, "w", "500", NOON + LEASE)
    record(store, triggered("a", level=Level.CRITICAL))
    assert [each.message.level for each in claim(store)] == [Level.CRITICAL]


def test_one_address_that_fails_holds_up_no_page_and_no_end_elsewhere(store: Store) -> None:
    bad, good = Route("pagerduty", "bad"), Route("pagerduty", "good")
    record(store, triggered("a", bad, good))
    first, second = claim(store)
    assert (first.route, second.route) == (bad, good)
    store.mark_failed(first.id, "w", "500", NOON)
    store.mark_sent(second.id, "w", NOON, "202")
    record(store, resolved("a"))
    ends = claim(store)
    assert [(each.message.kind, each.route) for each in ends] == [
        (EventKind.RESOLVED, bad),
        (EventKind.RESOLVED, good),
    ]


def test_what_is_just_being_sent_to_one_address_holds_up_no_end_elsewhere(store: Store) -> None:
    hanging, good = Route("slack", "hanging"), Route("slack", "good")
    record(store, triggered("a", hanging, good))
    first, second = claim(store)
    store.mark_sent(second.id, "w", NOON, "200 ok")
    record(store, resolved("a"))
    assert [(each.message.kind, each.route) for each in claim(store)] == [(EventKind.RESOLVED, good)]
    store.mark_failed(first.id, "w", "no answer", NOON)
    assert [(each.message.kind, each.route) for each in claim(store)] == [(EventKind.TRIGGERED, hanging)]


def test_nothing_ends_at_one_address_before_what_takes_its_place_has_begun_at_another(store: Store) -> None:
    old, new = Route("pagerduty", "old"), Route("pagerduty", "new")
    record(store, triggered("a", old))
    store.mark_sent(claim(store)[0].id, "w", NOON, "202")
    record(store, triggered("a", new, level=Level.CRITICAL), resolved("a"))
    (page,) = claim(store)
    assert page.route == new
    store.mark_failed(page.id, "w", "500", NOON + LEASE)
    assert claim(store) == []
    store.mark_sent(claim(store, NOON + LEASE)[0].id, "w", NOON, "202")
    assert [each.route for each in claim(store)] == [old]


def test_what_was_to_take_its_place_and_is_over_holds_up_no_end(store: Store) -> None:
    old, hanging = Route("slack", "old"), Route("slack", "hanging")
    record(store, triggered("a", old))
    store.mark_sent(claim(store)[0].id, "w", NOON, "200 ok")
    record(store, triggered("a", hanging, level=Level.CRITICAL), resolved("a"))
    (page,) = claim(store)
    record(store, resolved("a", level=Level.CRITICAL))
    store.mark_failed(page.id, "w", "no answer", NOON + LEASE)
    assert [(each.message.kind, each.route) for each in claim(store)] == [(EventKind.RESOLVED, old)]


def test_a_claim_that_was_never_finished_counts_as_an_attempt(store: Store) -> None:
    record(store, triggered("a"))
    assert [each.attempts for each in claim(store)] == [0]
    assert [each.attempts for each in claim(store, NOON + LEASE, worker="other")] == [1]
    assert [each.attempts for each in claim(store, NOON + 2 * LEASE, worker="third")] == [2]


def test_a_delivery_that_is_to_be_minimal_stays_so(store: Store) -> None:
    record(store, triggered("a"))
    (delivery,) = claim(store)
    assert not delivery.is_minimal
    store.mark_failed(delivery.id, "w", "400", NOON, make_minimal=True)
    for _ in range(2):
        (delivery,) = claim(store)
        assert delivery.is_minimal
        store.mark_failed(delivery.id, "w", "500", NOON)


def test_what_was_sent_of_late_is_known_by_address(store: Store) -> None:
    record(store, triggered("a", Route("pagerduty", "k"), Route("stdout", "")), triggered("b", Route("pagerduty", "l")))
    for seconds, delivery in enumerate(claim(store)):
        store.mark_sent(delivery.id, "w", NOON + seconds * SECOND, "202")
    assert store.sent_since("pagerduty", NOON - SECOND) == [("k", NOON), ("l", NOON + 2 * SECOND)]
    assert store.sent_since("pagerduty", NOON) == [("l", NOON + 2 * SECOND)]


def test_the_backlog_tells_since_when_the_oldest_page_waits(store: Store) -> None:
    record(store, triggered("a", at=NOON - 3 * SECOND), triggered("b", at=NOON - 2 * SECOND))
    assert store.backlog().oldest_page == NOON - 3 * SECOND
    store.mark_sent(claim(store, limit=1)[0].id, "w", NOON, "202")
    assert store.backlog().oldest_page == NOON - 2 * SECOND
    store.mark_sent(claim(store, limit=1)[0].id, "w", NOON, "202")
    record(store, resolved("a"))
    assert store.backlog() == Backlog(pending=1, dead=0, oldest_page=None)


def test_many_workers_send_each_delivery_once_and_lanes_in_order(url: URL, store: Store) -> None:
    """Eight workers on two engines, as in two processes, against a queue of 20 lanes of 4."""
    for _ in range(4):
        record(store, *(triggered(f"{lane}") for lane in range(20)))
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
