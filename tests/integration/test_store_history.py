"""History is kept for as long as it is asked to be, and what is not over is kept whatever its age."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from graphitepager.model import Matcher, NearMiss, SeriesKey
from graphitepager.rules import Level
from graphitepager.store import Store
from graphitepager.store.tables import deliveries, incidents, near_misses, silences
from tests.fakes.graphite import FakeGraphite
from tests.fakes.pagerduty import FakePagerDuty
from tests.integration.pager_place import Place
from tests.integration.store_support import NOON, record, resolved, told, triggered
from tests.support import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.engine import URL

HOUR = timedelta(hours=1)
EVERYTHING = (incidents, deliveries, near_misses, silences)


def counts(store: Store) -> list[int]:
    """How many incidents, deliveries, near misses and silences there are."""
    with store._reading() as db:
        return [db.scalar(select(func.count()).select_from(table)) or 0 for table in EVERYTHING]


def test_what_ended_before_is_forgotten_with_all_that_was_sent_of_it(store: Store) -> None:
    record(store, triggered("old"), triggered("new"))
    told(store)
    record(store, resolved("old", at=NOON - HOUR), resolved("new", at=NOON + HOUR))
    told(store)
    for ended in (NOON - HOUR, NOON + HOUR):
        key = SeriesKey("Load", "a")
        record(store, near_misses=[NearMiss(key=key, level=Level.WARNING, since=ended - HOUR, until=ended)])
        times = {"begins_at": ended - HOUR, "ends_at": ended}
        store.add_silence(matchers=[Matcher("alert", "*", is_negated=False)], author="ada", comment="test", **times)
    assert counts(store) == [2, 4, 2, 2]
    assert store.forget(NOON, 500)
    assert counts(store) == [1, 2, 1, 1]
    assert [one.key.series for one in store.known_incidents().values()] == ["new"]


def test_what_is_open_or_not_yet_sent_is_kept(store: Store) -> None:
    record(store, triggered("open"), triggered("unsent"))
    told(store)
    record(store, resolved("unsent", at=NOON - HOUR))
    assert store.forget(NOON + 1000 * HOUR, 500)
    assert counts(store)[:2] == [2, 3]
    told(store)
    assert store.forget(NOON + 1000 * HOUR, 500)
    assert counts(store)[:2] == [1, 1]


def test_it_goes_in_small_steps(store: Store) -> None:
    names = [f"web{number}" for number in range(5)]
    record(store, *map(triggered, names))
    record(store, *map(resolved, names))
    told(store)
    left = []
    while not store.forget(NOON + HOUR, 2):
        left.append(counts(store)[0])
    assert (left, counts(store)[:2]) == ([3, 1], [0, 0])


@pytest.mark.parametrize("arguments", [("run",), ("run", "--once")])
def test_the_pager_keeps_history_for_as_long_as_it_is_told(
    url: URL, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    two_days_ago, recently = (datetime.now(UTC) - timedelta(hours=hours) for hours in (48, 12))
    with Store.open(url) as store, FakeGraphite().serve() as graphite, FakePagerDuty() as pagerduty:
        for ended in (two_days_ago, recently):
            record(
                store, near_misses=[NearMiss(key=SeriesKey("Load", "a"), level=Level.WARNING, since=ended, until=ended)]
            )
        place = Place(graphite, pagerduty, tmp_path, url.render_as_string(hide_password=False))
        place.environment["KEEP_HISTORY"] = "1d"
        with place.pager(*arguments):
            assert eventually(lambda: counts(store)[2] == 1)
