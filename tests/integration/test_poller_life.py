"""Ticks on a real database: what is held back, what moves, the pager's own troubles, and what a quiet poll costs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event as sqlalchemy_event

from graphitepager.model import WHOLE_ALERT
from graphitepager.poller import TOLD_ELSEWHERE, Poller
from graphitepager.rules import Config, Level, Route, Severity
from graphitepager.silences import parse_matcher
from tests.examples import MINUTE, PAGERDUTY_KEY, alert, entry, settings
from tests.integration.poller_support import NEW_KEY, LosesTheAnswer, Scene, sent
from tests.integration.store_support import empty_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOUR = timedelta(hours=1)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with empty_database("sqlite", tmp_path) as url, LosesTheAnswer.open(url) as store:
        yield Scene(store)


def silence(scene: Scene, *matchers: str) -> int:
    added = scene.store.add_silence(
        matchers=[parse_matcher(text) for text in matchers],
        author="ann",
        comment="new disks",
        begins_at=scene.now,
        ends_at=scene.now + HOUR,
    )
    return added.id


class TestHeldBack:
    """A silence keeps a page back, and only a page."""

    def test_what_fires_under_a_silence_is_paged_when_it_is_ended(self, scene: Scene) -> None:
        number = silence(scene, "alert=Mongo*")
        scene.tick(db1=90)
        scene.tick(db1=90)
        assert scene.pending() == []
        scene.store.end_silence(number, scene.now)
        scene.tick(db1=90)
        assert [summary for _, _, summary in sent(scene)] == [
            "CRITICAL MongoDB lock: db1 is 90 (critical at 70), for 2min"
        ]

    def test_what_ends_under_a_silence_leaves_nothing_to_tell(self, scene: Scene) -> None:
        silence(scene, "alert=*")
        scene.tick(db1=90)
        scene.tick(db1=10)
        scene.now += 2 * HOUR
        scene.tick(db1=10)
        assert scene.pending() == []
        assert scene.store.open_incidents() == []

    def test_what_was_paged_before_is_resolved_under_a_silence(self, scene: Scene) -> None:
        scene.tick(db1=90)
        scene.pending()
        silence(scene, "alert=*")
        scene.tick(db1=10)
        assert scene.pending() == [("resolve", "db1")]

    def test_a_restart_remembers_what_is_held_back(self, scene: Scene) -> None:
        silence(scene, "alert=*")
        scene.tick(db1=90)
        scene.poller = Poller(scene.store, lambda: scene.now)
        scene.poller.tell_untold(scene.config)
        scene.now += HOUR
        assert scene.pending() == []
        scene.tick(db1=90)
        assert scene.pending() == [("trigger", "db1")]

    def test_an_alert_waits_for_the_one_that_it_depends_on(self, scene: Scene) -> None:
        switch = alert(entry("switch"), name="Switch")
        hosts = alert(entry(depends_on=frozenset({"Switch"})), name="Hosts")
        scene.config = replace(scene.config, alerts=(hosts, switch))
        scene.tick(db1=90)
        assert [summary for _, _, summary in sent(scene)] == ["CRITICAL Switch: db1 is 90 (critical at 70)"]
        scene.config = replace(
            scene.config, alerts=(hosts, alert(entry("switch", warning=95, critical=99), name="Switch"))
        )
        scene.tick(db1=90)
        assert [(kind, summary.partition(":")[0]) for kind, _, summary in sent(scene)] == [
            ("trigger", "CRITICAL Hosts"),
            ("resolve", "RESOLVED Switch"),
        ]


class TestMoved:
    """A routing key that is changed while something fires."""

    def moved(self, scene: Scene) -> Config:
        return Config(settings=settings(pagerduty_key=NEW_KEY), alerts=scene.config.alerts)

    def test_it_triggers_at_the_new_place_and_then_resolves_at_the_old(self, scene: Scene) -> None:
        scene.tick(db1=90)
        sent(scene)
        scene.config = self.moved(scene)
        scene.poller.tell_untold(scene.config)
        assert not scene.poller.withdraw(scene.config)
        assert [(kind, key) for kind, key, _ in sent(scene)] == [("trigger", NEW_KEY)]
        assert scene.poller.withdraw(scene.config)
        ((kind, key, summary),) = sent(scene)
        assert (kind, key) == ("resolve", PAGERDUTY_KEY)
        assert TOLD_ELSEWHERE in summary

    def test_it_then_ends_at_the_new_place_only(self, scene: Scene) -> None:
        scene.tick(db1=90)
        sent(scene)
        scene.config = self.moved(scene)
        scene.poller.tell_untold(scene.config)
        sent(scene)
        scene.poller.withdraw(scene.config)
        sent(scene)
        scene.tick(db1=10)
        assert [(kind, key) for kind, key, _ in sent(scene)] == [("resolve", NEW_KEY)]

    def test_a_new_key_that_is_refused_leaves_the_page_where_it_was(self, scene: Scene) -> None:
        scene.tick(db1=90)
        sent(scene)
        scene.config = self.moved(scene)
        scene.poller.tell_untold(scene.config)
        sent(scene, refused=True)
        assert not scene.poller.withdraw(scene.config)
        assert sent(scene) == []

    def test_without_a_place_to_go_it_stays_where_it_was(self, scene: Scene) -> None:
        scene.tick(db1=90)
        sent(scene)
        scene.config = Config(settings=settings(), alerts=scene.config.alerts)
        scene.poller.tell_untold(scene.config)
        assert scene.poller.withdraw(scene.config)
        assert sent(scene) == []

    def test_a_silence_holds_back_the_new_place_too_and_no_longer_than_it_lasts(self, scene: Scene) -> None:
        scene.tick(db1=90)
        sent(scene)
        number = silence(scene, "alert=*")
        scene.config = self.moved(scene)
        assert not scene.poller.tell_untold(scene.config)
        assert sent(scene) == []
        scene.store.end_silence(number, scene.now)
        assert scene.poller.tell_untold(scene.config)
        assert [(kind, key) for kind, key, _ in sent(scene)] == [("trigger", NEW_KEY)]


class TestOwnTrouble:
    """Graphite away, or alerts.yml no good: one incident, and everything else stays as it is."""

    def test_an_outage_is_one_incident_and_the_rest_is_frozen(self, scene: Scene) -> None:
        scene.tick(db1=90, db2=10)
        sent(scene)
        scene.graphite.failure = "timed out"
        for _ in range(10):
            scene.tick()
        assert [summary for _, _, summary in sent(scene)] == [
            "NO DATA graphite-pager: Graphite unreachable: no usable answer for 1 of 1 alerts (timed out), for 3min"
        ]
        scene.graphite.failure = None
        scene.tick(db1=90, db2=10)
        assert [summary for _, _, summary in sent(scene)] == [
            "RESOLVED graphite-pager: Graphite was NO DATA for 10min (data is back)"
        ]

    def test_restarts_during_the_outage_do_not_put_it_off(self, scene: Scene) -> None:
        scene.tick(db1=10)
        scene.graphite.failure = "timed out"
        for _ in range(4):
            scene.poller = Poller(scene.store, lambda: scene.now)
            scene.tick()
        assert len(sent(scene)) == 1

    def test_a_pause_of_the_pager_is_no_outage(self, scene: Scene) -> None:
        scene.tick(db1=10)
        scene.now += 60 * HOUR
        scene.poller = Poller(scene.store, lambda: scene.now)
        scene.graphite.failure = "timed out"
        scene.tick()
        assert sent(scene) == []

    def test_a_bad_file_is_an_incident_until_it_is_mended(self, scene: Scene) -> None:
        scene.graphite.values = {"db1": 10}
        told = []
        for trouble in ("alerts.yml:3:5: unknown key 'warnin'", None):
            scene.poller.tick(scene.config, scene.graphite, scene.stop, trouble)
            told += sent(scene)
            scene.now += MINUTE
        assert [kind for kind, _, _ in told] == ["trigger", "resolve"]
        assert "alerts.yml:3:5: unknown key 'warnin'" in told[0][2]

    def test_it_goes_to_everybody_where_no_key_is_for_everything(self, scene: Scene) -> None:
        alerts = (alert(entry(pagerduty_key="1" * 32), name="a"), alert(entry(pagerduty_key="2" * 32), name="b"))
        scene.config = Config(settings=settings(), alerts=alerts)
        scene.graphite.failure = "timed out"
        for _ in range(4):
            scene.tick()
        assert [key for _, key, _ in sent(scene)] == ["1" * 32, "2" * 32]


def test_a_storm_of_a_hundred_series_is_one_page_and_ends_as_one(scene: Scene) -> None:
    everything = {f"host{number:03}": 90.0 for number in range(100)}
    scene.tick(**everything)
    assert [(kind, summary) for kind, _, summary in sent(scene)] == [
        (
            "trigger",
            "CRITICAL MongoDB lock: 100 series together: host000, host001, host002, host003, host004 and 95 more",
        )
    ]
    scene.poller = Poller(scene.store, lambda: scene.now)
    scene.tick(**dict.fromkeys(everything, 10.0))
    assert [kind for kind, _, _ in sent(scene)] == ["resolve"]
    assert scene.store.open_incidents() == []


def test_a_storm_that_is_open_is_told_at_a_new_key_too(scene: Scene) -> None:
    scene.tick(**{f"host{number:03}": 90.0 for number in range(30)})
    sent(scene)
    scene.poller.tell_untold(Config(settings=settings(pagerduty_key=NEW_KEY), alerts=scene.config.alerts))
    assert [(kind, key) for kind, key, _ in sent(scene)] == [("trigger", NEW_KEY)]


def test_an_incident_that_ends_before_it_was_sent_is_not_told_at_all(scene: Scene) -> None:
    scene.tick(db1=90)
    scene.tick(db1=10)
    assert scene.pending() == []
    assert scene.store.open_incidents() == []


def test_a_poll_of_100_000_quiet_series_writes_one_row(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    quiet = {f"servers.web{number:06}.load": 10.0 for number in range(100_000)}
    scene.tick(**quiet)
    written: list[str] = []

    @sqlalchemy_event.listens_for(scene.store._reader, "after_cursor_execute")
    def note(_db: object, cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith(("SELECT", "BEGIN")):
            written.append(f"{statement.split(maxsplit=1)[0]} {cursor.rowcount}")  # type: ignore[attr-defined]

    scene.tick(**quiet)
    with capsys.disabled():
        print(f"\na poll of 100,000 quiet series writes: {', '.join(written)}")  # noqa: T201 - a number to be read
    assert written == ["UPDATE 1"]
    assert WHOLE_ALERT not in scene.store.load().memories["MongoDB lock"].states


def test_an_alert_in_its_own_words_goes_where_it_says_and_ends_there(scene: Scene) -> None:
    given = settings(pagerduty_key=PAGERDUTY_KEY, notifiers={"dba": Route("pagerduty", NEW_KEY)})
    spoken = entry(summary="{{ nodes[0] }} at {{ value }}", labels={"team": "dba"})
    spoken = replace(spoken, severity={Level.CRITICAL: Severity.INFO})
    scene.config = Config(settings=given, alerts=(alert(spoken),))
    scene.tick(db1=90)
    (trigger,) = scene.store.claim(scene.now, worker="test", lease=MINUTE, limit=1)
    assert (trigger.route, trigger.message.summary) == (
        Route("pagerduty", PAGERDUTY_KEY),
        "CRITICAL MongoDB lock: db1 at 90",
    )
    assert (trigger.message.labels, trigger.message.severity) == ({"team": "dba"}, Severity.INFO)
    scene.store.mark_sent(trigger.id, worker="test", at=scene.now, answer="202")

    notifying = replace(spoken, notify={Level.CRITICAL: ("dba",)})
    scene.config = Config(settings=given, alerts=(alert(notifying),))
    scene.tick(db1=90)
    scene.poller.tell_untold(scene.config)
    assert [each[:2] for each in sent(scene)] == [("trigger", NEW_KEY)]
    assert scene.poller.withdraw(scene.config)
    assert [each[:2] for each in sent(scene)] == [("resolve", PAGERDUTY_KEY)]
    scene.tick(db1=10)
    assert [each[:2] for each in sent(scene)] == [("resolve", NEW_KEY)]
