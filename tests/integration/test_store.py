"""The store remembers what a poll changed, whole or not at all, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import math
import threading
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine, event

from graphitepager.alerting import AlertMemory
from graphitepager.errors import StoreError
from graphitepager.model import WHOLE_ALERT, EventKind, SeriesKey, SeriesState
from graphitepager.records import PollSummary, Snapshot
from graphitepager.rules import Level, Route
from graphitepager.store import Store
from tests.integration.store_support import NOON, PAGERDUTY, firing, poll, record, resolved, told, triggered

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

MINUTE = timedelta(minutes=1)
KEY = SeriesKey("Load", "web1.load")
OVERTAKEN = "another graphite-pager has polled on this database; what it recorded is read before the next poll"
NAMES = [
    "",
    "a",
    WHOLE_ALERT,
    "nul\0inside",
    "\ufdd0",
    "\ufdd00000",
    "lone \ud800 and \ude00\ud83d",
    "<script>alert(1)</script>",
    "\u202eright to left",
    "ünïcödé 🔥 'quoted' \"twice\" %s :x \\ \\0",
    "x" * 5000,
]


def test_a_new_database_remembers_nothing(store: Store) -> None:
    assert store.load() == Snapshot(memories={}, last_poll=None)
    assert store.backlog().pending == 0
    assert store.next_due(NOON) is None


def test_what_was_recorded_is_there_after_a_restart(url: URL) -> None:
    state = firing(KEY, Level.CRITICAL, value=1.5)
    silent = SeriesState(key=SeriesKey("Load", WHOLE_ALERT), no_data_since=NOON)
    known = {"a.*": frozenset({"a.b", "a.c"}), "unnamed": frozenset({""}), "empty": frozenset[str]()}
    with Store.open(url) as store:
        record(store, states=[state, silent], known={"Load": known, "Other": {"t": frozenset("x")}})
        record(store, at=NOON + MINUTE, finished_at=NOON + 2 * MINUTE, answered=1)
    with Store.open(url) as store:
        assert store.load() == Snapshot(
            memories={
                "Load": AlertMemory(states={"web1.load": state, WHOLE_ALERT: silent}, known=known),
                "Other": AlertMemory(known={"t": frozenset("x")}),
            },
            last_poll=PollSummary(started_at=NOON + MINUTE, answered_at=NOON + 2 * MINUTE),
        )


def test_a_state_is_replaced_and_a_quiet_one_forgotten(store: Store) -> None:
    other = firing(SeriesKey("Load", "web2.load"))
    record(store, states=[firing(KEY), other])
    worse = firing(KEY, Level.CRITICAL, value=9.0)
    record(store, states=[worse])
    assert store.load().memories["Load"].states == {"web1.load": worse, "web2.load": other}
    record(store, states=[SeriesState(key=KEY), SeriesState(key=other.key)])
    assert store.load().memories == {}


def test_the_known_series_of_an_alert_are_replaced_as_a_whole(store: Store) -> None:
    record(store, known={"Load": {"old": frozenset("ab")}, "Disk": {"d": frozenset("c")}})
    record(store, known={"Load": {"new": frozenset("z")}, "Disk": {}})
    assert store.load().memories == {"Load": AlertMemory(known={"new": frozenset("z")})}


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name[:12]))
def test_a_series_may_be_called_anything(store: Store, name: str) -> None:
    state = firing(SeriesKey(name, name))
    route = Route("pagerduty", name)
    change = triggered(name, route)
    record(store, change, states=[state])
    assert store.load().memories == {name: AlertMemory(states={name: state})}
    (delivery,) = store.claim(NOON, worker=name, lease=MINUTE, limit=1)
    assert (delivery.message, delivery.route) == (change.message, route)
    assert store.mark_failed(delivery.id, name, name, NOON)


@pytest.mark.parametrize("value", [math.inf, -math.inf, 1e308, 5e-324, -0.1])
def test_a_value_comes_back_to_the_last_bit(store: Store, value: float) -> None:
    store.record(
        poll(
            triggered("web1.load", value=value),
            states=[SeriesState(key=KEY, value=value, no_data_since=NOON)],
        )
    )
    assert store.load().memories["Load"].states["web1.load"].value == value
    (delivery,) = store.claim(NOON, worker="w", lease=MINUTE, limit=1)
    assert delivery.message.details["value"] == value


def test_a_time_of_any_zone_comes_back_in_utc(store: Store) -> None:
    noon_in_paris = NOON.astimezone(timezone(timedelta(hours=1))).replace(microsecond=123456)
    record(store, states=[firing(KEY, since=noon_in_paris)])
    incident = store.load().memories["Load"].states["web1.load"].incident
    assert incident is not None
    assert incident.since == noon_in_paris
    assert incident.since.utcoffset() == timedelta(0)


def test_a_trigger_is_queued_once_for_each_route(store: Store) -> None:
    other = Route("stdout", "")
    record(store, triggered("a", PAGERDUTY, other, PAGERDUTY))
    assert told(store) == [
        (EventKind.TRIGGERED, "a", Level.WARNING, PAGERDUTY),
        (EventKind.TRIGGERED, "a", Level.WARNING, other),
    ]


def test_a_poll_recorded_twice_is_stored_once(store: Store) -> None:
    first = poll(triggered("a"), states=[firing(KEY)])
    second = poll(resolved("a"), states=[SeriesState(key=KEY)], at=NOON + MINUTE, follows=NOON)
    for each in (first, first):
        store.record(each)
    sent = told(store)
    for each in (second, second):
        store.record(each)
    assert store.load() == Snapshot(memories={}, last_poll=PollSummary(started_at=NOON + MINUTE, answered_at=None))
    assert [kind for kind, *_ in sent + told(store)] == [EventKind.TRIGGERED, EventKind.RESOLVED]


def test_what_is_closed_is_not_closed_again(store: Store) -> None:
    record(store, triggered("a"))
    told(store)
    for _ in range(2):
        record(store, resolved("a"))
    assert [kind for kind, *_ in told(store)] == [EventKind.RESOLVED]


def test_a_poll_that_fails_half_way_leaves_nothing(store: Store) -> None:
    without_a_zone = datetime(2026, 3, 1, 12)  # noqa: DTZ001 - that is what the test is about
    state = firing(KEY)
    with pytest.raises(StoreError, match="without a zone"):
        store.record(
            poll(
                triggered("a"), triggered("a", level=Level.CRITICAL), triggered("b", at=without_a_zone), states=[state]
            )
        )
    assert store.load() == Snapshot(memories={}, last_poll=None)
    assert store.backlog().pending == 0
    record(store, triggered("a"))
    assert store.backlog().pending == 1


def test_when_graphite_last_answered_outlasts_the_polls_without_an_answer(store: Store) -> None:
    def answered_at() -> datetime | None:
        last = store.load().last_poll
        assert last is not None
        return last.answered_at

    record(store, failed=2)
    assert answered_at() is None
    record(store, answered=1, failed=1, finished_at=NOON + MINUTE)
    assert answered_at() == NOON + MINUTE
    record(store, failed=2, finished_at=NOON + 2 * MINUTE)
    assert answered_at() == NOON + MINUTE
    record(store, answered=2, finished_at=NOON + 3 * MINUTE)
    assert answered_at() == NOON + 3 * MINUTE


@pytest.mark.parametrize("follows", [None, NOON - MINUTE, NOON + MINUTE])
def test_a_poll_that_does_not_follow_the_last_one_leaves_nothing(store: Store, follows: datetime | None) -> None:
    state = firing(KEY)
    store.record(poll(triggered("a"), states=[state]))
    before = store.load()
    with pytest.raises(StoreError) as raised:
        store.record(
            poll(
                resolved("a"),
                triggered("b"),
                states=[SeriesState(key=KEY)],
                known={"Load": {"t": frozenset("x")}},
                answered=1,
                at=NOON + 2 * MINUTE,
                follows=follows,
            )
        )
    assert str(raised.value) == OVERTAKEN
    assert store.load() == before
    assert [(kind, series) for kind, series, *_ in told(store)] == [(EventKind.TRIGGERED, "a")]


def test_a_first_poll_that_follows_one_leaves_nothing(store: Store) -> None:
    with pytest.raises(StoreError, match=OVERTAKEN):
        store.record(poll(triggered("a"), follows=NOON - MINUTE))
    assert store.load() == Snapshot(memories={}, last_poll=None)


def test_a_clock_that_stands_still_or_goes_back_loses_no_poll(store: Store) -> None:
    store.record(poll(triggered("a")))
    store.record(poll(triggered("b"), follows=NOON))
    store.record(poll(triggered("c"), at=NOON - MINUTE, follows=NOON))
    assert store.backlog().pending == 3


def test_of_two_processes_that_poll_at_once_one_reads_what_the_other_recorded(url: URL, store: Store) -> None:
    start = threading.Barrier(2)
    outcomes: list[str] = []

    def run(own: Store, name: str, offset: timedelta) -> None:
        for number in range(20):
            last = own.load().last_poll
            start.wait(10)
            changes = [triggered(f"{number}.{one}.{name}") for one in range(5)]
            at = NOON + number * MINUTE + offset
            try:
                own.record(poll(*changes, at=at, follows=last and last.started_at))
            except StoreError as error:
                outcomes.append(str(error))
            else:
                outcomes.append("recorded")
            start.wait(10)

    with Store.open(url) as other:
        both = ((store, "a", timedelta()), (other, "b", timedelta(seconds=1)))
        threads = [threading.Thread(target=run, args=each) for each in both]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(outcomes) == [OVERTAKEN] * 20 + ["recorded"] * 20
    assert store.backlog().pending == 100


def test_a_poll_in_which_nothing_changes_writes_one_row(store: Store) -> None:
    statements: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            statements.append(statement.partition(" SET")[0])

    event.listen(Engine, "before_cursor_execute", note)
    try:
        store.record(poll(series=100_000))
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert statements == ["UPDATE graphite_pager_polls"]


def test_a_storm_of_a_thousand_transitions_is_quick_and_keeps_its_order(store: Store) -> None:
    names = [f"servers.web{number}.load" for number in range(1000)]
    states = [firing(SeriesKey("Load", name)) for name in names]
    started = time.perf_counter()
    store.record(poll(*map(triggered, names), states=states))
    recorded = time.perf_counter()
    quiet = [SeriesState(key=state.key) for state in states]
    claimed = time.perf_counter()
    first = store.claim(NOON, worker="w", lease=MINUTE, limit=2000)
    assert time.perf_counter() - claimed < 2
    assert [each.message.series for each in first] == names
    ended = time.perf_counter()
    store.record(poll(*map(resolved, names), states=quiet, at=NOON + MINUTE, follows=NOON))
    assert max(recorded - started, time.perf_counter() - ended) < 2  # 0.2 on an idle machine
    assert store.backlog().pending == 2000


def test_the_names_of_a_hundred_thousand_series_are_quickly_kept(store: Store) -> None:
    names = frozenset(f"servers.web{number}.cpu.load.average" for number in range(100_000))
    started = time.perf_counter()
    store.record(poll(known={"Load": {"servers.*": names}}))
    assert store.load().memories["Load"].known == {"servers.*": names}
    assert time.perf_counter() - started < 1.0
