"""Counters count each thing once, whatever is repeated, lost or forgotten; and a secret is the same for everybody."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.engine import URL

from graphitepager.errors import StoreError
from graphitepager.model import EventKind, NearMiss, SeriesKey
from graphitepager.rules import Level, Route
from graphitepager.store import Store
from graphitepager.tallies import DeliveryKey, DeliveryTally, Result, Tallies, Transition, TransitionKey
from tests.integration.store_support import NOON, held, poll, record, repeated, resolved, triggered

if TYPE_CHECKING:
    from pathlib import Path

MINUTE = timedelta(minutes=1)


def tallies(store: Store) -> Tallies:
    return store.glance(NOON).tallies


def counted(store: Store) -> dict[tuple[str, str, str], int]:
    return {
        (key.notifier, key.kind.value, key.result.value): tally.total
        for key, tally in tallies(store).deliveries.items()
    }


def test_polls_add_up(store: Store) -> None:
    assert tallies(store) == Tallies()
    record(store, series=5, failed=1, finished_at=NOON + timedelta(seconds=1.5))
    record(store, series=7, failed=2, finished_at=NOON + timedelta(seconds=3))
    assert tallies(store) == Tallies(polls=2, series=12, failed=3, seconds=3.5)


def test_a_clock_that_is_set_back_during_a_poll_takes_no_time_off(store: Store) -> None:
    record(store, finished_at=NOON - MINUTE)
    assert tallies(store).seconds == 0


def test_a_poll_that_is_recorded_twice_counts_once(store: Store) -> None:
    once = poll(triggered("a"), finished_at=NOON + MINUTE)
    store.record(once)
    before = tallies(store)
    store.record(once)
    assert tallies(store) == before
    assert before.transitions == {TransitionKey(Transition.TRIGGERED, Level.WARNING): 1}


def test_a_poll_that_does_not_follow_the_last_one_counts_for_nothing(store: Store) -> None:
    with pytest.raises(StoreError):
        store.record(poll(triggered("a"), follows=NOON - MINUTE))
    assert tallies(store) == Tallies()


def test_transitions_are_counted_by_kind_and_level(store: Store) -> None:
    record(store, triggered("a"), triggered("b"), triggered("c", level=Level.CRITICAL), held("d"))
    miss = NearMiss(key=SeriesKey("Load", "e"), level=Level.WARNING, since=NOON, until=NOON)
    record(store, repeated("a"), resolved("b"), triggered("f"), near_misses=[miss])
    assert tallies(store).transitions == {
        TransitionKey(Transition.TRIGGERED, Level.WARNING): 3,
        TransitionKey(Transition.TRIGGERED, Level.CRITICAL): 1,
        TransitionKey(Transition.HELD, Level.WARNING): 1,
        TransitionKey(Transition.REPEATED, Level.WARNING): 1,
        TransitionKey(Transition.RESOLVED, Level.WARNING): 1,
        TransitionKey(Transition.NEAR_MISS, Level.WARNING): 1,
    }


def test_deliveries_are_counted_by_notifier_and_result(store: Store) -> None:
    record(store, triggered("a", Route("pagerduty", "k"), Route("stdout", "")), triggered("b", Route("pagerduty", "k")))
    a, printed, b = store.claim(NOON, worker="w", lease=MINUTE, limit=9)
    store.mark_failed(a.id, "w", "500", NOON)
    store.mark_sent(printed.id, "w", NOON + MINUTE, "written")
    store.mark_dead(b.id, "w", NOON + MINUTE, "400")
    (a,) = store.claim(NOON, worker="w", lease=MINUTE, limit=9)
    store.mark_sent(a.id, "w", NOON + 2 * MINUTE, "202")
    trigger = EventKind.TRIGGERED
    assert tallies(store).deliveries == {
        DeliveryKey("pagerduty", trigger, Result.FAILED): DeliveryTally(1, None),
        DeliveryKey("pagerduty", trigger, Result.SENT): DeliveryTally(1, NOON + 2 * MINUTE),
        DeliveryKey("pagerduty", trigger, Result.DEAD): DeliveryTally(1, NOON + MINUTE),
        DeliveryKey("stdout", trigger, Result.SENT): DeliveryTally(1, NOON + MINUTE),
    }


def test_what_is_taken_back_unsent_is_counted(store: Store) -> None:
    record(store, triggered("a"))
    record(store, resolved("a"))
    assert counted(store) == {("pagerduty", "trigger", "cancelled"): 1}


def test_an_attempt_that_was_cut_short_is_counted_by_whoever_finds_it(store: Store) -> None:
    record(store, triggered("a"))
    store.claim(NOON, worker="died", lease=MINUTE, limit=9)
    store.claim(NOON + MINUTE, worker="stopped", lease=MINUTE, limit=9)
    store.release("stopped")
    assert counted(store) == {("pagerduty", "trigger", "interrupted"): 2}


def test_a_mark_that_comes_too_late_counts_for_nothing(store: Store) -> None:
    record(store, triggered("a"))
    (late,) = store.claim(NOON, worker="w", lease=MINUTE, limit=9)
    store.claim(NOON + MINUTE, worker="other", lease=MINUTE, limit=9)
    assert not store.mark_sent(late.id, "w", NOON, "202")
    assert counted(store) == {("pagerduty", "trigger", "interrupted"): 1}


def test_counters_outlive_the_history(store: Store) -> None:
    record(store, triggered("a"))
    (delivery,) = store.claim(NOON, worker="w", lease=MINUTE, limit=9)
    store.mark_sent(delivery.id, "w", NOON, "202")
    record(store, resolved("a"))
    (delivery,) = store.claim(NOON, worker="w", lease=MINUTE, limit=9)
    store.mark_sent(delivery.id, "w", NOON, "202")
    before = tallies(store)
    assert store.forget(NOON + timedelta(days=400), 500)
    assert tallies(store) == before
    assert counted(store) == {("pagerduty", "trigger", "sent"): 1, ("pagerduty", "resolve", "sent"): 1}


def test_many_senders_at_once_count_everything(url: URL, store: Store) -> None:
    record(store, *(triggered(f"{number}") for number in range(40)))
    claimed = store.claim(NOON, worker="w", lease=MINUTE, limit=100)
    errors: list[Exception] = []

    def send(own: Store, offset: int) -> None:
        try:
            for each in claimed[offset::4]:
                assert own.mark_sent(each.id, "w", NOON, "202")
        except Exception as error:  # noqa: BLE001 - raised again in the test's own thread
            errors.append(error)

    with Store.open(url) as other:
        threads = [threading.Thread(target=send, args=((store, other)[n % 2], n)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert errors == []
    assert counted(store) == {("pagerduty", "trigger", "sent"): 40}


def test_a_secret_is_made_once_also_by_many_at_once(url: URL, store: Store) -> None:
    secrets: list[str] = []
    start = threading.Barrier(4)

    def ask(own: Store) -> None:
        start.wait(10)
        secrets.append(own.secret())

    with Store.open_to_read(url) as other:
        threads = [threading.Thread(target=ask, args=((store, other)[n % 2],)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(set(secrets)) == 1
    assert len(secrets) == 4
    assert len(secrets[0]) == 64


def test_two_databases_have_different_secrets_and_each_keeps_its_own(url: URL, store: Store, tmp_path: Path) -> None:
    with Store.open(URL.create("sqlite", database=str(tmp_path / "another.db"))) as other:
        assert other.secret() != store.secret()
    with Store.open(url) as again:
        assert again.secret() == store.secret()
