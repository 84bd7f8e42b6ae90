"""What is told of an incident goes where it was told of first, and nothing that somebody heard of stays open there."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from graphitepager.model import EventKind, NearMiss, SeriesKey
from graphitepager.records import DeliveryStatus
from graphitepager.rules import Level, Route
from graphitepager.store import Store, tables
from tests.integration.store_support import (
    NOON,
    PAGERDUTY,
    held,
    poll,
    record,
    repeated,
    resolved,
    told,
    triggered,
)

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

    from graphitepager.model import Delivery
    from graphitepager.records import Change

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
OLD, NEW, STDOUT = Route("pagerduty", "old key"), Route("pagerduty", "new key"), Route("stdout", "")


def claim(store: Store, *, limit: int = 1) -> list[Delivery]:
    return store.claim(NOON, worker="w", lease=MINUTE, limit=limit)


def fail(store: Store) -> None:
    """Attempt the next delivery, without an answer."""
    (delivery,) = claim(store)
    assert store.mark_failed(delivery.id, "w", "connection reset", NOON)


def rows(store: Store, *names: str) -> list[tuple[Any, ...]]:
    """The history of deliveries as it is stored."""
    with store._reader.begin() as db:
        columns = [tables.deliveries.c[name] for name in names]
        return [tuple(row) for row in db.execute(select(*columns).order_by(tables.deliveries.c.id))]


def what(store: Store) -> list[tuple[EventKind, Route]]:
    """Send everything there is."""
    return [(kind, route) for kind, _, _, route in told(store)]


# A trigger and its resolve.


def test_a_trigger_and_a_resolve_that_nobody_was_sent_cancel_out_visibly(store: Store) -> None:
    record(store, triggered("a", OLD, STDOUT), triggered("b"))
    end = resolved("a", at=NOON + MINUTE)
    assert record(store, end) == (end,)
    assert rows(store, "kind", "status", "finished_at") == [
        (EventKind.TRIGGERED, DeliveryStatus.CANCELLED, NOON + MINUTE),
        (EventKind.TRIGGERED, DeliveryStatus.CANCELLED, NOON + MINUTE),
        (EventKind.TRIGGERED, DeliveryStatus.PENDING, None),
    ]
    assert [incident.key.series for incident in store.open_incidents()] == ["b"]
    assert [series for _, series, *_ in told(store)] == ["b"]


def test_a_resolve_that_somebody_needs_is_not_returned(store: Store) -> None:
    record(store, triggered("a", OLD, STDOUT))
    (delivery,) = claim(store)
    store.mark_sent(delivery.id, "w", NOON, "202")
    assert record(store, resolved("a")) == ()
    assert what(store) == [(EventKind.RESOLVED, delivery.route)]


def test_a_trigger_that_failed_is_taken_back_but_resolved_for_it_may_have_arrived(store: Store) -> None:
    record(store, triggered("a"))
    fail(store)
    assert record(store, resolved("a")) == ()
    assert rows(store, "kind", "status", "attempts", "last_error") == [
        (EventKind.TRIGGERED, DeliveryStatus.CANCELLED, 1, "connection reset"),
        (EventKind.RESOLVED, DeliveryStatus.PENDING, 0, None),
    ]
    assert what(store) == [(EventKind.RESOLVED, PAGERDUTY)]


def test_a_trigger_that_is_being_sent_is_not_taken_back_and_its_resolve_follows(store: Store) -> None:
    record(store, triggered("a"))
    (delivery,) = claim(store)
    assert record(store, resolved("a")) == ()
    assert claim(store) == []
    assert store.mark_sent(delivery.id, "w", NOON, "202")
    assert what(store) == [(EventKind.RESOLVED, PAGERDUTY)]


def test_a_trigger_whose_sender_was_interrupted_is_resolved(store: Store) -> None:
    record(store, triggered("a"))
    claim(store)
    store.release("w")
    assert record(store, resolved("a")) == ()
    assert what(store) == [(EventKind.RESOLVED, PAGERDUTY)]
    assert rows(store, "attempts", "last_error")[0] == (1, "interrupted before an answer came")


def test_a_trigger_that_was_refused_at_once_needs_no_resolve(store: Store) -> None:
    record(store, triggered("a"))
    store.mark_dead(claim(store)[0].id, "w", NOON, "no such key")
    record(store, resolved("a"))
    assert what(store) == []


def test_a_trigger_that_was_refused_after_it_may_have_arrived_is_resolved(store: Store) -> None:
    record(store, triggered("a"))
    fail(store)
    store.mark_dead(claim(store)[0].id, "w", NOON, "403")
    (incident,) = store.open_incidents()
    assert incident.routes == frozenset()
    record(store, repeated("a"), resolved("a"))
    assert what(store) == [(EventKind.RESOLVED, PAGERDUTY)]


def test_a_repeat_that_was_not_sent_goes_with_its_incident(store: Store) -> None:
    record(store, triggered("a"))
    told(store)
    record(store, repeated("a"))
    record(store, resolved("a"))
    assert what(store) == [(EventKind.RESOLVED, PAGERDUTY)]


def test_a_level_that_changes_before_anybody_heard_is_told_once(store: Store) -> None:
    record(store, triggered("a"))
    end = resolved("a")
    assert record(store, triggered("a", level=Level.CRITICAL), end) == (end,)
    assert [(kind, level) for kind, _, level, _ in told(store)] == [(EventKind.TRIGGERED, Level.CRITICAL)]


def test_a_trigger_claimed_while_it_is_taken_back_is_sent_and_resolved_or_neither(url: URL, store: Store) -> None:
    with Store.open(url) as other:
        outcomes = Counter(_race(store, other, number) for number in range(150))
    # Whoever is first must not be the same each time, or this tests nothing.
    assert set(outcomes) == {"cancelled", "sent, then resolved"}


def _race(store: Store, other: Store, number: int) -> str:
    """Resolve what another thread claims at that moment; then send everything, and tell what it came to."""
    record(store, triggered(f"{number}"))
    last = store.load().last_poll
    assert last is not None
    ending = poll(resolved(f"{number}"), at=last.started_at + SECOND, follows=last.started_at)
    start = threading.Barrier(2)

    def claim_it() -> list[Delivery]:
        start.wait(10)
        time.sleep(number % 10 * 0.0003)
        return other.claim(NOON, worker="other", lease=MINUTE, limit=1)

    def end_it() -> tuple[Change, ...]:
        start.wait(10)
        return store.record(ending)

    with ThreadPoolExecutor(2) as pool:
        claiming, recording = pool.submit(claim_it), pool.submit(end_it)
        claimed, needless = claiming.result(), recording.result()
    sent = [delivery.message.kind for delivery in claimed]
    for delivery in claimed:
        assert other.mark_sent(delivery.id, "other", NOON, "202")
    sent += [kind for kind, *_ in told(store)]
    if needless:
        assert sent == []
        return "cancelled"
    assert sent == [EventKind.TRIGGERED, EventKind.RESOLVED]
    return "sent, then resolved"


# Where things go.


def test_a_resolve_goes_exactly_where_its_trigger_went_whatever_alerts_yml_says_now(store: Store) -> None:
    record(store, triggered("a", OLD, STDOUT))
    told(store)
    record(store, resolved("a", NEW))
    assert what(store) == [(EventKind.RESOLVED, OLD), (EventKind.RESOLVED, STDOUT)]


def test_a_repeat_goes_where_the_trigger_went_but_not_to_who_has_yet_to_get_that(store: Store) -> None:
    record(store, triggered("a", OLD, STDOUT))
    waiting, *_ = claim(store, limit=2)
    store.mark_failed(waiting.id, "w", "500", NOON + MINUTE)
    record(store, repeated("a"), repeated("never opened"))
    assert [one[:2] for one in rows(store, "kind", "notifier")[2:]] == [
        (EventKind.REPEATED, ({"pagerduty", "stdout"} - {waiting.route.notifier}).pop())
    ]


def test_a_second_repeat_does_not_join_one_that_still_waits(store: Store) -> None:
    record(store, triggered("a"))
    told(store)
    record(store, repeated("a"))
    record(store, repeated("a"))
    assert what(store) == [(EventKind.REPEATED, PAGERDUTY)]


def test_an_incident_that_went_nowhere_is_resolved_nowhere(store: Store) -> None:
    record(store, replace(triggered("a"), routes=()))
    assert record(store, resolved("a", PAGERDUTY), resolved("never opened", PAGERDUTY)) == ()
    assert what(store) == []


def test_an_incident_that_comes_again_is_told_again(store: Store) -> None:
    record(store, triggered("a"))
    sent = what(store)
    record(store, resolved("a"), triggered("a", STDOUT))
    sent += what(store)
    record(store, resolved("a"))
    assert sent + what(store) == [
        (EventKind.TRIGGERED, PAGERDUTY),
        (EventKind.TRIGGERED, STDOUT),
        (EventKind.RESOLVED, PAGERDUTY),
        (EventKind.RESOLVED, STDOUT),
    ]


def test_a_new_level_is_triggered_before_the_old_one_is_resolved(store: Store) -> None:
    record(store, triggered("a", OLD))
    told(store)
    record(store, triggered("a", NEW, level=Level.CRITICAL), resolved("a"))
    assert [(kind, level) for kind, _, level, _ in told(store)] == [
        (EventKind.TRIGGERED, Level.CRITICAL),
        (EventKind.RESOLVED, Level.WARNING),
    ]


def test_an_incident_can_move_and_is_not_ended_twice_where_it_was(store: Store) -> None:
    record(store, triggered("a", OLD))
    told(store)
    store.tell([triggered("a", NEW), triggered("not open", NEW)])
    (incident,) = store.open_incidents()
    assert (set(incident.routes), set(incident.accepted)) == ({OLD, NEW}, {OLD})
    assert what(store) == [(EventKind.TRIGGERED, NEW)]
    store.tell([resolved("a", OLD)])
    (incident,) = store.open_incidents()
    assert incident.routes == incident.accepted == {NEW}
    assert what(store) == [(EventKind.RESOLVED, OLD)]
    record(store, resolved("a"))
    assert what(store) == [(EventKind.RESOLVED, NEW)]
    assert store.open_incidents() == []


def test_an_incident_that_moves_back_is_ended_there_again(store: Store) -> None:
    record(store, triggered("a", OLD, NEW))
    told(store)
    store.tell([resolved("a", OLD)])
    store.tell([triggered("a", OLD)])
    told(store)
    record(store, resolved("a"))
    assert {route for _, route in what(store)} == {OLD, NEW}


def test_a_place_that_has_heard_nothing_yet_is_left_without_a_word(store: Store) -> None:
    record(store, triggered("a", OLD))
    store.tell([triggered("a", NEW)])
    store.tell([resolved("a", OLD), resolved("b", OLD)])
    assert what(store) == [(EventKind.TRIGGERED, NEW)]
    assert rows(store, "address", "status")[0] == ("old key", DeliveryStatus.CANCELLED)


def test_a_withdrawal_that_was_refused_is_tried_again_at_the_end(store: Store) -> None:
    record(store, triggered("a", OLD, NEW))
    told(store)
    store.tell([resolved("a", OLD)])
    store.mark_dead(claim(store)[0].id, "w", NOON, "403")
    record(store, resolved("a"))
    assert {route for _, route in what(store)} == {OLD, NEW}


# What is held back.


def test_a_trigger_that_is_held_back_opens_its_incident_and_tells_nobody(store: Store) -> None:
    record(store, held("a", by="silence 1"))
    assert [incident.routes for incident in store.open_incidents()] == [frozenset()]
    assert store.backlog().pending == 0
    record(store, triggered("a"))
    assert [incident.routes for incident in store.open_incidents()] == [{PAGERDUTY}]
    with store._reader.begin() as db:
        assert db.execute(select(tables.incidents.c.held_by)).all() == [(None,)]
    assert what(store) == [(EventKind.TRIGGERED, PAGERDUTY)]
    record(store, resolved("a"))
    assert what(store) == [(EventKind.RESOLVED, PAGERDUTY)]


def test_what_holds_an_incident_back_is_stored(store: Store) -> None:
    record(store, held("a", by="mute window nightly"))
    with store._reader.begin() as db:
        assert db.execute(select(tables.incidents.c.held_by)).all() == [("mute window nightly",)]


def test_an_incident_that_ends_while_it_is_held_back_ends_in_silence(store: Store) -> None:
    record(store, held("a"))
    assert record(store, repeated("a"), resolved("a")) == ()
    assert (what(store), store.open_incidents()) == ([], [])


# Breaches that came to nothing.


def test_near_misses_are_kept(url: URL) -> None:
    misses = [
        NearMiss(key=SeriesKey("Load", "a\0"), level=Level.CRITICAL, since=NOON, until=NOON + MINUTE),
        NearMiss(key=SeriesKey("Disk", ""), level=Level.WARNING, since=NOON, until=NOON),
    ]
    with Store.open(url) as store:
        record(store, near_misses=misses)
        record(store)
        table = tables.near_misses.c
        columns = (table.alert, table.series, table.level, table.began_at, table.ended_at)
        with store._reader.begin() as db:
            found = db.execute(select(*columns).order_by(table.id)).all()
    assert [
        NearMiss(key=SeriesKey(row[0], row[1]), level=row[2], since=row[3], until=row[4]) for row in found
    ] == misses
