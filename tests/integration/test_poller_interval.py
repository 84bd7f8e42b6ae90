"""Alerts that are checked less often than the heartbeat, on a real database."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from graphitepager.model import COUNT
from graphitepager.poller import Poller
from graphitepager.rules import Config, Expected, Level
from graphitepager.silences import parse_matcher
from tests.examples import MINUTE, NOON, alert, entry
from tests.integration.poller_support import LosesTheAnswer, Scene, sent
from tests.integration.store_support import empty_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLOW, FAST = "slow.target", "fast.target"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with empty_database("sqlite", tmp_path) as url, LosesTheAnswer.open(url) as store:
        yield with_alerts(Scene(store))


def with_alerts(scene: Scene, **keys: Any) -> Scene:
    """One alert every five minutes, one at every heartbeat."""
    slow = alert(entry(SLOW, no_data_for=6 * MINUTE, **keys), name="slow", interval=5 * MINUTE)
    scene.config = Config(settings=scene.config.settings, alerts=(slow, alert(entry(FAST), name="fast")))
    return scene


def asked(scene: Scene, **values: float) -> list[str]:
    """Tick once; return the targets that were asked for."""
    scene.graphite.asked.clear()
    scene.tick(**values)
    return [query.target for query in scene.graphite.asked]


def told(scene: Scene) -> list[tuple[str, str]]:
    """What was sent for the slow alert."""
    return [(kind, summary) for kind, _, summary in sent(scene) if " slow: " in summary]


def test_an_alert_is_checked_at_the_start_and_then_every_interval(scene: Scene) -> None:
    assert [SLOW in asked(scene, db1=10) for _ in range(11)] == [True, *[False] * 4, True, *[False] * 4, True]


def test_after_a_start_or_an_edit_it_is_checked_at_once(scene: Scene) -> None:
    assert [SLOW in asked(scene, db1=10) for _ in range(2)] == [True, False]
    scene.poller = Poller(scene.store, lambda: scene.now)
    assert [SLOW in asked(scene, db1=10) for _ in range(2)] == [True, False]
    with_alerts(scene, keep_firing_for=MINUTE)
    assert [SLOW in asked(scene, db1=10) for _ in range(2)] == [True, False]


def test_what_is_not_checked_keeps_its_state(scene: Scene) -> None:
    scene.tick(db1=90)
    assert told(scene) == [("trigger", "CRITICAL slow: db1 is 90 (critical at 70)")]
    before = scene.store.load().memories["slow"]
    for _ in range(4):
        scene.tick(db1=10)
    assert scene.store.load().memories["slow"] == before
    scene.tick(db1=10)
    assert [kind for kind, _ in told(scene)] == ["resolve"]


def test_a_fetch_that_failed_is_tried_again_at_the_next_heartbeat(scene: Scene) -> None:
    scene.tick(db1=10)
    scene.now += 4 * MINUTE
    scene.graphite.failure = "no answer within 10 s"
    assert [SLOW in asked(scene) for _ in range(3)] == [True, True, True]
    scene.graphite.failure = None
    assert [SLOW in asked(scene, db1=10) for _ in range(2)] == [True, False]


def test_a_series_that_is_gone_is_missed_although_nobody_looked_in_between(scene: Scene) -> None:
    scene.tick(db1=10, db2=10, db3=10)
    for _ in range(16):
        scene.tick(db1=10, db3=10)
    # Gone at the checks after 5, 10 and 15 minutes: 6 minutes are over at the third of them.
    assert told(scene) == [("trigger", "NO DATA slow: db2 has had no datapoint for 10min")]


def test_an_outage_does_not_count_as_missing_data(scene: Scene) -> None:
    scene.tick(db1=10, db2=10, db3=10)
    scene.now += 4 * MINUTE
    scene.tick(db1=10, db3=10)
    scene.now += timedelta(hours=60)
    scene.tick(db1=10, db3=10)
    assert told(scene) == []


def test_what_is_open_is_told_again_at_any_heartbeat(scene: Scene) -> None:
    with_alerts(scene, repeat_interval=2 * MINUTE)
    scene.tick(db1=90)
    kinds = []
    for _ in range(4):
        kinds += [kind for kind, _ in told(scene)]
        scene.tick(db1=90)
    assert kinds == ["trigger", "repeat"]


def test_what_was_silenced_is_told_once_the_silence_is_over_with_what_is_wrong(scene: Scene) -> None:
    with_alerts(scene, warning=None, critical=None, expect_series=Expected(least=3, most=None, level=Level.CRITICAL))
    matchers = [parse_matcher("alert=slow")]
    scene.store.add_silence(matchers=matchers, author="ann", comment="x", begins_at=NOON, ends_at=NOON + 2 * MINUTE)
    scene.tick(db1=10)
    assert COUNT in scene.store.load().memories["slow"].states
    scene.tick(db1=10)
    assert told(scene) == []
    scene.tick(db1=10)
    assert told(scene) == [("trigger", "CRITICAL slow: slow.target: 1 series, expected at least 3, for 2min")]
