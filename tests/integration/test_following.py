"""Passing on, with real databases: once, whoever does it, and the resolve goes wherever the trigger went."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from graphitepager.errors import PagerError
from graphitepager.following import Following
from graphitepager.incidents import dedup_key
from graphitepager.model import EventKind, Matcher, SeriesKey, SeriesState
from graphitepager.reconciling import RemoteIncident, RemoteStatus
from graphitepager.rules import Alert, Config, Handling, Level, Route, Settings
from graphitepager.store import Store
from graphitepager.watchdog import Watchdog
from tests.examples import alert, entry
from tests.integration.store_support import (
    KINDS,
    NOON,
    PAGERDUTY,
    empty_database,
    firing,
    record,
    resolved,
    told,
    triggered,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAIL, BOSS = Route("mail", "ops"), Route("slack", "boss")
MINUTE = timedelta(minutes=1)
SETTINGS = Settings(
    graphite_url="http://g",
    handling={PAGERDUTY: Handling(name="pager", fallback=MAIL, escalate_to=BOSS, escalate_after=15 * MINUTE)},
)


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with empty_database(request.param, tmp_path) as url, Store.open(url) as opened:
        yield opened


def look(store: Store, at: datetime, status: RemoteStatus | None = RemoteStatus.TRIGGERED, *alerts: Alert) -> None:
    config = Config(settings=SETTINGS, alerts=alerts)

    def ask(_: Settings) -> list[RemoteIncident]:
        if status is None:
            raise PagerError("no answer")
        key = dedup_key(SeriesKey("Load", "a"), Level.WARNING)
        return [RemoteIncident(dedup_key=key, id="P", title="", status=status, service="", url="", opened_at=None)]

    Following(store, lambda: config, lambda: at, Watchdog(), ask=ask).look()


def send(store: Store, at: datetime = NOON) -> list[Route]:
    routes = []
    for each in store.claim(at, worker="w", lease=MINUTE, limit=9):
        routes.append(each.route)
        assert store.mark_sent(each.id, "w", at, "202")
    return routes


def test_a_page_that_is_stuck_for_five_minutes_goes_to_the_fallback_once_and_so_does_its_end(store: Store) -> None:
    record(store, triggered("a"))
    look(store, NOON + 4 * MINUTE)
    assert [one.route for one in store.told()] == [PAGERDUTY]
    for minutes in (5, 6, 60):
        look(store, NOON + minutes * MINUTE)
    assert [one.route for one in store.told()] == [PAGERDUTY, MAIL]
    assert set(send(store, NOON + 6 * MINUTE)) == {PAGERDUTY, MAIL}
    record(store, resolved("a"))
    assert {(kind, route) for kind, _, _, route in told(store)} == {
        (EventKind.RESOLVED, PAGERDUTY),
        (EventKind.RESOLVED, MAIL),
    }


def test_a_refused_page_goes_to_the_fallback_at_once(store: Store) -> None:
    record(store, triggered("a"))
    [claimed] = store.claim(NOON, worker="w", lease=MINUTE, limit=1)
    store.mark_dead(claimed.id, "w", NOON, "400")
    look(store, NOON)
    [_, passed] = store.told()
    assert (passed.route, passed.message.details["passed on"]) == (MAIL, "pager refused it")


@pytest.mark.parametrize(
    ("status", "after", "is_passed_on"),
    [
        (RemoteStatus.TRIGGERED, 14, False),
        (RemoteStatus.TRIGGERED, 15, True),
        (RemoteStatus.ACKNOWLEDGED, 600, False),
        (None, 15, False),
        (None, 20, True),
    ],
)
def test_what_nobody_acknowledges_is_passed_on_once(
    store: Store, status: RemoteStatus | None, after: int, *, is_passed_on: bool
) -> None:
    record(store, triggered("a"))
    send(store)
    for later in (0, 1, 60):
        look(store, NOON + (after + later * is_passed_on) * MINUTE, status)
    assert [one.route for one in store.told()] == [PAGERDUTY, BOSS][: 1 + is_passed_on]


def test_what_somebody_has_silenced_is_not_passed_on(store: Store) -> None:
    record(store, triggered("a"))
    send(store)
    matcher = Matcher("alert", "Load", is_negated=False)
    store.add_silence(matchers=[matcher], author="me", comment="x", begins_at=NOON, ends_at=NOON + 60 * MINUTE)
    look(store, NOON + 20 * MINUTE)
    assert [one.route for one in store.told()] == [PAGERDUTY]
    look(store, NOON + 61 * MINUTE)
    assert [one.route for one in store.told()] == [PAGERDUTY, BOSS]


def test_what_depends_on_an_alert_that_fires_is_not_passed_on_before_that_ends(store: Store) -> None:
    load = alert(entry(depends_on=frozenset({"Switch"})), name="Load")
    switch = SeriesKey("Switch", "s1")
    record(store, triggered("a"), states=(firing(switch),))
    send(store)
    look(store, NOON + 20 * MINUTE, RemoteStatus.TRIGGERED, load)
    assert [one.route for one in store.told()] == [PAGERDUTY]
    record(store, states=(SeriesState(key=switch),))
    look(store, NOON + 21 * MINUTE, RemoteStatus.TRIGGERED, load)
    assert [one.route for one in store.told()] == [PAGERDUTY, BOSS]


def test_two_that_look_at_the_same_moment_pass_on_once(store: Store) -> None:
    record(store, *(triggered(name) for name in "abcdefgh"))
    send(store)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: look(store, NOON + 15 * MINUTE), range(8)))
    assert [one.route for one in store.told()].count(BOSS) == 1  # of a: PagerDuty has no other one open


def test_an_incident_that_has_ended_is_not_passed_on(store: Store) -> None:
    record(store, triggered("a"))
    send(store)
    record(store, resolved("a"))
    look(store, NOON + 60 * MINUTE)
    assert store.told() == []
