"""Ticks on a real database, with canned answers in place of Graphite and a database that fails at the worst moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from graphitepager.errors import StoreError
from graphitepager.model import OWN, SeriesKey
from graphitepager.poller import Poller
from graphitepager.rules import Compare, Config, Level, Query, Ratio
from tests.examples import MINUTE, NOON, PAGERDUTY_KEY, alert, entry, settings
from tests.integration.poller_support import NEW_KEY, LosesTheAnswer, Scene, sent
from tests.integration.store_support import empty_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with empty_database("sqlite", tmp_path) as url, LosesTheAnswer.open(url) as store:
        yield Scene(store)


@pytest.mark.parametrize("commits", [True, False])
def test_when_nobody_knows_whether_a_poll_was_recorded_nothing_is_lost_or_told_twice(
    scene: Scene, commits: bool
) -> None:
    scene.tick(db1=10)
    scene.store.loses_answer, scene.store.commits = True, commits
    with pytest.raises(StoreError):
        scene.tick(db1=90)
    scene.store.loses_answer, scene.store.commits = False, True
    # Committed: the incident was opened, so it has to end. Not committed: the next reading is good, as if it never was.
    assert scene.pending() == ([("trigger", "db1")] if commits else [])
    scene.tick(db1=10)
    assert scene.pending() == ([("resolve", "db1")] if commits else [])
    assert all(state.incident is None for state in scene.store.load().memories["MongoDB lock"].states.values())


def test_a_stop_in_the_middle_of_a_tick_records_nothing(scene: Scene) -> None:
    scene.tick(db1=10)
    before = scene.store.load()
    scene.stop.set()
    assert scene.tick(db1=90) is None
    assert scene.store.load() == before


def test_a_failed_poll_changes_nothing_of_its_alerts(scene: Scene) -> None:
    scene.tick(db1=90, db2=10)
    before = scene.store.load()
    scene.graphite.failure = "no answer within 10 s"
    tick = scene.tick()
    assert tick is not None
    assert tick.failures == ("no answer within 10 s",)
    after = scene.store.load()
    assert after.memories["MongoDB lock"] == before.memories["MongoDB lock"]
    assert (tick.record.series, tick.record.failed, tick.record.answered) == (0, 1, 0)
    assert before.last_poll is not None
    assert after.last_poll == replace(before.last_poll, started_at=NOON + MINUTE)


def test_a_poller_that_starts_again_goes_on_where_the_last_one_stopped(scene: Scene) -> None:
    scene.tick(db1=90, db2=10)
    scene.poller = Poller(scene.store, lambda: scene.now)
    assert scene.poller.has_seen_graphite
    scene.tick(db1=90, db2=10)
    assert scene.pending() == [("trigger", "db1")]
    scene.tick(db1=10, db2=10)
    assert scene.pending() == [("resolve", "db1")]


def test_two_alerts_with_one_query_share_its_fetch(scene: Scene) -> None:
    scene.config = Config(
        settings=scene.config.settings,
        alerts=(alert(entry(), name="a"), alert(entry(critical=95), name="b"), alert(entry("other"), name="c")),
    )
    scene.tick(db1=90)
    assert [query.target for query in scene.graphite.asked] == ["servers.*.lock", "other"]
    memories = scene.store.load().memories
    levels = {name: memories[name].states["db1"].level for name in "abc"}
    assert levels == {"a": Level.CRITICAL, "b": Level.WARNING, "c": Level.CRITICAL}


@pytest.mark.parametrize("backwards", [False, True])
def test_what_a_poll_leads_to_is_told_in_file_order(scene: Scene, backwards: bool) -> None:
    alerts = (alert(entry(query=Query(name, "-1min", None)), name=name) for name in "bca")
    scene.config = replace(scene.config, alerts=tuple(alerts))
    scene.graphite.answers_backwards = backwards
    tick = scene.tick(db1=90)
    assert tick is not None
    assert [change.event.key.alert for change in tick.record.changes] == ["b", "c", "a"]


def test_an_alert_waits_for_all_that_it_is_computed_from(scene: Scene) -> None:
    to, earlier = Query("servers.*.total", "-1min", None), Query("servers.*.lock", "-61min", "-60min")
    ratio = entry(ratio=Ratio(to=to, by=(0,), scale=100))
    change = entry(compare=Compare(queries=(earlier,), ago=60 * MINUTE))
    scene.config = Config(
        settings=scene.config.settings, alerts=(alert(ratio, name="ratio"), alert(change, name="change"))
    )
    tick = scene.tick(db1=90)
    assert scene.graphite.asked == [ratio.query, to, earlier]
    assert tick is not None
    assert (tick.record.series, tick.record.answered) == (2, 3)
    memories = scene.store.load().memories
    assert memories["ratio"].states["db1"].value == 100
    assert memories["ratio"].known == {"servers.*.lock / servers.*.total by 0": {"db1"}}
    scene.graphite.failure = "timed out"
    tick = scene.tick()
    assert tick is not None
    assert tick.record.failed == 3


def test_an_edited_key_resolves_at_the_place_where_it_was_triggered(scene: Scene) -> None:
    scene.tick(db1=90)
    assert scene.pending() == [("trigger", "db1")]
    scene.config = Config(settings=settings(pagerduty_key="f" * 32), alerts=scene.config.alerts)
    scene.tick(db1=10)
    (resolve,) = scene.store.claim(scene.now, worker="test", lease=MINUTE, limit=1)
    assert (resolve.message.kind.value, resolve.route.address) == ("resolve", PAGERDUTY_KEY)
    assert SeriesKey(resolve.message.alert, resolve.message.series) == SeriesKey("MongoDB lock", "db1")


def test_time_without_answers_does_not_count_as_missing_data(scene: Scene) -> None:
    scene.tick(db1=10, db2=10)
    scene.tick(db1=10)
    scene.graphite.failure = "no answer within 10 s"
    for _ in range(30):
        scene.tick()
    scene.graphite.failure = None
    for _ in range(2):
        scene.tick(db1=10)
    assert scene.pending() == []
    scene.tick(db1=10)
    assert scene.pending() == [("trigger", "db2")]


def test_time_without_a_pager_does_not_count_as_missing_data(scene: Scene) -> None:
    scene.tick(db1=10, db2=90)
    scene.tick(db1=10)
    scene.now += timedelta(hours=60)
    scene.poller = Poller(scene.store, lambda: scene.now)
    scene.tick(db1=10)
    assert scene.pending() == [("trigger", "db2")]


def test_a_second_pager_on_the_database_is_noticed_and_nothing_stays_open(scene: Scene) -> None:
    scene.tick(db1=10)
    other = Poller(scene.store, lambda: scene.now)
    scene.graphite.values = {"db1": 90}
    assert other.tick(scene.config, scene.graphite, scene.stop) is not None
    assert scene.pending() == [("trigger", "db1")]
    scene.now += MINUTE
    with pytest.raises(StoreError, match="another graphite-pager"):
        scene.tick(db1=10)
    scene.now += MINUTE
    scene.tick(db1=10)
    assert scene.pending() == [("resolve", "db1")]


def test_an_answer_without_series_is_an_answer(scene: Scene) -> None:
    seen = [scene.poller.has_seen_graphite]
    for failure in ("no answer within 10 s", None):
        scene.graphite.failure = failure
        scene.tick()
        seen.append(scene.poller.has_seen_graphite)
    assert seen == [False, False, True]
    assert Poller(scene.store, lambda: scene.now).has_seen_graphite


class TestTellingTheUntold:
    """What is open reaches whoever should hear of it by the configuration of now."""

    def with_key(self, scene: Scene, key: str) -> Config:
        return Config(settings=settings(pagerduty_key=key), alerts=scene.config.alerts)

    def test_a_refused_page_goes_out_again_with_the_corrected_key(self, scene: Scene) -> None:
        scene.tick(db1=90)
        sent(scene, refused=True)
        scene.config = self.with_key(scene, NEW_KEY)
        scene.tick(db1=90)
        scene.poller.tell_untold(scene.config)
        assert sent(scene) == [("trigger", NEW_KEY, "CRITICAL MongoDB lock: db1 is 90 (critical at 70), for 2min")]

    def test_what_is_told_already_is_not_told_again(self, scene: Scene) -> None:
        scene.tick(db1=90)
        scene.poller.tell_untold(scene.config)
        assert len(sent(scene)) == 1
        scene.poller.tell_untold(scene.config)
        assert sent(scene) == []

    def test_an_incident_ends_in_every_place_that_was_told(self, scene: Scene) -> None:
        scene.tick(db1=90)
        sent(scene)
        scene.poller.tell_untold(self.with_key(scene, NEW_KEY))
        sent(scene)
        scene.tick(db1=10)
        assert [(kind, address) for kind, address, _ in sent(scene)] == [
            ("resolve", PAGERDUTY_KEY),
            ("resolve", NEW_KEY),
        ]

    def test_what_has_ended_and_what_is_removed_is_not_told(self, scene: Scene) -> None:
        scene.tick(db1=90, db2=90)
        scene.tick(db1=10, db2=90)
        sent(scene)
        new = Config(settings=settings(pagerduty_key=NEW_KEY), alerts=(alert(entry(), name="other"),))
        scene.poller.tell_untold(new)
        assert sent(scene) == []

    def test_missing_data_is_told_with_its_own_time(self, scene: Scene) -> None:
        scene.tick(db1=10, db2=10)
        for _ in range(5):
            scene.tick(db1=10)
        sent(scene)
        scene.poller.tell_untold(self.with_key(scene, NEW_KEY))
        assert sent(scene) == [
            ("trigger", NEW_KEY, "NO DATA MongoDB lock: db2 has had no datapoint for 5min"),
        ]


def test_a_bug_that_one_alert_brings_out_does_not_silence_the_others(scene: Scene) -> None:
    one_that_breaks = alert(entry("other", page_on=None), name="breaks")  # routing will trip over it
    scene.config = Config(settings=scene.config.settings, alerts=(one_that_breaks, *scene.config.alerts))
    scene.tick(db1=90)
    scene.tick(db1=90)
    assert scene.pending() == [("trigger", "db1")]
    assert scene.store.load().memories.keys() == {"MongoDB lock", OWN}
