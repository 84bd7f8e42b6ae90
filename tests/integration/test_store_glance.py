"""What the database knows of now comes at one glance, and quickly."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import NullPool, create_engine, event, insert

from graphitepager.glance import LastPoll, LoadedConfig, Notice, StandingIncident
from graphitepager.incidents import dedup_key
from graphitepager.model import EventKind, Matcher, SeriesKey, SeriesState
from graphitepager.records import Backlog, DeliveryStatus, KeptConfig
from graphitepager.rules import Level, Route
from graphitepager.store import Store
from graphitepager.store.tables import deliveries
from tests.integration.store_support import NOON, PAGERDUTY, firing, held, poll, record, repeated, resolved, triggered

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

MINUTE = timedelta(minutes=1)
KEY = SeriesKey("Load", "web1.load")


def sent(store: Store, at: int = 0, worker: str = "w") -> None:
    """Send all that is due, so many minutes after noon."""
    for each in store.claim(NOON + timedelta(hours=1), worker=worker, lease=MINUTE, limit=100):
        assert store.mark_sent(each.id, worker, NOON + at * MINUTE, "202")


def test_of_a_new_database_nothing_is_known(store: Store) -> None:
    glance = store.glance(NOON)
    assert (glance.at, glance.poll, glance.config, glance.leader) == (NOON, None, None, None)
    assert (glance.incidents, glance.silences, glance.backlog) == ((), (), Backlog(pending=0, dead=0))
    assert (glance.states, glance.known, glance.accepted) == ({}, {}, {})


def test_the_last_poll_is_told_with_what_it_saw(store: Store) -> None:
    record(store, finished_at=NOON + 2 * MINUTE, series=7, failed=1, answered=3)
    record(store, at=NOON + 3 * MINUTE, finished_at=NOON + 4 * MINUTE, series=0, failed=4)
    assert store.glance(NOON).poll == LastPoll(NOON + 3 * MINUTE, NOON + 4 * MINUTE, NOON + 2 * MINUTE, 0, 4)


def test_states_are_told_by_alert_and_series_and_known_ones_are_counted(store: Store) -> None:
    fires, pends = firing(KEY, Level.CRITICAL, value=1.5), SeriesState(key=SeriesKey("Disk", ""), warning_since=NOON)
    known = {"a.*": frozenset({"a.b", "a.c"}), "b.*": frozenset({""})}
    record(store, states=[fires, pends], known={"Load": known, "Disk": {"d": frozenset[str]()}})
    glance = store.glance(NOON)
    assert glance.states == {"Load": {"web1.load": fires}, "Disk": {"": pends}}
    assert glance.known == {"Load": 3}


def test_an_open_incident_is_told_with_the_newest_delivery_to_each_address(store: Store) -> None:
    stdout = Route("stdout", "")
    record(store, triggered("a", PAGERDUTY, stdout, value=9.5), triggered("over"), held("b", level=Level.CRITICAL))
    sent(store, at=1)
    record(store, repeated("a"), resolved("over"))
    (first, *_) = store.claim(NOON + MINUTE, worker="w", lease=MINUTE, limit=1)
    store.mark_failed(first.id, "w", "500 from PagerDuty", NOON + 2 * MINUTE)
    glance = store.glance(NOON)
    repeat = Notice("pagerduty", EventKind.REPEATED, DeliveryStatus.PENDING, NOON, 1, "500 from PagerDuty")
    assert [replace(one, notices=()) for one in glance.incidents] == [
        StandingIncident(
            id=glance.incidents[0].id,
            dedup_key=dedup_key(SeriesKey("Load", "a"), Level.WARNING),
            key=SeriesKey("Load", "a"),
            level=Level.WARNING,
            value=9.5,
            opened_at=NOON,
            held_by=None,
        ),
        StandingIncident(
            id=glance.incidents[1].id,
            dedup_key=dedup_key(SeriesKey("Load", "b"), Level.CRITICAL),
            key=SeriesKey("Load", "b"),
            level=Level.CRITICAL,
            value=1.0,
            opened_at=NOON,
            held_by="silence 1",
        ),
    ]
    assert glance.incidents[0].notices == (
        repeat,
        Notice("stdout", EventKind.REPEATED, DeliveryStatus.PENDING, NOON, 0, None),
    )
    assert glance.incidents[1].notices == ()


def test_what_waits_and_who_last_took_anything_is_told(store: Store) -> None:
    record(store, triggered("a", PAGERDUTY, Route("stdout", "")), triggered("b", Route("stdout", "")))
    sent(store, at=1)
    record(store, triggered("c", Route("stdout", "")))
    sent(store, at=3)
    record(store, triggered("d", at=NOON + 4 * MINUTE))
    glance = store.glance(NOON + 5 * MINUTE)
    assert glance.accepted == {"pagerduty": NOON + MINUTE, "stdout": NOON + 3 * MINUTE}
    assert glance.backlog == Backlog(pending=1, dead=0, oldest_page=NOON + 4 * MINUTE)


def test_silences_are_told_until_they_end_and_the_configuration_by_its_version(store: Store) -> None:
    matchers = (Matcher("alert", "Load*", is_negated=False),)
    silence = store.add_silence(
        matchers=matchers, author="ann", comment="new disks", begins_at=NOON, ends_at=NOON + MINUTE
    )
    text = "alerts: []\n# ünïcödé \ud800"
    store.keep_config(KeptConfig("/etc/alerts.yml", text), NOON)
    glance = store.glance(NOON)
    assert glance.silences == (silence,)
    version = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    assert glance.config == LoadedConfig("/etc/alerts.yml", version, NOON)
    assert store.glance(NOON + MINUTE).silences == ()


def test_a_leader_is_told_of_while_its_lease_lasts(url: URL, store: Store) -> None:
    lease = store.lease("host:1:abc", MINUTE)
    assert lease.acquire(NOON)
    is_a_row = url.get_backend_name() == "sqlite"
    assert store.glance(NOON).leader == ("host:1:abc" if is_a_row else None)
    assert store.glance(NOON + MINUTE).leader is None
    lease.release()


def test_no_address_of_a_notifier_is_told(store: Store) -> None:
    record(store, triggered("a"), states=[firing(KEY)])
    assert PAGERDUTY.address not in repr(store.glance(NOON))


def test_a_glance_shows_one_moment_while_another_process_records(url: URL, store: Store) -> None:
    """Between its first statement and its last, a poll comes in."""
    record(store, triggered("a"), states=[firing(KEY)])
    polled: list[str] = []

    def other_process(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT") and not polled:
            polled.append(statement)
            with Store.open(url) as other:
                record(other, resolved("a"), triggered("b"), triggered("c"), states=[SeriesState(key=KEY)])

    event.listen(store._reader, "after_cursor_execute", other_process)
    glance = store.glance(NOON)
    assert polled
    assert [one.key.series for one in glance.incidents] == ["a"]
    assert glance.states == {"Load": {"web1.load": firing(KEY)}}
    assert [one.key.series for one in store.glance(NOON).incidents] == ["b", "c"]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_five_hundred_firing_of_ten_thousand_are_seen_in_no_time(url: URL, store: Store) -> None:
    """With the history of a bad month behind it."""
    names = [f"servers.web{number:05}.cpu.load.shortterm.average_of_the_last_minute" for number in range(10_000)]
    fires = [firing(SeriesKey("Load", name), value=1.0) for name in names[:500]]
    store.record(
        poll(*(triggered(name) for name in names[:500]), states=fires, known={"Load": {"t": frozenset(names)}})
    )
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as db:
        row = dict(db.execute(deliveries.select().limit(1)).one()._mapping)
        old = [row | {"id": 10_000 + n, "status": DeliveryStatus.SENT, "finished_at": NOON} for n in range(20_000)]
        db.execute(insert(deliveries), old)
    took = []
    for _ in range(7):
        began = time.thread_time()  # of this thread alone: the machine may be busy
        glance = store.glance(NOON)
        took.append(time.thread_time() - began)
    assert (len(glance.incidents), len(glance.states["Load"]), glance.known) == (500, 500, {"Load": 10_000})
    assert min(took) < 0.06, took
